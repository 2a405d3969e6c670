import fc from "fast-check";
import { type WindowShape, windowCount, windowCountCeil } from "../../../src/ops/kernels/window.ts";

export interface Windows extends WindowShape {
  readonly paddingHigh: readonly number[];
}

const axis = fc.record({
  input: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  low: fc.integer({ min: 0, max: 2 }),
  high: fc.integer({ min: 0, max: 2 }),
  dilation: fc.integer({ min: 1, max: 2 }),
});

/** Windows over 1 to 3 spatial axes with every combination of attributes, at least one place per axis. */
export function windows(ceil: boolean): fc.Arbitrary<Windows> {
  return fc
    .array(axis, { minLength: 1, maxLength: 3 })
    .map((axes) => ({
      input: axes.map((a) => a.input),
      kernel: axes.map((a) => a.kernel),
      output: axes.map((a) => (ceil ? windowCountCeil : windowCount)(a.input, a.kernel, a.stride, a.low, a.high, a.dilation)),
      stride: axes.map((a) => a.stride),
      padding: axes.map((a) => a.low),
      paddingHigh: axes.map((a) => a.high),
      dilation: axes.map((a) => a.dilation),
    }))
    .filter(({ output }) => output.every((count) => count >= 1));
}
