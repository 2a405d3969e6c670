import { NumericError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { declare, type Op } from "../ops/define.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { max } from "../ops/reduce/extremes.ts";

interface EnsureAttrs {
  readonly most: number;
  /** What is said when it is more. */
  readonly lesson: string;
}

type EnsureFn = (x: Operand, residual: Operand, attrs: EnsureAttrs) => Value;

/** x, if the scalar residual is no more than `most`. @throws NumericError, when it runs, if it is more or NaN */
export const ensureOp: Op<EnsureFn> = declare<EnsureFn, readonly ["x", "residual"]>("ensure", ["x", "residual"], {
  family: "control",
  type: ({ x }) => x,
  eval: ({ x, residual, most, lesson }) => {
    const r = residual.data[0]!;
    if (!(r <= most)) throw new NumericError(`${lesson}: the residual is ${r}, and ${most} is allowed`, { op: "ensure" });
    return x.data;
  },
  batch: ({ x, residual, most, lesson, mapped, examples }) =>
    ensureOp(everyExample(x, mapped.x, examples), max(residual), { most, lesson }),
  vjp: ({ ct }) => ({ x: ct, residual: null }),
});
