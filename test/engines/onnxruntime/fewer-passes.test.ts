import fc from "fast-check";
import { expect, test } from "vitest";
import { fewerPasses } from "../../../src/engines/onnxruntime/fewer-passes.ts";
import { rewritten } from "../../../src/engines/wasm/lower.ts";
import {
  add,
  div,
  exp,
  f32,
  f64,
  gelu,
  grad,
  graph,
  i32,
  leaves,
  matmul,
  maxPool,
  mul,
  neg,
  reference,
  relu,
  softmax,
  softmaxCrossEntropy,
  sqrt,
  square,
  sub,
  sum,
  type TensorType,
  tensor,
  transpose,
  type Value,
  valueAndGrad,
} from "../../../src/index.ts";
import { collect } from "../../../src/ir/walk.ts";

type Given = Record<string, Value>;
type Held = Parameters<ReturnType<ReturnType<typeof reference>["prepare"]>["run"]>[0];

/** A function of inputs, before and after. */
function both(types: Record<string, TensorType>, f: (given: Given) => unknown) {
  const g = graph(types, f as (given: unknown) => Record<string, Value>);
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const inputs = values(g.inputs);
  const before = rewritten(inputs, values(g.outputs), []).outputs;
  const after = fewerPasses(before);
  const run = (outputs: readonly Value[], held: Held): number[][] =>
    reference()
      .prepare(inputs, outputs)
      .run(held)
      .map((r) => (typeof r === "number" ? [r] : [...r.data]));
  const passes = (outputs: readonly Value[]): number =>
    collect(outputs).filter(({ op, operands }) => operands.length > 0 && op.name !== "expand").length;
  return { inputs, before, after, passes: [passes(before), passes(after)] as const, run };
}

/** Numbers that differ from place to place and are the same each time. */
function filled(types: Record<string, TensorType>): Held {
  return Object.values(types).map(({ dtype, shape }, k) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length: size }, (_, i) =>
      dtype === "i32" ? (i * 7 + k) % 5 : Math.fround(Math.sin(i * 1.7 + k * 3.1) * 1.5 + 0.05),
    );
    const { data } = tensor(numbers, dtype as "f32");
    return { type: { kind: "type", dtype, shape }, data } as unknown as Held[number];
  });
}

function close(got: readonly number[][], wanted: readonly number[][]): void {
  got.forEach((list, k) => {
    const scale = Math.max(1, ...wanted[k]!.filter(Number.isFinite).map(Math.abs));
    list.forEach((x, i) => {
      const y = wanted[k]![i]!;
      if (!(Object.is(x, y) || Math.abs(x - y) <= 2e-6 * scale)) expect({ output: k, at: i, got: x }).toEqual({ output: k, at: i, got: y });
    });
  });
}

const size = f32(4, 600, 50);
const norm = (v: Value, g: Value, h: Value): Value => {
  const mean = div(sum(v, { axis: -1, keepDims: true }), 50);
  const centred = sub(v, mean);
  return add(mul(div(centred, sqrt(add(div(sum(mul(centred, centred), { axis: -1, keepDims: true }), 50), 1e-5))), g), h);
};

test.each<[name: string, types: Record<string, TensorType>, f: (given: Given) => unknown, most: number]>([
  [
    "a GELU and its gradient",
    { x: size, dy: size },
    ({ x, dy }) => valueAndGrad((v: Value) => sum(mul(gelu(v, { approximate: "tanh" }), dy!)))(x!),
    19,
  ],
  [
    "a normalisation and its gradients",
    { x: size, g: f32(50), h: f32(50), dy: size },
    ({ x, g, h, dy }) => grad((p: { x: Value; g: Value; h: Value }) => sum(mul(norm(p.x, p.g, p.h), dy!)))({ x: x!, g: g!, h: h! }),
    28,
  ],
  ["a softmax and its gradient", { x: size, dy: size }, ({ x, dy }) => grad((v: Value) => sum(mul(softmax(v), dy!)))(x!), 11],
  [
    "a cross entropy and its gradient",
    { x: f32(400, 5), y: i32(400) },
    ({ x, y }) => valueAndGrad((v: Value) => softmaxCrossEntropy(v, y!))(x!),
    27,
  ],
  [
    "decay beside a step",
    { p: size, m: size, rate: f32() },
    ({ p, m, rate }) => ({ p: sub(sub(p!, mul(mul(0.01, rate!), p!)), mul(rate!, m!)) }),
    5,
  ],
  [
    "a rectifier whose gradient comes from a pool",
    { x: f32(2, 3, 8, 8), dy: f32(2, 3, 4, 4) },
    ({ x, dy }) => valueAndGrad((v: Value) => sum(mul(maxPool(relu(v), { size: 2 }), dy!)))(x!),
    9,
  ],
])("%s, in fewer passes, are the same numbers", (_, types, f, most) => {
  const { before, after, passes, run } = both(types, f);
  const held = filled(types);
  close(run(after, held), run(before, held));
  expect(passes[1]).toBeLessThanOrEqual(Math.min(most, passes[0]));
});

test("where a pooled ReLU stops its gradient is told by what was pooled, which is smaller", () => {
  const { after } = both({ x: f32(2, 3, 8, 8), dy: f32(2, 3, 4, 4) }, ({ x, dy }) =>
    valueAndGrad((v: Value) => sum(mul(maxPool(relu(v), { size: 2 }), dy!)))(x!),
  );
  const chosen = collect(after).filter(({ op }) => op.name === "where");
  expect(chosen.map(({ type }) => type.shape)).toContainEqual([2, 3, 4, 4]);
});

