import { expect, test } from "vitest";
// The evals import the library by its name, which is these sources here: one copy.
import { evaluate, f64, grad, lgamma, read, type Tensor, tensor, type Value } from "../../src/index.ts";

// The evals are plain JavaScript over the built library; how they are typed is of no interest here.
const { objectiveOf: gmm } = (await import(new URL("../../bench/gradbench/evals/gmm.js", import.meta.url).pathname)) as {
  objectiveOf(source: "GradBench" | "ADBench"): (p: Record<string, Value>, x: Value, m: number, gamma: number) => Value;
};
const { objectiveOf: lstm } = (await import(new URL("../../bench/gradbench/evals/lstm.js", import.meta.url).pathname)) as {
  objectiveOf(normaliser: "GradBench" | "meant"): (p: Record<string, Value>, state: Value, sequence: Value) => Value;
};

let seed = 1;
const random = (n: number): number[] =>
  Array.from({ length: n }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 32 - 0.4;
  });
const array = (data: readonly number[], ...shape: number[]): Tensor => tensor(Float64Array.from(data), f64(...shape));
const logSumExp = (xs: readonly number[]): number => Math.log(xs.reduce((s, x) => s + Math.exp(x), 0));

const [n, d, k, m, gamma] = [5, 3, 2, 2, 0.5] as const;
const x = random(n * d);
const mixture = { alpha: random(k), mu: random(k * d), q: random(k * d), l: random((k * d * (d - 1)) / 2) };
type Mixture = typeof mixture;

/** Both definitions in plain loops, written from ADBench's and GradBench's own text: they add the prior with opposite signs. */
function plainMixture({ alpha, mu, q, l }: Mixture, sign: 1 | -1): number {
  const below = (d * (d - 1)) / 2;
  let total = -0.5 * n * d * Math.log(2 * Math.PI) - n * logSumExp(alpha);
  for (let i = 0; i < n; i++)
    total += logSumExp(
      alpha.map((a, c) => {
        const from = Array.from({ length: d }, (_, j) => x[i * d + j]! - mu[c * d + j]!);
        const scaled = from.map((v, j) => Math.exp(q[c * d + j]!) * v);
        let at = c * below;
        for (let column = 0; column < d; column++) for (let row = column + 1; row < d; row++) scaled[row]! += l[at++]! * from[column]!;
        return a + q.slice(c * d, c * d + d).reduce((s, v) => s + v, 0) - 0.5 * scaled.reduce((s, v) => s + v * v, 0);
      }),
    );
  const nu = d + m + 1;
  let distribution = ((d * (d - 1)) / 4) * Math.log(Math.PI);
  for (let j = 1; j <= d; j++) distribution += read(lgamma(nu / 2 + (1 - j) / 2));
  const constant = k * (nu * d * (Math.log(gamma) - 0.5 * Math.log(2)) - distribution);
  let prior = 0;
  for (let c = 0; c < k; c++) {
    const diagonal = q.slice(c * d, c * d + d);
    const rest = l.slice(c * below, (c + 1) * below);
    prior += 0.5 * gamma ** 2 * (diagonal.reduce((s, v) => s + Math.exp(v) ** 2, 0) + rest.reduce((s, v) => s + v * v, 0));
    prior -= m * diagonal.reduce((s, v) => s + v, 0);
  }
  return total + sign * (constant - prior);
}

test.each([
  ["GradBench", 1],
  ["ADBench", -1],
] as const)("%s's mixture is its definition, and so are its derivatives", (source, sign) => {
  const at = {
    alpha: array(mixture.alpha, k),
    mu: array(mixture.mu, k, d),
    q: array(mixture.q, k, d),
    l: array(mixture.l, k, (d * (d - 1)) / 2),
  };
  const f = (p: Record<string, Value>): Value => gmm(source)(p, evaluateAs(array(x, n, d)), m, gamma);
  expect(read(f(at as never))).toBeCloseTo(plainMixture(mixture, sign), 10);
  const found = evaluate(grad(f)(at as never)) as unknown as Record<keyof Mixture, Tensor>;
  for (const name of Object.keys(mixture) as (keyof Mixture)[])
    mixture[name].forEach((v, i) => {
      const moved = (by: number): number => plainMixture({ ...mixture, [name]: mixture[name].with(i, v + by) }, sign);
      expect(found[name].data[i]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 6);
    });
});

const [layers, b, c] = [2, 3, 6] as const;
const text = {
  main: random(2 * layers * 4 * b),
  extra: random(3 * b),
  state: random(2 * layers * b),
  sequence: random(c * b).map((v) => (v > 0 ? 1 : 0)),
};

/** The language model in plain loops; `extra` is what stands under the logarithm beside the sum of exponentials. */
function plainLstm(extra: number): number {
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  const state = text.state.slice();
  let total = 0;
  for (let t = 0; t < c - 1; t++) {
    let z = Array.from({ length: b }, (_, i) => text.sequence[t * b + i]! * text.extra[i]!);
    for (let j = 0; j < layers; j++)
      z = z.map((input, i) => {
        const w = (gate: number): number => text.main[(2 * j * 4 + gate) * b + i]!;
        const bias = (gate: number): number => text.main[((2 * j + 1) * 4 + gate) * b + i]!;
        const [h, s] = [state[2 * j * b + i]!, state[(2 * j + 1) * b + i]!];
        const cell = s * sigmoid(input * w(0) + bias(0)) + sigmoid(h * w(1) + bias(1)) * Math.tanh(h * w(3) + bias(3));
        state[(2 * j + 1) * b + i] = cell;
        return (state[2 * j * b + i] = sigmoid(input * w(2) + bias(2)) * Math.tanh(cell));
      });
    const y = z.map((v, i) => v * text.extra[b + i]! + text.extra[2 * b + i]!);
    const norm = Math.log(extra + y.reduce((s, v) => s + Math.exp(v), 0));
    y.forEach((v, i) => {
      total += text.sequence[(t + 1) * b + i]! * (v - norm);
    });
  }
  return -total / (b * (c - 1));
}

test.each([
  ["GradBench", 2],
  ["meant", 0],
] as const)("the language model with the normaliser of %s is its definition", (normaliser, extra) => {
  const params = { main: array(text.main, 2 * layers, 4 * b), extra: array(text.extra, 3, b) };
  const value = lstm(normaliser)(params as never, evaluateAs(array(text.state, 2 * layers, b)), evaluateAs(array(text.sequence, c, b)));
  expect(read(value)).toBeCloseTo(plainLstm(extra), 12);
  expect(Math.abs(plainLstm(2) - plainLstm(0))).toBeGreaterThan(0.01);
});

/** The evals ask a value for its type, and a tensor has one too. */
function evaluateAs(t: Tensor): Value {
  return t as unknown as Value;
}
