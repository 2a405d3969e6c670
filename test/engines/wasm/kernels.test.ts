import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import {
  add,
  argMax,
  argMin,
  averagePool,
  cast,
  clip,
  cumsum,
  type DType,
  diag,
  f64,
  gather,
  gatherElements,
  gatherND,
  grad,
  graph,
  jit,
  matmul,
  maxPool,
  mul,
  norm,
  oneHot,
  pad,
  pow,
  reference,
  reshape,
  scatterAdd,
  scatterElements,
  scatterND,
  sign,
  softmaxCrossEntropy,
  sort,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  tile,
  topK,
  transpose,
  tril,
  triu,
  type Value,
} from "../../../src/index.ts";
import { allocate } from "../../../src/ir/dtype.ts";
import { sizeOf } from "../../../src/ir/shape.ts";
import { hold } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { tensorType } from "../../../src/ir/type.ts";
import { collect } from "../../../src/ir/walk.ts";
import { wasm } from "../../../src/wasm.ts";

const engine = wasm();
const d = drawsFrom(11);

/** Numbers with ties: few different values. */
function drawn(dtype: DType, shape: readonly number[], distinct = 7): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++)
    data[i] = dtype === "bool" ? d.whole(0, 1) : (d.whole(0, distinct) - 4) / (dtype[0] === "f" ? 2 : 1);
  return hold(tensorType(dtype, shape), data);
}
function places(shape: readonly number[], low: number, high: number): Tensor {
  const data = new Int32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = d.whole(low, high);
  return hold(tensorType("i32", shape), data);
}

type Function = (...xs: Value[]) => unknown;

/** Both engines on the same operands: the same numbers but for rounding. */
function agree(f: Function, ...xs: Tensor[]): void {
  const [want, got] = [reference(), engine].map(
    (e) => leaves(jit(f as never, e)(...(xs as never[])) as never) as { leaf: Tensor; path: string }[],
  );
  expect(got!.map(({ leaf }) => leaf.type)).toEqual(want!.map(({ leaf }) => leaf.type));
  want!.forEach(({ leaf, path }, k) => {
    const room = leaf.type.dtype === "f32" ? 1e-5 : leaf.type.dtype === "f64" ? 1e-13 : 0;
    leaf.data.forEach((x, i) => {
      const y = got![k]!.leaf.data[i]!;
      if (!Object.is(x + 0, y + 0) && !(Math.abs(x - y) <= room * (1 + Math.abs(x))))
        expect(`${path}[${i}] ${y}`).toBe(`${path}[${i}] ${x}`);
    });
  });
}

const moved: readonly DType[] = ["f32", "f64", "i32", "i16", "u8", "bool", "f16", "i64"];

