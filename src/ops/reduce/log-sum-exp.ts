import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { mul, sub } from "../arithmetic.ts";
import { declare } from "../define.ts";
import { equal } from "../elementwise/comparison.ts";
import { exp } from "../elementwise/exponential.ts";
import { where } from "../elementwise/select.ts";
import { type Axes, type AxisAttrs, type Reduce, sum } from "../linear/sum.ts";
import { axesIn, checkFloats, placesOver, reduced, reducedType, restored } from "./reduction.ts";

/** softmax(x), which is the derivative; 0 in a row of -infinity alone. */
function weights(x: Value, out: Value, axis: readonly number[]): Value {
  const whole = restored(out, x.type.shape, axis);
  return exp(sub(x, where(equal(whole, Number.NEGATIVE_INFINITY), 0, whole)));
}

/**
 * `log(sum(exp(x)))` over axes (all when left out), without overflow: the largest element is taken out first. -infinity for rows of -infinity and for
 * no elements, +infinity where an element is. Backward: `dX = softmax(X) dY`, which is 0 in a row of -infinity.
 * @throws DTypeError for anything but floats
 */
export const logSumExp: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>("logSumExp", ["x"], {
  family: "reduce",
  attrs: (given, { x }) => axesIn("logSumExp", given, x),
  type: ({ x, axis, keepDims }) => {
    checkFloats("logSumExp", x);
    return reducedType(x, { axis, keepDims });
  },
  eval: ({ x, axis }, out) => {
    const tops = reduced("max", x, axis, out);
    const sums = new Float64Array(tops.length);
    const places = placesOver(x.type.shape, axis);
    const a = x.data;
    for (let i = 0; i < places.length; i++) {
      const q = places[i]!;
      const top = tops[q]!;
      sums[q]! += Number.isFinite(top) ? Math.exp(a[i]! - top) : 0;
    }
    for (let q = 0; q < sums.length; q++) sums[q] = Number.isFinite(tops[q]!) ? tops[q]! + Math.log(sums[q]!) : tops[q]!;
    return sums;
  },
  reach: "lines",
  batch: ({ x, axis, keepDims }) => logSumExp(x, { axis: axis.map((a) => a + 1), keepDims }),
  formula: { x: "dX = softmax(X) dY" },
  vjp: ({ ct, x, out, axis }) => ({ x: mul(restored(ct, x.type.shape, axis), weights(x, out, axis)) }),
  jvp: ({ d, x, out, axis, keepDims }) => d.x && sum(mul(d.x, weights(x, out, axis)), { axis, keepDims }),
});
