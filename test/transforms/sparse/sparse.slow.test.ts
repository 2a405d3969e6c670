import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Draw, drawsFrom } from "../../../src/check/draws.ts";
import {
  add,
  at,
  call,
  concat,
  cumsum,
  evaluate,
  exp,
  f64,
  gather,
  grad,
  graph,
  greater,
  hessian,
  jacobian,
  leaves,
  matmul,
  mul,
  type Op,
  type Operand,
  op,
  type Pattern,
  pad,
  reshape,
  type SparseMatrix,
  scatterAdd,
  scatterElements,
  sin,
  slice,
  sort,
  sparseHessian,
  sparseJacobian,
  sparsity,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
  variable,
  vmap,
  where,
  zeros,
} from "../../../src/index.ts";
import { anyTensor, chance, places, truths } from "../../laws/sample.ts";

/** The matrix with its zeros, by rows. */
function dense({ shape: [m, n], rows, cols, vals }: SparseMatrix): number[] {
  const out = new Array<number>(m * n).fill(0);
  const data = evaluate(vals).data;
  expect(data.length).toBe(cols.length);
  for (let i = 0; i < m; i++) for (let k = rows[i]!; k < rows[i + 1]!; k++) out[i * n + cols[k]!] = data[k]!;
  return out;
}

function wellFormed({ shape: [m, n], rows, cols }: Pattern): void {
  expect(rows.length).toBe(m + 1);
  expect(rows[0]).toBe(0);
  expect(rows[m]).toBe(cols.length);
  for (let i = 0; i < m; i++)
    for (let k = rows[i]!; k < rows[i + 1]!; k++) {
      expect(cols[k]! >= 0 && cols[k]! < n).toBe(true);
      if (k > rows[i]!) expect(cols[k]!).toBeGreaterThan(cols[k - 1]!);
    }
}

function near(a: readonly number[], b: ArrayLike<number>): void {
  expect(a.length).toBe(b.length);
  const top = Math.max(1, ...Array.from(b, Math.abs));
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(1e-11 * top);
  });
}

/** A random function of a vector, made of steps that keep, move and mix few elements. */
function drawFunction(d: Draw): (x: Value) => Value {
  const steps = Array.from({ length: d.whole(1, 5) }, () => {
    const kind = d.whole(0, 11);
    const seed = d.whole(0, 1e6);
    return (x: Value): Value => {
      const e = drawsFrom(seed);
      const n = x.type.shape[0]!;
      if (n === 0) return x;
      if (kind === 0) return sin(x);
      if (kind === 1) return gather(x, places(e, [e.whole(1, 9)], n));
      if (kind === 2) return concat([slice(x, { start: e.whole(0, n - 1) }), square(x)]);
      if (kind === 3) return mul(x, tensor(Float64Array.from({ length: n }, () => (chance(e, 0.5) ? 0 : 1.5))));
      if (kind === 4) {
        const w = tensor(
          Float64Array.from({ length: 4 * n }, () => (chance(e, 0.7) ? 0 : e.fraction() - 0.5)),
          f64(4, n),
        );
        return matmul(w, x);
      }
      if (kind === 5) return where(truths(e, [n]), x, exp(mul(0.1, x)));
      if (kind === 6) return sub(pad(x, { pads: [[1, 2]], value: 3 }), 1);
      if (kind === 7) return scatterAdd(zeros(f64(7)), places(e, [n], 7), x);
      if (kind === 8) return mul(x, slice(x, { step: -1 }));
      if (kind === 9) return n % 2 === 0 ? sum(reshape(x, { shape: [2, n / 2] }), { axis: 0 }) : cumsum(slice(x, { end: 3 }), { axis: 0 });
      if (kind === 10) return reshape(mul(reshape(x, { shape: [n, 1] }), tensor([1, 0, 2])), { shape: [3 * n] });
      return add(x, gather(x, places(e, [n], n)));
    };
  });
  return (x) => steps.reduce((v, step) => step(v), x);
}

