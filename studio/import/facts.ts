import type { DType, Tensor } from "chainrule";

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
  readonly infinite: number;
  /** How many numbers fall into each of equal bins from `min` to `max`. */
  readonly bins: readonly number[];
  /** The tensor as a matrix of at most 64 by 64 blocks, each its mean; NaN where a block has one that is not finite. Null for a scalar or nothing. */
  readonly map: { readonly rows: number; readonly columns: number; readonly cells: Float32Array } | null;
  /** The first numbers, for a table. */
  readonly first: readonly number[];
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
  let infinite = 0;
  let finite = 0;
  // Welford's update: the mean of many numbers without losing the small ones.
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const x = Number(data[i]);
    if (Number.isNaN(x)) nan++;
    else if (!Number.isFinite(x)) infinite++;
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
    infinite,
    bins,
    map: mapOf(type.shape, data),
    first: Array.from(data.slice(0, 24), Number),
  };
}

function mapOf(shape: readonly number[], data: ArrayLike<number>): TensorFacts["map"] {
  if (shape.length === 0 || data.length === 0) return null;
  // A vector is one row; more axes than two are rows below each other.
  const columns = shape[shape.length - 1]!;
  const rows = data.length / columns;
  const height = Math.min(rows, mapSide);
  const width = Math.min(columns, mapSide);
  const cells = new Float32Array(height * width);
  const counts = new Uint32Array(height * width);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns);
    const cell = Math.floor((row * height) / rows) * width + Math.floor(((i - row * columns) * width) / columns);
    cells[cell]! += Number.isFinite(data[i]!) ? data[i]! : Number.NaN;
    counts[cell]!++;
  }
  for (let k = 0; k < cells.length; k++) cells[k]! /= counts[k]!;
  return { rows: height, columns: width, cells };
}
