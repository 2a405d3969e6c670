import { hypotenuse, normOf } from "./scale.ts";

/** rows[from ...] of a, from column `first` on, minus tau v (v^T rows), v being 1 in row j and column j of `from` below it. */
function reflect(
  to: Float64Array,
  width: number,
  first: number,
  from: Float64Array,
  n: number,
  m: number,
  j: number,
  tau: number,
  sums: Float64Array,
): void {
  for (let c = first; c < width; c++) sums[c] = to[j * width + c]!;
  for (let i = j + 1; i < m; i++) {
    const v = from[i * n + j]!;
    for (let c = first, at = i * width + first; c < width; c++, at++) sums[c]! += v * to[at]!;
  }
  for (let c = first, at = j * width + first; c < width; c++, at++) to[at]! -= tau * sums[c]!;
  for (let i = j + 1; i < m; i++) {
    const v = tau * from[i * n + j]!;
    for (let c = first, at = i * width + first; c < width; c++, at++) to[at]! -= v * sums[c]!;
  }
}

/**
 * The reduced QR factorization of the m by n matrix a, which is overwritten: q is m by k and r k by n, k = min(m, n). The diagonal of r has the sign
 * opposite to the pivot's, and a column that is 0 below the diagonal is left as it is, as LAPACK does.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 5.2.2; LAPACK dgeqr2, dlarfg and dorg2r.
 */
export function householderQr(a: Float64Array, m: number, n: number, q: Float64Array, r: Float64Array): void {
  const k = Math.min(m, n);
  const taus = new Float64Array(k);
  const sums = new Float64Array(n);
  for (let j = 0; j < k; j++) {
    const at = j * n + j;
    const alpha = a[at]!;
    const below = normOf(a, at + n, m - j - 1, n);
    if (below === 0) continue;
    const beta = alpha >= 0 ? -hypotenuse(alpha, below) : hypotenuse(alpha, below);
    const tau = (beta - alpha) / beta;
    for (let i = j + 1; i < m; i++) a[i * n + j]! /= alpha - beta;
    a[at] = beta;
    taus[j] = tau;
    reflect(a, n, j + 1, a, n, m, j, tau, sums);
  }
  for (let i = 0; i < k; i++) r.set(a.subarray(i * n + i, (i + 1) * n), i * n + i);
  for (let i = 0; i < k; i++) q[i * (k + 1)] = 1;
  for (let j = k - 1; j >= 0; j--) if (taus[j] !== 0) reflect(q, k, j, a, n, m, j, taus[j]!, sums);
}
