import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sidesOf, slopeOf } from "../../src/check/slope.ts";

const double = { tolerance: 1e-5, unit: 2.3e-16 };
const sides = (f: (t: number) => number): ReturnType<typeof sidesOf> => sidesOf(f, 1e-4, double);

describe("slopeOf", () => {
  test.each<readonly [string, (t: number) => number, number, number]>([
    ["a line", (t) => 3 * t + 1, 3, 1e-12],
    ["a curve", Math.exp, 1, 1e-12],
    ["a wave much shorter than the largest step", (t) => Math.sin(1000 * t), 1000, 1e-4],
    ["a wave much longer", (t) => Math.sin(1e-3 * t), 1e-3, 1e-12],
    ["a constant", () => 7, 0, 0],
  ])("of %s is right within what it says of its own error", (_, f, slope, most) => {
    const found = slopeOf(f, 1e-2);
    expect(Math.abs(found.value - slope)).toBeLessThanOrEqual(10 * found.error + 1e-12);
    expect(Math.abs(found.value - slope)).toBeLessThanOrEqual(most * Math.max(1, Math.abs(slope)));
  });

  test("goes to smaller steps where larger ones do not agree", () => {
    expect(slopeOf((t) => Math.sin(1000 * t), 1e-2).step).toBeLessThan(slopeOf(Math.sin, 1e-2).step);
  });

  test("is NaN where the function is", () => {
    expect(slopeOf(Math.sqrt, 1e-2).value).toBeNaN();
  });

  test("of cubic polynomials is exact but for rounding", () => {
    const c = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(c, c, c, c, (p, q, r, s) => {
        const { value } = slopeOf((t) => p + t * (q + t * (r + t * s)), 1e-2);
        expect(Math.abs(value - q)).toBeLessThan(1e-10);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe("sidesOf", () => {
  test("of smooth functions meet", () => {
    for (const f of [Math.exp, Math.sin, () => 3, (t: number) => 1e6 + t, (t: number) => t * t, (t: number) => t ** 3])
      expect(sides(f).kink).toBe(false);
  });

  test("of a kink stay apart, also of a kink far smaller than the value", () => {
    expect(sides(Math.abs)).toMatchObject({ kink: true, left: -1, right: 1 });
    expect(sides((t) => Math.max(0, t))).toMatchObject({ kink: true, left: 0, right: 1 });
    const small = sides((t) => 1 + 1e-3 * Math.abs(t) + Math.sin(t));
    expect(small.kink).toBe(true);
    expect(small.right - small.left).toBeCloseTo(2e-3, 6);
  });

  test("of a jump are those beside it", () => {
    expect(sides(Math.sign)).toMatchObject({ kink: true, left: 0, right: 0 });
    const bent = sides((t) => (t > 0 ? 1 + 5 * t : -2 * t));
    expect(bent.kink).toBe(true);
    expect(bent.left).toBeCloseTo(-2, 6);
    expect(bent.right).toBeCloseTo(5, 6);
  });

  test("a kink beside the point is none", () => {
    expect(sides((t) => Math.abs(t - 1e-3)).kink).toBe(false);
    expect(sides((t) => Math.sign(t + 2e-4)).kink).toBe(false);
  });

  test("rounding is no kink", () => {
    const rough = (t: number): number => Math.fround(3 + t);
    expect(sidesOf(rough, 1.5e-3, { tolerance: 5e-2, unit: 1.2e-7 }).kink).toBe(false);
  });
});
