import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNumber } from "../../src/draw/format-number.ts";

describe("formatNumber", () => {
  it.each([
    [2, "2.00"],
    [-0.3932, "−0.39"],
    [0, "0.00"],
    [-0, "0.00"],
    [0.004, "0.004"],
    [-0.0000401, "−4.01e−5"],
    [9999.99, "9999.99"],
    [123456, "1.23e5"],
  ])("writes %d with two decimals on a small graph", (x, text) => {
    expect(formatNumber(x, { style: "decimals" })).toBe(text);
  });

  it.each([
    [2, "2"],
    [-0, "0"],
    [0.1 + 0.2, "0.3"],
    [-2.71, "−2.71"],
    [0.0084, "0.0084"],
    [0.00084, "8.4e−4"],
    [12345, "12345"],
    [12345.6, "12300"],
    [99999.9, "1e5"],
    [1e100, "1e100"],
    [Number.MAX_VALUE, "1.8e308"],
    [-5e-324, "−4.94e−324"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("writes %d with three significant digits", (x, text) => {
    expect(formatNumber(x)).toBe(text);
  });

  it("is short, has no hyphen and is off by no more than its digits say", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
        fc.constantFrom("decimals" as const, "significant" as const),
        (x, style) => {
          const text = formatNumber(x, { style });
          expect(text.length).toBeLessThanOrEqual(Math.abs(x) > 1e-99 && Math.abs(x) < 1e99 ? 9 : 10);
          expect(text).not.toContain("-");
          const back = Number(text.replaceAll("−", "-"));
          expect(Math.abs(back - x)).toBeLessThanOrEqual(
            Math.max(0.00501 * Math.abs(x), style === "decimals" && Math.abs(x) >= 0.005 ? 0.00501 : 1e-323),
          );
          // A number that is not zero never reads as zero.
          expect(back === 0).toBe(x === 0);
        },
      ),
      { seed: 5, numRuns: 500 },
    );
  });
});
