import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { neg } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { declare, type Op } from "../ops/define.ts";
import { factor, solveFactored } from "./kernels/lu.ts";
import { inverseLoops } from "./loops/regular.ts";
import { batchOf, checkSquare, matricesIn, matrixAt, transposed } from "./matrices.ts";
import { checkRegular } from "./solve.ts";

/**
 * The inverse of square matrices `[..., n, n]`, by LU factorization. For `a^-1 b` write `solve(a, b)`: it is faster and more accurate. Of f64 and
 * f32, computed in double.
 * Backward: `dA = -Y^T dY Y^T`.
 * Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, 2.2.3.
 * @throws ShapeError for matrices that are not square; DomainError for a singular matrix, when evaluated
 */
export const inverse: Op<(a: Operand) => Value> = declare<(a: Operand) => Value, readonly ["a"]>("inverse", ["a"], {
  family: "linalg",
  type: ({ a }) => {
    checkSquare("inverse", "a", a);
    return a;
  },
  eval: ({ a }) => {
    const n = a.type.shape.at(-1)!;
    const y = new Float64Array(a.data.length);
    const unit = new Float64Array(n * n);
    for (let i = 0; i < n; i++) unit[i * (n + 1)] = 1;
    for (let i = 0; i < matricesIn(a.type); i++) {
      const [from, to] = [i * n * n, (i + 1) * n * n];
      const factored = factor(new Float64Array(a.data.subarray(from, to)), n);
      checkRegular("inverse", factored, matrixAt("a", batchOf(a.type), i));
      solveFactored(factored, unit, y.subarray(from, to), n, false);
    }
    return y;
  },
  loops: inverseLoops,
  batch: ({ a }) => inverse(a),
  formula: { a: "dA = -A^-T dY A^-T" },
  vjp: ({ ct, out }) => {
    const flipped = transposed(out);
    return { a: neg(matmul(matmul(flipped, ct), flipped)) };
  },
  jvp: ({ d, out }) => d.a && neg(matmul(matmul(out, d.a), out)),
});
