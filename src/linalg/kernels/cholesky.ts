/**
 * Overwrites the lower triangle of a with its Cholesky factor and the upper one with zeros; only the lower triangle is read. Returns the order of
 * the first leading minor that is not positive, counted from 1; 0 when all are. NaN is no minor: it spreads.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 4.2.5, row by row.
 */
export function choleskyInPlace(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    let pivot = a[row + i]!;
    for (let j = 0; j < i; j++) {
      const other = j * n;
      let s = a[row + j]!;
      for (let k = 0; k < j; k++) s -= a[row + k]! * a[other + k]!;
      s /= a[other + j]!;
      a[row + j] = s;
      pivot -= s * s;
    }
    if (pivot <= 0) return i + 1;
    a[row + i] = Math.sqrt(pivot);
    a.fill(0, row + i + 1, row + n);
  }
  return 0;
}