test("the gradient of a GELU is 0, 1 or no number where it was", () => {
  const { before, after, run } = both({ x: f32(9) }, ({ x }) => valueAndGrad((v: Value) => sum(gelu(v, { approximate: "tanh" })))(x!));
  const data = Float32Array.of(-1e18, -1e13, -40, -0, 0, 40, 1e18, Number.NaN, Number.NEGATIVE_INFINITY);
  const x = { type: { kind: "type", dtype: "f32", shape: [9] }, data } as unknown as Held[number];
  const [wanted, got] = [run(before, [x])[1]!, run(after, [x])[1]!];
  expect(wanted.map((v) => v + 0)).toEqual([0, 0, 0, 0.5, 0.5, 1, 1, Number.NaN, Number.NaN]);
  expect(got.map((v) => v + 0)).toEqual(wanted.map((v) => v + 0));
  expect(collect(after).some(({ op, operands: [a] }) => op.name === "square" && a?.node.op.name === "tanh")).toBe(false);
});

test("products of batches whose rows and columns change places are those of the transposed, unless something else reads them", () => {
  const types = { a: f32(2, 3, 4, 5), b: f32(2, 3, 5, 6) };
  const held = filled(types);
  for (const [axes, more, turned] of [
    [[0, 3, 1, 2], false, true],
    [[0, 1, 3, 2], false, true],
    [[0, 2, 1, 3], false, false],
    [[0, 3, 1, 2], true, false],
  ] as const) {
    const { before, after, run } = both(types, ({ a, b }) => {
      const product = matmul(a!, b!);
      return { turned: transpose(product, { axes: [...axes] }), ...(more ? { more: exp(product) } : {}) };
    });
    const products = collect(after).filter(({ op }) => op.name === "matmul");
    expect(products.map(({ type }) => type.shape), axes.join()).toEqual([turned ? [2, 3, 6, 4] : [2, 3, 4, 6]]); // biome-ignore format: short
    close(run(after, held), run(before, held));
  }
});

test("what saves nothing stays as it is, and so does everything in f64", () => {
  const plain = both({ x: f32(3), y: f32(3) }, ({ x, y }) => ({ z: div(mul(x!, y!), sub(x!, 2)) }));
  expect(plain.after).toEqual(plain.before);
  const { before, after } = both({ x: f64(3) }, ({ x }) => ({ z: add(mul(2, x!), neg(mul(3, x!))) }));
  expect(after[0]).toBe(before[0]);
});

test("terms that cancel stay: what is left of infinite and unknown ones is NaN", () => {
  const { after, run } = both({ x: f32(3) }, ({ x }) => ({
    none: sub(mul(2, x!), mul(2, x!)),
    one: div(mul(x!, x!), x!),
    nothing: mul(0, square(x!)),
  }));
  const x = { type: { kind: "type", dtype: "f32", shape: [3] }, data: Float32Array.of(Infinity, Number.NaN, 0) } as unknown as Held[number];
  const [none, one, nothing] = run(after, [x]) as [number[], number[], number[]];
  expect([none, one.slice(1), nothing].map((r) => r.map(Number.isNaN))).toEqual([
    [true, true, false],
    [true, true],
    [true, true, false],
  ]);
});

test("thousands of operations in a row, of which each is shared, are no deeper than one, and very many stay as they are", () => {
  const chain = (n: number) =>
    both({ x: f32(2) }, ({ x }) => {
      let v = x!;
      for (let i = 0; i < n; i++) v = i % 3 === 0 ? mul(-1, v) : neg(add(v, i % 2 === 0 ? x! : neg(x!)));
      return { v };
    });
  const { after, run } = chain(4000);
  const x = { type: { kind: "type", dtype: "f32", shape: [2] }, data: Float32Array.of(1, 3) } as unknown as Held[number];
  expect(run(after, [x])[0]!.every(Number.isFinite)).toBe(true);
  const long = chain(50_000);
  expect(long.after).toEqual(long.before);
});

test("random sums of products on operands of any shape are the same numbers", () => {
  const types = { a: f32(4, 300, 5), b: f32(300, 1), c: f32(), d: f32(1, 300, 5), e: f32(4, 1, 1) };
  const held = filled(types);
  const names = Object.keys(types);
  const op = fc.record({
    kind: fc.constantFrom("add", "sub", "mul", "div", "neg", "square", "number", "sum", "expand"),
    i: fc.nat(40),
    j: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.array(op, { minLength: 3, maxLength: 14 }), (ops) => {
      const { before, after, run } = both(types, (given) => {
        const made: Value[] = names.map((n) => given[n]!);
        const at = (i: number): Value => made[(made.length - 1 - (i % Math.min(made.length, 6))) % made.length]!;
        for (const { kind, i, j } of ops) {
          const [x, y] = [at(i), at(j)];
          if (kind === "add") made.push(add(x, y));
          else if (kind === "sub") made.push(sub(x, y));
          else if (kind === "mul") made.push(mul(x, y));
          else if (kind === "div") made.push(div(x, add(2.5, mul(0.5, y))));
          else if (kind === "neg") made.push(neg(x));
          else if (kind === "square") made.push(square(x));
          else if (kind === "number") made.push(i % 2 === 0 ? mul(0.25 + (j % 3), x) : add(x, 0.5));
          else if (kind === "sum" && x.type.shape.length > 0) made.push(sum(x, { axis: -1, keepDims: true }));
        }
        const result = made.at(-1)!;
        return { result, beside: at(3), slope: grad((a: Value) => sum(mul(a, result)))(given["a"]!) };
      });
      const wanted = run(before, held);
      if (wanted.flat().every((x) => Math.abs(x) < 1e4)) close(run(after, held), wanted);
    }),
    { numRuns: 60, seed: 7 },
  );
});
