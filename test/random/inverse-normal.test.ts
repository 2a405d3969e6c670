import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inverseNormal, portableLog } from "../../src/random/inverse-normal.ts";

const { inverseNormal: table } = JSON.parse(readFileSync(new URL("../fixtures/special.json", import.meta.url), "utf8")) as {
  inverseNormal: [number, number][];
};

describe("inverseNormal", () => {
  it("agrees with 50-digit values", () => {
    expect(table.length).toBeGreaterThan(30);
    for (const [p, expected] of table) {
      const error = Math.abs(inverseNormal(p) - expected) / (Math.abs(expected) || 1);
      expect(error, `p = ${p}`).toBeLessThan(1e-15);
    }
  });

  it("is odd about 1/2 and increasing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 51 - 1 }), (k) => {
        const p = (k + 0.5) * 2 ** -52;
        expect(inverseNormal(1 - p)).toBe(-inverseNormal(p));
        expect(inverseNormal(p)).toBeLessThan(inverseNormal(p * 1.001));
      }),
      { seed: 2 },
    );
  });

  it("has the infinities at its ends", () => {
    expect([0, 1, -0.1, 1.1, NaN, 0.5].map(inverseNormal)).toEqual([-Infinity, Infinity, NaN, NaN, NaN, 0]);
    expect(Number.isFinite(inverseNormal(2 ** -53))).toBe(true);
  });
});

describe("portableLog", () => {
  it("agrees with Math.log", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1, noNaN: true }), (x) => {
        expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(2.3e-16 * Math.abs(Math.log(x)));
      }),
      { seed: 3 },
    );
  });
});