describe("elements are moved by indices", () => {
  test.each(moved)("of %s, in runs of any length, from the end too", (dtype) => {
    for (const inner of [0, 1, 3, 8, 33, 130]) {
      const x = drawn(dtype, [2, 5, inner]);
      agree((v, i) => gather(v, i, { axis: 1 }), x, places([3, 2], -5, 4));
      agree((v, i) => gather(v, i, { axis: 1 }), x, places([0], 0, 0));
    }
    agree((v, i) => gather(v, i, { axis: 2 }), drawn(dtype, [3, 1, 7]), places([4], -7, 6));
    agree((v, i) => gatherElements(v, i, { axis: 1 }), drawn(dtype, [3, 4, 5]), places([2, 6, 5], -4, 3));
    agree((v, i) => gatherND(v, i, { batchDims: 1 }), drawn(dtype, [2, 3, 4, 5]), places([2, 6, 2], -3, 2));
    agree((v, i, u) => scatterElements(v, i, u, { axis: 0 }), drawn(dtype, [3, 4]), places([5, 4], -3, 2), drawn(dtype, [5, 4]));
    agree((v, i, u) => scatterND(v, i, u), drawn(dtype, [3, 4, 2]), places([6, 2], -3, 2), drawn(dtype, [6, 2]));
  });
  test.each(["f32", "f64", "i32"] as const)("of %s, and added where several meet", (dtype) => {
    for (const inner of [1, 5, 64, 131]) {
      const [x, i, u] = [drawn(dtype, [2, 4, inner]), places([9], -4, 3), drawn(dtype, [2, 9, inner])];
      agree((v, at, w) => scatterAdd(v, at, w, { axis: 1 }), x, i, u);
      agree((v, at, w) => scatterAdd(mul(v, 0), at, w, { axis: 1 }), x, i, u);
    }
    agree(
      (v, i, u) => scatterElements(v, i, u, { axis: 1, reduction: "add" }),
      drawn(dtype, [3, 4]),
      places([3, 9], -4, 3),
      drawn(dtype, [3, 9]),
    );
    agree((v, i, u) => scatterND(v, i, u, { reduction: "add" }), drawn(dtype, [3, 4]), places([9, 1], -3, 2), drawn(dtype, [9, 4]));
  });
  test("as rows with a single 1, of any dtype", () => {
    for (const dtype of ["f32", "f64", "i32", "bool", "u8"] as const) agree((v) => oneHot(v, { depth: 5, dtype }), places([2, 3], -1, 4));
  });
  const cases: readonly (readonly [string, Function, ...Tensor[]])[] = [
    ["gather: indices[1] is 4 and axis 0 of x has size 4; indices are -4..3", (v, i) => gather(v, i), drawn("f32", [4, 2]), tensor([0, 4], "i32")],
    ["gather: indices[0] is 0 and axis 0 of x has size 0; an empty axis has no indices", (v, i) => gather(v, i), drawn("f32", [0, 2]), tensor([0], "i32")],
    ["scatterElements: indices[0] is -5 and axis 0", (v, i, u) => scatterElements(v, i, u), drawn("f32", [4]), tensor([-5], "i32"), drawn("f32", [1])],
    ["oneHot: x[1] is 3 and depth is 3; classes are 0..2, or -1 for none", (v) => oneHot(v, { depth: 3 }), tensor([0, 3], "i32")],
    ["softmaxCrossEntropy: labels[0] is 9", (v, y) => softmaxCrossEntropy(v, y), drawn("f32", [2, 3]), tensor([9, 0], "i32")],
  ]; // biome-ignore format: a table
  test.each(cases as readonly [string, Function, ...Tensor[]][])(
    "and one that is out of range is the reference's error: %s",
    (...[message, f, ...xs]: readonly [string, Function, ...Tensor[]]) => {
      const compiled = jit(f as never, engine) as unknown as (...at: Tensor[]) => Tensor;
      for (let i = 0; i < 2; i++) expect(() => compiled(...xs)).toThrow(message);
      expect(() => (jit(f as never, reference()) as unknown as (...at: Tensor[]) => Tensor)(...xs)).toThrow(message);
      // The engine goes on.
      agree((v) => mul(v, 2), drawn("f32", [3]));
    },
  );
});

const pools = [
  { size: 2 },
  { size: 3, stride: 2 },
  { size: [2, 3], stride: [1, 2], padding: [[0, 1], [2, 1]] },
  { size: 3, stride: 2, padding: 1, ceilMode: true },
  { size: [1, 9], stride: 4, ceilMode: true },
] as const; // biome-ignore format: one a line
describe.each(pools)("pooling of %o", (attrs) => {
  test.each(["f32", "f64"] as const)("%s and its gradient, with ties, NaN and infinities", (dtype) => {
    for (const shape of [
      [2, 3, 9, 11],
      [1, 1, 7, 13],
      [0, 2, 9, 11],
    ]) {
      const x = drawn(dtype, shape, 4);
      const odd = drawn(dtype, shape);
      for (let i = 0; i < odd.data.length; i += 5) odd.data[i] = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY][i % 3]!;
      agree((v) => maxPool(v, attrs), x);
      agree((v) => maxPool(v, attrs), odd);
      agree((v) => ({ y: maxPool(v, attrs), d: grad((w: Value) => sum(square(maxPool(w, attrs))))(v) }), x);
      for (const countIncludePad of [true, false])
        agree(
          (v) => ({
            y: averagePool(v, { ...attrs, countIncludePad }),
            d: grad((w: Value) => sum(square(averagePool(w, { ...attrs, countIncludePad }))))(v),
          }),
          x,
        );
    }
  });
});
test("pooling over lines, volumes and large windows, of whole numbers too", () => {
  agree((v) => maxPool(v, { size: 3, dilation: 2 }), drawn("i32", [2, 3, 17]));
  agree((v) => maxPool(v, { size: 2, padding: 1 }), drawn("f32", [2, 3, 4, 5, 6]));
  agree((v) => maxPool(v, { size: [11, 13] }), drawn("f32", [2, 3, 11, 13]));
  agree((v) => averagePool(v, { size: [11, 13] }), drawn("f64", [2, 3, 11, 13]));
});

