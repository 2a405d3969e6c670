import { type Block, subtractProduct } from "./product.ts";
import { hypotenuse, normOf } from "./scale.ts";

/** Columns `first` to `end` of `to` minus tau v (v^T rows), v being 1 in row j and column j of `from` below it. */
function reflect(
  to: Float64Array,
  width: number,
  first: number,
  end: number,
  from: Float64Array,
  n: number,
  m: number,
  j: number,
  tau: number,
  sums: Float64Array,
): void {
  for (let c = first; c < end; c++) sums[c] = to[j * width + c]!;
  for (let i = j + 1; i < m; i++) {
    const v = from[i * n + j]!;
    for (let c = first, at = i * width + first; c < end; c++, at++) sums[c]! += v * to[at]!;
  }
  for (let c = first, at = j * width + first; c < end; c++, at++) to[at]! -= tau * sums[c]!;
  for (let i = j + 1; i < m; i++) {
    const v = tau * from[i * n + j]!;
    for (let c = first, at = i * width + first; c < end; c++, at++) to[at]! -= v * sums[c]!;
  }
}

/** Reflections that are applied together to the columns after them. */
const together = 16;

/** Some reflections as one: I - V T V^T, V being their vectors as columns, m - first by `count`. */
interface Reflections {
  readonly first: number;
  readonly count: number;
  readonly v: Float64Array;
  readonly t: Float64Array;
}

/** The reflections of the columns from `first` on, whose vectors stand below the diagonal of the m by n matrix a. */
function joined(a: Float64Array, m: number, n: number, first: number, count: number, taus: Float64Array): Reflections {
  const height = m - first;
  const v = new Float64Array(height * count);
  for (let i = 0; i < height; i++) {
    for (let j = 0, at = (first + i) * n + first; j < Math.min(i, count); j++) v[i * count + j] = a[at + j]!;
    if (i < count) v[i * count + i] = 1;
  }
  const t = new Float64Array(count * count);
  const dots = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    const tau = taus[first + j]!;
    t[j * count + j] = tau;
    dots.fill(0);
    for (let i = j; i < height; i++) for (let c = 0, x = v[i * count + j]!; c < j; c++) dots[c]! += v[i * count + c]! * x;
    for (let i = 0; i < j; i++) {
      let s = 0;
      for (let c = i; c < j; c++) s += t[i * count + c]! * dots[c]!;
      t[i * count + j] = -tau * s;
    }
  }
  return { first, count, v, t };
}

/** Rows `first` on of `to`, from column `column` on, times the reflections from the left, or times their transpose. */
function apply({ first, count, v, t }: Reflections, to: Float64Array, m: number, width: number, column: number, transposed: boolean): void {
  const [height, columns] = [m - first, width - column];
  const own: Block = { data: to, at: first * width + column, row: width, column: 1 };
  const part = (): Block => ({ data: new Float64Array(count * columns), at: 0, row: columns, column: 1 });
  const [inner, turned] = [part(), part()];
  // Twice a difference from 0, whose signs cancel.
  subtractProduct(inner, { data: v, at: 0, row: 1, column: count }, own, count, columns, height);
  const [row, step] = transposed ? [1, count] : [count, 1];
  subtractProduct(turned, { data: t, at: 0, row, column: step }, inner, count, columns, count);
  subtractProduct(own, { data: v, at: 0, row: count, column: 1 }, turned, height, columns, count);
}

/**
 * The reduced QR factorization of the m by n matrix a, which is overwritten: q is m by k and r k by n, k = min(m, n). The diagonal of r has the sign
 * opposite to the pivot's, and a column that is 0 below the diagonal is left as it is, as LAPACK does.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 5.2.2 and 5.2.3; LAPACK dgeqr2, dlarfg, dorg2r and dlarft; reflections applied
 * together: R. Schreiber, C. Van Loan, "A storage-efficient WY representation for products of Householder transformations", SIAM J. Sci. Stat. Comput. 10 (1989).
 */
export function householderQr(a: Float64Array, m: number, n: number, q: Float64Array, r: Float64Array): void {
  const k = Math.min(m, n);
  const taus = new Float64Array(k);
  const sums = new Float64Array(n);
  const blocks: Reflections[] = [];
  for (let first = 0; first < k; first += together) {
    const end = Math.min(k, first + together);
    // Those after the last pivot come along where there are few.
    const width = end === k && n - end < together ? n : end;
    for (let j = first; j < end; j++) {
      const at = j * n + j;
      const alpha = a[at]!;
      const below = normOf(a, at + n, m - j - 1, n);
      if (below === 0) continue;
      const beta = alpha >= 0 ? -hypotenuse(alpha, below) : hypotenuse(alpha, below);
      const tau = (beta - alpha) / beta;
      for (let i = j + 1; i < m; i++) a[i * n + j]! /= alpha - beta;
      a[at] = beta;
      taus[j] = tau;
      reflect(a, n, j + 1, width, a, n, m, j, tau, sums);
    }
    if (k <= together && width === n) continue;
    const block = joined(a, m, n, first, end - first, taus);
    if (width < n) apply(block, a, m, n, width, true);
    blocks.push(block);
  }
  for (let i = 0; i < k; i++) r.set(a.subarray(i * n + i, (i + 1) * n), i * n + i);
  for (let i = 0; i < k; i++) q[i * (k + 1)] = 1;
  if (blocks.length > 0) for (const block of blocks.reverse()) apply(block, q, m, k, block.first, false);
  else for (let j = k - 1; j >= 0; j--) if (taus[j] !== 0) reflect(q, k, j, k, a, n, m, j, taus[j]!, sums);
}
