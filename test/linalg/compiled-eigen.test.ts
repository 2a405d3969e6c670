// The compiled kernels of QR factorizations and of eigenvalues, against the reference kernels and by what their results have to be.
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  compile,
  eigh,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  mul,
  NumericError,
  qr,
  sum,
  svd,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
} from "../../src/index.ts";
import { hold } from "../../src/ir/tensor.ts";
import { apart } from "../../src/linalg/apart.ts";
import { wasm } from "../../src/wasm.ts";

/** How often a compiled kernel left the answer to the reference kernel. */
let left = 0;
beforeEach(() => {
  left = 0;
});

type Numbers = Float64Array | Float32Array;
type Result = Tensor & { readonly data: Numbers };

/** Numbers from -1 to 1 that are the same each time. */
function numbers(count: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** The largest difference: NaN, which is below nothing, if there is one. */
function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

/** a b of row-major matrices. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) c[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
  return c;
}

function transposed(a: ArrayLike<number>, m: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => a[(at % m) * n + Math.floor(at / m)]!);
}

function unit(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
}

const norm = (a: ArrayLike<number>): number => Math.hypot(...Array.from(a));

function given(data: Numbers, shape: readonly number[], dtype: "f64" | "f32" = "f64"): Tensor {
  return hold({ f64, f32 }[dtype](...shape) as TensorType, dtype === "f32" ? new Float32Array(data) : new Float64Array(data)) as Tensor;
}

/** The results of an op of one matrix, compiled. */
async function compiled<K extends string>(a: Tensor, apply: (a: Value) => Record<K, Value>): Promise<Record<K, Result>> {
  const g = graph({ a: a.type }, ({ a }) => apply(a));
  const program = await compile(g, wasm());
  const { op } = (Object.values(g.outputs)[0] as Value).node;
  const run = vi.spyOn(op as { run: (...x: never[]) => unknown }, "run");
  try {
    return program.run({ a }) as never;
  } finally {
    left += run.mock.calls.length;
    run.mockRestore();
  }
}

/** What the reference kernel says: its results, or its error. */
async function answer(run: () => Promise<Record<string, Result>> | Record<string, Result>): Promise<unknown> {
  try {
    return Object.fromEntries(Object.entries(await run()).map(([name, { data }]) => [name, [...data]]));
  } catch (error) {
    return String(error);
  }
}

describe("qr", () => {
  const of = (a: Value) => ({ ...qr(a) });
  const reference = (a: Tensor) => ({ q: evaluate(qr(a).q) as Result, r: evaluate(qr(a).r) as Result });

  const shapes = [
    ...[1, 2, 3, 7, 16, 17, 31, 32, 33, 48, 49, 64, 65, 100, 130].map((n) => [n, n] as const),
    ...([[5, 3], [3, 5], [1, 30], [30, 1], [40, 16], [16, 40], [130, 49], [49, 130], [200, 65], [65, 66], [66, 65]] as const), // biome-ignore format: a list
  ];

  test.each(shapes)("of %i by %i is Q R, with the reference's signs", async (m, n) => {
    const k = Math.min(m, n);
    const data = numbers(m * n, 3);
    // A column that is a sum of two others: rounding is left of it.
    if (n > 4) for (let i = 0; i < m; i++) data[i * n + 2] = data[i * n]! + data[i * n + 1]!;
    const a = given(data, [m, n]);
    const { q, r } = await compiled(a, of);
    expect(left).toBe(0);
    const eps = 2 ** -52 * (10 + k);
    expect(furthest(product(q.data, r.data, m, k, n), data)).toBeLessThan(eps * norm(data));
    expect(furthest(product(transposed(q.data, m, k), q.data, k, m, k), unit(k))).toBeLessThan(2 * eps);
    for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) expect(r.data[i * n + j]).toBe(0);
    const want = reference(given(numbers(m * n, 5), [m, n]));
    const got = await compiled(given(numbers(m * n, 5), [m, n]), of);
    expect(furthest(got.r.data, want.r.data)).toBeLessThan(1e-10);
    expect(furthest(got.q.data, want.q.data)).toBeLessThan(1e-10);
  });

  test.each([[[0, 3, 2]], [[3, 0, 2]], [[3, 2, 0]], [[0, 0]], [[2, 3, 4, 3]], [[3, 60, 50]], [[3, 50, 60]]])(
    "of %j in f64 and f32 is that of each matrix",
    async (shape) => {
      const count = shape.reduce((x, y) => x * y, 1);
      for (const dtype of ["f64", "f32"] as const) {
        const a = given(numbers(count, 7), shape, dtype);
        const got = await compiled(a, of);
        expect(left).toBe(0);
        const want = reference(a);
        left = 0;
        for (const name of ["q", "r"] as const) {
          expect(got[name].type).toEqual(want[name].type);
          expect(furthest(got[name].data, want[name].data)).toBeLessThan(dtype === "f64" ? 1e-11 : 1e-5);
        }
      }
    },
  );

  test.each([8, 60])("of graded columns of %i rows keeps the digits of each column", async (n) => {
    for (const span of [-140, 140]) {
      const data = numbers(n * n, 9).map((x, at) => x * 10 ** ((span * (at % n)) / n));
      const got = await compiled(given(data, [n, n]), of);
      const back = product(got.q.data, got.r.data, n, n, n);
      for (let j = 0; j < n; j++) {
        const column = (a: Float64Array): Float64Array => a.filter((_, at) => at % n === j);
        expect(furthest(column(back), column(data))).toBeLessThan(1e-13 * norm(column(data)));
      }
    }
  });

  const small = numbers(36, 11);
  const big = numbers(3600, 11);
  const at = (data: Float64Array, place: number, x: number): Float64Array => data.map((y, i) => (i === place ? x : y));
  test.each<[string, Float64Array, number?]>([
    ["an element that is NaN", at(small, 20, Number.NaN)],
    ["an element that is NaN, right of all pivots", at(small.subarray(0, 35), 20, Number.NaN), 7],
    ["an element that is NaN, of many", at(big, 3000, Number.NaN)],
    ["the first element NaN", at(small, 0, Number.NaN)],
    ["an element that is infinite", at(small, 17, Number.POSITIVE_INFINITY)],
    ["the last infinite", at(big, 3599, Number.NEGATIVE_INFINITY)],
    ["elements whose squares overflow", small.map((x) => x * 1e200)],
    ["elements whose squares underflow", big.map((x) => x * 1e-200)],
    ["elements whose squares are subnormal", small.map((x) => x * 1e-156)],
    ["a pivot whose square overflows", at(small, 0, 1e250)],
    ["one column whose squares overflow", small.subarray(0, 5).map((x) => x * 1e155), 1],
  ])("of %s is the reference's", async (_, data, n = Math.sqrt(data.length)) => {
    const a = given(data, [data.length / n, n]);
    const got = await answer(() => compiled(a, of));
    expect(left).toBe(1);
    expect(got).toEqual(await answer(() => reference(a)));
  });

  test("of zeros, of a triangle and of equal columns needs no reflection where nothing is below", async () => {
    for (const n of [5, 60]) {
      const triangle = numbers(n * n, 13).map((x, at) => (at % n < Math.floor(at / n) ? 0 : x));
      for (const data of [new Float64Array(n * n), triangle, unit(n)]) {
        const a = given(data, [n, n]);
        const got = await compiled(a, of);
        expect(left).toBe(0);
        expect([...got.r.data].map((x) => x + 0)).toEqual([...data]);
        expect([...got.q.data].map((x) => x + 0)).toEqual([...unit(n)]);
      }
    }
    expect(evaluate(qr(tensor([[3], [4]])).r).data).toEqual(Float64Array.of(-5));
  });
});

