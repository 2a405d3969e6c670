import fc from "fast-check";
import { expect, test } from "vitest";
import {
  abs,
  add,
  cast,
  type DType,
  div,
  exp,
  expand,
  f32,
  f64,
  grad,
  greater,
  i32,
  identity,
  jit,
  less,
  log1p,
  maximum,
  mul,
  neg,
  reference,
  relu,
  reshape,
  sin,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorType,
  tanh,
  tensor,
  unstack,
  type Value,
  where,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

type Made = (a: Value, b: Value) => Value;
const shapeless = (x: Value): Value => (x.type.shape.length === 0 ? x : reshape(x, { shape: [] }));
const kinds: readonly Made[] = [
  (a, b) => add(a, b),
  (a, b) => sub(a, b),
  (a, b) => mul(a, b),
  (a, b) => div(a, add(1.5, square(b))),
  (a) => square(a),
  (a) => tanh(a),
  (a) => exp(neg(abs(a))),
  (a) => sin(a),
  (a) => log1p(abs(a)),
  (a) => relu(a),
  (a, b) => maximum(a, b),
  (a, b) => where(less(a, b), a, neg(b)),
  (a, b) => mul(cast(greater(a, b), a.type.dtype), a),
  (a) => shapeless(sum(expand(reshape(a, { shape: [1, 1] }), { shape: [1, 1] }), { axis: 0, keepDims: true })),
  (a) => shapeless(sum(stack([a, mul(a, 0.25), a]))),
  (a) => add(cast(cast(mul(a, 8), "i32" as DType), a.type.dtype), 0.5),
];

/** A function of a vector's elements drawn as numbers: op, operands, op, operands... */
const drawn =
  (numbers: readonly number[]) =>
  (x: Value): Value => {
    const made = unstack(x);
    for (let i = 0; i + 2 < numbers.length; i += 3) {
      const [a, b] = [numbers[i + 1]! % made.length, numbers[i + 2]! % made.length].map((k) => made[made.length - 1 - k]!);
      made.push(tanh(kinds[numbers[i]! % kinds.length]!(a!, b!)));
    }
    return made.slice(x.type.shape[0]).reduce((a, b) => add(a, b), made[made.length - 1]!);
  };

function same(f: (x: Value) => unknown, x: Tensor, bound: number): void {
  const [want, got] = [reference(), wasm()].map((engine) => jit(f, engine)(x) as unknown as Record<string, Tensor>);
  for (const key of Object.keys(want!)) {
    expect(got![key]!.type).toEqual(want![key]!.type);
    want![key]!.data.forEach((w, i) => {
      expect(Math.abs(got![key]!.data[i]! - w)).toBeLessThanOrEqual(bound * Math.max(1, Math.abs(w)));
    });
  }
}

test.each([["f64", 1e-11] as const, ["f32", 2e-4] as const])(
  "straight lines agree with the reference on random %s graphs, with gradients",
  (dtype, bound) => {
    const type = (dtype === "f64" ? f64 : f32)(5);
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 3, maxLength: 120 }), (numbers) => {
        const f = drawn(numbers.map((n, i) => (dtype === "f32" && i % 3 === 0 && n % kinds.length === 15 ? 0 : n)));
        same((x) => ({ value: f(x), grad: grad(f)(x) }), tensor(new (dtype === "f64" ? Float64Array : Float32Array)([0.3, -0.7, 1.1, 0, 0.5]), type), bound); // biome-ignore format: one case
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 12 : 40, seed: 5 },
    );
  },
);

test("what one function computes and another reads goes through memory, and places are taken again", () => {
  const chain = (x: Value): Value => {
    let [a, b, c] = unstack(x) as [Value, Value, Value];
    for (let i = 0; i < 500; i++) [a, b, c] = [add(mul(a, 0.5), mul(b, 0.25)), tanh(c), sub(b, mul(a, 0.125))];
    return add(mul(a, b), c);
  };
  same((x) => ({ value: chain(x), grad: grad(chain)(x) }), tensor([0.3, -0.7, 1.1]), 1e-12);
});

test("single elements of any rank, outputs that are inputs or one another, and constants", () => {
  const f = (x: Value) => {
    const [a, b] = unstack(x) as [Value, Value];
    const c = reshape(mul(a, b), { shape: [1, 1] });
    return {
      a,
      same: identity(a),
      c,
      again: reshape(c, { shape: [] }),
      list: stack([a, b, a, 2, mul(a, 0)]),
      fixed: add(1, 2),
      neg: neg(0),
    };
  };
  for (const x of [
    [0.25, Number.NaN],
    [-0, Number.POSITIVE_INFINITY],
  ]) {
    const [want, got] = [reference(), wasm()].map((engine) => jit(f, engine)(tensor(x)) as unknown as Record<string, Tensor>);
    expect(got).toEqual(want);
  }
});

test("islands of single elements between tensors: what a loop sums, straight lines take", () => {
  const f = (x: Value): Value => {
    const n = sum(square(x));
    const scale = div(1, add(1, mul(n, n)));
    return sum(mul(x, scale));
  };
  same((x) => ({ value: f(x), grad: grad(f)(x) }), tensor(Float64Array.from({ length: 37 }, (_, i) => Math.sin(i))), 1e-12);
});

test("whole numbers and truth values in straight lines", () => {
  const typed: TensorType = i32(3);
  const f = (x: Value) => {
    const [a, b, c] = unstack(x) as [Value, Value, Value];
    return { sum: add(mul(a, b), c), max: maximum(a, b), less: less(a, b), chosen: where(less(c, a), a, c), neg: neg(a), abs: abs(c) };
  };
  const x = tensor(new Int32Array([7, 9, -4]), typed);
  const [want, got] = [reference(), wasm()].map((engine) => jit(f, engine)(x) as unknown as Record<string, Tensor>);
  expect(got).toEqual(want);
});
