import { describe, expect, test } from "vitest";
import {
  add,
  bool,
  cumsum,
  diag,
  evaluate,
  expand,
  f32,
  f64,
  flip,
  full,
  gather,
  gatherElements,
  gatherND,
  grad,
  i32,
  type Operand,
  oneHot,
  ones,
  pad,
  range,
  read,
  reshape,
  scatterAdd,
  scatterElements,
  scatterND,
  slice,
  split,
  square,
  squeeze,
  stack,
  sum,
  tensor,
  tile,
  toArray,
  tril,
  triu,
  unsqueeze,
  unstack,
  type Value,
  zeros,
} from "../../../src/index.ts";
import { checkDerivatives, sample } from "../differentiation.ts";

const x23 = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const ids = tensor([[0, -1, 1]], "i32");

const smooth: Readonly<Record<string, (x: Value) => Value>> = {
  cumsum: (x) => cumsum(square(x), { axis: 1, exclusive: true, reverse: true }),
  "pad constant": (x) =>
    pad(square(x), {
      pads: [
        [1, 0],
        [0, 2],
      ],
      value: 3,
    }),
  "pad reflect": (x) =>
    pad(square(x), {
      pads: [
        [1, 2],
        [2, 1],
      ],
      mode: "reflect",
    }),
  "pad edge": (x) =>
    pad(square(x), {
      pads: [
        [2, 1],
        [0, 5],
      ],
      mode: "edge",
    }),
  split: (x) => split(square(x), { axis: 1, sizes: [1, 3] })[1]!,
  unstack: (x) => unstack(square(x), { axis: 1 })[2]!,
  flip: (x) => flip(square(x), { axis: 0 }),
  tile: (x) => tile(square(x), { repeats: [2, 3] }),
  diag: (x) => diag(square(x), { offset: 1 }),
  "diag of a vector": (x) => diag(square(reshape(x, { shape: [-1] })), { offset: -2 }),
  triu: (x) => triu(square(x), { offset: 1 }),
  tril: (x) => tril(square(x), { offset: -1 }),
  gather: (x) => gather(square(x), tensor([2, 0, -1, 2], "i32"), { axis: 1 }),
  gatherElements: (x) => gatherElements(square(x), ids, { axis: 0 }),
  gatherND: (x) =>
    gatherND(
      square(x),
      tensor(
        [
          [1, 0],
          [-1, 3],
          [1, 0],
        ],
        "i32",
      ),
    ),
  scatterAdd: (x) => scatterAdd(square(x), tensor([1, 1, 0], "i32"), slice(square(x), { axis: 0, start: 0, end: 3 })),
  "scatterElements add": (x) => scatterElements(square(x), ids, square(slice(x, { axis: 0, end: 1 })), { reduction: "add" }),
};

describe("derivatives", () => {
  for (const [name, f] of Object.entries(smooth))
    if (!name.startsWith("scatterElements") && name !== "gatherElements" && name !== "gatherND")
      test(name, () => checkDerivatives(f, sample([4, 4], 1)));
  test("gatherElements", () => checkDerivatives(smooth["gatherElements"]!, sample([2, 3], 1)));
  test("gatherND", () => checkDerivatives(smooth["gatherND"]!, sample([4, 4], 2)));
  test("scatterElements", () => {
    checkDerivatives(smooth["scatterElements add"]!, sample([2, 3], 1));
    // Two updates for one place: the one that lost has no gradient.
    const twice = (x: Value): Value => scatterElements(square(x), tensor([2, 2, 0], "i32"), square(slice(x, { end: 3 })));
    checkDerivatives(twice, sample([4], 1));
    expect(toArray(grad((u: Value) => sum(scatterElements(zeros(f64(3)), tensor([1, 1], "i32"), u)))(tensor([5, 6])))).toEqual([0, 1]);
  });
  test("scatterND", () => {
    const indices = tensor([[1], [1], [0]], "i32");
    for (const reduction of ["none", "add"] as const)
      checkDerivatives((x) => scatterND(square(x), indices, square(flip(x, { axis: 1 })), { reduction }), sample([3, 2], 1));
  });
});