describe("eigh", () => {
  const of = (a: Value) => ({ ...eigh(a) });
  const reference = (a: Tensor) => ({ values: evaluate(eigh(a).values) as Result, vectors: evaluate(eigh(a).vectors) as Result });

  function symmetric(n: number, seed: number): Float64Array {
    const half = numbers(n * n, seed);
    return half.map((x, at) => x + half[(at % n) * n + Math.floor(at / n)]!);
  }

  /** A symmetric matrix with these eigenvalues. */
  function withValues(values: Float64Array, seed: number): Float64Array {
    const n = values.length;
    const { q } = qr(given(numbers(n * n, seed), [n, n]));
    const v = evaluate(q).data as Float64Array;
    const a = product(
      v.map((x, at) => x * values[at % n]!),
      transposed(v, n, n),
      n,
      n,
      n,
    );
    return a.map((x, at) => 0.5 * (x + a[(at % n) * n + Math.floor(at / n)]!));
  }

  /** Values as the reference has them, vectors orthonormal, and both of the matrix, to a few roundings of its norm. */
  async function check(data: Float64Array, n: number): Promise<{ values: Result; vectors: Result }> {
    const a = given(data, [n, n]);
    const got = await compiled(a, of);
    expect(left).toBe(0);
    const eps = 2 ** -52 * (10 + n);
    const values = got.values.data;
    expect(furthest(values, reference(a).values.data)).toBeLessThanOrEqual(eps * norm(data));
    expect([...values]).toEqual([...values].sort((x, y) => x - y));
    const v = got.vectors.data;
    expect(furthest(product(transposed(v, n, n), v, n, n, n), unit(n))).toBeLessThan(eps);
    const back = product(Float64Array.from(v, (x, at) => x * values[at % n]!), transposed(v, n, n), n, n, n); // biome-ignore format: one call
    expect(furthest(back, data)).toBeLessThanOrEqual(eps * norm(data));
    for (let j = 0; j < n; j++) {
      const column = Array.from(v).filter((_, at) => at % n === j);
      const most = Math.max(...column.map(Math.abs));
      expect(column.find((x) => Math.abs(x) >= most * (1 - 1e-8))).toBeGreaterThan(0);
    }
    return got;
  }

  const sizes = [1, 2, 3, 4, 5, 6, 7, 16, 17, 31, 32, 33, 48, 64, 65, 66, 67, 100, 130, 160, 161, 178];
  test.each(sizes)("of %i rows has orthonormal vectors, the reference's and the way they point", async (n) => {
    const { vectors } = await check(symmetric(n, 17), n);
    expect(furthest(vectors.data, reference(given(symmetric(n, 17), [n, n])).vectors.data)).toBeLessThan(1e-9);
    // A step of its size between all eigenvalues, and equal ones.
    await check(withValues(Float64Array.from({ length: n }, (_, i) => 1 + Math.floor(i / 3)), 19), n); // biome-ignore format: one call
  });

  test.each([12, 70, 170])("of %i rows: zeros, diagonal, tridiagonal, equal, graded and singular", async (n) => {
    const at = (f: (i: number, j: number) => number): Float64Array =>
      Float64Array.from({ length: n * n }, (_, k) => f(Math.floor(k / n), k % n));
    await check(new Float64Array(n * n), n);
    const diagonal = await check(
      at((i, j) => (i === j ? (i % 4) - 1 : 0)),
      n,
    );
    // Of equal ones the first is the first, as in the reference.
    expect([...diagonal.vectors.data].filter((x) => x === 1).length).toBe(n);
    const wanted = reference(
      given(
        at((i, j) => (i === j ? (i % 4) - 1 : 0)),
        [n, n],
      ),
    );
    expect(furthest(diagonal.vectors.data, wanted.vectors.data)).toBe(0);
    await check(
      at((i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
      n,
    );
    await check(
      at(() => 1),
      n,
    );
    await check(
      at((i, j) => 1 / (i + j + 1)),
      n,
    );
    const noise = symmetric(n, 23);
    await check(noise.map((x, k) => x * 10 ** ((-40 * (Math.floor(k / n) + (k % n))) / n)), n); // biome-ignore format: one call
    await check(noise.map((x, k) => x * 10 ** ((40 * (Math.floor(k / n) + (k % n))) / n)), n); // biome-ignore format: one call
    await check(noise.map((x) => x * 1e-80), n); // biome-ignore format: one call
    await check(noise.map((x) => x * 1e80), n); // biome-ignore format: one call
    await check(withValues(Float64Array.from({ length: n }, (_, i) => (i < n / 2 ? 0 : 10 ** -i)), 29), n); // biome-ignore format: one call
    await check(withValues(Float64Array.from({ length: n }, (_, i) => 1 + 1e-15 * i), 31), n); // biome-ignore format: one call
  });

  test("takes the symmetric part, and batches in both dtypes", async () => {
    for (const shape of [
      [0, 3, 3],
      [3, 0, 0],
      [0, 0],
      [2, 3, 4, 4],
      [3, 70, 70],
    ]) {
      // biome-ignore format: above
      const count = shape.reduce((x, y) => x * y, 1);
      for (const dtype of ["f64", "f32"] as const) {
        const a = given(numbers(count, 37), shape, dtype);
        const got = await compiled(a, of);
        expect(left).toBe(0);
        const want = reference(a);
        left = 0;
        for (const name of ["values", "vectors"] as const) {
          expect(got[name].type).toEqual(want[name].type);
          expect(furthest(got[name].data, want[name].data)).toBeLessThan(dtype === "f64" ? 1e-10 : 1e-6);
        }
      }
    }
  });

  const small = symmetric(6, 41);
  const big = symmetric(60, 41);
  test.each<[string, Float64Array]>([
    ["an element that is NaN", small.map((x, i) => (i === 20 ? Number.NaN : x))],
    ["an infinite element among many", big.map((x, i) => (i === 3599 ? Number.NEGATIVE_INFINITY : x))],
    ["numbers whose squares overflow", big.map((x) => x * 1e200)],
    ["numbers whose squares underflow", small.map((x) => x * 1e-200)],
    ["numbers that are subnormal", small.map((x) => x * 1e-310)],
  ])("of %s is the reference's", async (_, data) => {
    const n = Math.sqrt(data.length);
    const a = given(data, [n, n]);
    const got = await answer(() => compiled(a, of));
    expect(left).toBe(1);
    expect(got).toEqual(await answer(() => reference(a)));
  });
});

describe("a derivative through vectors", () => {
  const gradient = (f: (a: Value) => Value) => (a: Value) => ({ g: grad(f)(a) });
  const weights = given(numbers(9, 43), [3, 3]);
  const ofEigh = gradient((a) => sum(mul(weights, eigh(a).vectors)));
  const ofSvd = gradient((a) => sum(mul(weights, svd(a).u)));

  test("is the reference's where values are apart", async () => {
    for (const f of [ofEigh, ofSvd]) {
      const a = given(numbers(9, 47), [3, 3]);
      const { g } = await compiled(a, f);
      expect(furthest(g.data, (evaluate(f(a as never).g) as Result).data)).toBeLessThan(1e-12);
    }
  });

  test("is an error that names the values where they are not", async () => {
    const twice = given(Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 2), [3, 3]);
    const flat = given(Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 0), [3, 3]);
    await expect(compiled(twice, ofEigh)).rejects.toThrow("eigh: eigenvalues 1 and 2 of a are equal to rounding (2 and 2)");
    await expect(compiled(twice, ofSvd)).rejects.toThrow(NumericError);
    const { g } = await compiled(flat, ofEigh);
    expect(furthest(g.data, (evaluate(ofEigh(flat as never).g) as Result).data)).toBeLessThan(1e-12);
  });
});

describe("apart", () => {
  const check = (zero: boolean) => (a: Value) => ({ y: apart(a, { of: "svd", zero }) });
  test.each([["f64"], ["f32"]] as const)("in %s copies values that are apart, and leaves others to the reference", async (dtype) => {
    const eps = dtype === "f64" ? 2 ** -52 : 2 ** -23;
    const rows = [5, 3, 3 - 20 * eps, 9, 4, 0, 1, 0.5, Number.NaN];
    for (const [data, zero, fails] of [
      [rows, false, false],
      [rows, true, true],
      [[5, 3, 3 - 6 * eps, 9, 4, 0], false, true],
      [[5, 3, 1, 9, 4, 4], false, true],
      [[0, 0, 0], false, true],
      [[], true, false],
    ] as [number[], boolean, boolean][]) {
      const a = given(Float64Array.from(data), [data.length / 3, 3], dtype);
      const got = await answer(() => compiled(a, check(zero)));
      expect(left).toBe(fails ? 1 : 0);
      left = 0;
      expect(got).toEqual(await answer(() => ({ y: evaluate(check(zero)(a as never).y) as Result })));
      expect(typeof got).toBe(fails ? "string" : "object");
    }
  });
});
