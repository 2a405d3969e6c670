import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reachOf, samePadding, transposedCount, windowCount, windowCountCeil } from "../../../src/ops/kernels/window.ts";

const axes = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 4 }),
  fc.nat(3),
  fc.nat(3),
  fc.integer({ min: 1, max: 3 }),
);

describe("window counts", () => {
  it("count the places where the whole window fits", () => {
    fc.assert(
      fc.property(axes, ([input, kernel, stride, low, high, dilation]) => {
        let count = 0;
        while (count * stride + (kernel - 1) * dilation < input + low + high) count++;
        expect(Math.max(0, windowCount(input, kernel, stride, low, high, dilation))).toBe(count);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("in ceil mode add a place that starts inside input or low padding, when elements are left over", () => {
    expect(windowCountCeil(5, 2, 2, 0, 0, 1)).toBe(3);
    expect(windowCountCeil(4, 2, 2, 0, 0, 1)).toBe(2);
    // The third window would start in the padding behind the input.
    expect(windowCountCeil(3, 2, 2, 1, 1, 1)).toBe(2);
    expect(windowCountCeil(4, 2, 2, 1, 1, 1)).toBe(3);
    expect(windowCountCeil(4, 1, 3, 0, 2, 1)).toBe(2);
    expect(windowCountCeil(3, 1, 1, 0, 2, 1)).toBe(5);
    fc.assert(
      fc.property(axes, ([input, kernel, stride, low, high, dilation]) => {
        // PyTorch's own formula, on what PyTorch admits: padding of both sides alike and at most half the kernel.
        fc.pre(low === high && 2 * low <= kernel && input + 2 * low >= reachOf(kernel, dilation));
        const up = Math.ceil((input + 2 * low - dilation * (kernel - 1) - 1) / stride) + 1;
        const expected = (up - 1) * stride >= input + low ? up - 1 : up;
        expect(windowCountCeil(input, kernel, stride, low, high, dilation)).toBe(expected);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("of transposed convolutions invert those of convolutions", () => {
    fc.assert(
      fc.property(axes, ([input, kernel, stride, low, high, dilation]) => {
        const count = windowCount(input, kernel, stride, low, high, dilation);
        fc.pre(count >= 1);
        const extra = (input + low + high - reachOf(kernel, dilation)) % stride;
        expect(transposedCount(count, kernel, stride, low, high, dilation, extra)).toBe(input);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("same padding keeps ceil(input / stride) places, the odd element at the end", () => {
    expect([samePadding(5, 3, 1, 1), samePadding(5, 2, 1, 1), samePadding(6, 3, 2, 1), samePadding(4, 1, 3, 1)]).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
    fc.assert(
      fc.property(axes, ([input, kernel, stride, , , dilation]) => {
        const [low, high] = samePadding(input, kernel, stride, dilation);
        expect(windowCount(input, kernel, stride, low, high, dilation)).toBe(Math.ceil(input / stride));
        expect(high - low === 0 || high - low === 1).toBe(true);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
