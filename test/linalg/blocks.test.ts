// The kernels in sizes around and beyond their blocks, against loops that are as plain as their definitions.
import { describe, expect, test } from "vitest";
import { choleskyInPlace } from "../../src/linalg/kernels/cholesky.ts";
import { householderQr } from "../../src/linalg/kernels/householder.ts";
import { jacobiSvd } from "../../src/linalg/kernels/jacobi-svd.ts";
import { factor, solveFactored } from "../../src/linalg/kernels/lu.ts";
import { subtractProduct } from "../../src/linalg/kernels/product.ts";
import { symmetricEigen } from "../../src/linalg/kernels/symmetric-eigen.ts";
import { solveTriangle } from "../../src/linalg/kernels/triangular.ts";

/** Numbers from -1 to 1 that are the same each time. */
function numbers(count: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** a b of row-major matrices. */
function product(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) c[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
  return c;
}

function transposed(a: Float64Array, m: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => a[(at % m) * n + Math.floor(at / m)]!);
}

/** The largest difference: NaN, which is below nothing, if there is one. */
function furthest(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

/** LU with partial pivoting, one column after the other. */
function plainFactor(a: Float64Array, n: number): Float64Array {
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[best * n + k]!)) best = i;
    const row = a.slice(k * n, (k + 1) * n);
    a.copyWithin(k * n, best * n, (best + 1) * n);
    a.set(row, best * n);
    for (let i = k + 1; i < n; i++) {
      a[i * n + k]! /= a[k * (n + 1)]!;
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= a[i * n + k]! * a[k * n + j]!;
    }
  }
  return a;
}

describe("c - a b", () => {
  test.each([
    [1, 1, 1],
    [2, 4, 3],
    [3, 5, 7],
    [5, 3, 130],
    [7, 9, 257],
    [8, 8, 128],
    [0, 4, 4],
    [4, 0, 4],
    [4, 4, 0],
  ])("of %i by %i, %i products each, either operand transposed, beside what is not to be touched", (m, n, k) => {
    const [a, b] = [numbers(m * k, 2), numbers(k * n, 3)];
    const expected = product(a, b, m, k, n);
    for (const flipA of [false, true])
      for (const flipB of [false, true]) {
        const step = n + 3;
        const before = numbers((m + 2) * step, 4);
        const c = before.slice();
        const left = flipA ? { data: transposed(a, m, k), at: 0, row: 1, column: m } : { data: a, at: 0, row: k, column: 1 };
        const right = flipB ? { data: transposed(b, k, n), at: 0, row: 1, column: k } : { data: b, at: 0, row: n, column: 1 };
        subtractProduct({ data: c, at: step + 2, row: step, column: 1 }, left, right, m, n, k);
        for (let at = 0; at < c.length; at++) {
          const [i, j] = [Math.floor((at - 2) / step) - 1, (at - 2) % step];
          const inside = at >= step + 2 && i < m && j >= 0 && j < n;
          if (inside) expect(Math.abs(c[at]! - (before[at]! - expected[i * n + j]!))).toBeLessThan(1e-13 * (k + 1));
          else expect(c[at]).toBe(before[at]);
        }
      }
  });

  test("gives equal rows equal results, in whole blocks and beside them", () => {
    const k = 150;
    const row = numbers(k, 5);
    const a = Float64Array.from({ length: 5 * k }, (_, at) => row[at % k]!);
    const c = new Float64Array(5 * 7);
    subtractProduct(
      { data: c, at: 0, row: 7, column: 1 },
      { data: a, at: 0, row: k, column: 1 },
      { data: numbers(k * 7, 6), at: 0, row: 7, column: 1 },
      5,
      7,
      k,
    );
    for (let i = 1; i < 5; i++) expect([...c.subarray(i * 7, (i + 1) * 7)]).toEqual([...c.subarray(0, 7)]);
  });
});

