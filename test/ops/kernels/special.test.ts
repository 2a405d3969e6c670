import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digamma, erf, erfc, lgamma, polygamma, roundHalfEven, sinPi, trigamma } from "../../../src/ops/kernels/special.ts";

interface Tables {
  erf: [number, number][];
  erfc: [number, number][];
  lgamma: [number, number][];
  digamma: [number, number][];
  polygamma: [number, number, number][];
  highOrders: [number, number, number][];
}

const tables = JSON.parse(readFileSync(new URL("../../fixtures/special.json", import.meta.url), "utf8")) as Tables;

/** The error in units of 1e-16 of the value, or of `floor` where the value is smaller. */
function error(value: number, expected: number, floor = Number.MIN_VALUE): number {
  if (Object.is(value, expected) || value === expected) return 0;
  return (Math.abs(value - expected) / Math.max(Math.abs(expected), floor)) * 1e16;
}

function worst(rows: [number, number][], kernel: (x: number) => number, floor?: number): { x: number; error: number } {
  let found = { x: NaN, error: 0 };
  for (const [x, expected] of rows) {
    const size = error(kernel(x), expected, floor);
    if (!(size <= found.error)) found = { x, error: size };
  }
  return found;
}

describe("special functions against 50-digit tables", () => {
  it("erf", () => expect(worst(tables.erf, erf).error).toBeLessThan(4));
  it("erfc", () => expect(worst(tables.erfc, erfc, 1e-300).error).toBeLessThan(8));
  it("lgamma on the positive axis", () => {
    expect(
      worst(
        tables.lgamma.filter(([x]) => x > 0),
        lgamma,
      ).error,
    ).toBeLessThan(10);
  });
  it("lgamma on the negative axis, absolute beside its zeros", () => {
    expect(
      worst(
        tables.lgamma.filter(([x]) => x < 0),
        lgamma,
        1,
      ).error,
    ).toBeLessThan(10);
  });
  it("digamma on the positive axis, its zero included", () => {
    expect(
      worst(
        tables.digamma.filter(([x]) => x > 0),
        digamma,
      ).error,
    ).toBeLessThan(10);
  });
  it("digamma on the negative axis, absolute beside its zeros", () => {
    expect(
      worst(
        tables.digamma.filter(([x]) => x < 0),
        digamma,
        1,
      ).error,
    ).toBeLessThan(20);
  });
  it.each([1, 2, 3, 4, 7, 12])("polygamma %i", (n) => {
    const rows = tables.polygamma.filter((row) => row[0] === n).map(([, x, y]): [number, number] => [x, y]);
    expect(worst(rows, (x) => polygamma(n, x), 1e-290).error).toBeLessThan(40);
  });
});

describe("special values", () => {
  it("erf and erfc", () => {
    expect([erf(Infinity), erf(-Infinity), erf(NaN), erf(-0), erf(7), erf(-7)]).toEqual([1, -1, NaN, -0, 1, -1]);
    expect([erfc(Infinity), erfc(-Infinity), erfc(NaN), erfc(0), erfc(30), erfc(-30)]).toEqual([0, 2, NaN, 1, 0, 2]);
  });
  it("lgamma has +Infinity at its poles", () => {
    expect([0, -0, -1, -2, -100, Infinity, -Infinity, -1e300].map(lgamma)).toEqual(new Array(8).fill(Infinity));
    expect([lgamma(1), lgamma(2), lgamma(NaN)]).toEqual([0, 0, NaN]);
  });
  it("digamma follows PyTorch at its poles", () => {
    expect([0, -0, -1, -7, NaN, Infinity, -Infinity].map(digamma)).toEqual([-Infinity, Infinity, NaN, NaN, NaN, Infinity, NaN]);
    expect([1e-309, -1e-309, -(2 ** -1000)].map(digamma)).toEqual([-Infinity, Infinity, 2 ** 1000]);
  });
  it("polygamma at its poles and infinities", () => {
    expect([0, -3, NaN, Infinity, -Infinity].map(trigamma)).toEqual([Infinity, Infinity, NaN, 0, NaN]);
    expect([polygamma(2, 0), polygamma(2, -3), polygamma(0, 2)]).toEqual([-Infinity, -Infinity, digamma(2)]);
  });
  it("polygamma of high order neither overflows early nor loses digits", () => {
    expect(tables.highOrders.map(([n, x, y]) => [n, polygamma(n, x) / y])).toEqual(
      tables.highOrders.map(([n]) => [n, expect.closeTo(1, 11)]),
    );
  });
  it("sinPi is exact at integers and halves", () => {
    expect([0, 1, -3, 2 ** 51 + 1, 0.5, -0.5, 1.5].map((x) => sinPi(x) + 0)).toEqual([0, 0, 0, 0, 1, -1, -1]);
  });
});

describe("roundHalfEven", () => {
  it("rounds ties to even and keeps the sign of zero", () => {
    const points = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -0.2, 0.49999999999999994, -0, NaN, Infinity, 2 ** 52 + 1, 4503599627370495.5];
    expect(points.map(roundHalfEven)).toEqual([0, 2, 2, -0, -2, -2, -0, 0, -0, NaN, Infinity, 2 ** 52 + 1, 4503599627370496]);
  });
  it("agrees with the definition", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (x) => {
        const low = Math.floor(x);
        const part = x - low;
        const expected = part < 0.5 ? low : part > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1;
        expect(roundHalfEven(x) + 0).toBe(expected + 0);
      }),
      { seed: 1 },
    );
  });
});
