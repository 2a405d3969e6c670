import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { axesOf } from "../../ir/shape.ts";
import { div, sub } from "../arithmetic.ts";
import { known } from "../define.ts";
import { exp, log } from "../elementwise/exponential.ts";
import { stop } from "../identity.ts";
import { sum } from "../linear/sum.ts";
import { max } from "../reduce/extremes.ts";

/** The axis, or axes together, over which the results are a distribution; the last one when left out. */
export interface SoftmaxAttrs {
  readonly axis?: number | readonly number[];
}

/** x less its largest element along the axis. No derivative goes through the largest: a shift changes neither softmax nor its derivatives. */
function shifted(who: string, x: Operand, axis: number | readonly number[]): Value {
  const v = lift(x, "f64");
  const { shape } = v.type;
  // Nothing has no largest element, and needs no shift.
  if (axesOf(who, axis, shape.length).some((a) => shape[a] === 0)) return v;
  return sub(v, stop(max(v, { axis, keepDims: true })));
}

/**
 * e^x over the sum of e^x along an axis. Floats of rank 1 or more. Computed from x less its largest, so that nothing overflows. Along an axis without
 * elements the result is as empty as x.
 * @throws ShapeError for an axis out of range
 */
export function softmax(x: Operand, attrs: SoftmaxAttrs = {}): Value {
  const { axis = -1 } = known("softmax", attrs, ["axis"]);
  return scope("softmax", () => {
    const e = exp(shifted("softmax", x, axis));
    return div(e, sum(e, { axis, keepDims: true }));
  });
}

/** log(softmax(x)) without taking the logarithm of small numbers: x less its logSumExp. @throws ShapeError for an axis out of range */
export function logSoftmax(x: Operand, attrs: SoftmaxAttrs = {}): Value {
  const { axis = -1 } = known("logSoftmax", attrs, ["axis"]);
  return scope("logSoftmax", () => {
    const s = shifted("logSoftmax", x, axis);
    return sub(s, log(sum(exp(s), { axis, keepDims: true })));
  });
}
