import { expect, test } from "vitest";
import {
  compile,
  conv,
  exp,
  f32,
  f64,
  gather,
  graph,
  i32,
  matmul,
  mul,
  random,
  reference,
  relu,
  sub,
  sum,
  valueAndGrad,
} from "../../src/index.ts";
import { wasm } from "../../src/wasm.ts";

const step = graph({ w: f32(20, 30), x: f32(10, 20), at: i32(3) }, ({ w, x, at }) => {
  const { value, grad } = valueAndGrad((w: typeof x) => sum(relu(matmul(gather(x, at), w))))(w);
  return { loss: value, w: sub(w, mul(0.1, grad)) };
});

test("a profile tells of each step its ops, bytes and operations, and changes nothing", async () => {
  const w = random.normal(random.key(1), f32(20, 30));
  const program = await compile(step, wasm(), { state: { w } as never });
  const given = { x: random.normal(random.key(2), f32(10, 20)), at: [0, 3, 9] };
  const before = (program.state.read() as unknown as { w: { data: Float32Array } }).w.data.slice();
  const { steps, measured, operations, bytes, predicted, text } = program.profile(given as never, { rounds: 3 });
  const products = steps.filter((s) => s.kind === "product");
  expect(products.map((s) => s.operations)).toEqual([2 * 3 * 20 * 30, 2 * 3 * 20 * 30]);
  expect(products[0]!.bytes).toBe(4 * (3 * 20 + 20 * 30 + 3 * 30));
  expect(steps.some((s) => s.ops.includes("gather"))).toBe(true);
  for (const s of steps) expect(s.measured >= 0 && s.predicted >= 0 && s.bytes > 0).toBe(true);
  expect(measured).toBeCloseTo(
    steps.reduce((a, s) => a + s.measured, 0),
    12,
  );
  expect([operations, bytes].every((n) => n > 0) && predicted > 0).toBe(true);
  expect(text()).toContain("product [3,30] matmul");
  expect(text(1).split("\n").length).toBe(3);
  expect(text(1)).toContain(`${steps.length - 1} of them not shown`);
  expect((program.state.read() as unknown as { w: { data: Float32Array } }).w.data).toEqual(before);
  expect(program.run(given as never)).toEqual((await compile(step, wasm(), { state: { w } as never })).run(given as never));
});

test("functions count as more than sums, and broadcast operands once", async () => {
  const g = graph({ x: f64(100), y: f64() }, ({ x, y }) => ({ z: exp(mul(x, y)) }));
  const [only] = (await compile(g, wasm())).profile({ x: new Float64Array(100), y: 1 }, { rounds: 1 }).steps;
  expect(only).toMatchObject({ kind: "loop", shape: "[100]", operations: 1300, bytes: 8 * 201 });
});

test("convolutions are counted too, with and without a bias", async () => {
  const g = graph({ x: f32(2, 3, 8, 8), w: f32(4, 3, 3, 3), b: f32(4) }, ({ x, w, b }) => ({
    plain: conv(x, w),
    more: conv(x, mul(w, 2), b),
  }));
  const given = { x: new Float32Array(384), w: new Float32Array(108), b: new Float32Array(4) };
  const { steps } = (await compile(g, wasm())).profile(given, { rounds: 1 });
  const operations = 2 * 2 * 4 * 36 * 27;
  expect(steps.filter((s) => s.kind === "convolution").map((s) => s.operations)).toEqual([operations, operations]);
});

test("engines without steps, and rounds that are none, are refused", async () => {
  const g = graph({ x: f64() }, ({ x }) => ({ y: mul(x, 2) }));
  const plain = await compile(g, reference());
  expect(() => plain.profile({ x: 1 })).toThrow(
    "profile: the reference engine has no steps to time; compile the graph for wasm() without a worker",
  );
  const program = await compile(g, wasm());
  for (const rounds of [0, 1.5, Number.NaN])
    expect(() => program.profile({ x: 1 }, { rounds })).toThrow(`profile: rounds is ${rounds}; it is a whole number, 1 or more`);
});