describe("a sparse Jacobian is the dense one", () => {
  test("of random sparse functions, in both modes, and of a pattern given again", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const d = drawsFrom(seed);
        const x = anyTensor(d, [d.whole(1, 11)], 2);
        const f = drawFunction(d);
        const wanted = evaluate(jacobian(f)(x)).data;
        const pattern = sparsity(f)(x);
        wellFormed(pattern);
        for (const options of [{}, { mode: "forward" }, { mode: "reverse" }, { pattern }] as const) {
          const J = sparseJacobian(f, options)(x);
          expect([...J.rows]).toEqual([...pattern.rows]);
          near(dense(J), wanted);
          expect(J.passes).toBeLessThanOrEqual(Math.max(1, ...J.shape));
        }
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  test("over trees: leaves end to end, rows of the result and columns of the argument", () => {
    const f = (p: { a: Value; b: Value }) => ({ s: mul(p.a, at(p.b, 0)), t: [square(p.b), add(p.b, 1)] });
    const p = { a: 2, b: tensor([3, 4, 5]) };
    const J = sparseJacobian(f)(p);
    expect(J.shape).toEqual([7, 4]);
    const tree = leaves(jacobian(f)(p)).map(({ leaf }) => evaluate(leaf as Value));
    const wanted: number[] = [];
    for (const [a, b] of [
      [tree[0]!, tree[1]!],
      [tree[2]!, tree[3]!],
      [tree[4]!, tree[5]!],
    ] as const)
      for (let i = 0; i < a.data.length; i++) wanted.push(a.data[i]!, ...b.data.slice(3 * i, 3 * i + 3));
    near(dense(J), wanted);
    expect([...J.rows]).toEqual([0, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("and differentiable: the values are nodes", () => {
    const f = (x: Value): Value => mul(x, mul(x, x));
    const g = grad((x: Value) => sum(sparseJacobian(f)(x).vals))(tensor([1, 2]));
    near([...evaluate(g).data], [6, 12]);
  });

  test("in a graph: found when it is traced", () => {
    const g = graph({ x: f64(100) }, ({ x }) => ({ vals: sparseJacobian((v: Value) => sin(v))(x).vals }));
    expect(g.outputs.vals.type).toEqual(f64(100));
    near([...evaluate(g({ x: new Float64Array(100) }).vals).data], new Array(100).fill(1));
  });
});

describe("the number of passes does not grow with the size", () => {
  const n = 400;
  const x = tensor(Float64Array.from({ length: n }, (_, i) => Math.sin(i)));

  test("three for a tridiagonal Jacobian", () => {
    const f = (v: Value): Value => add(mul(slice(v, { end: -2 }), slice(v, { start: 1, end: -1 })), exp(slice(v, { start: 2 })));
    const J = sparseJacobian(f)(x);
    expect(J.shape).toEqual([n - 2, n]);
    expect(J.cols.length).toBe(3 * (n - 2));
    expect(J.passes).toBe(3);
  });

  test("one for a diagonal, of columns or of rows", () => {
    for (const mode of ["forward", "reverse"] as const) expect(sparseJacobian((v: Value) => sin(v), { mode })(x).passes).toBe(1);
  });

  test("rows where a row is full, columns where a column is", () => {
    const wide = sparseJacobian((v: Value) => stack([sum(square(v)), at(v, 3)]))(x);
    expect(wide.passes).toBe(2);
    const tall = sparseJacobian((v: Value) => mul(at(v, 0), x))(x);
    expect(tall.passes).toBe(1);
  });

  test("two Hessian-vector products for an arrow, three for a band of one", () => {
    const arrow = sparseHessian((v: Value) => add(sum(mul(at(v, 0), square(v))), sum(square(square(v)))))(x);
    expect(arrow.cols.length).toBe(3 * n - 2);
    expect(arrow.passes).toBe(2);
    const band = sparseHessian((v: Value) => sum(mul(square(slice(v, { start: 1 })), slice(v, { end: -1 }))))(x);
    expect(band.cols.length).toBe(3 * n - 2 - 1);
    expect(band.passes).toBeLessThanOrEqual(4);
  });

  test("none for a function that depends on nothing", () => {
    const J = sparseJacobian((_: Value) => tensor([1, 2]))(x);
    expect([J.shape, J.cols.length, J.passes, [...J.rows]]).toEqual([[2, n], 0, 0, [0, 0, 0]]);
    expect(J.vals.type).toEqual(f64(0));
  });

  test("a linear function has an empty Hessian", () => {
    const H = sparseHessian((v: Value) => sum(v))(x);
    expect([H.shape, H.cols.length, H.passes]).toEqual([[n, n], 0, 0]);
  });
});

describe("a sparse Hessian is the dense one, and symmetric", () => {
  test("of random sparse functions", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const d = drawsFrom(seed);
        const x = anyTensor(d, [d.whole(1, 9)], 1.5);
        const inner = drawFunction(d);
        const f = (v: Value): Value => sum(mul(tanh(inner(v)), inner(v)));
        const H = sparseHessian(f)(x);
        wellFormed(H);
        near(dense(H), evaluate(hessian(f)(x)).data);
        near(dense(sparseHessian(f, { pattern: H })(x)), dense(H));
      }),
      { numRuns: 40, seed: 6 },
    );
  });

  test("of random graphs: each pair of neighbours is a product", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const d = drawsFrom(seed);
        const n = d.whole(2, 14);
        const pairs = Array.from({ length: d.whole(1, 2 * n) }, () => [d.whole(0, n - 1), d.whole(0, n - 1)] as const);
        const [i, j] = [0, 1].map((k) => tensor(Int32Array.from(pairs, (p) => p[k]!)));
        const f = (v: Value): Value => sum(mul(square(gather(v, i!)), sin(gather(v, j!))));
        const x = anyTensor(d, [n], 2);
        near(dense(sparseHessian(f)(x)), evaluate(hessian(f)(x)).data);
      }),
      { numRuns: 60, seed: 8 },
    );
  });
});

