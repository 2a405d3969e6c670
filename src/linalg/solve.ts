import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { neg, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { type Factored, factor, solveFactored } from "./kernels/lu.ts";
import { solveLoops } from "./loops/regular.ts";
import { batchOf, columns, matrixAt, overExamples, solutionType, starts, systemOf, transposed } from "./matrices.ts";

/** Attributes of `solve`. */
export interface SolveAttrs {
  /** Solve `a^T x = b`; false when left out. */
  readonly transpose?: boolean;
}

type Solve = (a: Operand, b: Operand, attrs?: SolveAttrs) => Value;

/** @throws DomainError for a pivot that is 0: the lesson of all that need an inverse */
export function checkRegular(op: string, { zeroAt, n }: Factored, name: string): void {
  if (zeroAt < 0) return;
  throw new DomainError(
    `${op}: ${name} is singular: pivot ${zeroAt} of ${n} is 0, column ${zeroAt} being a combination of those before it; drop what is redundant, add a small multiple of the unit matrix, or take the least-squares solution from svd`,
    { op },
  );
}

/**
 * The x with `a x = b`, by LU factorization with partial pivoting. The matrix is `[..., n, n]`; b is a vector `[n]` or columns `[..., n, k]` (a vector only
 * if its rank is 1, as in NumPy 2); leading axes broadcast. Of f64 and f32, computed in double. A matrix counts as singular when a pivot is exactly 0, as
 * in LAPACK; near it the result is as inaccurate as the system is ill-conditioned.
 * Backward: `dB = A^-T dY`, `dA = -dB Y^T`.
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 2.3.1.
 * @throws ShapeError for matrices that are not square or rows that do not match; DomainError for a singular matrix, when evaluated
 */
export const solve: Op<Solve> = declare<Solve, readonly ["a", "b"], { readonly transpose: boolean }>("solve", ["a", "b"], {
  family: "linalg",
  attrs: ({ transpose = false }) => ({ transpose }),
  type: ({ a, b }) => solutionType(systemOf("solve", a, b), a.dtype),
  eval: ({ a, b, transpose }, out) => {
    const { batch, n, columns: count, vector } = systemOf("solve", a.type, b.type);
    const x = new Float64Array(sizeOf(out.shape));
    const size = n * count;
    const fromA = starts(batchOf(a.type), batch, n * n);
    const fromB = starts(vector ? [] : batchOf(b.type), batch, size);
    const right = new Float64Array(size);
    let factored: Factored | null = null;
    for (let i = 0; i < fromA.length; i++) {
      // One matrix for many right sides is factored once.
      if (factored === null || fromA[i] !== fromA[i - 1]) {
        factored = factor(new Float64Array(a.data.subarray(fromA[i], fromA[i]! + n * n)), n);
        checkRegular("solve", factored, matrixAt("a", batch, i));
      }
      right.set(b.data.subarray(fromB[i], fromB[i]! + size));
      solveFactored(factored, right, x.subarray(i * size, (i + 1) * size), count, transpose);
    }
    return x;
  },
  loops: solveLoops,
  batch: ({ a, b, transpose, mapped, examples, out }) =>
    overExamples({ a, b, mapped, examples, out }, (left, right) => solve(left, right, { transpose })),
  formula: { a: "dA = -(A^-T dY) (A^-1 B)^T", b: "dB = A^-T dY" },
  vjp: ({ ct, a, b, out, transpose }) => {
    const vector = b.type.shape.length === 1;
    const pulled = solve(a, columns(ct, vector), { transpose: !transpose });
    return {
      a: () => {
        const x = columns(out, vector);
        return neg(transpose ? matmul(x, transposed(pulled)) : matmul(pulled, transposed(x)));
      },
      b: () => (vector ? reshape(pulled, { shape: ct.type.shape }) : pulled),
    };
  },
  jvp: ({ d, a, b, out, transpose }) => {
    const vector = b.type.shape.length === 1;
    const moved = d.a && matmul(transpose ? transposed(d.a) : d.a, columns(out, vector));
    const db = d.b && columns(d.b, vector);
    const right = moved === null ? db! : db === null ? neg(moved) : sub(db, moved);
    const dx = solve(a, right, { transpose });
    return vector ? reshape(dx, { shape: out.type.shape }) : dx;
  },
});
