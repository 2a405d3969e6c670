import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { neg, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { tril, triu } from "../ops/linear/triangle.ts";
import { solveTriangle, type Triangle, zeroPivot } from "./kernels/triangular.ts";
import { triangularLoops } from "./loops/triangular.ts";
import { batchOf, columns, matrixAt, overExamples, solutionType, starts, systemOf, transposed } from "./matrices.ts";

/** Which triangle of `a` counts, and how it is read. */
export interface TriangularSolveAttrs {
  /** The lower triangle of a, which is the case when left out, or the upper one. */
  readonly lower?: boolean;
  /** Solve `a^T x = b`; false when left out. */
  readonly transpose?: boolean;
  /** The diagonal is taken as 1 and not read; false when left out. */
  readonly unitDiagonal?: boolean;
}

type TriangularSolve = (a: Operand, b: Operand, attrs?: TriangularSolveAttrs) => Value;

/** The entries of a matrix that the solver reads. */
function inTriangle(x: Value, { lower, unitDiagonal }: Pick<Triangle, "lower" | "unitDiagonal">): Value {
  const offset = unitDiagonal ? 1 : 0;
  return lower ? tril(x, { offset: -offset }) : triu(x, { offset });
}

/**
 * The x with `a x = b`, where a is `[..., n, n]` and triangular (only that triangle is read), by substitution: O(n^2) a column, no factorization.
 * b is a vector `[n]` or columns `[..., n, k]`; leading axes broadcast. Of f64 and f32, computed in double.
 * Backward: `dB = A^-T dY`, `dA = -dB X^T` in the triangle that is read.
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 2.3.1.
 * @throws ShapeError for matrices that are not square or rows that do not match; DomainError for a 0 on the diagonal, when evaluated
 */
export const triangularSolve: Op<TriangularSolve> = declare<TriangularSolve, readonly ["a", "b"], Triangle>("triangularSolve", ["a", "b"], {
  family: "linalg",
  attrs: ({ lower = true, transpose = false, unitDiagonal = false }) => ({ lower, transpose, unitDiagonal }),
  type: ({ a, b }) => solutionType(systemOf("triangularSolve", a, b), a.dtype),
  eval: ({ a, b, lower, transpose, unitDiagonal }, out) => {
    const system = systemOf("triangularSolve", a.type, b.type);
    const { batch, n, columns: count } = system;
    const x = new Float64Array(sizeOf(out.shape));
    const size = n * count;
    const fromA = starts(batchOf(a.type), batch, n * n);
    const fromB = starts(system.vector ? [] : batchOf(b.type), batch, size);
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < fromA.length; i++) {
      if (i === 0 || fromA[i] !== fromA[i - 1]) matrix.set(a.data.subarray(fromA[i], fromA[i]! + n * n));
      const zeroAt = unitDiagonal ? -1 : zeroPivot(matrix, n);
      if (zeroAt >= 0)
        throw new DomainError(
          `triangularSolve: ${matrixAt("a", batch, i)} has 0 on its diagonal in row ${zeroAt}, so the system has no unique solution; add a small multiple of the unit matrix, or take the least-squares solution from svd`,
          { op: "triangularSolve" },
        );
      const own = x.subarray(i * size, (i + 1) * size);
      own.set(b.data.subarray(fromB[i], fromB[i]! + size));
      solveTriangle(matrix, n, own, count, { lower, transpose, unitDiagonal });
    }
    return x;
  },
  loops: triangularLoops,
  batch: ({ a, b, lower, transpose, unitDiagonal, mapped, examples, out }) =>
    overExamples({ a, b, mapped, examples, out }, (left, right) => triangularSolve(left, right, { lower, transpose, unitDiagonal })),
  formula: { a: "dA = -(A^-T dY) (A^-1 B)^T in its triangle", b: "dB = A^-T dY" },
  vjp: ({ ct, a, b, out, lower, transpose, unitDiagonal }) => {
    const vector = b.type.shape.length === 1;
    const pulled = triangularSolve(a, columns(ct, vector), { lower, transpose: !transpose, unitDiagonal });
    return {
      a: () => {
        const x = columns(out, vector);
        const outer = transpose ? matmul(x, transposed(pulled)) : matmul(pulled, transposed(x));
        return neg(inTriangle(outer, { lower, unitDiagonal }));
      },
      b: () => (vector ? reshape(pulled, { shape: ct.type.shape }) : pulled),
    };
  },
  jvp: ({ d, a, b, out, lower, transpose, unitDiagonal }) => {
    const vector = b.type.shape.length === 1;
    const da = d.a && inTriangle(d.a, { lower, unitDiagonal });
    const moved = da && matmul(transpose ? transposed(da) : da, columns(out, vector));
    const db = d.b && columns(d.b, vector);
    const right = moved === null ? db! : db === null ? neg(moved) : sub(db, moved);
    const dx = triangularSolve(a, right, { lower, transpose, unitDiagonal });
    return vector ? reshape(dx, { shape: out.type.shape }) : dx;
  },
});
