// The compiled kernels of triangular systems and of LU factorizations, against the reference kernels and by what is left of the system.
import { describe, expect, test } from "vitest";
import { cofactor, det, inverse, slogDet, solve, type Tensor, triangularSolve, type Value } from "../../src/index.ts";
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

/** As it comes, so that pivots are far from their places, and far from singular. */
function general(n: number, seed: number): Float64Array {
  const a = numbers(n * n, seed);
  for (let i = 0; i < n; i++) a[i * n + ((i * 7 + 3) % n)]! += 4;
  return a;
}

/** The largest element of a x - b, or of a^T x - b, beside those of a and x. */
function residual(a: Float64Array, x: Float64Array, b: Float64Array, n: number, transpose: boolean): number {
  const columns = b.length / n;
  let [most, size] = [0, 0];
  for (const y of x) size = Math.max(size, Math.abs(y));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < columns; j++) {
      let rest = -b[i * columns + j]!;
      for (let k = 0; k < n; k++) rest += a[transpose ? k * n + i : i * n + k]! * x[k * columns + j]!;
      most = Math.max(most, Math.abs(rest));
    }
  return most / (size || 1);
}

const ofOne: Record<string, (a: Value) => Value | Record<string, Value>> = {
  inverse,
  cofactor,
  det,
  slogDet: (a) => ({ ...slogDet(a) }),
};