test("what they give", () => {
  expect(toArray(cumsum(x23, { axis: -1 }))).toEqual([
    [1, 3, 6],
    [4, 9, 15],
  ]);
  expect(evaluate(cumsum(tensor([true, false, true]), { axis: 0 })).type).toEqual(i32(3));
  expect(evaluate(cumsum(tensor([100, 100], "i8"), { axis: 0 })).data).toEqual(Int8Array.of(100, -56));
  expect(toArray(pad(tensor([1, 2, 3]), { pads: [[2, 1]], mode: "reflect" }))).toEqual([3, 2, 1, 2, 3, 2]);
  expect(toArray(pad(tensor([1, 2]), { pads: [[1, 2]], mode: "edge" }))).toEqual([1, 1, 2, 2, 2]);
  expect(split(x23, { axis: 1, parts: 3 }).map(toArray)).toEqual([
    [[1], [4]],
    [[2], [5]],
    [[3], [6]],
  ]);
  expect(unstack(x23).map(toArray)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(toArray(gather(x23, -1, { axis: 1 }))).toEqual([3, 6]);
  expect(toArray(gather(x23, tensor([[0, 1]], "u8"), { axis: 1 }))).toEqual([[[1, 2]], [[4, 5]]]);
  expect(toArray(gather(x23, tensor(new BigInt64Array([1n]))))).toEqual([[4, 5, 6]]);
  expect(toArray(oneHot(tensor([1, -1, 0], "i32"), { depth: 2 }))).toEqual([
    [0, 1],
    [0, 0],
    [1, 0],
  ]);
  expect(oneHot(1, { depth: 2 }).type).toEqual(f32(2));
  expect(toArray(diag(x23, { offset: 1 }))).toEqual([2, 6]);
  expect(toArray(diag(x23, { offset: 7 }))).toEqual([]);
  expect(toArray(triu(x23))).toEqual([
    [1, 2, 3],
    [0, 5, 6],
  ]);
  expect(squeeze(ones(f32(1, 2, 1))).type).toEqual(f32(2));
  expect(squeeze(ones(f32(1, 2, 1)), { axis: -1 }).type).toEqual(f32(1, 2));
  expect(unsqueeze(ones(f32(2)), { axis: [0, -1] }).type).toEqual(f32(1, 2, 1));
  expect(toArray(range(2, 8, 3))).toEqual([2, 5]);
  expect(toArray(range(0, 1, 0.5, { dtype: "f64" }))).toEqual([0, 0.5]);
  expect(toArray(range(3, 0, -2))).toEqual([3, 1]);
  expect(toArray(full(f32(2), 0.5))).toEqual([0.5, 0.5]);
});

test("nothing to move", () => {
  const empty = zeros(f64(0, 3));
  expect(flip(empty).type).toEqual(f64(0, 3));
  for (const v of [flip(empty), tile(empty, { repeats: [2, 1] }), cumsum(empty, { axis: 0 }), triu(empty), gather(empty, zeros(i32(0)))])
    expect(evaluate(v).data).toHaveLength(0);
  expect(toArray(tile(x23, { repeats: [0, 1] }))).toEqual([]);
  expect(
    toArray(
      pad(empty, {
        pads: [
          [1, 0],
          [0, 0],
        ],
        value: 7,
      }),
    ),
  ).toEqual([[7, 7, 7]]);
  expect(toArray(scatterAdd(x23, zeros(i32(0)), empty))).toEqual(toArray(x23));
});

test("a piece that nothing depends on gets zeros", () => {
  expect(toArray(grad((x: Value) => sum(square(split(x, { parts: 2 })[1]!)))(tensor([1, 2, 3, 4])))).toEqual([0, 0, 6, 8]);
  expect(toArray(grad((x: Value) => square(unstack(x)[0]!))(tensor([3, 4])))).toEqual([6, 0]);
  expect(read(grad((v: Value) => sum(full(f64(3), v)))(2))).toBe(3);
});

test("stored attributes are accepted again", () => {
  for (const v of [
    slice(x23, { axis: 1, start: 2, step: -1, end: 0 }),
    flip(x23),
    cumsum(x23, { axis: 0 }),
    split(x23, { parts: 2 })[0]!,
    triu(x23),
  ]) {
    const again = (v.node.op as unknown as (x: Operand, attrs: object) => Value | Value[])(x23, v.node.attrs);
    expect((Array.isArray(again) ? again[0]! : again).node.attrs).toEqual(v.node.attrs);
  }
});

const lessons: readonly (readonly [string, () => unknown])[] = [
  ['gather: indices is f64[2]; indices are whole numbers; write cast(indices, "i32")', () => gather(x23, tensor([0, 1]))],
  [
    "gather: indices[0,1] is 7 and axis 1 of x has size 3; indices are -3..2",
    () => evaluate(gather(x23, tensor([[0, 7]], "i32"), { axis: 1 })),
  ],
  ["gather: indices is -3 and axis 0 of x has size 2; indices are -2..1", () => evaluate(gather(x23, -3))],
  [
    "gather: indices[0] is 0 and axis 0 of x has size 0; an empty axis has no indices",
    () => evaluate(gather(zeros(f64(0)), tensor([0], "i32"))),
  ],
  ["gather: x is f64[], a scalar; it has no axis to index", () => gather(1, 0)],
  [
    "scatterAdd: x is f64[2,3] and indices is i32[2], so on axis 0 updates is [2,3]; it is f64[2]",
    () => scatterAdd(x23, tensor([0, 1], "i32"), tensor([1, 2])),
  ],
  [
    "gatherElements: x is f64[2,3] and indices is i32[2]; they have one rank, and off axis 0 indices are no larger than x",
    () => gatherElements(x23, tensor([0, 1], "i32")),
  ],
  [
    "scatterElements: indices[0,0] is 2 and axis 0 of x has size 2; indices are -2..1",
    () => evaluate(scatterElements(x23, tensor([[2]], "i32"), tensor([[1]]))),
  ],
  ["scatterElements: indices is i32[1,3] and updates is f64[1,2]; they have one shape", () => scatterElements(x23, ids, tensor([[1, 2]]))],
  [
    'scatterElements: reduction is "mul"; it is "none" or "add"',
    () => scatterElements(x23, ids, ones(f64(1, 3)), { reduction: "mul" as "add" }),
  ],
  [
    "gatherND: x is f64[2,3], indices is i32[1,3] and batchDims is 0; the last axis of indices holds index tuples of at most 2 numbers, and the first 0 sizes of both are equal",
    () => gatherND(x23, ids),
  ],
  ["gatherND: indices[0,1] is 9 and axis 1 of x has size 3; indices are -3..2", () => evaluate(gatherND(x23, tensor([[1, 9]], "i32")))],
  [
    "scatterND: x is f64[2,3] and indices is i32[1,1], so updates is [1,3]; it is f64[3]",
    () => scatterND(x23, tensor([[0]], "i32"), tensor([1, 2, 3])),
  ],
  ["pad: x is f64[2,3] and pads has 1 pairs; write [before, after] for each of the 2 axes", () => pad(x23, { pads: [[1, 1]] })],
  [
    "pad: pads[0] is [-1,0]; a pair is [before, after], whole numbers, 0 or more; to take elements off write slice",
    () => pad(tensor([1]), { pads: [[-1, 0]] }),
  ],
  [
    'pad: pads[0] is [2,0] and axis 0 of x, f64[2], has size 2; mode "reflect" can mirror at most 1 elements',
    () => pad(tensor([1, 2]), { pads: [[2, 0]], mode: "reflect" }),
  ],
  ['pad: x is f64[0] and axis 0 has no edge to repeat; use mode "constant"', () => pad(zeros(f64(0)), { pads: [[1, 0]], mode: "edge" })],
  ['pad: mode is "wrap"; it is "constant", "reflect" or "edge"', () => pad(tensor([1]), { pads: [[1, 0]], mode: "wrap" as "edge" })],
  [
    "split: x is f64[2,3] and parts is 2; axis 1 has size 3: write a number of parts that divides it, or { sizes: [...] }",
    () => split(x23, { axis: 1, parts: 2 }),
  ],
  ["split: x is f64[2,3] and parts is missing; axis 0 has size 2", () => split(x23, {})],
  [
    "split: x is f64[2,3] and sizes is [1,1]; the sizes are whole numbers that add up to 3, the size of axis 1",
    () => split(x23, { axis: 1, sizes: [1, 1] }),
  ],
  ["unstack: x is f64[0] and axis 0 has no elements, so there is nothing to list", () => unstack(zeros(f64(0)))],
  ["squeeze: x is f64[2,3] and axis 1 has size 3; only axes of size 1 can go", () => squeeze(x23, { axis: 1 })],
  ["unsqueeze: axis 3 is out of range for rank 3", () => unsqueeze(x23, { axis: 3 })],
  ["tile: x is f64[2,3] and repeats is [2]; write one whole number, 0 or more, for each of the 2 axes", () => tile(x23, { repeats: [2] })],
  ["triu: x is f64[2]; a triangle needs two axes or more", () => triu(tensor([1, 2]))],
  ["tril: offset is 0.5; it is a whole number", () => tril(x23, { offset: 0.5 })],
  ["diag: x is f64[]; it takes a vector, or a matrix whose diagonal is wanted", () => diag(1)],
  ['oneHot: x is bool[]; classes are whole numbers; write cast(x, "i32")', () => oneHot(zeros(bool()), { depth: 2 })],
  ["oneHot: x[1] is 2 and depth is 2; classes are 0..1, or -1 for none", () => evaluate(oneHot(tensor([1, 2], "i32"), { depth: 2 }))],
  ["oneHot: x[0] is -2 and depth is 2; classes are 0..1, or -1 for none", () => evaluate(oneHot(tensor([-2], "i32"), { depth: 2 }))],
  ["oneHot: depth is 1.5; it is the number of classes, a whole number", () => oneHot(1, { depth: 1.5 })],
  ["range: start 0, end 3, step 0; all are finite numbers and step is not 0", () => range(0, 3, 0)],
  ['range: start 0 and step 0.5 are not whole and the dtype is i32; write { dtype: "f64" }', () => range(0, 3, 0.5)],
  ["full: value is f64[2]; it is a scalar; write expand(value, { shape })", () => full(f64(3), tensor([1, 2]))],
  ['full: value is f64[] and the type is f32[3]; write cast(value, "f32")', () => full(f32(3), add(1, 2))],
  ["cumsum: axis 2 is out of range for rank 2; axes are -2..1", () => cumsum(x23, { axis: 2 })],
  ["flip: axis 1 is named twice", () => flip(x23, { axis: [1, -1] })],
];

test.each(lessons)("%s", (message, run) => {
  expect(run).toThrow(message);
});

test("stacks come apart again", () => {
  expect(unstack(stack([x23, expand(1, { shape: [2, 3] })], { axis: 2 }), { axis: 2 }).map(toArray)).toEqual([
    toArray(x23),
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  ]);
});
