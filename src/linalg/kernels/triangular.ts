import { type Block, subtractProduct } from "./product.ts";

/** A triangular matrix as a solver reads it: which triangle of `a` counts, whether transposed, whether the diagonal is taken as 1. */
export interface Triangle {
  readonly lower: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/** Systems of so many rows are solved row by row; larger ones are cut in two, and what joins the halves is a product. */
const small = 8;

/** The first row with 0 on the diagonal, -1 when there is none. */
export function zeroPivot(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (a[i * (n + 1)] === 0) return i;
  return -1;
}

/**
 * Overwrites the n by `columns` matrix x with the solution of T x = x by substitution, T being a triangle of the n by n matrix a. The other
 * triangle is never read.
 */
export function solveTriangle(a: Float64Array, n: number, x: Float64Array, columns: number, triangle: Triangle): void {
  const from: Block = triangle.transpose ? { data: a, at: 0, row: 1, column: n } : { data: a, at: 0, row: n, column: 1 };
  if (columns === 1) solveVector(from, n, x, triangle);
  else
    solveBlock(from, n, { data: x, at: 0, row: columns, column: 1 }, columns, triangle.lower !== triangle.transpose, triangle.unitDiagonal);
}

/**
 * The same for a block x and the n by n block t, which is lower triangular where `forward`, else upper: both as they are read, a transposed one by its steps.
 * By halves, so that nearly all of it is products. Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 3.1.5.
 */
export function solveBlock(t: Block, n: number, x: Block, columns: number, forward: boolean, unitDiagonal: boolean): void {
  if (n <= small) {
    solveRows(t, n, x, columns, forward, unitDiagonal);
    return;
  }
  // A multiple of four, so that products come in whole blocks.
  const half = 4 * (n >> 3);
  const rest = n - half;
  const below: Block = { ...x, at: x.at + half * x.row };
  const last: Block = { ...t, at: t.at + half * (t.row + t.column) };
  if (forward) {
    solveBlock(t, half, x, columns, forward, unitDiagonal);
    subtractProduct(below, { ...t, at: t.at + half * t.row }, x, rest, columns, half);
    solveBlock(last, rest, below, columns, forward, unitDiagonal);
  } else {
    solveBlock(last, rest, below, columns, forward, unitDiagonal);
    subtractProduct(x, { ...t, at: t.at + half * t.column }, below, half, columns, rest);
    solveBlock(t, half, x, columns, forward, unitDiagonal);
  }
}

/** A few rows, one after the other. */
function solveRows(t: Block, n: number, x: Block, columns: number, forward: boolean, unitDiagonal: boolean): void {
  const { data, row, column } = x;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const to = x.at + i * row;
    const [first, end] = forward ? [0, i] : [i + 1, n];
    for (let k = first; k < end; k++) {
      const factor = t.data[t.at + i * t.row + k * t.column]!;
      for (let j = 0, p = to, q = x.at + k * row; j < columns; j++, p += column, q += column) data[p]! -= factor * data[q]!;
    }
    if (unitDiagonal) continue;
    const pivot = t.data[t.at + i * (t.row + t.column)]!;
    for (let j = 0, p = to; j < columns; j++, p += column) data[p]! /= pivot;
  }
}

/** One right side: row by row, or column by column where those are what lies in order. */
function solveVector(t: Block, n: number, x: Float64Array, { lower, transpose, unitDiagonal }: Triangle): void {
  const { data: a, row, column } = t;
  const forward = lower !== transpose;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const [first, end] = forward === transpose ? [i + 1, n] : [0, i];
    const pivot = unitDiagonal ? 1 : a[i * (n + 1)]!;
    if (transpose) {
      const solved = x[i]! / pivot;
      x[i] = solved;
      for (let k = first, at = k * row + i * column; k < end; k++, at += row) x[k]! -= a[at]! * solved;
    } else {
      let rest = x[i]!;
      for (let k = first, at = i * row + k * column; k < end; k++, at += column) rest -= a[at]! * x[k]!;
      x[i] = rest / pivot;
    }
  }
}
