import { expect, test } from "vitest";
import { add, concat, evaluate, grad, mul, random, slice, square, sub, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { batchNorm, layer, type NormStats, sequential } from "../../src/nn.ts";

const x = evaluate(add(mul(random.normal(random.key(1), { kind: "type", dtype: "f64", shape: [7, 3, 2] }), 2), 50));
const target = evaluate(random.normal(random.key(2), x.type));
const { stats } = batchNorm.init(3, { dtype: "f64" });
const params = { scale: tensor([1, 2, 0.5]), shift: tensor([0, 1, -1]), x };

/** The loss of rows, with its statistics. */
const loss = (out: Value, rows: { readonly start: number; readonly end: number }): Value => sum(square(sub(out, slice(target, rows))));
const whole = (p: { scale: Value; shift: Value; x: Value }) => {
  const { out, stats: now } = batchNorm(p, stats, p.x, { train: true });
  return { loss: loss(out, { start: 0, end: 7 }), stats: now };
};
/** The same in uneven parts: each gives what it has to be added up, and goes on with the sum of all. */
const inParts = (p: { scale: Value; shift: Value; x: Value }) => {
  const rows = [
    { start: 0, end: 4 },
    { start: 4, end: 6 },
    { start: 6, end: 7 },
  ];
  const run = (at: { readonly start: number; readonly end: number }, across: (v: Value) => Value) =>
    batchNorm(p, stats, slice(p.x, at), { train: true, across });
  const given: Value[] = [];
  for (const at of rows)
    run(at, (v) => {
      given.push(v);
      return v;
    });
  const all = given.reduce((a, b) => add(a, b));
  const parts = rows.map((at) => run(at, () => all));
  return { loss: parts.map(({ out }, i) => loss(out, rows[i]!)).reduce((a, b) => add(a, b)), stats: parts[2]!.stats };
};

test("batch norm across parts of a batch is that of the whole, in value, statistics and gradient", () => {
  const furthest = (a: unknown, b: unknown): number => {
    const [one, other] = [a, b].map((v) => (evaluate(v as Value) as Tensor).data);
    return Math.max(...Array.from(one!, (v, i) => Math.abs(v - other![i]!)));
  };
  const [a, b] = [whole, inParts].map((f) => f({ scale: add(params.scale, 0), shift: add(params.shift, 0), x: add(x, 0) }));
  expect(furthest(a!.loss, b!.loss)).toBeLessThan(1e-9);
  expect(furthest((a!.stats as NormStats).mean, (b!.stats as NormStats).mean)).toBeLessThan(1e-12);
  expect(furthest((a!.stats as NormStats).variance, (b!.stats as NormStats).variance)).toBeLessThan(1e-12);
  const slopes = [whole, inParts].map((f) => grad((p: { scale: Value; shift: Value; x: Value }) => f(p).loss)(params));
  for (const name of ["scale", "shift", "x"] as const) expect(furthest(slopes[0]![name], slopes[1]![name])).toBeLessThan(1e-9);
});

test("a stack hands the sums on to its batch norms, however deep", () => {
  const stack = sequential({ inner: sequential({ a: layer.linear(3, 4), norm: layer.batchNorm(4) }), last: layer.batchNorm(4) });
  const born = stack.init(random.key(0));
  const rows = evaluate(random.normal(random.key(3), { kind: "type", dtype: "f32", shape: [5, 3] }));
  const sizes: (readonly number[])[] = [];
  const across = (v: Value): Value => {
    sizes.push(v.type.shape);
    return v;
  };
  const { out } = stack.apply(born.params as never, rows, { train: true, stats: born.stats as never, across });
  expect(sizes).toEqual([[9], [9]]);
  stack.apply(born.params as never, rows, { train: false, stats: born.stats as never, across });
  expect(sizes).toHaveLength(2);
  expect(concat([out]).type.shape).toEqual([5, 4]);
});