describe("factored by LU", () => {
  test.each(sizes)("systems of %i rows are solved either way, in both dtypes", async (n) => {
    const a = general(n, 11);
    for (const transpose of [false, true])
      for (const columns of [0, 1, 3, n]) {
        const b = numbers(n * columns, 12);
        const { got, want, left } = await answers([matrices(a, n, n), matrices(b, n, columns)], (x, y) => solve(x, y, { transpose }));
        expect(left).toBe(0);
        expect(apart(got[0]!, want[0]!)).toBeLessThan(1e-13 * (n + 1));
        expect(residual(a, got[0] as Float64Array, b, n, transpose)).toBeLessThan(2e-15 * (n + 1));
        const single = await answers(
          [matrices(new Float32Array(a), n, n), matrices(new Float32Array(b), n, columns)],
          (x, y) => solve(x, y, { transpose }), // biome-ignore format: one call
        );
        expect(single.left).toBe(0);
        expect(apart(single.got[0]!, single.want[0]!)).toBeLessThan(1e-7);
      }
  });

  test.each(sizes)("matrices of %i rows have the inverse, determinants and cofactors of the reference", async (n) => {
    const a = general(n, 13);
    for (const [name, apply] of Object.entries(ofOne))
      for (const data of [a, new Float32Array(a)]) {
        const { got, want, left } = await answers([matrices(data, n, n)], apply);
        expect([name, left]).toEqual([name, 0]);
        for (const [i, x] of got.entries()) expect(apart(x, want[i]!)).toBeLessThan(data === a ? 1e-13 * (n + 1) : 1e-7);
      }
    const unit = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
    const { got } = await answers([matrices(a, n, n)], inverse);
    expect(residual(a, got[0] as Float64Array, unit, n, false)).toBeLessThan(2e-15 * (n + 1));
  });

  test("matrices of 730 rows, whose panels are wider, are solved and have the determinant of the reference", async () => {
    const n = 730;
    const [a, b] = [general(n, 26), numbers(n, 27)];
    const { got, want, left } = await answers([matrices(a, n, n), matrices(b, n)], (x, y) => ({ x: solve(x, y), ...slogDet(x) }));
    expect(left).toBe(0);
    expect(residual(a, got[0] as Float64Array, b, n, false)).toBeLessThan(1e-14 * n);
    expect(got[1]).toEqual(want[1]);
    expect(apart(got[2]!, want[2]!)).toBeLessThan(1e-14);
  });

  test("up to 48 rows are those of the reference to the last bit", async () => {
    for (const n of [1, 2, 5, 16, 33, 48]) {
      const { got, want } = await answers([matrices(general(n, 14), n, n)], det);
      expect(got).toEqual(want);
    }
  });

  test("batches broadcast either way, and have results for each", async () => {
    const shapes: [number[], number[]][] = [
      [[], [2, 3, 0, 2]],
      [[3], [0]],
      [
        [2, 3],
        [0, 1],
      ],
      [
        [2, 1],
        [1, 3, 0, 4],
      ],
      [
        [1, 3],
        [2, 1, 0, 1],
      ],
      [[0], [0, 2]],
    ];
    for (const n of [1, 3, 20, 60]) {
      const many = (lead: number[], seed: number): Tensor => {
        const count = lead.reduce((p, s) => p * s, 1);
        const data = new Float64Array(count * n * n);
        for (let i = 0; i < count; i++) data.set(general(n, seed + i), i * n * n);
        return matrices(data, ...lead, n, n);
      };
      for (const [lead, right] of shapes) {
        const shape = right.map((s, i) => (s === 0 && i === (right.length === 1 ? 0 : right.length - 2) ? n : s));
        const b = matrices(numbers(shape.reduce((p, s) => p * s, 1), 16), ...shape); // biome-ignore format: one call
        for (const transpose of [false, true]) {
          const { got, want, left } = await answers([many(lead, 17), b], (x, y) => solve(x, y, { transpose }));
          expect(left).toBe(0);
          expect(apart(got[0]!, want[0]!)).toBeLessThan(1e-13 * n);
        }
      }
      for (const lead of [[4], [2, 3], [2, 0]])
        for (const apply of Object.values(ofOne)) {
          const { got, want, left } = await answers([many(lead, 18)], apply);
          expect(left).toBe(0);
          for (const [i, x] of got.entries()) expect(apart(x, want[i]!)).toBeLessThan(1e-13 * n);
        }
    }
  });

  test.each([2, 5, 40, 70, 100])("of %i rows, two of them equal, are singular as the reference says", async (n) => {
    const a = general(n, 19);
    a.copyWithin((n - 1) * n, Math.floor(n / 3) * n, (Math.floor(n / 3) + 1) * n);
    const given = matrices(a, n, n);
    const lesson = `is singular: pivot ${n - 1} of ${n} is 0`;
    await expect(answers([given], inverse)).rejects.toThrow(lesson);
    await expect(answers([given, matrices(numbers(n, 1), n)], (x, y) => solve(x, y))).rejects.toThrow(lesson);
    for (const name of ["det", "slogDet", "cofactor"]) {
      const { got, want, left } = await answers([given], ofOne[name]!);
      expect([name, left]).toEqual([name, 1]);
      expect(got).toEqual(want);
      if (name === "det") expect(got[0]![0]).toBe(0);
    }
    // The second of two matrices, and one that is all zeros.
    const two = matrices(Float64Array.from([...general(n, 20), ...new Float64Array(n * n)]), 2, n, n);
    await expect(answers([two], inverse)).rejects.toThrow(`inverse: a[1] is singular: pivot 0 of ${n} is 0`);
  });

  test("NaN and infinities spread as they do in the reference", async () => {
    for (const n of [1, 3, 30, 60])
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
        for (const at of new Set([0, n - 1, n * (n - 1), n * n - 1, Math.floor((n * n) / 2)])) {
          const a = general(n, 21);
          a[at] = bad;
          for (const apply of Object.values(ofOne)) {
            const { got, want } = await answers([matrices(a, n, n)], apply);
            expect(got).toEqual(want);
          }
          const right = matrices(numbers(2 * n, 1), n, 2);
          const { got, want } = await answers([matrices(a, n, n), right], (x, y) => solve(x, y));
          expect(got).toEqual(want);
        }
  });

  test("ill-conditioned and graded matrices are solved as well as by the reference", async () => {
    for (const n of [6, 12, 60, 90]) {
      const hilbert = Float64Array.from({ length: n * n }, (_, at) => 1 / (1 + Math.floor(at / n) + (at % n)));
      const rows = general(n, 22).map((x, at) => x * 10 ** (-10 * (Math.floor(at / n) / n)));
      const columns = general(n, 23).map((x, at) => x * 10 ** (-150 + (300 * (at % n)) / n));
      const b = numbers(n, 24);
      for (const a of [hilbert, rows, columns]) {
        const { got, want } = await answers([matrices(a, n, n), matrices(b, n)], (x, y) => solve(x, y));
        const of = (x: Float64Array): number => {
          let worst = 0;
          for (let i = 0; i < n; i++) {
            let [rest, size] = [-b[i]!, Math.abs(b[i]!)];
            for (let k = 0; k < n; k++) {
              rest += a[i * n + k]! * x[k]!;
              size += Math.abs(a[i * n + k]! * x[k]!);
            }
            worst = Math.max(worst, Math.abs(rest) / size);
          }
          return worst;
        };
        expect(of(got[0] as Float64Array)).toBeLessThan(10 * of(want[0] as Float64Array) + 1e-15);
      }
    }
  });

  test("cofactors of matrices that are nearly singular are the reference's", async () => {
    for (const n of [2, 20, 60]) {
      const a = general(n, 25);
      for (let j = 0; j < n; j++) a[(n - 1) * n + j] = a[j]! * (1 + 1e-9 * j);
      const { got, want, left } = await answers([matrices(a, n, n)], cofactor);
      expect(left).toBe(1);
      expect(got).toEqual(want);
    }
  });
});
