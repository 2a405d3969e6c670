import { describe, expect, test } from "vitest";
import { constant, mul, read, type Value } from "../../src/index.ts";
import { cosine, cosineRestarts, exponential, oneCycle, plateau, polynomial, ramp, type Schedule, step, warmup } from "../../src/optim.ts";
import { recorded } from "./problem.ts";

const values = (schedule: Schedule, steps: number): number[] => Array.from({ length: steps }, (_, i) => read(schedule(constant(i))));

type Options = Readonly<Record<string, never>>;
const ours: Readonly<Record<string, (o: Options, base: number) => Schedule>> = {
  StepLR: (o, from) => step({ from, every: o["step_size"]!, factor: o["gamma"]! }),
  MultiStepLR: (o, from) => step({ from, at: o["milestones"]!, factor: o["gamma"]! }),
  ExponentialLR: (o, from) => exponential({ from, factor: o["gamma"]! }),
  CosineAnnealingLR: (o, from) => cosine({ from, steps: o["T_max"]!, to: o["eta_min"]! }),
  CosineAnnealingWarmRestarts: (o, from) => cosineRestarts({ from, steps: o["T_0"]!, factor: o["T_mult"]! }),
  LinearLR: (o, to) => ramp({ from: to * o["start_factor"]!, to, steps: o["total_iters"]! }),
  OneCycleLR: (o) => oneCycle({ peak: o["max_lr"]!, steps: o["total_steps"]! }),
  PolynomialLR: (o, from) => polynomial({ from, steps: o["total_iters"]!, power: o["power"]! }),
};

test.each(recorded.schedules.map((s) => [s.schedule, s] as const))(
  "%s of PyTorch gives the same rates",
  (name, { options, base, values: wanted }) => {
    // PyTorch's cosine goes up again after its end; ours stays there.
    const count = name === "CosineAnnealingLR" ? 21 : wanted.length;
    const given = values(ours[name]!(options as Options, base), count);
    expect(Math.max(...given.map((x, i) => Math.abs(x - wanted[i]!)))).toBeLessThan(1e-15);
  },
);

describe("after its end", () => {
  test("each schedule stays where it was", () => {
    expect(values(cosine({ from: 1, steps: 2, to: 0.1 }), 5).slice(2)).toEqual([0.1, 0.1, 0.1]);
    expect(values(ramp({ from: 1, to: 0, steps: 2 }), 5)).toEqual([1, 0.5, 0, 0, 0]);
    expect(values(polynomial({ from: 1, steps: 2 }), 4)).toEqual([1, 0.5, 0, 0]);
    expect(values(oneCycle({ peak: 1, steps: 4, warmup: 0.5, from: 0.5, to: 0.25, shape: "linear" }), 6)).toEqual([
      0.5, 1, 0.625, 0.25, 0.25, 0.25,
    ]);
  });
});

test("restarts begin at the full rate at each of their periods, as exactly as logarithms can be wrong", () => {
  const rates = values(cosineRestarts({ from: 1, steps: 3, factor: 3 }), 3 * (1 + 3 + 9 + 27) + 1);
  expect(rates.flatMap((x, i) => (x === 1 ? [i] : []))).toEqual([0, 3, 12, 39, 120]);
  const later = cosineRestarts({ from: 1, steps: 1, factor: 10 });
  expect([1, 11, 111, 1111].map((n) => read(later(constant(n))))).toEqual([1, 1, 1, 1]);
  expect(values(cosineRestarts({ from: 1, steps: 2 }), 5)).toEqual([1, 0.5, 1, 0.5, 1].map((x) => expect.closeTo(x, 15)));
});

test("a warm-up rises in a line to where the rate begins, which goes on from there", () => {
  expect(values(warmup(1, 4), 6)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1]);
  expect(
    values(
      warmup((s: Value) => mul(10, s), 2),
      5,
    ),
  ).toEqual([0, 0, 0, 10, 20]);
  const both = values(cosine({ from: 1, steps: 6, warmup: 2 }), 8);
  expect(both.slice(0, 2)).toEqual([1 / 3, 2 / 3].map((x) => expect.closeTo(x, 15)));
  expect(both.slice(2)).toEqual([...values(cosine({ from: 1, steps: 4 }), 5), 0]);
  expect(values(oneCycle({ peak: 1, steps: 5, warmup: 0 }), 5)).toEqual(expect.arrayContaining([expect.closeTo(4e-6, 12)]));
});

test("bad numbers are told", () => {
  expect(() => cosine({ from: 0, steps: 3 })).toThrow("cosine: from is 0; it has to be a rate, a number above 0");
  expect(() => cosine({ from: 1, to: -1, steps: 3 })).toThrow("cosine: to is -1; it has to be a rate, a number of 0 or more");
  expect(() => cosine({ from: 1, steps: 3, warmup: 3 })).toThrow(
    "cosine: warmup is 3; it has to be a whole number of steps, fewer than the 3 of all",
  );
  expect(() => exponential({ from: 1, factor: 0 })).toThrow(
    "exponential: factor is 0; it has to be a number above 0 that rates are multiplied by",
  );
  expect(() => ramp({ from: 1, to: Number.NaN, steps: 3 })).toThrow("ramp: to is NaN");
  expect(() => ramp({ from: 1, to: 2, steps: 0.5 })).toThrow("ramp: steps is 0.5; it has to be a whole number of steps, 1 or more");
  expect(() => step({ from: 1, factor: 0.5 })).toThrow("step: give either every, as 30, or at, as [30, 60, 90]");
  expect(() => step({ from: 1, factor: 0.5, at: [1.5] })).toThrow("step: an entry of at is 1.5");
  expect(() => polynomial({ from: 1, steps: 2, power: 0 })).toThrow("polynomial: power is 0; it has to be a number above 0");
  expect(() => cosineRestarts({ from: 1, steps: 2, factor: 1.5 })).toThrow(
    "cosineRestarts: factor is 1.5; it has to be a whole number, 1 or more",
  );
  expect(() => oneCycle({ peak: 1, steps: 10, warmup: 2 })).toThrow(
    "oneCycle: warmup is 2; it has to be a share of the steps, from 0 to 1",
  );
  expect(() => warmup(plateau({ from: 1 }), 10)).toThrow("warmup: a plateau has no steps to begin with; warm up a number or a schedule");
});
