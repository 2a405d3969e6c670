import { describe, expect, test } from "vitest";
import { svd, type Value } from "../../src/index.ts";
import { answers, apart, matrices, type Numbers, numbers } from "./compiled.ts";

const parts = (a: Value): Readonly<Record<string, Value>> => ({ ...svd(a) });

/** How far rows, `count` of `length` side by side, or columns, are from being orthonormal. */
function slant(x: Numbers, count: number, length: number, columns: boolean): number {
  let most = 0;
  const at = (i: number, k: number): number => (columns ? x[k * count + i]! : x[i * length + k]!);
  for (let i = 0; i < count; i++)
    for (let j = i; j < count; j++) {
      let dot = 0;
      for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k);
      most = Math.max(most, Math.abs(dot - (i === j ? 1 : 0)));
    }
  return most;
}

/** The largest difference of `u diag(s) vt` from a, beside the largest singular value. */
function residual(a: Numbers, u: Numbers, s: Numbers, vt: Numbers, m: number, n: number): number {
  const k = Math.min(m, n);
  let most = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += u[i * k + l]! * s[l]! * vt[l * n + j]!;
      most = Math.max(most, Math.abs(sum - a[i * n + j]!));
    }
  return most / (s[0] || 1);
}

async function check(a: Numbers, m: number, n: number, left = 0): Promise<{ readonly s: Numbers; readonly wanted: Numbers }> {
  const found = await answers([matrices(a, m, n)], parts);
  const [u, s, vt] = found.got as [Numbers, Numbers, Numbers];
  const k = Math.min(m, n);
  const eps = a instanceof Float32Array ? 2 ** -23 : Number.EPSILON;
  expect(found.left).toBe(left);
  expect(apart(s, found.want[1]!)).toBeLessThan(8 * Math.sqrt(k + 1) * eps);
  expect(slant(u, k, m, true)).toBeLessThan(4 * (k + 4) * eps);
  expect(slant(vt, k, n, false)).toBeLessThan(4 * (k + 4) * eps);
  expect(residual(a, u, s, vt, m, n)).toBeLessThan(4 * (k + 4) * eps);
  return { s, wanted: found.want[1]! };
}

describe("compiled, the decomposition is as good as the reference's", () => {
  test.each([1, 2, 3, 7, 16, 17, 31, 32, 33, 64, 65, 100, 130])("of %i rows", async (n) => {
    await check(numbers(n * n, n), n, n);
    await check(numbers(n * (n + 1), n), n, n + 1);
    await check(numbers(n * (n + 3), n), n + 3, n);
    await check(Float32Array.from(numbers(n * n, n + 1)), n, n);
  });

  test("of long and wide ones", async () => {
    for (const [m, n] of [
      [5, 2],
      [2, 5],
      [60, 7],
      [7, 60],
      [300, 1],
      [1, 300],
      [200, 40],
      [40, 200],
    ] as const)
      await check(numbers(m * n, m), m, n);
  });

  test("with the reference's signs and order, in batches", async () => {
    for (const [m, n] of [
      [3, 3],
      [6, 4],
      [4, 6],
      [20, 20],
    ] as const) {
      const { got, want, left } = await answers([matrices(numbers(6 * m * n, 9), 2, 3, m, n)], parts);
      expect(left).toBe(0);
      for (const [i, x] of got.entries()) expect(apart(x, want[i]!)).toBeLessThan(1e-12);
    }
  });

  test("of nothing", async () => {
    for (const shape of [
      [0, 0],
      [0, 3],
      [3, 0],
      [0, 2, 2],
      [2, 0, 3],
    ]) {
      const { got, want, left } = await answers([matrices(new Float64Array(0), ...shape)], parts);
      expect(left).toBe(0);
      expect(got).toEqual(want);
    }
  });

  test("small singular values of graded columns are as accurate as large ones, whatever the size of all", async () => {
    const n = 24;
    const own = numbers(n * n, 5);
    for (const size of [1, 1e-200, 1e200]) {
      const a = own.map((x, i) => size * x * 10 ** -(i % n));
      const { s, wanted } = await check(a, n, n);
      for (let i = 0; i < n; i++) expect(Math.abs(s[i]! / wanted[i]! - 1)).toBeLessThan(1e-12);
    }
  });

  test("small singular values of columns of about one length are as accurate as the reference's", async () => {
    // Vandermonde's matrix: its singular values go down to 1e-14 of the largest.
    for (const n of [8, 20, 40]) {
      const a = Float64Array.from({ length: n * n }, (_, at) => (1 - (2 * Math.floor(at / n)) / n) ** (at % n));
      const { s, wanted } = await check(a, n, n);
      for (let i = 0; i < n; i++) expect(Math.abs(s[i]! - wanted[i]!)).toBeLessThan(2e-15 * n * wanted[0]!);
    }
  });

  test("of ones that lack rank, but for rounding", async () => {
    for (const n of [6, 40]) {
      const [x, y] = [numbers(n * 3, 1), numbers(n * 3, 2)];
      const a = Float64Array.from({ length: n * n }, (_, at) => {
        let sum = 0;
        for (let k = 0; k < 3; k++) sum += x[Math.floor(at / n) * 3 + k]! * y[(at % n) * 3 + k]!;
        return sum;
      });
      await check(a, n, n);
    }
  });

  test("of equal singular values", async () => {
    const n = 9;
    await check(
      Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? -2 : 0)),
      n,
      n,
    );
    await check(
      Float64Array.from({ length: n * n }, (_, i) => ((i * 4) % n === Math.floor(i / n) ? 3 : 0)),
      n,
      n,
    );
  });
});

test("the reference answers for what is 0 or not finite", async () => {
  for (const n of [1, 3, 20]) {
    await check(new Float64Array(n * n), n, n, 1);
    await check(
      numbers(n * n, 3).map((x, i) => (i % n === 0 ? 0 : x)),
      n,
      n,
      1,
    );
    for (const x of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const broken = numbers(n * n, 3);
      broken[n * n - 1] = x;
      const { got, want, left } = await answers([matrices(broken, n, n)], parts);
      expect(left).toBe(1);
      expect(got).toEqual(want);
      expect(got[0]!.every(Number.isNaN)).toBe(true);
    }
  }
});
