import type { NumberArray } from "../../ir/dtype.ts";
import { threeAxes, type WindowShape } from "./window.ts";

/** A pooling of x [planes, ...input] -> y [planes, ...output]; planes are batch times channels. */
export interface PoolShape extends WindowShape {
  readonly planes: number;
}

/** How average pooling divides. */
export interface AveragePoolShape extends PoolShape {
  /** Padding behind the last element, per axis. */
  readonly paddingHigh: readonly number[];
  /** Whether padding counts in the divisor. */
  readonly countIncludePad: boolean;
}

/**
 * values = the largest element under each window and indices = its flat position in all of x (-1 where a window covers padding alone; the value is
 * then -Infinity). Padding never wins; of equals the first in row-major order wins; the first NaN wins over all.
 */
export function maxPoolForward(x: NumberArray, values: NumberArray, indices: Int32Array, shape: PoolShape): void {
  const { input, kernel, output, stride, padding, dilation } = threeAxes(shape);
  const [depth, height, width] = input as [number, number, number];
  const area = depth * height * width;
  let to = 0;
  for (let plane = 0; plane < shape.planes; plane++) {
    for (let oz = 0; oz < output[0]!; oz++) {
      for (let oy = 0; oy < output[1]!; oy++) {
        for (let ox = 0; ox < output[2]!; ox++) {
          let best = -Infinity;
          let at = -1;
          for (let kz = 0; kz < kernel[0]!; kz++) {
            const z = oz * stride[0]! - padding[0]! + kz * dilation[0]!;
            if (z < 0 || z >= depth) continue;
            for (let ky = 0; ky < kernel[1]!; ky++) {
              const y = oy * stride[1]! - padding[1]! + ky * dilation[1]!;
              if (y < 0 || y >= height) continue;
              const row = plane * area + (z * height + y) * width;
              for (let kx = 0; kx < kernel[2]!; kx++) {
                const column = ox * stride[2]! - padding[2]! + kx * dilation[2]!;
                if (column < 0 || column >= width) continue;
                const value = x[row + column]!;
                // The first NaN stays: nothing is larger than NaN, and a second NaN does not replace it.
                if (at < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
                  best = value;
                  at = row + column;
                }
              }
            }
          }
          values[to] = best;
          indices[to] = at;
          to++;
        }
      }
    }
  }
}

/** dx = the transpose of reading x at `indices`, applied to dy; indices of -1 get nothing. Sums in double, rounded once. */
export function maxPoolInputGradient(dy: NumberArray, indices: Int32Array, dx: NumberArray): void {
  const sums = dx instanceof Float64Array ? dx.fill(0) : new Float64Array(dx.length);
  for (let i = 0; i < indices.length; i++) {
    const at = indices[i]!;
    if (at >= 0) sums[at]! += dy[i]!;
  }
  if (sums !== dx) dx.set(sums);
}

/** How many taps of a window that starts at `start` lie in [low, high). */
function tapsWithin(start: number, kernel: number, dilation: number, low: number, high: number): number {
  const first = start >= low ? 0 : Math.ceil((low - start) / dilation);
  const last = Math.min(kernel, Math.ceil((high - start) / dilation));
  return last > first ? last - first : 0;
}

/**
 * What the window at (oz, oy, ox) divides by: its taps within the input, or with countIncludePad within input and padding. A window that reaches beyond
 * the padding (ceil mode) never counts what is there, as in PyTorch.
 */
function divisorOf(shape: AveragePoolShape, window: WindowShape, high: readonly number[], oz: number, oy: number, ox: number): number {
  let divisor = 1;
  for (let axis = 0; axis < 3; axis++) {
    const place = axis === 0 ? oz : axis === 1 ? oy : ox;
    const low = window.padding[axis]!;
    const size = window.input[axis]!;
    const start = place * window.stride[axis]! - low;
    divisor *= shape.countIncludePad
      ? tapsWithin(start, window.kernel[axis]!, window.dilation[axis]!, -low, size + high[axis]!)
      : tapsWithin(start, window.kernel[axis]!, window.dilation[axis]!, 0, size);
  }
  return divisor;
}

/** Walks every window: forward gathers its mean into y, backward spreads y's share over x. */
function averageWindows(x: NumberArray, y: NumberArray, shape: AveragePoolShape, backward: boolean): void {
  const window = threeAxes(shape);
  const { input, kernel, output, stride, padding, dilation } = window;
  const high = [...new Array<number>(3 - shape.paddingHigh.length).fill(0), ...shape.paddingHigh];
  const [depth, height, width] = input as [number, number, number];
  const area = depth * height * width;
  let at = 0;
  for (let plane = 0; plane < shape.planes; plane++) {
    for (let oz = 0; oz < output[0]!; oz++) {
      for (let oy = 0; oy < output[1]!; oy++) {
        for (let ox = 0; ox < output[2]!; ox++) {
          const divisor = divisorOf(shape, window, high, oz, oy, ox);
          const share = backward ? y[at]! / divisor : 0;
          let sum = 0;
          for (let kz = 0; kz < kernel[0]!; kz++) {
            const z = oz * stride[0]! - padding[0]! + kz * dilation[0]!;
            if (z < 0 || z >= depth) continue;
            for (let ky = 0; ky < kernel[1]!; ky++) {
              const row = oy * stride[1]! - padding[1]! + ky * dilation[1]!;
              if (row < 0 || row >= height) continue;
              const base = plane * area + (z * height + row) * width;
              for (let kx = 0; kx < kernel[2]!; kx++) {
                const column = ox * stride[2]! - padding[2]! + kx * dilation[2]!;
                if (column < 0 || column >= width) continue;
                if (backward) x[base + column]! += share;
                else sum += x[base + column]!;
              }
            }
          }
          if (!backward) y[at] = divisor === 0 ? 0 : sum / divisor;
          at++;
        }
      }
    }
  }
}

/** y = the mean under each window, padding as zeros; divisors as PyTorch's avg_pool. A window over no counted element gives 0. Sums in double. */
export function averagePoolForward(x: NumberArray, y: NumberArray, shape: AveragePoolShape): void {
  averageWindows(x, y, shape, false);
}

/** dx = the transpose of {@link averagePoolForward} applied to dy: each window's dy, divided as there, added to every element under it. Sums in double. */
export function averagePoolInputGradient(dy: NumberArray, dx: NumberArray, shape: AveragePoolShape): void {
  const sums = dx instanceof Float64Array ? dx.fill(0) : new Float64Array(dx.length);
  averageWindows(sums, dy, shape, true);
  if (sums !== dx) dx.set(sums);
}
