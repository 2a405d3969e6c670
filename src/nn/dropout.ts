import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError } from "../ir/errors.ts";
import { lift, literal } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import { bool, typeText } from "../ir/type.ts";
import { checkOptionNames } from "../notation/given.ts";
import { mul } from "../ops/arithmetic.ts";
import { where } from "../ops/elementwise/select.ts";
import { bernoulli } from "../random/random.ts";

/** Which share of the elements is set to 0, and what the choice is drawn from. */
export interface DropoutOptions {
  readonly rate: number;
  /** `random.fold(key, name)`: two layers need two keys, and a training step its own. */
  readonly key: Operand;
}

/** @throws DomainError for a share outside [0, 1) */
export function checkRate(rate: number): void {
  if (!(rate >= 0 && rate < 1))
    throw new DomainError(
      `dropout: rate is ${rate}; it is the share of elements set to 0: 0 or more, and less than 1${rate === 1 ? " (nothing would be left)" : ""}`,
      { op: "dropout" },
    );
}

/**
 * Sets each element to 0 with probability `rate` and multiplies the others by 1 / (1 - rate), so that the mean stays and evaluation needs nothing
 * ("inverted" dropout). Call it in training only. The same key drops the same elements, on every engine.
 * Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
 * @throws DomainError for a rate outside [0, 1); DTypeError for an x of no floats
 */
export function dropout(x: Operand, options: DropoutOptions): Value {
  checkOptionNames("dropout", options, ["rate", "key"], "dropout(x, { rate: 0.5, key })", { p: "rate", prob: "rate" });
  const { rate, key } = options;
  checkRate(rate);
  const v = lift(x, "f64");
  if (!isFloat(v.type.dtype)) throw new DTypeError(`dropout: x is ${typeText(v.type)}; it is of floats`, { op: "dropout" });
  if (rate === 0) return v;
  // Drawn in f32 whatever x is: half the random numbers of f64, and 24 bits are enough for a share.
  return scope("dropout", () => where(bernoulli(key, literal(1 - rate, "f32"), bool(...v.type.shape)), mul(v, 1 / (1 - rate)), 0));
}
