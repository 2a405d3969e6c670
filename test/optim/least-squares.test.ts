import { describe, expect, test } from "vitest";
import {
  add,
  at,
  div,
  evaluate,
  exp,
  expr,
  f64,
  log,
  mul,
  read,
  reshape,
  sqrt,
  square,
  stack,
  sub,
  sum,
  tensor,
  type Value,
} from "../../src/index.ts";
import { type LeastSquaresOptions, leastSquares } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

const t = tensor([0, 1, 2, 3, 4, 5]);
const decay = ({ a, k }: { readonly a: Value; readonly k: Value }): Value =>
  sub(mul(a, exp(mul(mul(-1, k), t))), tensor([5, 3.1, 1.8, 1.15, 0.66, 0.42]));

test("fits a curve, with the residuals and the standard errors that scipy gives", () => {
  const fit = leastSquares(decay, { a: 1, k: 1 });
  // scipy.optimize.curve_fit of the same data: popt, and the roots of the diagonal of pcov.
  expect(read(fit.at.a)).toBeCloseTo(5.015768168609709, 6);
  expect(read(fit.at.k)).toBeCloseTo(0.49829527211101, 6);
  expect(fit.value).toBeCloseTo(
    [...fit.residuals.data].reduce((s, r) => s + r * r, 0),
    14,
  );
  expect(fit.residuals.type.shape).toEqual([6]);
  const { data } = fit.covariance!;
  expect([Math.sqrt(data[0]!), Math.sqrt(data[3]!)]).toEqual([
    expect.closeTo(0.03883462837739295, 6),
    expect.closeTo(0.0071863988440471266, 6),
  ]);
  expect(data[1]).toBeCloseTo(data[2]!, 15);
});

test.each(["forward", "reverse"] as const)("takes the Jacobian %s, and the other way gives the same", (mode) => {
  const fit = leastSquares(decay, { a: 1, k: 1 }, { mode });
  expect(read(fit.at.k)).toBeCloseTo(0.49829527211101, 6);
});

test("compiles the residuals when it is given an engine", () => {
  const fit = leastSquares(decay, { a: 1, k: 1 }, { engine: wasm() });
  expect(read(fit.at.k)).toBeCloseTo(0.49829527211101, 6);
  expect(fit.reason).not.toBe("limit");
});

test("takes residuals of any shape, parameters as a tree, and f32", () => {
  const goal = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    "f32",
  );
  const fit = leastSquares(({ m, list: [s] }: { m: Value; list: readonly [Value] }) => sub(add(m, s), goal), {
    m: tensor(
      [
        [0, 0],
        [0, 0],
      ],
      "f32",
    ),
    list: [tensor(1, "f32")] as const,
  });
  expect(fit.value).toBeLessThan(1e-10);
  expect(fit.at.m.type).toMatchObject({ dtype: "f32", shape: [2, 2] });
  // Four residuals and five unknowns: the fit is not determined.
  expect(fit.covariance).toBeNull();
});

test("goes on where the Jacobian has lower rank than it has columns, by the shortest steps", () => {
  const fit = leastSquares(({ a, b }: { a: Value; b: Value }) => sub(mul(add(a, b), t), tensor([0, 2, 4, 6, 8, 10])), { a: 5, b: 0 });
  expect([read(fit.at.a), read(fit.at.b)]).toEqual([expect.closeTo(3.5, 6), expect.closeTo(-1.5, 6)]);
  expect(fit.covariance).toBeNull();
  const unused = leastSquares(({ a }: { a: Value; b: Value }) => reshape(sub(a, 3), { shape: [1] }), { a: 5, b: 7 });
  expect([read(unused.at.a), read(unused.at.b)]).toEqual([expect.closeTo(3, 12), 7]);
});

