// The compiled Cholesky factor against the reference kernel, and its product against the matrix.
import { describe, expect, test } from "vitest";
import { cholesky, matmul, neg } from "../../src/index.ts";
import { answers, apart, matrices, numbers } from "./compiled.ts";

/** b b^T / n and so much of the unit matrix. */
function definite(n: number, seed: number, more = 0.1): Float64Array {
  const b = numbers(n * n, seed);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = i === j ? more : 0;
    for (let k = 0; k < n; k++) sum += (b[i * n + k]! * b[j * n + k]!) / n;
    return sum;
  });
}

/** The largest element of L L^T - a, beside those of a. */
function residual(l: Float64Array, a: Float64Array, n: number): number {
  let [most, size] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let rest = -a[i * n + j]!;
      for (let k = 0; k <= j; k++) rest += l[i * n + k]! * l[j * n + k]!;
      most = Math.max(most, Math.abs(rest));
      size = Math.max(size, Math.abs(a[i * n + j]!));
    }
  return most / (size || 1);
}

describe.each([0, 1, 2, 3, 4, 5, 7, 16, 17, 31, 32, 33, 48, 49, 64, 65, 100, 130, 256])("%i rows", (n) => {
  test("have the factor of the reference, in both dtypes and where the halves differ", async () => {
    const a = definite(n, 1);
    const { got, want, left } = await answers([matrices(a, n, n)], cholesky);
    expect(left).toBe(0);
    expect(apart(got[0]!, want[0]!)).toBeLessThan(1e-14 * (n + 1));
    expect(residual(got[0] as Float64Array, a, n)).toBeLessThan(2e-16 * (n + 4));
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(got[0]![i * n + j]).toBe(0);
    const single = await answers([matrices(new Float32Array(a), n, n)], cholesky);
    expect(single.left).toBe(0);
    expect(apart(single.got[0]!, single.want[0]!)).toBeLessThan(1e-7);
    const uneven = a.map((x, at) => x + (at % n > Math.floor(at / n) ? 0.01 : -0.01) / (n + 1));
    const other = await answers([matrices(uneven, n, n)], cholesky);
    expect(other.left).toBe(0);
    expect(apart(other.got[0]!, other.want[0]!)).toBeLessThan(1e-13 * (n + 1));
  });

  test("that are not positive definite are told by their minor, NaN gives NaN, and scales do not matter", async () => {
    for (const order of new Set([1, Math.ceil(n / 2), n])) {
      if (order === 0 || order > n) continue;
      const bad = definite(n, 2);
      bad[(order - 1) * (n + 1)] = -1;
      await expect(answers([matrices(bad, n, n)], cholesky)).rejects.toThrow(`its leading minor of order ${order} is not above 0`);
      const odd = definite(n, 3);
      odd[order - 1] = Number.NaN;
      const spread = await answers([matrices(odd, n, n)], cholesky);
      expect(spread.left).toBe(1);
      expect(spread.got).toEqual(spread.want);
      const infinite = definite(n, 3);
      infinite[(order - 1) * (n + 1)] = Number.POSITIVE_INFINITY;
      const endless = await answers([matrices(infinite, n, n)], cholesky);
      expect(endless.left).toBe(1);
      expect(endless.got).toEqual(endless.want);
    }
    // Rows and columns over a range of 1e200.
    const scale = (i: number): number => 10 ** (-100 + (200 * i) / Math.max(1, n));
    const graded = definite(n, 4, 1).map((x, at) => x * scale(Math.floor(at / n)) * scale(at % n));
    const { got, want, left } = await answers([matrices(graded, n, n)], cholesky);
    expect(left).toBe(0);
    for (let at = 0; at < n * n; at++) {
      const size = scale(Math.floor(at / n)) * 1e-14 * (n + 1);
      expect(Math.abs(got[0]![at]! - want[0]![at]!)).toBeLessThanOrEqual(size);
    }
  });
});

test("batches have a factor each; the place of one that is not definite is named", async () => {
  for (const n of [1, 3, 20, 60]) {
    const data = Float64Array.from([5, 6, 7, 8, 9, 10].flatMap((seed) => [...definite(n, seed)]));
    const { got, want, left } = await answers([matrices(data, 2, 3, n, n)], cholesky);
    expect(left).toBe(0);
    expect(apart(got[0]!, want[0]!)).toBeLessThan(1e-14 * (n + 1));
    data[4 * n * n] = -1;
    await expect(answers([matrices(data, 2, 3, n, n)], cholesky)).rejects.toThrow("a[1,1] is not positive definite");
    expect((await answers([matrices(new Float64Array(0), 0, n, n)], cholesky)).got[0]!.length).toBe(0);
  }
});

test("the upper triangle is 0 where the result takes the place of what came before it", async () => {
  for (const n of [5, 70]) {
    const { got, want, left } = await answers([matrices(definite(n, 11, 1), n, n)], (a) =>
      neg(matmul(cholesky(matmul(matmul(a, a), a)), a)),
    );
    expect(left).toBe(0);
    expect(apart(got[0]!, want[0]!)).toBeLessThan(1e-12);
  }
});
