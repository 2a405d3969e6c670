import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { tensorType } from "../ir/type.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { sum } from "../ops/linear/sum.ts";
import { apart, reciprocalGaps } from "./apart.ts";
import { symmetricCopy } from "./kernels/symmetric-copy.ts";
import { symmetricEigen } from "./kernels/symmetric-eigen.ts";
import { transposeInto } from "./kernels/transpose-into.ts";
import { eighLoops } from "./loops/eigh.ts";
import { asRow, batchOf, checkSquare, matricesIn, symmetricPart, transposed } from "./matrices.ts";

/** Eigenvalues in ascending order, and the eigenvectors as columns in the same order. */
export interface Eigh {
  readonly values: Value;
  readonly vectors: Value;
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices `[..., n, n]`: values `[..., n]` ascending, vectors `[..., n, n]` orthonormal columns, with
 * `a = V diag(values) V^T`. What is given is taken as its symmetric part (a + a^T) / 2, so the gradient is symmetric. A vector is free to point either way:
 * here the first of its largest components is positive. Of f64 and f32, computed in double; a matrix that is not finite gives NaN.
 * Backward: `dA = V (diag(dValues) + F * (V^T dV)) V^T` with `F_ij = 1 / (values_j - values_i)`, made symmetric. Equal eigenvalues have a derivative as
 * long as their vectors are not used; else it is a NumericError (PyTorch gives NaN or Infinity).
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 3.1.
 * @throws ShapeError for matrices that are not square; NumericError for a derivative through the vectors of equal eigenvalues, when evaluated
 */
export const eigh: Op<(a: Operand) => Eigh> = declare<(a: Operand) => Eigh, readonly ["a"]>("eigh", ["a"], {
  family: "linalg",
  results: ["values", "vectors"],
  type: ({ a }) => {
    const n = checkSquare("eigh", "a", a);
    return { values: tensorType(a.dtype, [...batchOf(a), n]), vectors: a };
  },
  eval: ({ a }) => {
    const n = a.type.shape.at(-1)!;
    const count = matricesIn(a.type);
    const [values, vectors, rows] = [new Float64Array(count * n), new Float64Array(count * n * n), new Float64Array(n * n)];
    for (let i = 0; i < count; i++) {
      symmetricCopy(a.data, i * n * n, rows, n);
      symmetricEigen(rows, values.subarray(i * n, (i + 1) * n), n);
      transposeInto(rows, n, n, vectors, i * n * n);
    }
    return { values, vectors };
  },
  batch: ({ a }) => eigh(a),
  loops: eighLoops,
  formula: { a: "dA = V (diag(dValues) + F * (V^T dV)) V^T" },
  vjp: ({ ct, out: { values, vectors } }) => {
    const scaled = ct.values && mul(vectors, asRow(ct.values));
    const turned =
      ct.vectors &&
      matmul(vectors, mul(reciprocalGaps(apart(values, { of: "eigh", zero: false })), matmul(transposed(vectors), ct.vectors)));
    const both = scaled === null ? turned! : turned === null ? scaled : add(scaled, turned);
    return { a: symmetricPart(matmul(both, transposed(vectors))) };
  },
  jvp: ({ d, out: { values, vectors } }) => {
    if (d.a === null) return null;
    const moved = matmul(symmetricPart(d.a), vectors);
    return {
      values: sum(mul(vectors, moved), { axis: -2 }),
      vectors: matmul(vectors, mul(reciprocalGaps(apart(values, { of: "eigh", zero: false })), matmul(transposed(vectors), moved))),
    };
  },
});
