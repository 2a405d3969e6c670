import { describe, expect, test } from "vitest";
import { type DType, evaluate, f32, f64, i32, matmul, random, tensor, transpose } from "../../src/index.ts";
import { conv2d, initializers, linear } from "../../src/nn.ts";

const key = random.key(3);
const { gain, kaimingNormal, kaimingUniform, normal, orthogonal, truncatedNormal, uniform, xavierNormal, xavierUniform } = initializers;
const fans = { in: 200, out: 100 };

function facts(data: ArrayLike<number>) {
  const list = Array.from(data);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const deviation = Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length);
  return { mean, deviation, min: Math.min(...list), max: Math.max(...list) };
}

test.each([
  ["kaimingUniform", kaimingUniform(), Math.sqrt(2 / 200)],
  ["kaimingUniform out", kaimingUniform({ mode: "out", nonlinearity: "tanh" }), 5 / 3 / Math.sqrt(100)],
  ["kaimingNormal", kaimingNormal({ nonlinearity: "leakyRelu", slope: 0.2 }), Math.sqrt(2 / 1.04 / 200)],
  ["xavierUniform", xavierUniform(), Math.sqrt(2 / 300)],
  ["xavierNormal", xavierNormal({ gain: 3 }), 3 * Math.sqrt(2 / 300)],
  ["lecunUniform", initializers.lecunUniform(), 1 / Math.sqrt(3 * 200)],
  ["uniform", uniform({ bound: 0.5 }), 0.5 / Math.sqrt(3)],
  ["normal", normal({ deviation: 0.02 }), 0.02],
  // The deviation of a standard normal between -2 and 2.
  ["truncatedNormal", truncatedNormal(), 0.8796256610342398],
  ["orthogonal", orthogonal({ gain: 2 }), 2 / Math.sqrt(200)],
])("%s has mean 0 and the spread its paper asks for", (name, init, spread) => {
  const { type, data } = init(key, f32(200, 100), fans);
  expect(type).toEqual(f32(200, 100));
  const { mean, deviation, min, max } = facts(data);
  expect(Math.abs(mean)).toBeLessThan(0.03 * spread);
  expect(Math.abs(deviation / spread - 1)).toBeLessThan(0.02);
  if (/[uU]niform/.test(name)) {
    expect(max).toBeLessThanOrEqual(Math.sqrt(3) * spread);
    expect(Math.min(max, -min) / (Math.sqrt(3) * spread)).toBeGreaterThan(0.99);
  }
});

test("gains are PyTorch's", () => {
  const names = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const;
  expect(names.map((name) => gain(name))).toEqual([1, 1, 5 / 3, Math.SQRT2, Math.sqrt(2 / 1.0001), 0.75]);
  expect(() => gain("gelu" as never)).toThrow("gain: the nonlinearity is gelu; it is linear, sigmoid");
});

describe("truncatedNormal", () => {
  test("stays between its bounds, also far from the mean", () => {
    const near = facts(truncatedNormal({ mean: 1, deviation: 2, min: 0, max: 1.5 })(key, f64(5000), fans).data);
    expect([near.min >= 0, near.max <= 1.5]).toEqual([true, true]);
    const far = facts(truncatedNormal({ min: 3, max: 5 })(key, f64(5000), fans).data);
    expect([far.min >= 3, far.max <= 5]).toEqual([true, true]);
    // The mean of a standard normal beyond 3 is the inverse Mills ratio there, 3.2831; the bound at 5 takes little away.
    expect(far.mean).toBeCloseTo(3.283, 1);
  });
  test("refuses bounds with nothing between them", () => {
    expect(() => truncatedNormal({ min: 20, max: 21 })).toThrow(
      "there is next to nothing of a normal distribution with mean 0 and deviation 1 between 20 and 21",
    );
    expect(() => truncatedNormal({ min: 1, max: -1 })).toThrow("move the bounds");
    expect(() => truncatedNormal({ deviation: 0 })).toThrow("truncatedNormal: deviation is 0; it is a number above 0");
  });
});

describe("orthogonal", () => {
  test.each([[[4, 4]], [[3, 7]], [[7, 3]], [[4, 3, 2, 2]]])("%j: the fewer of rows and columns are orthonormal", (shape) => {
    const rows = shape[0]!;
    const columns = shape.slice(1).reduce((a, b) => a * b, 1);
    const q = tensor(orthogonal()(key, f64(...shape), fans).data, f64(rows, columns));
    const product = evaluate(rows <= columns ? matmul(q, transpose(q)) : matmul(transpose(q), q));
    const size = Math.min(rows, columns);
    for (const [i, x] of product.data.entries()) expect(x).toBeCloseTo(i % (size + 1) === 0 ? 1 : 0, 12);
  });
  test("a vector has no rows and columns", () => {
    expect(() => orthogonal()(key, f32(3), fans)).toThrow("orthogonal: the type is f32[3]; an orthogonal matrix has two axes or more");
    expect(orthogonal()(key, f32(0, 3), fans).data.length).toBe(0);
  });
});

test("layers begin as PyTorch's do: uniform within 1 / sqrt(inputs), kernels counting their area", () => {
  const { w, b } = linear.init(key, 64, 200);
  expect(facts(w.data).max).toBeLessThanOrEqual(1 / 8);
  expect(facts(w.data).max).toBeGreaterThan(0.124);
  expect(facts(b.data).max).toBeGreaterThan(0.115);
  const kernel = conv2d.init(key, 4, 50, 4, { groups: 2 });
  expect(kernel.w.type).toEqual(f32(50, 2, 4, 4));
  expect(facts(kernel.w.data).max).toBeGreaterThan(0.99 / Math.sqrt(32));
  expect(facts(kernel.w.data).max).toBeLessThanOrEqual(1 / Math.sqrt(32));
});

test("options: dtype, no bias, another initialiser", () => {
  const options = { dtype: "f64" as DType, weight: initializers.ones(), biasWeight: initializers.constant(0.5) };
  expect(linear.init(key, 2, 1, options)).toEqual({ w: tensor([[1], [1]]), b: tensor([0.5]) });
  expect(Object.keys(linear.init(key, 2, 1, { bias: false }))).toEqual(["w"]);
  expect(() => normal()(key, i32(3), fans)).toThrow("normal: the type is i32[3]; parameters are floats");
  expect(() => normal({ deviation: -1 })).toThrow("normal: deviation is -1; it is a number of 0 or more");
  expect(() => uniform({ bound: Number.NaN })).toThrow("uniform: bound is NaN");
});