describe.each([1, 2, 7, 8, 9, 16, 17, 31, 33, 70, 131])("%i rows", (n) => {
  test.each([1, 2, 5, 40])("are solved as a triangle of either kind for %i columns, the other triangle unread", (columns) => {
    for (const lower of [true, false])
      for (const transpose of [true, false])
        for (const unitDiagonal of [true, false]) {
          // Small beside the diagonal, so that the system is no worse than its size.
          const t = numbers(n * n, 7).map((x, at) => {
            const [i, j] = [Math.floor(at / n), at % n];
            return i === j ? (unitDiagonal ? Number.NaN : 2 + x) : i > j === lower ? x / n : Number.NaN;
          });
          const clean = t.map((x, at) => (at % (n + 1) === 0 && unitDiagonal ? 1 : Number.isNaN(x) ? 0 : x));
          const x = numbers(n * columns, 8);
          const b = product(transpose ? transposed(clean, n, n) : clean, x, n, n, columns);
          solveTriangle(t, n, b, columns, { lower, transpose, unitDiagonal });
          expect(furthest(b, x)).toBeLessThan(1e-13);
        }
  });

  test("are factored with pivots and solved both ways", () => {
    const a = numbers(n * n, 9);
    const { lu, order, parity, zeroAt } = factor(a.slice(), n);
    expect(zeroAt).toBe(-1);
    expect([...order].sort((p, q) => p - q)).toEqual(Array.from({ length: n }, (_, i) => i));
    // The parity of a permutation: so many rows less its cycles.
    const seen = new Set<number>();
    let cycles = 0;
    for (let i = 0; i < n; i++) {
      if (!seen.has(i)) cycles++;
      for (let j = i; !seen.has(j); j = order[j]!) seen.add(j);
    }
    expect(parity).toBe((n - cycles) % 2 === 0 ? 1 : -1);
    expect([...lu]).toEqual([...plainFactor(a.slice(), n)]);
    const l = lu.map((x, at) => (Math.floor(at / n) > at % n ? x : Math.floor(at / n) === at % n ? 1 : 0));
    const u = lu.map((x, at) => (Math.floor(at / n) <= at % n ? x : 0));
    expect(Math.max(...l.map(Math.abs))).toBe(1);
    const permuted = Float64Array.from({ length: n * n }, (_, at) => a[order[Math.floor(at / n)]! * n + (at % n)]!);
    expect(furthest(product(l, u, n, n, n), permuted)).toBeLessThan(1e-13 * n);
    for (const transpose of [false, true]) {
      const b = numbers(n * 3, 10);
      const x = new Float64Array(n * 3);
      solveFactored(factor(a.slice(), n), b, x, 3, transpose);
      const size = Math.max(1, ...x.map(Math.abs));
      expect(furthest(product(transpose ? transposed(a, n, n) : a, x, n, n, 3), b)).toBeLessThan(1e-13 * n * size);
    }
  });

  test("of which two are equal leave a pivot of exactly 0", () => {
    if (n < 2) return;
    const a = numbers(n * n, 11);
    a.copyWithin((n - 1) * n, Math.floor(n / 3) * n, (Math.floor(n / 3) + 1) * n);
    // Both are the same until one of them is the pivot's; then the ratio is 1, and nothing is left of the other.
    expect(factor(a, n).zeroAt).toBe(n - 1);
  });

  test("have a Cholesky factor; of a matrix that is not definite the first minor that says so is named", () => {
    const half = numbers(n * n, 12);
    const a = product(half, transposed(half, n, n), n, n, n);
    for (let i = 0; i < n; i++) a[i * (n + 1)]! += 1;
    const l = a.map((x, at) => (Math.floor(at / n) >= at % n ? x : Number.NaN));
    expect(choleskyInPlace(l, n)).toBe(0);
    for (let at = 0; at < n * n; at++) if (Math.floor(at / n) < at % n) expect(l[at]).toBe(0);
    expect(furthest(product(l, transposed(l, n, n), n, n, n), a)).toBeLessThan(1e-13 * n);
    for (const order of new Set([1, Math.ceil(n / 2), n])) {
      const bad = a.slice();
      bad[(order - 1) * (n + 1)] = -1;
      expect(choleskyInPlace(bad, n)).toBe(order);
    }
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 34, 67])("%i rows of a symmetric matrix are V diag(values) V^T with orthonormal V", (n) => {
  const half = numbers(n * n, 15);
  const a = half.map((x, at) => x + half[(at % n) * n + Math.floor(at / n)]!);
  const [rows, values] = [a.slice(), new Float64Array(n)];
  symmetricEigen(rows, values, n);
  const unit = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
  expect(furthest(product(rows, transposed(rows, n, n), n, n, n), unit)).toBeLessThan(1e-14 * (n + 10));
  const scaled = rows.map((x, at) => x * values[Math.floor(at / n)]!);
  expect(furthest(product(transposed(rows, n, n), scaled, n, n, n), a)).toBeLessThan(1e-14 * (n + 10));
  expect([...values]).toEqual([...values].sort((p, q) => p - q));
});

describe.each([
  [5, 3],
  [16, 16],
  [17, 17],
  [20, 33],
  [33, 20],
  [70, 50],
  [50, 70],
  [16, 40],
  [16, 20],
  [40, 16],
  [1, 30],
  [30, 1],
])("%i by %i", (m, n) => {
  const k = Math.min(m, n);
  test("is Q R with orthonormal columns and LAPACK's signs", () => {
    const a = numbers(m * n, 13);
    // A column that needs no reflection: 0 below the diagonal once the ones before are gone.
    if (k > 2) for (let i = 0; i < m; i++) a[i * n + 2] = a[i * n]! + a[i * n + 1]!;
    const [q, r] = [new Float64Array(m * k), new Float64Array(k * n)];
    householderQr(a.slice(), m, n, q, r);
    expect(furthest(product(q, r, m, k, n), a)).toBeLessThan(1e-14 * (m + n));
    const unit = Float64Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? 1 : 0));
    expect(furthest(product(transposed(q, m, k), q, k, m, k), unit)).toBeLessThan(1e-14 * (m + n));
    for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) expect(r[i * n + j]).toBe(0);
    if (m > 1) expect(Math.sign(r[0]!)).toBe(-Math.sign(a[0]!));
  });

  test("keeps the digits of singular values that are 1e-90 of the largest, whatever its form", () => {
    if (m < n) return;
    // Columns with orthonormal directions, each shorter than the one before.
    const [q, r] = [new Float64Array(m * n), new Float64Array(n * n)];
    householderQr(numbers(m * n, 14), m, n, q, r);
    const sizes = Float64Array.from({ length: n }, (_, j) => 10 ** ((-90 * j) / Math.max(1, n - 1)));
    const w = new Float64Array(n * m);
    for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) w[j * m + i] = q[i * n + j]! * sizes[j]!;
    const [s, v] = [new Float64Array(n), new Float64Array(n * n)];
    jacobiSvd(w, s, v, m, n);
    for (let j = 0; j < n; j++) expect(Math.abs(s[j]! / sizes[j]! - 1)).toBeLessThan(1e-13);
    const unit = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
    expect(furthest(product(w, transposed(w, n, m), n, m, n), unit)).toBeLessThan(1e-13);
  });
});
