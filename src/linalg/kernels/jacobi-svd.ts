import { exchange } from "./exchange.ts";
import { householderQr } from "./householder.ts";
import { subtractProduct } from "./product.ts";
import { hypotenuse, largestMagnitude, normOf, powerNear } from "./scale.ts";
import { transposeInto } from "./transpose-into.ts";

/** Sweeps over all pairs of columns; 6 to 10 are usual. From here on the tolerance doubles with each, so that they end whatever rounding does. */
const patience = 30;

/** Columns shorter than this, beside a largest element near 1, count as 0: the squares of others neither underflow nor lose digits. */
const shortest = 1e-140;

/**
 * The singular values of a matrix in descending order with their vectors. `w` holds the columns of the matrix as its n rows of length m, m >= n, and
 * is left with the left singular vectors as rows; the right ones become the rows of v, n by n. All NaN if an element is not finite.
 * Source: one-sided Jacobi, J. Demmel, K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13 (1992): small
 * singular values are as accurate as large ones, down to 1e-140 of the largest, below which they are 0. A matrix that is twice as long as wide is
 * factored into Q R first, column by column as accurate (N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 19.3), so that rows are as
 * short as there are of them.
 */
export function jacobiSvd(w: Float64Array, s: Float64Array, v: Float64Array, m: number, n: number): void {
  const most = largestMagnitude(w);
  if (!Number.isFinite(most)) {
    for (const part of [w, s, v]) part.fill(Number.NaN);
    return;
  }
  const scale = most === 0 ? 1 : powerNear(most);
  for (let i = 0; i < w.length; i++) w[i]! /= scale;
  for (let i = 0; i < n; i++) v[i * (n + 1)] = 1;
  if (m < 2 * n) decompose(w, s, v, m, n);
  else {
    const a = new Float64Array(m * n);
    transposeInto(w, n, m, a, 0);
    const [q, r, turned] = [new Float64Array(m * n), new Float64Array(n * n), new Float64Array(n * n)];
    householderQr(a, m, n, q, r);
    transposeInto(r, n, n, turned, 0);
    decompose(turned, s, v, n, n);
    // Minus the left vectors of R, so that what is subtracted from 0 is Q times them.
    for (let i = 0; i < turned.length; i++) turned[i] = -turned[i]!;
    w.fill(0);
    const left = { data: w, at: 0, row: m, column: 1 };
    subtractProduct(left, { data: turned, at: 0, row: n, column: 1 }, { data: q, at: 0, row: 1, column: n }, n, m, n);
  }
  for (let i = 0; i < n; i++) s[i]! *= scale;
}

/** {@link jacobiSvd} of a matrix whose largest element is near 1, v being the unit matrix before. */
function decompose(w: Float64Array, s: Float64Array, v: Float64Array, m: number, n: number): void {
  makeOrthogonal(w, v, m, n);
  const norms = Float64Array.from({ length: n }, (_, i) => normOf(w, i * m, m));
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => norms[j]! - norms[i]! || i - j);
  const [left, right] = [w.slice(), v.slice()];
  order.forEach((from, to) => {
    const norm = norms[from]!;
    s[to] = norm;
    for (let k = 0; k < m; k++) w[to * m + k] = norm === 0 ? 0 : left[from * m + k]! / norm;
    v.set(right.subarray(from * n, (from + 1) * n), to * n);
  });
  for (let i = 0; i < n; i++) if (norms[order[i]!] === 0) complete(w, m, i);
}

/** The inner product of two rows, in four sums that do not wait for each other. */
function dotOf(a: Float64Array, p: number, q: number, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < count; k += 4) {
    s0 += a[p + k]! * a[q + k]!;
    s1 += a[p + k + 1]! * a[q + k + 1]!;
    s2 += a[p + k + 2]! * a[q + k + 2]!;
    s3 += a[p + k + 3]! * a[q + k + 3]!;
  }
  for (; k < count; k++) s0 += a[p + k]! * a[q + k]!;
  return s0 + s1 + (s2 + s3);
}

