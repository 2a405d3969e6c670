import { jacobiSvd } from "./jacobi-svd.ts";
import { determinantOf, type Factored, factor, solveFactored } from "./lu.ts";
import { wellConditioned } from "./well-conditioned.ts";

function spreadOf({ lu, n }: Factored): number {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < n; i++) {
    const size = Math.abs(lu[i * (n + 1)]!);
    least = Math.min(least, size);
    most = Math.max(most, size);
  }
  return least / most;
}

/**
 * Writes the matrix of cofactors of the n by n matrix a to c: the derivative of its determinant. By `det(a) a^-T` where pivots are of one size, else by
 * singular values, whose products do not divide by what may be 0.
 * Source: M. Giles 2008, 2.2.4; G. W. Stewart, "On the adjugate matrix", Linear Algebra Appl. 283 (1998).
 */
export function cofactors(a: Float64Array, n: number, c: Float64Array): void {
  const factored = factor(a.slice(), n);
  if (n === 0 || spreadOf(factored) > wellConditioned) {
    const unit = new Float64Array(n * n);
    const determinant = determinantOf(factored);
    for (let i = 0; i < n; i++) unit[i * (n + 1)] = determinant;
    solveFactored(factored, unit, c, n, true);
    return;
  }
  // The rows of a are taken as columns: what comes out is the decomposition of a^T.
  const left = a.slice();
  const right = new Float64Array(n * n);
  const s = new Float64Array(n);
  jacobiSvd(left, s, right, n, n);
  const sign = determinantOf(factor(left.slice(), n)) * determinantOf(factor(right.slice(), n)) < 0 ? -1 : 1;
  c.fill(0);
  for (let i = 0; i < n; i++) {
    let others = sign;
    for (let j = 0; j < n; j++) if (j !== i) others *= s[j]!;
    // a = sum s_i right_i left_i^T
    for (let p = 0; p < n; p++) for (let q = 0, x = others * right[i * n + p]!; q < n; q++) c[p * n + q]! += x * left[i * n + q]!;
  }
}
