/** A triangular matrix as a solver reads it: which triangle of `a` counts, whether transposed, whether the diagonal is taken as 1. */
export interface Triangle {
  readonly lower: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/** The first row with 0 on the diagonal, -1 when there is none. */
export function zeroPivot(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (a[i * (n + 1)] === 0) return i;
  return -1;
}

/** x[to, :] -= factor x[from, :] */
function subtractRow(x: Float64Array, to: number, from: number, factor: number, columns: number): void {
  for (let j = 0; j < columns; j++) x[to + j]! -= factor * x[from + j]!;
}

/**
 * Overwrites the n by `columns` matrix x with the solution of T x = x by substitution, T being a triangle of the n by n matrix a. The other
 * triangle is never read. Row by row, so that memory is read in order.
 */
export function solveTriangle(
  a: Float64Array,
  n: number,
  x: Float64Array,
  columns: number,
  { lower, transpose, unitDiagonal }: Triangle,
): void {
  const [row, column] = transpose ? [1, n] : [n, 1];
  const forward = lower !== transpose;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const to = i * columns;
    if (columns === 1) {
      let rest = x[i]!;
      const [first, end] = forward ? [0, i] : [i + 1, n];
      for (let k = first, at = i * row + first * column; k < end; k++, at += column) rest -= a[at]! * x[k]!;
      x[i] = unitDiagonal ? rest : rest / a[i * (n + 1)]!;
      continue;
    }
    if (forward) for (let k = 0; k < i; k++) subtractRow(x, to, k * columns, a[i * row + k * column]!, columns);
    else for (let k = n - 1; k > i; k--) subtractRow(x, to, k * columns, a[i * row + k * column]!, columns);
    if (unitDiagonal) continue;
    const pivot = a[i * (n + 1)]!;
    for (let j = 0; j < columns; j++) x[to + j]! /= pivot;
  }
}