/** The square of a row's norm; a row that is too short becomes 0. */
function squareOf(w: Float64Array, at: number, m: number): number {
  const square = dotOf(w, at, at, m);
  if (square >= shortest * shortest) return square;
  w.fill(0, at, at + m);
  return 0;
}

/** A square that changed: by the difference where that keeps its digits. */
function updated(square: number, change: number, w: Float64Array, at: number, m: number): number {
  return square + change > 0.1 * square ? square + change : squareOf(w, at, m);
}

/**
 * Rotates pairs of rows of w, and the rows of v along, until all rows of w are orthogonal. The longest row that is left goes first, which saves sweeps.
 * Source: P. P. M. de Rijk, "A one-sided Jacobi algorithm for computing the singular value decomposition on a vector computer", SIAM J. Sci. Stat.
 * Comput. 10 (1989).
 */
function makeOrthogonal(w: Float64Array, v: Float64Array, m: number, n: number): void {
  let tolerance = Math.sqrt(m) * Number.EPSILON;
  const squares = new Float64Array(n);
  for (let sweep = 0; ; sweep++) {
    if (sweep > patience) tolerance *= 2;
    for (let i = 0; i < n; i++) squares[i] = squareOf(w, i * m, m);
    let rotated = false;
    for (let p = 0; p < n - 1; p++) {
      let longest = p;
      for (let q = p + 1; q < n; q++) if (squares[q]! > squares[longest]!) longest = q;
      if (longest !== p) {
        exchange(w, p * m, longest * m, m);
        exchange(v, p * n, longest * n, n);
        exchange(squares, p, longest, 1);
      }
      for (let q = p + 1; q < n; q++) {
        const gamma = dotOf(w, p * m, q * m, m);
        if (Math.abs(gamma) <= tolerance * Math.sqrt(squares[p]!) * Math.sqrt(squares[q]!)) continue;
        rotated = true;
        const zeta = Math.abs((squares[q]! - squares[p]!) / (2 * gamma));
        // The longer row becomes longer still: the first one where they are equal.
        const grows = squares[p]! >= squares[q]! === gamma > 0 ? -1 : 1;
        const t = grows / (zeta + hypotenuse(1, zeta));
        const c = 1 / hypotenuse(1, t);
        rotate(w, p * m, q * m, m, c, c * t);
        rotate(v, p * n, q * n, n, c, c * t);
        squares[p] = updated(squares[p]!, -t * gamma, w, p * m, m);
        squares[q] = updated(squares[q]!, t * gamma, w, q * m, m);
      }
    }
    if (!rotated) return;
  }
}

function rotate(a: Float64Array, p: number, q: number, count: number, c: number, s: number): void {
  for (let k = 0; k < count; k++, p++, q++) {
    const x = a[p]!;
    const y = a[q]!;
    a[p] = c * x - s * y;
    a[q] = s * x + c * y;
  }
}

/** Row `at` of w becomes a unit vector orthogonal to the rows before it: of the coordinate axes the one that they leave most of, made orthogonal. */
function complete(w: Float64Array, m: number, at: number): void {
  const left = new Float64Array(m).fill(1);
  for (let i = 0; i < at; i++) for (let k = 0; k < m; k++) left[k]! -= w[i * m + k]! ** 2;
  let axis = 0;
  for (let k = 1; k < m; k++) if (left[k]! > left[axis]! + 1e-8) axis = k;
  const row = w.subarray(at * m, (at + 1) * m);
  row.fill(0);
  row[axis] = 1;
  // Twice is enough: W. Kahan, in B. N. Parlett, "The Symmetric Eigenvalue Problem", 6.9.
  for (let pass = 0; pass < 2; pass++)
    for (let i = 0; i < at; i++) {
      let dot = 0;
      for (let k = 0; k < m; k++) dot += row[k]! * w[i * m + k]!;
      for (let k = 0; k < m; k++) row[k]! -= dot * w[i * m + k]!;
    }
  const norm = normOf(row, 0, m);
  for (let k = 0; k < m; k++) row[k]! /= norm;
}
