import type { DType } from "../ir/dtype.ts";
import { DomainError, NumericError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { add, div, sub } from "../ops/arithmetic.ts";
import { declare, type Op } from "../ops/define.ts";
import { apartLoops } from "./loops/apart.ts";
import { asColumn, asRow, matrixAt, unitMatrix } from "./matrices.ts";

/** Which decomposition asks. */
export interface ApartAttrs {
  readonly of: "eigh" | "svd";
  /** Whether a value of 0 has to be refused too. */
  readonly zero: boolean;
}

type Apart = (values: Operand, attrs: ApartAttrs) => Value;

/** The units of rounding of the dtypes that have derivatives. */
const units: Partial<Record<DType, number>> = { f64: 2 ** -52, f32: 2 ** -23, f16: 2 ** -10, bf16: 2 ** -7 };

const words = { eigh: "eigenvalues", svd: "singular values" } as const;

/**
 * Sorted eigenvalues or singular values as they are, checked: no two of them are equal to rounding. Where they are, their vectors are any basis of a
 * space, so a derivative through the vectors does not exist; without the check it would be a large number made of rounding errors, or NaN.
 * @throws NumericError when evaluated, which names the pair
 */
export const apart: Op<Apart> = declare<Apart, readonly ["values"]>("apart", ["values"], {
  family: "linalg",
  attrs: ({ of, zero }) => {
    if (!Object.hasOwn(words, of) || typeof zero !== "boolean")
      throw new DomainError(`apart: of is ${String(of)} and zero is ${String(zero)}; they are "eigh" or "svd", and true or false`, {
        op: "apart",
      });
    return { of, zero };
  },
  type: ({ values }) => values,
  eval: ({ values, of, zero }) => {
    const { data, type } = values;
    const n = type.shape.at(-1) ?? 1;
    const unit = n * (units[type.dtype] ?? 0);
    for (let at = 0; at < data.length; at += n) {
      let most = 0;
      for (let i = at; i < at + n; i++) most = Math.max(most, Math.abs(data[i]!));
      const name = matrixAt("a", type.shape.slice(0, -1), at / n);
      for (let i = at + 1; i < at + n; i++)
        if (Math.abs(data[i]! - data[i - 1]!) <= unit * most)
          throw new NumericError(
            `${of}: ${words[of]} ${i - at - 1} and ${i - at} of ${name} are equal to rounding (${data[i - 1]} and ${data[i]}), so their vectors are any basis of a plane and have no derivative; use the values alone, or write the function without vectors (solve, inverse, cholesky, matmul)`,
            { op: of },
          );
      if (zero && n > 0 && Math.abs(data[at + n - 1]!) <= unit * most)
        throw new NumericError(
          `${of}: the smallest of the ${words[of]} of ${name} is 0 to rounding (${data[at + n - 1]}), so its vector on the longer side is not determined and has no derivative; use the values alone, or a matrix of full rank`,
          { op: of },
        );
    }
    return data;
  },
  batch: "elementwise",
  loops: (node) => apartLoops(node, units[node.type.dtype]!, (node.attrs as ApartAttrs).zero),
  linear: "all",
  formula: { values: "dValues = dY" },
  vjp: ({ ct }) => ({ values: ct }),
  // Not the op itself: tangents may well be equal, or 0.
  jvp: ({ d }) => d.values,
});

/** `1 / (values[j] - values[i])` for row i and column j, 0 on the diagonal: Giles' F, of values that are apart. */
export function reciprocalGaps(values: Value): Value {
  const unit = unitMatrix(values.type.shape.at(-1)!, values.type.dtype);
  return sub(div(1, add(sub(asRow(values), asColumn(values)), unit)), unit);
}
