import type { NumberArray } from "../../ir/dtype.ts";
import { type Shape, stridesOf } from "../../ir/shape.ts";
import { joinAxes } from "./walk.ts";

export type Reduction = "sum" | "prod" | "max" | "min";

const START: Readonly<Record<Reduction, number>> = { sum: 0, prod: 1, max: -Infinity, min: Infinity };

/** Numbers summed one after the other before halving starts. */
const LEAF = 128;

/** The sum of a run, pairwise: the rounding error grows with log n, not n (Higham 1993, "The accuracy of floating point summation"). */
function sumRun(src: NumberArray, from: number, step: number, count: number): number {
  if (count <= LEAF) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += src[from + i * step]!;
    return sum;
  }
  const half = (count >> 1) - ((count >> 1) % LEAF) || LEAF;
  return sumRun(src, from, step, half) + sumRun(src, from + half * step, step, count - half);
}

/** Reduces a run to one number, NaN winning max and min. */
function reduceRun(kind: Reduction, src: NumberArray, from: number, step: number, count: number): number {
  if (kind === "sum") return sumRun(src, from, step, count);
  let value = START[kind];
  if (kind === "prod") {
    for (let i = 0; i < count; i++) value *= src[from + i * step]!;
  } else if (kind === "max") {
    for (let i = 0; i < count; i++) {
      const x = src[from + i * step]!;
      if (x > value || Number.isNaN(x)) value = x;
      if (Number.isNaN(value)) return value;
    }
  } else {
    for (let i = 0; i < count; i++) {
      const x = src[from + i * step]!;
      if (x < value || Number.isNaN(x)) value = x;
      if (Number.isNaN(value)) return value;
    }
  }
  return value;
}

function combine(kind: Reduction, a: number, b: number): number {
  switch (kind) {
    case "sum":
      return a + b;
    case "prod":
      return a * b;
    case "max":
      return Math.max(a, b);
    case "min":
      return Math.min(a, b);
  }
}

/** Folds a run element by element into a run of as many accumulators. */
function foldRun(
  kind: Reduction,
  src: NumberArray,
  from: number,
  step: number,
  into: Float64Array,
  at: number,
  atStep: number,
  count: number,
): void {
  if (kind === "sum") for (let i = 0; i < count; i++) into[at + i * atStep]! += src[from + i * step]!;
  else if (kind === "prod") for (let i = 0; i < count; i++) into[at + i * atStep]! *= src[from + i * step]!;
  else if (kind === "max") for (let i = 0; i < count; i++) into[at + i * atStep] = Math.max(into[at + i * atStep]!, src[from + i * step]!);
  else for (let i = 0; i < count; i++) into[at + i * atStep] = Math.min(into[at + i * atStep]!, src[from + i * step]!);
}

/**
 * Reduces `src` over the sorted, distinct, non-negative `axes` into `dst`, whose elements are the kept axes in row-major order.
 *
 * Everything is accumulated in double, Float32Array included, and rounded once when stored. Runs of the innermost joined axis are summed pairwise, the
 * rest in row-major order. max and min are NaN where any element is. Over no elements: 0, 1, -Infinity, Infinity, as stored in `dst`.
 * `strides` and `offset` read a view; by default `src` is row-major.
 */
export function reduceStrided(
  kind: Reduction,
  src: NumberArray,
  shape: Shape,
  axes: readonly number[],
  dst: NumberArray,
  strides: readonly number[] = stridesOf(shape),
  offset = 0,
): void {
  const keptStrides = new Array<number>(shape.length).fill(0);
  let results = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (axes.includes(axis)) continue;
    keptStrides[axis] = results;
    results *= shape[axis]!;
  }
  const totals = new Float64Array(results).fill(START[kind]);
  accumulate(kind, src, shape, strides, offset, totals, keptStrides);
  dst.set(totals);
}

function accumulate(
  kind: Reduction,
  src: NumberArray,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  totals: Float64Array,
  keptStrides: readonly number[],
): void {
  const joined = joinAxes(shape, [strides, keptStrides]);
  const { sizes } = joined;
  const [steps, keptSteps] = joined.strides as [number[], number[]];
  const last = sizes.length - 1;
  const width = sizes[last]!;
  const step = steps[last]!;
  const keptStep = keptSteps[last]!;
  let runs = 1;
  for (let axis = 0; axis < last; axis++) runs *= sizes[axis]!;
  const place = new Array<number>(sizes.length).fill(0);
  let from = offset;
  let at = 0;
  for (let run = 0; run < runs; run++) {
    if (keptStep === 0) totals[at] = combine(kind, totals[at]!, reduceRun(kind, src, from, step, width));
    else foldRun(kind, src, from, step, totals, at, keptStep, width);
    for (let axis = last - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      at += keptSteps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      at -= keptSteps[axis]! * sizes[axis]!;
      place[axis] = 0;
    }
  }
}