describe.each(["f32", "f64", "i32"] as const)("lines of %s", (dtype) => {
  test.each([[4, 5, 6], [1, 1, 1], [3, 0, 2], [2, 127, 3], [1, 300, 1]])("[%i, %i, %i] are summed, searched and put in order", (...shape) => {
    const x = drawn(dtype, shape, shape[1]! > 100 ? 40 : 7);
    if (dtype !== "i32") for (let i = 0; i < x.data.length; i += 11) x.data[i] = [Number.NaN, Number.NEGATIVE_INFINITY, -0][i % 3]!;
    for (const exclusive of [true, false])
      for (const reverse of [true, false]) agree((v) => cumsum(v, { axis: 1, exclusive, reverse }), x);
    for (const descending of [true, false]) agree((v) => sort(v, { axis: 1, descending }), x);
    for (const k of [0, 1, 2, 5, 60])
      for (const largest of [true, false]) if (k <= shape[1]!) agree((v) => topK(v, { axis: 1, k, largest }), x);
    if (x.data.length > 0) for (const axis of [0, 1, 2, [0, 2], [1, 2]]) agree((v) => ({ a: argMax(v, { axis }), b: argMin(v, { axis, keepDims: true }) }), x);
  }); // biome-ignore format: loops
});

test("padding, tiles, triangles, diagonals and norms are put together from what has kernels", () => {
  for (const dtype of ["f32", "f64", "i32"] as const) {
    const x = drawn(dtype, [3, 4]);
    agree((v) => pad(v, { pads: [[1, 2], [0, 3]], value: 3 }), x); // biome-ignore format: pairs
    for (const mode of ["reflect", "edge"] as const) agree((v) => pad(v, { pads: [[1, 2], [0, 3]], mode }), x); // biome-ignore format: pairs
    agree((v) => tile(v, { repeats: [2, 3] }), x);
    for (const offset of [-1, 0, 2]) agree((v) => ({ a: triu(v, { offset }), b: tril(v, { offset }), c: diag(v, { offset }) }), x);
    agree((v) => diag(v, { offset: -1 }), drawn(dtype, [3]));
  }
  agree((v) => ({ a: pad(v, { pads: [[1, 0]], value: 1 }), b: sum(v), c: cumsum(v, { axis: 0 }) }), drawn("bool", [9]));
  for (const ord of [1, 2, 3, 0.5, Number.POSITIVE_INFINITY]) agree((v) => norm(v, { ord, axis: 1 }), drawn("f64", [3, 4]));
});

test("a row times a number and a column times it are products of their own in one program", () => {
  agree(
    (v) => {
      const one = reshape(tanh(sum(v)), { shape: [1, 1] });
      return { row: matmul(one, v), column: matmul(transpose(v), one) };
    },
    drawn("f64", [1, 16]),
  );
});

describe("casts between", () => {
  const dtypes = ["f64", "f32", "i32", "u32", "i16", "u16", "i8", "u8", "bool"] as const;
  const given = [0, 1, -1, 2.5, -2.5, 100.9, -128.9, 255.5, 40000, -40000, 2147483647, -2147483648, 4294967295, 0.5, -0.5];
  test.each(dtypes)("%s and the others cut, wrap or refuse as the reference does", (from) => {
    for (const to of dtypes)
      for (const n of [1, 7, given.length]) {
        const data = allocate(from, n);
        for (let i = 0; i < n; i++) data[i] = from === "bool" ? i % 2 : given[i]!;
        const x = hold(tensorType(from, [n]), data);
        const run = (e: typeof engine): unknown => {
          try {
            return Array.from((jit(((v: Value) => cast(v, to)) as never, e) as unknown as (v: Tensor) => Tensor)(x).data);
          } catch (error) {
            return String(error);
          }
        };
        expect(run(engine), `${from} to ${to}`).toEqual(run(reference() as never));
      }
  });
  test("NaN and infinities have no whole number", () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const f = jit((v: Value) => cast(v, "i32"), engine);
      expect(() => f(tensor([1, odd], "f32"))).toThrow(`cast: element 1 is ${odd} and i32 holds whole numbers`);
    }
  });
});

test("whole numbers are clipped and have signs, in lanes and alone", () => {
  for (const shape of [[], [3], [9]])
    for (const bounds of [{ min: -1, max: 2 }, { min: 0 }, { max: -2 }])
      agree((v) => ({ a: clip(v, bounds), b: sign(v) }), drawn("i32", shape));
});

test("thousands of ops that become others are rewritten in one walk, not one walk each", () => {
  const g = graph({ x: f64(4) }, ({ x }) => {
    let v: Value = x;
    for (let i = 0; i < 4000; i++) v = add(pow(v, 3), 0.1);
    return { y: v };
  });
  const low = lowered([g.inputs.x], [g.outputs.y]);
  expect(low.outputs[0]!.type).toEqual(g.outputs.y.type);
  expect(collect(low.outputs).some((node) => node.op.name === "pow")).toBe(false);
}, 20_000);
