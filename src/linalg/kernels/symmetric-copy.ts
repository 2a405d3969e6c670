import type { NumberArray } from "../../ir/dtype.ts";

/** Writes (a + a^T) / 2 of the n by n matrix that starts at `from`. */
export function symmetricCopy(a: NumberArray, from: number, to: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const x = a[from + i * n + j]!;
      const y = a[from + j * n + i]!;
      // Halves first, so that a sum near the end of the range does not overflow; equal elements stay as they are.
      const middle = x === y ? x : 0.5 * x + 0.5 * y;
      to[i * n + j] = middle;
      to[j * n + i] = middle;
    }
}
