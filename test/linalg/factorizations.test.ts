import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import {
  abs,
  add,
  apart,
  at,
  cofactor,
  det,
  div,
  eigh,
  evaluate,
  expr,
  f32,
  f64,
  grad,
  hessian,
  hvp,
  jvp,
  logDet,
  matmul,
  max,
  mul,
  type Operand,
  qr,
  read,
  slogDet,
  sub,
  sum,
  svd,
  type Tensor,
  tensor,
  toArray,
  transpose,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";
import { made } from "../laws/sample.ts";

function any(rows: number, columns: number, seed: number): Tensor {
  const d = drawsFrom(seed);
  return made([rows, columns], () => 2 * d.fraction() - 1);
}

function unit(n: number): Tensor {
  let i = 0;
  return made([n, n], () => (i++ % (n + 1) === 0 ? 1 : 0));
}

/** The largest difference of two matrices. */
function apartBy(a: Operand, b: Operand): number {
  return (a as Value).type.shape.includes(0) ? 0 : read(max(abs(sub(a, b))));
}

/** Whether the columns of x are orthonormal, to so many digits. */
function isOrthonormal(x: Value): boolean {
  return apartBy(matmul(transpose(x), x), unit(x.type.shape[1]!)) < 1e-12;
}

const shapes: readonly (readonly [number, number])[] = [
  [1, 1],
  [7, 7],
  [13, 5],
  [5, 13],
  [1, 11],
  [11, 1],
  [0, 3],
  [3, 0],
  [0, 0],
  [100, 100],
  [97, 31],
];

test.each(shapes)("matrices of %i by %i are the products of their factors", (m, n) => {
  const a = any(m, n, 100 * m + n);
  const { q, r } = qr(a);
  const { u, s, vt } = svd(a);
  expect(apartBy(matmul(q, r), a)).toBeLessThan(1e-12);
  expect(apartBy(matmul(mul(u, s), vt), a)).toBeLessThan(1e-12);
  expect([q, u, transpose(vt)].map(isOrthonormal)).toEqual([true, true, true]);
  const values = Array.from(evaluate(s).data);
  expect(values).toEqual([...values].sort((x, y) => y - x));
  const symmetric = evaluate(matmul(transpose(a), a));
  const found = eigh(symmetric);
  expect(apartBy(matmul(mul(found.vectors, found.values), transpose(found.vectors)), symmetric)).toBeLessThan(1e-12 * (m + n + 1));
  expect(isOrthonormal(found.vectors)).toBe(true);
  if (n > 0 && m >= n) {
    const roots = Array.from(evaluate(found.values).data, Math.sqrt).reverse();
    expect(Math.max(...values.map((x, i) => Math.abs(x - roots[i]!)))).toBeLessThan(1e-11);
  }
});

describe("signs", () => {
  test("of qr are LAPACK's: against the pivot, and none for a column that needs no reflection", () => {
    const { q, r } = qr(
      tensor([
        [3, 1],
        [4, 1],
      ]),
    );
    expect(evaluate(r).data[0]).toBe(-5);
    expect(
      apartBy(
        q,
        tensor([
          [-0.6, -0.8],
          [-0.8, 0.6],
        ]),
      ),
    ).toBeLessThan(1e-15);
    expect(
      toArray(
        qr(
          tensor([
            [-3, 1],
            [0, -2],
          ]),
        ).r,
      ),
    ).toEqual([
      [-3, 1],
      [0, -2],
    ]);
  });

  test("of vectors: the first of the largest components is positive, whatever rounding says of a tie", () => {
    const half = Math.SQRT1_2;
    const { vectors } = eigh(
      tensor([
        [2, -1],
        [-1, 2],
      ]),
    );
    expect(
      apartBy(
        vectors,
        tensor([
          [half, half],
          [half, -half],
        ]),
      ),
    ).toBeLessThan(1e-15);
    const { u, vt } = svd(
      tensor([
        [0, -3],
        [2, 0],
      ]),
    );
    expect(toArray(u)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(toArray(vt)).toEqual([
      [0, -1],
      [1, 0],
    ]);
  });
});

describe("singular matrices", () => {
  const singular = tensor([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  const cofactors = tensor([
    [-3, 6, -3],
    [6, -12, 6],
    [-3, 6, -3],
  ]);

  test("have a determinant of 0 with the gradient that is right there", () => {
    expect(
      toArray(
        det(
          tensor([
            [1, 2],
            [2, 4],
          ]),
        ),
      ),
    ).toBe(0);
    const found = slogDet(
      tensor([
        [0, 1],
        [0, 2],
      ]),
    );
    expect([read(found.sign), read(found.logAbsDet)]).toEqual([0, Number.NEGATIVE_INFINITY]);
    expect(apartBy(grad((a: Value) => det(a))(singular), cofactors)).toBeLessThan(1e-13);
    expect(apartBy(jvp((a: Value) => det(a))(singular, unit(3)).tangent as Value, -18)).toBeLessThan(1e-13);
    expect(toArray(cofactor(tensor([[0]])))).toEqual([[1]]);
    expect(
      toArray(
        cofactor(
          tensor([
            [0, 0, 0],
            [0, 0, 0],
            [0, 0, 0],
          ]),
        ),
      ),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("have no second derivative of the determinant and no logarithm: an error says so", () => {
    const flat = tensor([
      [1, 2],
      [2, 4],
    ]);
    expect(() => evaluate(hessian((a: Value) => det(a))(flat))).toThrow("inverse: a is singular: pivot 1 of 2 is 0");
    expect(() => evaluate(grad((a: Value) => slogDet(a).logAbsDet)(flat))).toThrow("inverse: a is singular");
    expect(read(logDet(flat))).toBe(Number.NEGATIVE_INFINITY);
  });

  test("have singular vectors all the same, a basis", () => {
    const { u, s, vt } = svd(
      tensor([
        [0, 0, 2],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]),
    );
    expect(toArray(s)).toEqual([2, 0, 0]);
    expect([u, transpose(vt)].map(isOrthonormal)).toEqual([true, true]);
  });
});

test("the logarithm of a negative determinant is NaN, and so is its gradient", () => {
  const negative = tensor([
    [0, 1],
    [1, 0],
  ]);
  expect(read(logDet(negative))).toBeNaN();
  expect((toArray(grad((a: Value) => logDet(a))(negative)) as number[][]).flat().every(Number.isNaN)).toBe(true);
  expect(read(slogDet(negative).sign)).toBe(-1);
});

test("numbers of any size are factored without overflow, and NaN and Infinity give NaN, not a loop without end", () => {
  expect(
    toArray(
      svd(
        tensor([
          [1e-300, 0],
          [0, 1e-310],
        ]),
      ).s,
    ),
  ).toEqual([1e-300, 1e-310]);
  const [small, large] = toArray(
    eigh(
      tensor([
        [1e300, 0],
        [0, -1e308],
      ]),
    ).values,
  ) as number[];
  expect([small, large]).toEqual([-1e308, 1e300]);
  const long = qr(tensor([[3e200], [4e200]])).r;
  expect(read(at(long, 0, 0)) / -5e200).toBeCloseTo(1, 14);
  const broken = tensor([
    [Number.NaN, 1, 2],
    [1, 2, 3],
    [2, 3, Number.POSITIVE_INFINITY],
  ]);
  for (const v of [eigh(broken).values, eigh(broken).vectors, svd(broken).u, svd(broken).s, svd(broken).vt])
    expect(Array.from(evaluate(v).data).every(Number.isNaN)).toBe(true);
  expect(read(det(broken))).toBeNaN();
  expect(Array.from(evaluate(qr(broken).r).data).filter(Number.isNaN).length).toBeGreaterThan(0);
});

/** Matrices that iterations find hard, by their element in row i and column j of n. */
const hard: Readonly<Record<string, (i: number, j: number, n: number) => number>> = {
  "all ones": () => 1,
  "of rank one": (i, j) => Math.sin(i + 1) * Math.sin(j + 1),
  graded: (i, j) => Math.sin(1 + i * j) * 10 ** (-3 * Math.max(i, j)),
  "Hilbert's": (i, j) => 1 / (i + j + 1),
  "next to the unit matrix": (i, j) => (i === j ? 1 + (i === 0 ? 1e-9 : 0) : 0),
  "of a path": (i, j) => (Math.abs(i - j) === 1 ? 1 : 0),
  "half empty": (i, j, n) => (2 * Math.max(i, j) < n ? Math.cos(i * j) : 0),
  "of sizes from 1e-300 to 1e300": (i, j) => Math.sin(1 + i + j + i * j) * 10 ** (300 * Math.cos(3 * i * j + i + j)),
};

test.each(Object.entries(hard))("matrices %s come to an end with orthonormal vectors", (_, element) => {
  for (const n of [2, 5, 30, 60]) {
    const data = Float64Array.from({ length: n * n }, (_, at) => element(Math.floor(at / n), at % n, n));
    const size = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const a = tensor(data, f64(n, n));
    const { u, s, vt } = svd(a);
    const { values, vectors } = eigh(a);
    expect([u, transpose(vt), vectors].map(isOrthonormal)).toEqual([true, true, true]);
    const scaled = div(a, size);
    expect(apartBy(matmul(mul(u, div(s, size)), vt), scaled)).toBeLessThan(1e-13 * n);
    expect(apartBy(matmul(mul(vectors, div(values, size)), transpose(vectors)), scaled)).toBeLessThan(1e-13 * n);
  }
});

describe("equal eigenvalues or singular values", () => {
  const twice = tensor([
    [2, 0, 0],
    [0, 1, 0],
    [0, 0, 2],
  ]);

  test("have a derivative as long as the vectors are not used", () => {
    expect(toArray(grad((a: Value) => sum(eigh(a).values))(twice))).toEqual(toArray(unit(3)));
    expect(toArray(grad((a: Value) => sum(svd(a).s))(twice))).toEqual(toArray(unit(3)));
    expect(toArray(jvp((a: Value) => eigh(a).values)(twice, twice).tangent as Value)).toEqual([1, 2, 2]);
  });

  test("give an error with the pair, the matrix and what to write instead where they are", () => {
    const through = grad((a: Value) => sum(eigh(a).vectors));
    expect(() => evaluate(through(twice))).toThrow(
      "eigh: eigenvalues 1 and 2 of a are equal to rounding (2 and 2), so their vectors are any basis of a plane and have no derivative; use the values alone, or write the function without vectors (solve, inverse, cholesky, matmul)",
    );
    expect(() => evaluate(through(twice))).toThrow(expect.objectContaining({ code: "numeric", op: "eigh" }));
    const pair = tensor(Float64Array.of(1, 0, 0, 2, 1, 0, 0, 1), f64(2, 2, 2));
    expect(() => evaluate(grad((a: Value) => sum(svd(a).u))(pair))).toThrow(
      "svd: singular values 0 and 1 of a[1] are equal to rounding (1 and 1)",
    );
    expect(() => evaluate(jvp((a: Value) => eigh(a).vectors)(twice, twice).tangent as Value)).toThrow("eigenvalues 1 and 2 of a");
  });

  test("count as equal within rounding, of the dtype that there is", () => {
    const nearly = (dtype: "f64" | "f32", gap: number): Tensor =>
      tensor(
        [
          [1, 0],
          [0, 1 + gap],
        ],
        dtype,
      );
    const through = grad((a: Value) => sum(eigh(a).vectors));
    expect(() => evaluate(through(nearly("f64", 3e-16)))).toThrow("equal to rounding");
    expect(() => evaluate(through(nearly("f32", 2e-7)))).toThrow("equal to rounding");
    expect(through(nearly("f64", 1e-12)).type).toEqual(f64(2, 2));
    expect(Array.from(evaluate(through(nearly("f32", 1e-5))).data).every(Number.isFinite)).toBe(true);
    expect(evaluate(through(nearly("f32", 1e-5))).type).toEqual(f32(2, 2));
  });

  test("are not what equal or no changes of distinct values are", () => {
    const [a, w] = [any(2, 2, 31), any(2, 2, 32)];
    const vectors = (m: Value): Value => sum(mul(w, eigh(m).vectors));
    // A multiple of the unit matrix moves all eigenvalues alike, and leaves the vectors and their derivatives as they are.
    const along = evaluate(hvp(vectors)(a, unit(2)));
    expect(Math.max(...Array.from(along.data, Math.abs))).toBeLessThan(1e-13);
    const scaled = hessian(({ m, t }: { m: Value; t: Value }) => mul(t, add(vectors(m), sum(mul(w, svd(m).u)))))({ m: a, t: 2 });
    expect(apartBy(scaled.t.m, grad((m: Value) => add(vectors(m), sum(mul(w, svd(m).u))))(a))).toBeLessThan(1e-13);
    expect(read(scaled.t.t)).toBe(0);
  });

  test("and a singular value of 0 have no vector on the longer side", () => {
    const tall = tensor([
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    const message =
      "svd: the smallest of the singular values of a is 0 to rounding (0), so its vector on the longer side is not determined and has no derivative; use the values alone, or a matrix of full rank";
    expect(() => evaluate(grad((a: Value) => sum(svd(a).u))(tall))).toThrow(message);
    expect(() => evaluate(grad((a: Value) => sum(svd(a).vt))(transpose(tall)))).toThrow(message);
    expect(toArray(grad((a: Value) => sum(svd(a).s))(tall))).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    const square = tensor([
      [1, 0],
      [0, 0],
    ]);
    expect(Array.from(evaluate(grad((a: Value) => sum(svd(a).u))(square)).data).every(Number.isFinite)).toBe(true);
  });

  test("dependent columns leave q without a derivative", () => {
    const dependent = tensor([
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(toArray(qr(dependent).r)).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(() => evaluate(grad((a: Value) => sum(qr(a).q))(dependent))).toThrow("triangularSolve: a has 0 on its diagonal in row 1");
  });
});

test("the check of values refuses what it does not know", () => {
  expect(() => apart(tensor([1, 2]), { of: "lu" as "svd", zero: true })).toThrow(
    'apart: of is lu and zero is true; they are "eigh" or "svd", and true or false',
  );
});

test("results have names in formulas, in order", () => {
  const a = variable(
    [
      [2, 0],
      [0, 3],
    ],
    "A",
  );
  expect(read(expr`det(${a}) + logDet(${a}) * 0 + slogDet(${a})[0]`)).toBe(7);
  expect(toArray(expr`eigh(${a})[0]`)).toEqual([2, 3]);
  expect(toArray(expr`svd(${a})[1]`)).toEqual([3, 2]);
});

test.each<readonly [string, (a: Value) => Value]>([
  ["det", det],
  ["cofactor", cofactor],
  ["slogDet", (a) => slogDet(a).logAbsDet],
  ["qr", (a) => qr(a).q],
  ["eigh", (a) => eigh(a).vectors],
  ["svd", (a) => svd(a).vt],
])("vmap of %s and of its gradient is each example by itself", (_, f) => {
  const d = drawsFrom(9);
  const xs = made([3, 3, 3], () => 2 * d.fraction() - 1);
  const g = grad((a: Value) => sum(f(a)));
  const [values, gradients] = [vmap(f)(xs), vmap(g)(xs)];
  for (let i = 0; i < 3; i++) {
    expect(apartBy(at(values, i), f(at(xs, i)))).toBeLessThan(1e-14);
    expect(apartBy(at(gradients, i), g(at(xs, i)))).toBeLessThan(1e-10);
  }
});

test("they refuse what is no matrix", () => {
  expect(() => qr(tensor([1, 2]))).toThrow("qr: a is f64[2]; it takes a matrix, or matrices along leading axes");
  expect(() => eigh(tensor([[1, 2]]))).toThrow("eigh: a is f64[1,2], 1 by 2; eigh takes square matrices");
  expect(() => svd(1)).toThrow("svd: a is f64[]; it takes a matrix");
  expect(() => det(tensor([[1]], "i32"))).toThrow('det: a is i32[1,1] and det takes floating-point numbers; write cast(a, "f64")');
});
