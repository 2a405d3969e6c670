import type { DType, Tensor } from "chainrule";
import { badOf } from "../tensors/not-finite.ts";

/** What is told of a tensor: its numbers in short, a histogram, and a map of its matrix. NaN and infinities are counted apart, never dropped. */
export interface TensorFacts {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly count: number;
  /** Of the finite numbers; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly zeros: number;
  readonly nan: number;
  /** How many are plus, and how many minus infinity. */
  readonly above: number;
  readonly below: number;
  /** How many numbers fall into each of equal bins from `min` to `max`. */
  readonly bins: readonly number[];
  /** The tensor as a matrix of at most 64 by 64 blocks. Null for a scalar or nothing. */
  readonly map: HeatCells | null;
  /** The first numbers, for a table. */
  readonly first: readonly number[];
}

/** The blocks of a heat map. */
export interface HeatCells {
  readonly rows: number;
  readonly columns: number;
  /** The mean of the finite numbers of each block; 0 where there are none. */
  readonly cells: Float32Array;
  /** Which of NaN and the infinities are in each block, as bits. */
  readonly bad: Uint8Array;
}

const binCount = 40;
const mapSide = 64;

/** Looks at every number of a tensor twice: once for its range, once for its shape. */
export function tensorFacts({ type, data }: Tensor): TensorFacts {
  const n = data.length;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let zeros = 0;
  let nan = 0;
  let above = 0;
  let below = 0;
  let finite = 0;
  // Welford's update: the mean of many numbers without losing the small ones.
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const x = Number(data[i]);
    if (Number.isNaN(x)) nan++;
    else if (x === Number.POSITIVE_INFINITY) above++;
    else if (x === Number.NEGATIVE_INFINITY) below++;
    else {
      if (x < min) min = x;
      if (x > max) max = x;
      if (x === 0) zeros++;
      const d = x - mean;
      mean += d / ++finite;
      squares += d * (x - mean);
    }
  }
  const none = finite === 0;
  const bins = new Array<number>(none ? 0 : binCount).fill(0);
  const width = max - min;
  if (!none)
    for (let i = 0; i < n; i++) {
      const x = Number(data[i]);
      if (!Number.isFinite(x)) continue;
      const at = width > 0 && Number.isFinite(width) ? Math.floor(((x - min) / width) * binCount) : binCount >> 1;
      bins[Math.max(0, Math.min(binCount - 1, at))]!++;
    }
  return {
    dtype: type.dtype,
    shape: type.shape,
    count: n,
    min: none ? null : min,
    max: none ? null : max,
    mean: none ? null : mean,
    deviation: none ? null : Math.sqrt(squares / finite),
    zeros,
    nan,
    above,
    below,
    bins,
    map: mapOf(type.shape, data),
    first: Array.from(data.slice(0, 24), Number),
  };
}

function mapOf(shape: readonly number[], data: ArrayLike<number>): HeatCells | null {
  if (shape.length === 0 || data.length === 0) return null;
  // A vector is one row; more axes than two are rows below each other.
  const columns = shape[shape.length - 1]!;
  const rows = data.length / columns;
  const height = Math.min(rows, mapSide);
  const width = Math.min(columns, mapSide);
  const cells = new Float32Array(height * width);
  const counts = new Uint32Array(height * width);
  const bad = new Uint8Array(height * width);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns);
    const cell = Math.floor((row * height) / rows) * width + Math.floor(((i - row * columns) * width) / columns);
    const x = Number(data[i]);
    if (Number.isFinite(x)) {
      // A running mean: a sum of large numbers would not be finite.
      cells[cell]! += (x - cells[cell]!) / ++counts[cell]!;
    } else bad[cell]! |= badOf(x);
  }
  return { rows: height, columns: width, cells, bad };
}