describe("blocks known from vmap", () => {
  const residual = (p: { c: Value; k: Value }, y: Value): Value => sub(mul(p.c, sin(mul(p.k, tensor([1, 2])))), y);
  const p = {
    c: tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    k: tensor([0.1, 0.2, 0.3]),
  };
  const ys = tensor([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);

  test("are used as they are, and are what detection finds", () => {
    const f = vmap(residual);
    const J = sparseJacobian(f)(p, ys);
    const found = sparseJacobian((q: { c: Value; k: Value }, y: Value) => f(q, y))(p, ys);
    expect(J.shape).toEqual([6, 9]);
    // A block has the whole of an example; detection also sees that the elements of c stand apart in it.
    expect(J.cols.length).toBe(18);
    expect(found.cols.length).toBe(12);
    near(dense(J), dense(found));
    expect(J.passes).toBe(2);
    wellFormed(J);
  });

  test("of results of several leaves, in both modes", () => {
    const f = vmap((x: Value) => ({ a: square(x), b: sum(x) }));
    const xs = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (const mode of ["forward", "reverse"] as const) {
      const J = sparseJacobian(f, { mode })(xs);
      expect([J.shape, J.passes]).toEqual([[8, 6], mode === "forward" ? 3 : 4]);
      near(dense(J), dense(sparseJacobian((v: Value) => f(v))(xs)));
    }
  });

  test("of no examples", () => {
    const J = sparseJacobian(vmap((x: Value) => square(x)))(tensor(new Float64Array(0), f64(0, 3)));
    expect([J.shape, J.cols.length]).toEqual([[0, 0], 0]);
  });
});

describe("what an op lets through", () => {
  const nnz = (f: (x: Value) => Operand, x: Tensor): number => sparsity(f as (x: Value) => Value)(x).cols.length;
  const m = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test("moves, lines, products with a constant, a body, samples", () => {
    const body = graph({ v: f64(2, 3) }, ({ v }) => sin(v));
    expect(nnz((x) => transpose(x), m)).toBe(6);
    expect(nnz((x) => sum(x, { axis: 1 }), m)).toBe(6);
    expect(nnz((x) => sort(x, { axis: 0 }).values, m)).toBe(12);
    expect(
      nnz(
        (x) =>
          matmul(
            x,
            tensor([
              [1, 0],
              [0, 1],
              [0, 0],
            ]),
          ),
        m,
      ),
    ).toBe(4);
    expect(
      nnz(
        (x) =>
          matmul(
            x,
            variable(
              [
                [1, 0],
                [0, 1],
                [0, 0],
              ],
              "w",
            ),
          ),
        m,
      ),
    ).toBe(12);
    expect(nnz((x) => call(body, { v: x }), m)).toBe(6);
    expect(nnz((x) => scatterElements(x, tensor(new Int32Array([0, 1, 0]), undefined), x), tensor([1, 2, 3]))).toBe(4);
  });

  test("an op that nothing is known of lets everything through", () => {
    const odd: Op<(x: Operand) => Value> = op<(x: Operand) => Value, readonly ["x"]>("acme.reversed", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.slice().reverse(),
      vjp: ({ ct }) => ({ x: odd(ct) }),
    });
    expect(nnz((x) => odd(x), tensor([1, 2, 3]))).toBe(9);
  });

  test("indices that are not known while a graph is built let everything through", () => {
    let pattern: Pattern | null = null;
    graph({ x: f64(3), i: tensor(new Int32Array([0, 2])) }, ({ x, i }) => {
      pattern = sparsity((v: Value) => gather(v, i))(x);
      return x;
    });
    expect(pattern!.cols.length).toBe(6);
  });

  test("comparisons and stopped values let nothing through", () => {
    expect(nnz((x) => where(greater(x, 2), 1, 2), m)).toBe(0);
    expect(nnz((x) => stopGradient(x), m)).toBe(0);
  });
});

