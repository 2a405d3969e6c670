import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { tensorType } from "../ir/type.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { square } from "../ops/elementwise/roots.ts";
import { sum } from "../ops/linear/sum.ts";
import { apart, reciprocalGaps } from "./apart.ts";
import { jacobiSvd } from "./kernels/jacobi-svd.ts";
import { orient } from "./kernels/orientation.ts";
import { transposeInto } from "./kernels/transpose-into.ts";
import { svdLoops } from "./loops/svd.ts";
import { asColumn, asRow, batchOf, checkMatrix, matricesIn, transposed } from "./matrices.ts";

/** Left singular vectors as columns, singular values in descending order, right singular vectors as rows. */
export interface Svd {
  readonly u: Value;
  readonly s: Value;
  readonly vt: Value;
}

/** `1 / (s_j^2 - s_i^2)`, 0 on the diagonal. */
function squaredGaps(s: Value): Value {
  return reciprocalGaps(square(apart(s, { of: "svd", zero: false })));
}

/** A matrix minus its transpose. */
function skew(x: Value): Value {
  return sub(x, transposed(x));
}

/** Singular values that vectors are divided by. */
function divisors(s: Value): Value {
  return asRow(apart(s, { of: "svd", zero: true }));
}

/**
 * The reduced singular value decomposition of `[..., m, n]`: `a = u diag(s) vt` with k = min(m, n), u `[..., m, k]` with orthonormal columns, s `[..., k]`
 * descending and not negative, vt `[..., k, n]` with orthonormal rows, by one-sided Jacobi rotations. A pair of vectors is free to point either way: here
 * the first of the largest components of each column of u is positive. Of f64 and f32, computed in double; a matrix that is not finite gives NaN.
 * Backward: `dA = U ((E * skew(U^T dU)) S + S (E * skew(V^T dV)) + diag(dS)) V^T`, and for the longer side `(I - U U^T) dU S^-1 V^T` or
 * `U S^-1 dV^T (I - V V^T)`, with `E_ij = 1 / (s_j^2 - s_i^2)`. Equal singular values have a derivative as long as their vectors are not used; else it is
 * a NumericError (PyTorch gives NaN or Infinity), and so it is for the vectors of a value of 0 where m and n differ.
 * Source: J. Townsend, "Differentiating the singular value decomposition", 2016; M. Giles 2008, 3.2.
 * @throws ShapeError below two axes; NumericError for a derivative through vectors that are not determined, when evaluated
 */
export const svd: Op<(a: Operand) => Svd> = declare<(a: Operand) => Svd, readonly ["a"]>("svd", ["a"], {
  family: "linalg",
  results: ["u", "s", "vt"],
  type: ({ a }) => {
    checkMatrix("svd", "a", a);
    const [m, n] = a.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    const sized = (...own: number[]): Value["type"] => tensorType(a.dtype, [...batchOf(a), ...own]);
    return { u: sized(m, k), s: sized(k), vt: sized(k, n) };
  },
  eval: ({ a }) => {
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    const [long, k] = [Math.max(m, n), Math.min(m, n)];
    const count = matricesIn(a.type);
    const [u, s, vt] = [new Float64Array(count * m * k), new Float64Array(count * k), new Float64Array(count * k * n)];
    const longer = new Float64Array(k * long);
    for (let i = 0; i < count; i++) {
      const own = a.data.subarray(i * m * n, (i + 1) * m * n);
      const shorter = new Float64Array(k * k);
      if (m >= n) transposeInto(own, m, n, longer, 0);
      else longer.set(own);
      jacobiSvd(longer, s.subarray(i * k, (i + 1) * k), shorter, long, k);
      const [left, right] = m >= n ? [longer, shorter] : [shorter, longer];
      orient(left, m, right, n, s.subarray(i * k, (i + 1) * k));
      transposeInto(left, k, m, u, i * m * k);
      vt.set(right, i * k * n);
    }
    return { u, s, vt };
  },
  loops: svdLoops,
  batch: ({ a }) => svd(a),
  formula: { a: "dA = U ((E * skew(U^T dU)) S + S (E * skew(V^T dV)) + diag(dS)) V^T" },
  vjp: ({ ct, a, out: { u, s, vt } }) => {
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    let left: Value | null = ct.s && mul(u, asRow(ct.s));
    let right: Value | null = null;
    if (ct.u !== null) {
      const inside = matmul(transposed(u), ct.u);
      const turned = matmul(u, mul(mul(squaredGaps(s), skew(inside)), asRow(s)));
      left = left === null ? turned : add(left, turned);
      if (m > n) left = add(left, div(sub(ct.u, matmul(u, inside)), divisors(s)));
    }
    if (ct.vt !== null) {
      const inside = matmul(vt, transposed(ct.vt));
      const turned = matmul(u, mul(asColumn(s), mul(squaredGaps(s), skew(inside))));
      left = left === null ? turned : add(left, turned);
      if (n > m) right = matmul(div(u, divisors(s)), sub(ct.vt, matmul(transposed(inside), vt)));
    }
    const whole = matmul(left!, vt);
    return { a: right === null ? whole : add(whole, right) };
  },
  jvp: ({ d, a, out: { u, s, vt } }) => {
    if (d.a === null) return null;
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    const [v, ut] = [transposed(vt), transposed(u)];
    const moved = matmul(d.a, v);
    const inside = matmul(ut, moved);
    const gaps = squaredGaps(s);
    const [row, column] = [asRow(s), asColumn(s)];
    let du = matmul(u, mul(gaps, add(mul(inside, row), mul(column, transposed(inside)))));
    let dv = matmul(v, mul(gaps, add(mul(column, inside), mul(transposed(inside), row))));
    if (m > n) du = add(du, div(sub(moved, matmul(u, inside)), divisors(s)));
    if (n > m) dv = add(dv, div(sub(matmul(transposed(d.a), u), matmul(v, transposed(inside))), divisors(s)));
    return { u: du, s: sum(mul(u, moved), { axis: -2 }), vt: transposed(dv) };
  },
});
