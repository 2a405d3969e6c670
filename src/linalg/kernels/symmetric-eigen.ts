import { InternalError } from "../../ir/errors.ts";
import { orientRows } from "./orientation.ts";
import { hypotenuse, largestMagnitude, powerNear } from "./scale.ts";

/** QL steps an eigenvalue may take; 2 or 3 are usual. */
const limit = 60;

/**
 * The eigenvalues of a symmetric n by n matrix in ascending order, and its eigenvectors as the rows of `vectors`, which holds the matrix before.
 * All NaN if an element is not finite.
 * Source: J. H. Wilkinson, C. Reinsch, "Handbook for Automatic Computation II: Linear Algebra", 1971, tred2 and tql2, as in EISPACK.
 */
export function symmetricEigen(vectors: Float64Array, values: Float64Array, n: number): void {
  const most = largestMagnitude(vectors);
  if (!Number.isFinite(most)) {
    vectors.fill(Number.NaN);
    values.fill(Number.NaN);
    return;
  }
  if (n === 0) return;
  const scale = most === 0 ? 1 : powerNear(most);
  for (let i = 0; i < vectors.length; i++) vectors[i]! /= scale;
  const beside = new Float64Array(n);
  tridiagonal(vectors, values, beside, n);
  diagonal(vectors, values, beside, n);
  inOrder(vectors, values, n);
  for (let i = 0; i < n; i++) values[i]! *= scale;
  orientRows(vectors, n);
}

/** Householder reflections to tridiagonal form: the diagonal in d, what stands beside it in e from 1 on, their product in the rows of w. */
function tridiagonal(w: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  const last = n - 1;
  for (let j = 0; j < n; j++) d[j] = w[j * n + last]!;
  for (let i = last; i > 0; i--) {
    let scale = 0;
    let h = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k]!);
    // The largest element is near 1: what is this small would only underflow.
    if (scale < 1e-200) {
      e[i] = 0;
      for (let j = 0; j < i; j++) {
        d[j] = w[j * n + i - 1]!;
        w[j * n + i] = 0;
        w[i * n + j] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k]! /= scale;
        h += d[k]! * d[k]!;
      }
      const f = d[i - 1]!;
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      e.fill(0, 0, i);
      multiply(w, d, e, n, i);
      let p = 0;
      for (let j = 0; j < i; j++) {
        e[j]! /= h;
        p += e[j]! * d[j]!;
      }
      const half = p / (h + h);
      for (let j = 0; j < i; j++) e[j]! -= half * d[j]!;
      subtractBoth(w, d, e, n, i);
    }
    d[i] = h;
  }
  for (let i = 0; i < last; i++) {
    w[i * n + last] = w[i * (n + 1)]!;
    w[i * (n + 1)] = 1;
    const h = d[i + 1]!;
    const next = (i + 1) * n;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = w[next + k]! / h;
      let j = 0;
      for (; j + 3 <= i; j += 4) reflectFour(w, j * n, n, next, d, i + 1);
      for (; j <= i; j++) {
        const row = j * n;
        let g = 0;
        for (let k = 0; k <= i; k++) g += w[next + k]! * w[row + k]!;
        for (let k = 0; k <= i; k++) w[row + k]! -= g * d[k]!;
      }
    }
    w.fill(0, next, next + i + 1);
  }
  for (let j = 0; j < n; j++) {
    d[j] = w[j * n + last]!;
    w[j * n + last] = 0;
  }
  w[n * n - 1] = 1;
  e[0] = 0;
}

/** e = the leading i by i symmetric matrix, of which the rows right of the diagonal stand in w, times d, which goes to row i. Two rows at a time: sums as one by one. */
function multiply(w: Float64Array, d: Float64Array, e: Float64Array, n: number, i: number): void {
  w.set(d.subarray(0, i), i * n);
  let j = 0;
  for (; j + 1 < i; j += 2) {
    const row = j * n;
    const x = d[j]!;
    const y = d[j + 1]!;
    const beside = w[row + j + 1]!;
    let s = e[j]! + w[row + j]! * x + beside * y;
    let t = e[j + 1]! + beside * x + w[row + n + j + 1]! * y;
    for (let k = j + 2, p = row + k; k < i; k++, p++) {
      const a = w[p]!;
      const b = w[p + n]!;
      const v = d[k]!;
      s += a * v;
      t += b * v;
      e[k] = e[k]! + a * x + b * y;
    }
    e[j] = s;
    e[j + 1] = t;
  }
  if (j < i) e[j]! += w[j * n + j]! * d[j]!;
}

/** Of the leading rows, right of the diagonal, d e^T + e d^T is taken; d becomes the column before i. */
function subtractBoth(w: Float64Array, d: Float64Array, e: Float64Array, n: number, i: number): void {
  let j = 0;
  for (; j + 1 < i; j += 2) {
    const row = j * n;
    const x = d[j]!;
    const y = e[j]!;
    const u = d[j + 1]!;
    const v = e[j + 1]!;
    w[row + j]! -= x * y + y * x;
    for (let k = j + 1, p = row + k; k < i; k++, p++) {
      const f = e[k]!;
      const g = d[k]!;
      w[p]! -= x * f + y * g;
      w[p + n]! -= u * f + v * g;
    }
    d[j] = w[row + i - 1]!;
    w[row + i] = 0;
    d[j + 1] = w[row + n + i - 1]!;
    w[row + n + i] = 0;
  }
  if (j < i) {
    w[j * n + j]! -= d[j]! * e[j]! + e[j]! * d[j]!;
    d[j] = w[j * n + i - 1]!;
    w[j * n + i] = 0;
  }
}

