// The compiled kernels of QR factorizations and of eigenvalues, against the reference kernels and by what their results have to be.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { compile, evaluate, f32, f64, graph, qr, type Tensor, type TensorType, tensor, type Value } from "../../src/index.ts";
import { hold } from "../../src/ir/tensor.ts";
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