test("turns back from where residuals are not numbers", () => {
  // From 40 the first step goes below 0, where log is NaN.
  const fit = leastSquares((x: Value) => stack([sub(log(x), log(tensor(2)))]), 40);
  expect(read(fit.at)).toBeCloseTo(2, 7);
  const root = leastSquares((x: Value) => stack([sub(sqrt(x), 0.1), div(x, 50)]), 25);
  expect(read(root.at)).toBeGreaterThan(0);
  expect(root.value).toBeLessThan(1e-5);
});

test("ends on numbers of any size", () => {
  for (const size of [1e-200, 1e-100, 1e100, 1e200, 1e300]) {
    const { at: root } = leastSquares((x: Value) => stack([mul(size, sub(square(x), 2))]), 1);
    expect(read(root)).toBeCloseTo(Math.SQRT2, 6);
    const far = leastSquares((x: Value) => stack([sub(mul(x, size), 1)]), 1);
    expect(Number.isFinite(far.rounds)).toBe(true);
  }
});

test("hard starts: far away, at a stationary point, at the answer", () => {
  const rosenbrock = (p: Value): Value => stack([mul(10, sub(at(p, 1), square(at(p, 0)))), sub(1, at(p, 0))]);
  for (const far of [-1e3, 1e3]) expect(leastSquares(rosenbrock, tensor([far, -far])).value).toBeLessThan(1e-20);
  const still = leastSquares((x: Value) => stack([add(square(x), 1)]), 0);
  expect([still.value, still.reason, still.rounds]).toEqual([1, "gradient", 0]);
  expect(leastSquares(rosenbrock, tensor([1, 1]))).toMatchObject({ value: 0, rounds: 0, reason: "gradient" });
});

test("ends at the limit, or where it is told to, with the best so far", () => {
  const short = leastSquares(decay, { a: 1, k: 1 }, { limit: 2 });
  expect([short.rounds, short.reason]).toEqual([2, "limit"]);
  const stop = new AbortController();
  const values: number[] = [];
  const each: NonNullable<LeastSquaresOptions["each"]> = ({ round, value }) => {
    values.push(value);
    if (round === 3) stop.abort();
  };
  const stopped = leastSquares(decay, { a: 1, k: 1 }, { signal: stop.signal, each });
  expect([stopped.rounds, stopped.reason, stopped.value]).toEqual([3, "signal", values[2]]);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
});

describe("bad input is told:", () => {
  test("starts and functions", () => {
    expect(() => leastSquares((x: Value) => stack([log(x)]), -1)).toThrow(
      "leastSquares: residual 0 is NaN at the start; begin where all are finite",
    );
    expect(() => leastSquares((x: Value) => sqrt(x), tensor([0]))).toThrow(
      "leastSquares: the derivative of residual 0 by x is Infinity at the start; begin away from edges and kinks",
    );
    expect(() => leastSquares((x: Value) => mul(x, tensor(new Float64Array(0))), 1)).toThrow("leastSquares: there are no residuals");
    expect(() => leastSquares((() => 3) as never, 1)).toThrow(
      "leastSquares: the function gave the number 3; it computes a Value of residuals",
    );
    expect(() => leastSquares((() => evaluateLess()) as never, 1)).toThrow(
      "leastSquares: the residuals are bool[]; they are floating-point numbers",
    );
    expect(() => leastSquares(decay, { a: 1, k: 1 }, { valueTolerance: Number.NaN })).toThrow(
      "leastSquares: valueTolerance is NaN; it is a number of 0 or more",
    );
  });
});

const evaluateLess = (): Value => expr`1 < 2`;

test("a scalar function of one residual is a root finder", () => {
  expect(read(leastSquares((x: Value) => sub(square(x), 2), 1).at)).toBeCloseTo(Math.SQRT2, 12);
  expect(evaluate(sum(leastSquares((x: Value) => sub(x, tensor([1, 2])), tensor(new Float64Array(2), f64(2))).at)).data[0]).toBeCloseTo(
    3,
    12,
  );
});
