// The compiled kernels of triangular systems and of LU factorizations, against the reference kernels and by what is left of the system.
import { describe, expect, test } from "vitest";
import { triangularSolve } from "../../src/index.ts";
import { answers, apart, matrices, numbers } from "./compiled.ts";

const sizes = [0, 1, 2, 3, 4, 7, 16, 17, 31, 32, 33, 48, 49, 64, 65, 100, 130];

/** Small beside the diagonal, so that a system is no worse than its size; what a solver may not read is NaN. */
function triangle(n: number, lower: boolean, unitDiagonal: boolean, seed: number): Float64Array {
  return numbers(n * n, seed).map((x, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return i === j ? (unitDiagonal ? Number.NaN : 2 + x) : i > j === lower ? x / n : Number.NaN;
  });
}

const ways = [true, false].flatMap((lower) =>
  [true, false].flatMap((transpose) => [true, false].map((unitDiagonal) => ({ lower, transpose, unitDiagonal }))),
);

describe("triangular systems", () => {
  test.each(sizes)("of %i rows are solved either way for any number of columns, in both dtypes", async (n) => {
    for (const way of ways)
      for (const columns of [0, 1, 2, 5, n]) {
        const [a, b] = [triangle(n, way.lower, way.unitDiagonal, 3), numbers(n * columns, 4)];
        for (const narrow of [false, true]) {
          const operands = [a, b].map((x) => (narrow ? new Float32Array(x) : x));
          const { got, want, left } = await answers([matrices(operands[0]!, n, n), matrices(operands[1]!, n, columns)], (x, y) =>
            triangularSolve(x, y, way),
          );
          expect(left).toBe(0);
          expect(apart(got[0]!, want[0]!)).toBeLessThan(narrow ? 1e-7 : 4e-15);
        }
      }
  });

  test("of a vector, and of batches that broadcast either way, are solved", async () => {
    for (const n of [1, 3, 33, 70])
      for (const way of ways) {
        const many = (count: number) => {
          const a = new Float64Array(count * n * n);
          for (let i = 0; i < count; i++) a.set(triangle(n, way.lower, way.unitDiagonal, 5 + i), i * n * n);
          return a;
        };
        const shapes: [number[], number[]][] = [
          [[], [n]],
          [[3], [n]],
          [[], [2, 3, n, 2]],
          [
            [2, 3],
            [n, 1],
          ],
          [
            [2, 1],
            [1, 3, n, 4],
          ],
          [
            [1, 3],
            [2, 1, n, 1],
          ],
          [
            [2, 3],
            [2, 3, n, 2],
          ],
          [[0], [n, 2]],
        ];
        for (const [lead, right] of shapes) {
          const a = matrices(many(lead.reduce((p, s) => p * s, 1)), ...lead, n, n);
          const b = matrices(numbers(right.reduce((p, s) => p * s, 1), 6), ...right); // biome-ignore format: one call
          const { got, want, left } = await answers([a, b], (x, y) => triangularSolve(x, y, way));
          expect(left).toBe(0);
          expect(apart(got[0]!, want[0]!)).toBeLessThan(4e-15);
        }
      }
  });

  test("spread NaN and infinities as the reference does, and name a 0 on the diagonal", async () => {
    for (const n of [3, 60])
      for (const columns of [1, 4])
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const a = triangle(n, true, false, 7);
          const b = numbers(n * columns, 8);
          b[columns] = bad;
          const right = await answers([matrices(a, n, n), matrices(b, n, columns)], (x, y) => triangularSolve(x, y));
          expect([...right.got[0]!].map(Number.isFinite)).toEqual([...right.want[0]!].map(Number.isFinite));
          a[2 * n] = bad;
          const left = await answers([matrices(a, n, n), matrices(b, n, columns)], (x, y) => triangularSolve(x, y));
          expect([...left.got[0]!].map(Number.isNaN)).toEqual([...left.want[0]!].map(Number.isNaN));
          a[(n - 1) * (n + 1)] = 0;
          await expect(answers([matrices(a, n, n), matrices(b, n, columns)], (x, y) => triangularSolve(x, y))).rejects.toThrow(
            `triangularSolve: a has 0 on its diagonal in row ${n - 1}`,
          );
        }
  });
});
