import { type DType, isFloat } from "../../../src/ir/dtype.ts";

/**
 * How far the compiled engine may be from the reference: `c` x eps x sqrt(terms) x the size of what is added up. Terms are counted as the elements of
 * the largest operand; sizes are the largest magnitude among operands and the result, times `grows` where a formula divides by something small.
 */
export interface Tolerance {
  readonly c: number;
  /** What the terms are larger by than the operands, from the operands' elements. */
  readonly grows?: (operands: readonly ArrayLike<number>[]) => number;
}

/** 1 over the smallest difference within an operand: what a normalisation multiplies by. */
function steepest([x]: readonly ArrayLike<number>[]): number {
  const sorted = Array.from(x ?? []).sort((a, b) => a - b);
  return sorted.reduce((most, v, i) => (i > 0 && v > sorted[i - 1]! ? Math.max(most, Math.min(1e3, 1 / (v - sorted[i - 1]!))) : most), 1);
}

/** Every op has 2 but these; c is at most 8. Found by 20 seeds an op, both dtypes, results and gradients, and rounded up. */
const own: Readonly<Record<string, Tolerance>> = {
  // Gradients are cubes of 1 / sqrt(x): three roundings.
  rsqrt: { c: 6 },
  pow: { c: 4 },
  layerNormalization: { c: 8, grows: steepest },
  groupNormalization: { c: 4, grows: steepest },
  instanceNormalization: { c: 4, grows: steepest },
  batchNormalization: { c: 4 },
  // Two ways to the same vectors, whose gradients divide by differences of eigenvalues: 2.5 at most of 100 seeds.
  eigh: { c: 4 },
  // Whole graphs of random ops: what one adds up, the next multiplies.
  graph: { c: 8 },
};

const eps: Readonly<Partial<Record<DType, number>>> = { f64: 2 ** -52, f32: 2 ** -23, f16: 2 ** -10, bf16: 2 ** -7 };

/** The row of an op. */
export function toleranceOf(name: string): Tolerance {
  return own[name] ?? { c: 2 };
}

const largest = (x: ArrayLike<number>): number =>
  Array.from(x).reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);

/** How far each element of a result may be off; 0 for what is no float. */
export function roomFor(name: string, dtype: DType, operands: readonly ArrayLike<number>[], result: ArrayLike<number>): number {
  if (!isFloat(dtype)) return 0;
  const { c, grows } = toleranceOf(name);
  const terms = Math.max(1, ...operands.map((x) => x.length));
  const size = Math.max(1, largest(result), ...operands.map(largest));
  return c * (eps[dtype] ?? 0) * Math.sqrt(terms) * size * (grows?.(operands) ?? 1);
}

/** The first element that is further off than its room, as text; null where all agree. Zeros of either sign are equal, and so are NaNs. */
export function firstApart(want: ArrayLike<number>, got: ArrayLike<number>, room: number): string | null {
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [want[i]! + 0, got[i]! + 0];
    if (!Object.is(a, b) && !(Math.abs(a - b) <= room)) return `[${i}] is ${b} and the reference has ${a} (room ${room})`;
  }
  return null;
}

/** Every c of the table. */
export const factors: readonly number[] = [2, ...Object.values(own).map(({ c }) => c)];
