import { type Block, subtractProduct } from "./product.ts";

/** Rows of a block: within it the factor is made row by row, before it of products. */
const rows = 16;

/**
 * Overwrites the lower triangle of a with its Cholesky factor and the upper one with zeros; only the lower triangle is read. Returns the order of
 * the first leading minor that is not positive, counted from 1; 0 when all are. NaN is no minor: it spreads.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 4.2.5 and 4.2.9, by blocks of rows.
 */
export function choleskyInPlace(a: Float64Array, n: number): number {
  const block = (i: number, j: number): Block => ({ data: a, at: i * n + j, row: n, column: 1 });
  for (let first = 0; first < n; first += rows) {
    const end = Math.min(n, first + rows);
    const own = block(first, 0);
    for (let at = 0; at <= first; at += rows) {
      const width = Math.min(rows, n - at);
      // The transpose of the rows whose factor stands in these columns, read by its steps.
      if (at > 0) subtractProduct(block(first, at), own, { data: a, at: at * n, row: 1, column: n }, end - first, width, at);
      if (at === first) break;
      for (let i = first; i < end; i++) solveRow(a, n, i, at, at + width);
    }
    for (let i = first; i < end; i++) {
      solveRow(a, n, i, first, i);
      let pivot = a[i * n + i]!;
      for (let k = first; k < i; k++) pivot -= a[i * n + k]! ** 2;
      if (pivot <= 0) return i + 1;
      a[i * n + i] = Math.sqrt(pivot);
      a.fill(0, i * n + i + 1, (i + 1) * n);
    }
  }
  return 0;
}

/** Elements `from` to `to` of row i, from which the products of the columns before `from` have been taken. */
function solveRow(a: Float64Array, n: number, i: number, from: number, to: number): void {
  const row = i * n;
  for (let j = from; j < to; j++) {
    let s = a[row + j]!;
    for (let k = from, p = row + from, q = j * n + from; k < j; k++, p++, q++) s -= a[p]! * a[q]!;
    a[row + j] = s / a[j * n + j]!;
  }
}
