import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { tensorType } from "../ir/type.ts";
import { add, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { concat } from "../ops/linear/concat.ts";
import { zeros } from "../ops/linear/constants.ts";
import { slice } from "../ops/linear/slice.ts";
import { tril } from "../ops/linear/triangle.ts";
import { householderQr } from "./kernels/householder.ts";
import { qrLoops } from "./loops/qr.ts";
import { batchOf, checkMatrix, matricesIn, transposed } from "./matrices.ts";
import { triangularSolve } from "./triangular-solve.ts";

/** Orthonormal columns and an upper triangle, whose product is the matrix. */
export interface Qr {
  readonly q: Value;
  readonly r: Value;
}

/** x r^-1 for an upper triangle. */
function dividedBy(x: Value, r: Value): Value {
  return transposed(triangularSolve(r, transposed(x), { lower: false, transpose: true }));
}

/** The lower triangle of a matrix, mirrored to the upper one. */
function mirrored(x: Value): Value {
  return add(tril(x), transposed(tril(x, { offset: -1 })));
}

/**
 * The reduced QR factorization of `[..., m, n]`: q is `[..., m, k]` with orthonormal columns, r `[..., k, n]` upper triangular, k = min(m, n), by
 * Householder reflections. Signs are LAPACK's, so NumPy's and PyTorch's: an entry on the diagonal of r has the sign opposite to the pivot it was made of.
 * Of f64 and f32, computed in double.
 * Backward, for m >= n: `dA = (dQ + Q copyltu(R dR^T - dQ^T Q)) R^-T`, copyltu mirroring the lower triangle; for m < n the first m columns go this way
 * and the others through `R = Q^T A`. The first columns have to be linearly independent: else q has no derivative, and asking is an error.
 * Source: S. F. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum experimental design",
 * arXiv:1001.1654, 2010; M. Seeger et al., "Auto-differentiating linear algebra", arXiv:1710.08717, 2017.
 * @throws ShapeError below two axes; DomainError for a derivative where r has 0 on its diagonal, when evaluated
 */
export const qr: Op<(a: Operand) => Qr> = declare<(a: Operand) => Qr, readonly ["a"]>("qr", ["a"], {
  family: "linalg",
  results: ["q", "r"],
  type: ({ a }) => {
    checkMatrix("qr", "a", a);
    const [m, n] = a.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    return { q: tensorType(a.dtype, [...batchOf(a), m, k]), r: tensorType(a.dtype, [...batchOf(a), k, n]) };
  },
  eval: ({ a }) => {
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    const count = matricesIn(a.type);
    const [q, r] = [new Float64Array(count * m * k), new Float64Array(count * k * n)];
    for (let i = 0; i < count; i++)
      householderQr(
        new Float64Array(a.data.subarray(i * m * n, (i + 1) * m * n)),
        m,
        n,
        q.subarray(i * m * k, (i + 1) * m * k),
        r.subarray(i * k * n, (i + 1) * k * n),
      );
    return { q, r };
  },
  batch: ({ a }) => qr(a),
  loops: qrLoops,
  formula: { a: "dA = (dQ + Q copyltu(R dR^T - dQ^T Q)) R^-T" },
  vjp: ({ ct, a, out: { q, r } }) => {
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    const wide = m < n;
    const square = wide ? slice(r, { axis: -1, end: m }) : r;
    let dq = ct.q ?? zeros(q.type);
    let dr = ct.r ?? zeros(r.type);
    const rest: Value[] = [];
    if (wide) {
      const beyond = slice(dr, { axis: -1, start: m });
      dr = slice(dr, { axis: -1, end: m });
      dq = add(dq, matmul(slice(a, { axis: -1, start: m }), transposed(beyond)));
      rest.push(matmul(q, beyond));
    }
    const kernel = mirrored(sub(matmul(square, transposed(dr)), matmul(transposed(dq), q)));
    const moved = transposed(triangularSolve(square, transposed(add(dq, matmul(q, kernel))), { lower: false }));
    return { a: wide ? concat([moved, ...rest], { axis: -1 }) : moved };
  },
  jvp: ({ d, a, out: { q, r } }) => {
    if (d.a === null) return null;
    const [m, n] = a.type.shape.slice(-2) as [number, number];
    const wide = m < n;
    const square = wide ? slice(r, { axis: -1, end: m }) : r;
    const first = wide ? slice(d.a, { axis: -1, end: m }) : d.a;
    const change = dividedBy(matmul(transposed(q), first), square);
    const lower = tril(change);
    // dR R^-1 is upper triangular and what is left of Q^T dA R^-1 antisymmetric.
    const upper = matmul(sub(change, sub(lower, transposed(lower))), square);
    const dq = dividedBy(sub(first, matmul(q, upper)), square);
    if (!wide) return { q: dq, r: upper };
    const [rest, moved] = [slice(a, { axis: -1, start: m }), slice(d.a, { axis: -1, start: m })];
    return { q: dq, r: concat([upper, add(matmul(transposed(dq), rest), matmul(transposed(q), moved))], { axis: -1 }) };
  },
});