/** Four rows of w from `row` on, less their products with the row at `next` times d: as one by one, but their sums do not wait for each other. */
function reflectFour(w: Float64Array, row: number, n: number, next: number, d: Float64Array, count: number): void {
  let g0 = 0;
  let g1 = 0;
  let g2 = 0;
  let g3 = 0;
  for (let k = 0, p = row; k < count; k++, p++) {
    const v = w[next + k]!;
    g0 += v * w[p]!;
    g1 += v * w[p + n]!;
    g2 += v * w[p + 2 * n]!;
    g3 += v * w[p + 3 * n]!;
  }
  for (let k = 0, p = row; k < count; k++, p++) {
    const v = d[k]!;
    w[p]! -= g0 * v;
    w[p + n]! -= g1 * v;
    w[p + 2 * n]! -= g2 * v;
    w[p + 3 * n]! -= g3 * v;
  }
}

/** Implicit QL on the tridiagonal matrix, the rotations applied to the rows of w. */
function diagonal(w: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  let shift = 0;
  // From a square of the rounding on, so that rotations are never made of numbers that underflow: the largest element is near 1.
  let size = Number.EPSILON;
  const turns = new Float64Array(2 * n);
  for (let l = 0; l < n; l++) {
    size = Math.max(size, Math.abs(d[l]!) + Math.abs(e[l]!));
    for (let steps = 0; ; steps++) {
      let m = l;
      while (Math.abs(e[m]!) > Number.EPSILON * size) m++;
      if (m === l) break;
      if (steps === limit) throw new InternalError(`symmetricEigen: eigenvalue ${l} of ${n} did not settle in ${limit} steps`);
      shift += step(w, d, e, n, l, m, turns);
    }
    d[l]! += shift;
    e[l] = 0;
  }
}

/** One QL step on rows l to m; returns by how much it shifted. `turns` is memory for its rotations. */
function step(w: Float64Array, d: Float64Array, e: Float64Array, n: number, l: number, m: number, turns: Float64Array): number {
  const first = d[l]!;
  let p = (d[l + 1]! - first) / (2 * e[l]!);
  const root = p < 0 ? -hypotenuse(p, 1) : hypotenuse(p, 1);
  d[l] = e[l]! / (p + root);
  d[l + 1] = e[l]! * (p + root);
  const next = d[l + 1]!;
  const shift = first - d[l]!;
  for (let i = l + 2; i < n; i++) d[i]! -= shift;
  p = d[m]!;
  let c = 1;
  let c2 = 1;
  let c3 = 1;
  let s = 0;
  let s2 = 0;
  const beside = e[l + 1]!;
  for (let i = m - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const g = c * e[i]!;
    const h = c * p;
    const r = hypotenuse(p, e[i]!);
    e[i + 1] = s * r;
    s = e[i]! / r;
    c = p / r;
    p = c * d[i]! - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]!);
    turns[2 * i] = c;
    turns[2 * i + 1] = s;
  }
  turn(w, n, turns, l, m);
  p = (-s * s2 * c3 * beside * e[l]!) / next;
  e[l] = s * p;
  d[l] = c * p;
  return shift;
}

/** Rotates rows i and i + 1 of w, for i from m - 1 down to l, by the cosine and sine that stand for i: four at a time, so that rows are read once for two of them. */
function turn(w: Float64Array, n: number, turns: Float64Array, l: number, m: number): void {
  let i = m - 1;
  for (; i - 3 >= l; i -= 4) {
    const c0 = turns[2 * i]!;
    const s0 = turns[2 * i + 1]!;
    const c1 = turns[2 * i - 2]!;
    const s1 = turns[2 * i - 1]!;
    const c2 = turns[2 * i - 4]!;
    const s2 = turns[2 * i - 3]!;
    const c3 = turns[2 * i - 6]!;
    const s3 = turns[2 * i - 5]!;
    for (let k = (i - 3) * n, end = k + n; k < end; k++) {
      const x0 = w[k + 4 * n]!;
      const x1 = w[k + 3 * n]!;
      const x2 = w[k + 2 * n]!;
      const x3 = w[k + n]!;
      const x4 = w[k]!;
      w[k + 4 * n] = s0 * x1 + c0 * x0;
      const y1 = c0 * x1 - s0 * x0;
      w[k + 3 * n] = s1 * x2 + c1 * y1;
      const y2 = c1 * x2 - s1 * y1;
      w[k + 2 * n] = s2 * x3 + c2 * y2;
      const y3 = c2 * x3 - s2 * y2;
      w[k + n] = s3 * x4 + c3 * y3;
      w[k] = c3 * x4 - s3 * y3;
    }
  }
  for (; i >= l; i--) {
    const [c, s] = [turns[2 * i]!, turns[2 * i + 1]!];
    for (let k = i * n, end = k + n; k < end; k++) {
      const y = w[k + n]!;
      w[k + n] = s * w[k]! + c * y;
      w[k] = c * w[k]! - s * y;
    }
  }
}

/** Ascending, the rows of w along. */
function inOrder(w: Float64Array, d: Float64Array, n: number): void {
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => d[i]! - d[j]! || i - j);
  const values = d.slice();
  const rows = w.slice();
  order.forEach((from, to) => {
    d[to] = values[from]!;
    w.set(rows.subarray(from * n, (from + 1) * n), to * n);
  });
}
