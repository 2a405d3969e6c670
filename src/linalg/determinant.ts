import { literal } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { tensorType } from "../ir/type.ts";
import { mul, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { less } from "../ops/elementwise/comparison.ts";
import { where } from "../ops/elementwise/select.ts";
import { sum } from "../ops/linear/sum.ts";
import { inverse } from "./inverse.ts";
import { cofactors } from "./kernels/cofactors.ts";
import { determinantOf, factor, signAndLog } from "./kernels/lu.ts";
import { cofactorLoops, detLoops, slogDetLoops } from "./loops/regular.ts";
import { batchOf, checkSquare, matricesIn, perMatrix, transposed } from "./matrices.ts";

/** The sum over each matrix. */
function matrixSum(x: Value): Value {
  return sum(x, { axis: [-2, -1] });
}

/**
 * The matrix of cofactors of square matrices: what the determinant changes by with each entry, `det(a) a^-T`. Right for singular matrices too; n = 1
 * gives 1. What the derivative of `det` is made of.
 * Backward: `dA = <dY, W> Y - W dY^T Y` with `W = A^-T`, so a derivative of it at a singular matrix is the error of `inverse`.
 * @throws ShapeError for matrices that are not square
 */
export const cofactor: Op<(a: Operand) => Value> = declare<(a: Operand) => Value, readonly ["a"]>("cofactor", ["a"], {
  family: "linalg",
  type: ({ a }) => {
    checkSquare("cofactor", "a", a);
    return a;
  },
  eval: ({ a }) => {
    const n = a.type.shape.at(-1)!;
    const y = new Float64Array(a.data.length);
    for (let i = 0, size = n * n; i < y.length; i += size)
      cofactors(new Float64Array(a.data.subarray(i, i + size)), n, y.subarray(i, i + size));
    return y;
  },
  loops: cofactorLoops,
  batch: ({ a }) => cofactor(a),
  formula: { a: "dA = <dY, A^-T> Y - A^-T dY^T Y" },
  vjp: ({ ct, a, out }) => ({ a: secondDerivative(a, out, ct) }),
  // The second derivative of the determinant is symmetric, so both modes apply it alike.
  jvp: ({ d, a, out }) => d.a && secondDerivative(a, out, d.a),
});

/** The second derivative of the determinant applied to a matrix. */
function secondDerivative(a: Value, cofactors: Value, x: Value): Value {
  const w = transposed(inverse(a));
  const share = mul(perMatrix(matrixSum(mul(w, x))), cofactors);
  return sub(share, matmul(matmul(w, transposed(x)), cofactors));
}

/**
 * The determinant of square matrices `[..., n, n]`, by LU factorization; 1 for n = 0. It overflows early: of large matrices take `slogDet`. Of f64 and
 * f32, computed in double.
 * Backward: `dA = dY C` with the matrix of cofactors C, which is `det(A) A^-T` and right for singular matrices too; a second derivative there is an error.
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 2.2.4.
 * @throws ShapeError for matrices that are not square
 */
export const det: Op<(a: Operand) => Value> = declare<(a: Operand) => Value, readonly ["a"]>("det", ["a"], {
  family: "linalg",
  type: ({ a }) => {
    checkSquare("det", "a", a);
    return tensorType(a.dtype, batchOf(a));
  },
  eval: ({ a }) => {
    const size = a.type.shape.at(-1)! ** 2;
    return Float64Array.from({ length: matricesIn(a.type) }, (_, i) =>
      determinantOf(factor(new Float64Array(a.data.subarray(i * size, (i + 1) * size)), a.type.shape.at(-1)!)),
    );
  },
  loops: detLoops,
  batch: ({ a }) => det(a),
  formula: { a: "dA = dY cofactor(A)" },
  vjp: ({ ct, a }) => ({ a: mul(perMatrix(ct), cofactor(a)) }),
  jvp: ({ d, a }) => d.a && matrixSum(mul(cofactor(a), d.a)),
});

/** The determinant as a sign (1, -1, or 0 for a singular matrix) and the logarithm of its magnitude (then -Infinity). */
export interface SignAndLog {
  readonly sign: Value;
  readonly logAbsDet: Value;
}

/**
 * Sign and logarithm of the magnitude of the determinant of square matrices `[..., n, n]`, by LU factorization, without overflow. Of f64 and f32, computed
 * in double.
 * Backward: `dA = dLogAbsDet A^-T`; the sign has derivative 0. At a singular matrix, where the logarithm is -Infinity, the derivative is an error.
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 2.2.4.
 * @throws ShapeError for matrices that are not square
 */
export const slogDet: Op<(a: Operand) => SignAndLog> = declare<(a: Operand) => SignAndLog, readonly ["a"]>("slogDet", ["a"], {
  family: "linalg",
  results: ["sign", "logAbsDet"],
  type: ({ a }) => {
    checkSquare("slogDet", "a", a);
    const type = tensorType(a.dtype, batchOf(a));
    return { sign: type, logAbsDet: type };
  },
  eval: ({ a }) => {
    const count = matricesIn(a.type);
    const size = a.type.shape.at(-1)! ** 2;
    const [sign, logAbsDet] = [new Float64Array(count), new Float64Array(count)];
    for (let i = 0; i < count; i++) {
      const found = signAndLog(factor(new Float64Array(a.data.subarray(i * size, (i + 1) * size)), a.type.shape.at(-1)!));
      sign[i] = found.sign;
      logAbsDet[i] = found.logAbsDet;
    }
    return { sign, logAbsDet };
  },
  loops: slogDetLoops,
  batch: ({ a }) => slogDet(a),
  formula: { a: "dA = dLogAbsDet A^-T" },
  vjp: ({ ct, a }) => ({ a: ct.logAbsDet && mul(perMatrix(ct.logAbsDet), transposed(inverse(a))) }),
  jvp: ({ d, a }) => ({ sign: null, logAbsDet: d.a && matrixSum(mul(transposed(inverse(a)), d.a)) }),
});

/**
 * The logarithm of the determinant of square matrices; NaN, and so is its gradient, where the determinant is negative, and -Infinity where it is 0, as in
 * PyTorch. Of a covariance it is 2 sum(log(diagonal of cholesky)).
 */
export function logDet(a: Operand): Value {
  const { sign, logAbsDet } = slogDet(a);
  return mul(logAbsDet, where(less(sign, 0), literal(Number.NaN, sign.type.dtype), 1));
}