describe("bad input", () => {
  const x = tensor([1, 2]);
  test.each([
    [
      "integers",
      () => sparseJacobian((v: Value) => v)(tensor(new Int32Array([1]))),
      "sparseJacobian: the argument is i32[1]; integers have no gradient",
    ],
    [
      "no Value",
      () => sparseJacobian((_: Value) => null)(x),
      "sparseJacobian: the function returned no Value; it returns a Value of any shape, or a tree of them",
    ],
    [
      "whole results",
      () => sparsity((_: Value) => tensor(new Int32Array([1])))(x),
      "sparsity: the function returned i32[1]; only floating-point values have derivatives",
    ],
    [
      "two dtypes",
      () => sparseJacobian((p: { a: Value; b: Value }) => p.a)({ a: x, b: new Float32Array(2) }),
      "sparseJacobian: one value is f64 and another is f32[2]; a sparse matrix has one dtype: cast inside the function",
    ],
    [
      "two dtypes in blocks",
      () => sparseJacobian(vmap((p: { a: Value; b: Value }) => ({ a: p.a, b: p.b })))({ a: x, b: new Float32Array(2) }),
      "a sparse matrix has one dtype: cast inside the function",
    ],
    [
      "a pattern of another size",
      () => sparseJacobian((v: Value) => v, { pattern: sparsity((v: Value) => v)(tensor([1])) })(x),
      "sparseJacobian: the pattern is of a 1 by 1 matrix and this one is 2 by 2; find it anew with sparsity, or leave it out",
    ],
    ["no scalar", () => sparseHessian((v: Value) => v)(x), "a gradient is of a scalar"],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(message);
  });
});
