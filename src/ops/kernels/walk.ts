import type { NumberArray } from "../../ir/dtype.ts";
import { type Shape, stridesOf } from "../../ir/shape.ts";

/** Sizes of the axes of a walk, and for each array walked its strides, one per axis. */
export interface Axes {
  readonly sizes: number[];
  readonly strides: number[][];
}

/** A shape seen from one axis: row-major element (o, i, r) is at (o * size + i) * inner + r. */
export interface AxisLayout {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** The {@link AxisLayout} of `shape` at the non-negative `axis`. */
export function axisLayout(shape: Shape, axis: number): AxisLayout {
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < axis; i++) outer *= shape[i]!;
  for (let i = axis + 1; i < shape.length; i++) inner *= shape[i]!;
  return { outer, size: shape[axis]!, inner };
}

/**
 * The same walk over fewer axes: those of size 1 go, and neighbours become one wherever every array steps evenly across both.
 * At least one axis is left, so that callers always have an innermost loop.
 */
export function joinAxes(shape: Shape, strides: readonly (readonly number[])[]): Axes {
  const sizes: number[] = [];
  const joined: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    let even = last >= 0;
    for (let a = 0; even && a < strides.length; a++) even = joined[a]![last] === strides[a]![axis]! * size;
    if (even) {
      sizes[last]! *= size;
      for (let a = 0; a < strides.length; a++) joined[a]![last] = strides[a]![axis]!;
    } else {
      sizes.push(size);
      for (let a = 0; a < strides.length; a++) joined[a]!.push(strides[a]![axis]!);
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const own of joined) own.push(1);
  }
  return { sizes, strides: joined };
}

/** The offset of every element of `shape` in row-major order, under `strides`. */
export function offsetsOf(shape: Shape, strides: readonly number[]): Int32Array {
  const { sizes, strides: joined } = joinAxes(shape, [strides]);
  const steps = joined[0]!;
  let count = 1;
  for (const size of sizes) count *= size;
  const offsets = new Int32Array(count);
  const last = sizes.length - 1;
  const width = sizes[last]!;
  const step = steps[last]!;
  const place = new Array<number>(sizes.length).fill(0);
  let base = 0;
  for (let at = 0; at < count; ) {
    for (let i = 0; i < width; i++) offsets[at++] = base + i * step;
    for (let axis = last - 1; axis >= 0; axis--) {
      base += steps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      base -= steps[axis]! * sizes[axis]!;
      place[axis] = 0;
    }
  }
  return offsets;
}

function copyRun(src: NumberArray, from: number, step: number, dst: NumberArray, to: number, dstStep: number, count: number): void {
  if (dstStep === 1) {
    if (step === 0) {
      dst.fill(src[from]!, to, to + count);
      return;
    }
    if (step === 1) {
      // Below this length the subarray costs more than it saves.
      if (count >= 32) dst.set(src.subarray(from, from + count), to);
      else for (let i = 0; i < count; i++) dst[to + i] = src[from + i]!;
      return;
    }
  }
  for (let i = 0; i < count; i++) dst[to + i * dstStep] = src[from + i * step]!;
}

/**
 * Copies `shape` elements of `src`, read under `srcStrides` (0 repeats, negative walks backwards) from `srcOffset` on, to `dst`, by default
 * row-major from its start. Elements convert as typed arrays convert. Axes that can be are walked as one, and whole runs go by `set` and `fill`.
 */
export function copyStrided(
  src: NumberArray,
  srcStrides: readonly number[],
  srcOffset: number,
  dst: NumberArray,
  shape: Shape,
  dstStrides: readonly number[] = stridesOf(shape),
  dstOffset = 0,
): void {
  const { sizes, strides } = joinAxes(shape, [srcStrides, dstStrides]);
  const [srcSteps, dstSteps] = strides as [number[], number[]];
  const last = sizes.length - 1;
  const width = sizes[last]!;
  const step = srcSteps[last]!;
  const dstStep = dstSteps[last]!;
  let runs = 1;
  for (let axis = 0; axis < last; axis++) runs *= sizes[axis]!;
  if (width === 0) return;
  const place = new Array<number>(sizes.length).fill(0);
  let from = srcOffset;
  let to = dstOffset;
  for (let run = 0; run < runs; run++) {
    copyRun(src, from, step, dst, to, dstStep, width);
    for (let axis = last - 1; axis >= 0; axis--) {
      from += srcSteps[axis]!;
      to += dstSteps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      from -= srcSteps[axis]! * sizes[axis]!;
      to -= dstSteps[axis]! * sizes[axis]!;
      place[axis] = 0;
    }
  }
}
