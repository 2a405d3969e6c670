import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { choleskyInPlace } from "./kernels/cholesky.ts";
import { symmetricCopy } from "./kernels/symmetric-copy.ts";
import { choleskyLoops } from "./loops/cholesky.ts";
import { batchOf, checkSquare, halfTriangle, matricesIn, matrixAt, symmetricPart, transposed } from "./matrices.ts";
import { triangularSolve } from "./triangular-solve.ts";

/**
 * The lower triangular L with `L L^T = a` and a positive diagonal, for symmetric positive definite a. What is given, `[..., n, n]`, is taken as its
 * symmetric part (a + a^T) / 2, as in JAX, so its gradient is symmetric. Of f64 and f32, computed in double. NaN gives NaN.
 * Backward: `dA = L^-T (P + P^T) L^-1 / 2` with P the lower triangle of `L^T dL`, its diagonal halved.
 * Source: I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, 2016, equations 8 and 10.
 * @throws ShapeError for matrices that are not square; DomainError when evaluated for one that is not positive definite
 */
export const cholesky: Op<(a: Operand) => Value> = declare<(a: Operand) => Value, readonly ["a"]>("cholesky", ["a"], {
  family: "linalg",
  type: ({ a }) => {
    checkSquare("cholesky", "a", a);
    return a;
  },
  eval: ({ a }) => {
    const n = a.type.shape.at(-1)!;
    const y = new Float64Array(a.data.length);
    for (let i = 0; i < matricesIn(a.type); i++) {
      const own = y.subarray(i * n * n, (i + 1) * n * n);
      symmetricCopy(a.data, i * n * n, own, n);
      const order = choleskyInPlace(own, n);
      if (order > 0)
        throw new DomainError(
          `cholesky: ${matrixAt("a", batchOf(a.type), i)} is not positive definite: its leading minor of order ${order} is not above 0; add a small multiple of the unit matrix, or use eigh or solve, which take any sign`,
          { op: "cholesky" },
        );
    }
    return y;
  },
  batch: ({ a }) => cholesky(a),
  loops: choleskyLoops,
  formula: { a: "dA = L^-T sym(tril(L^T dL)) L^-1" },
  vjp: ({ ct, out }) => {
    const p = halfTriangle(matmul(transposed(out), ct));
    const half = triangularSolve(out, add(p, transposed(p)), { transpose: true });
    return { a: mul(0.5, triangularSolve(out, transposed(half), { transpose: true })) };
  },
  jvp: ({ d, out }) => {
    if (d.a === null) return null;
    const half = triangularSolve(out, symmetricPart(d.a));
    return matmul(out, halfTriangle(triangularSolve(out, transposed(half))));
  },
});
