import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { div, mul } from "../arithmetic.ts";
import { declare } from "../define.ts";
import { cast } from "../elementwise/cast.ts";
import { equal, isNaN as notANumber } from "../elementwise/comparison.ts";
import { logicalOr } from "../elementwise/logical.ts";
import { type Axes, type AxisAttrs, type Reduce, sum } from "../linear/sum.ts";
import { axesIn, checkNumbers, checkSome, reduced, reducedType, restored } from "./reduction.ts";

/** The share of each element in its extreme: 1 / k for the k elements that reach it, 0 elsewhere; NaN elements share a NaN result. */
function shares(x: Value, out: Value, axis: readonly number[]): Value {
  const reaches = logicalOr(equal(x, restored(out, x.type.shape, axis)), notANumber(x));
  const mask = cast(reaches, x.type.dtype);
  return div(mask, sum(mask, { axis, keepDims: true }));
}

/* @__NO_SIDE_EFFECTS__ */
function extreme(name: "max" | "min", what: string): Reduce {
  const made: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>(name, ["x"], {
    family: "reduce",
    attrs: (given, { x }) => axesIn(name, given, x),
    type: ({ x, axis, keepDims }) => {
      checkNumbers(name, x);
      checkSome(name, x, axis, what);
      return reducedType(x, { axis, keepDims });
    },
    eval: ({ x, axis }, out) => reduced(name, x, axis, out),
    reach: "lines",
    batch: ({ x, axis, keepDims }) => made(x, { axis: axis.map((a) => a + 1), keepDims }),
    formula: { x: `dX = dY where X = ${name}(X), shared equally among ties` },
    vjp: ({ ct, x, out, axis }) => ({ x: mul(restored(ct, x.type.shape, axis), shares(x, out, axis)) }),
    jvp: ({ d, x, out, axis, keepDims }) => d.x && sum(mul(d.x, shares(x, out, axis)), { axis, keepDims }),
  });
  return made;
}

/**
 * The largest element over axes (all when left out); NaN wins. Backward: the router, the gradient goes to the largest element; ties share it equally.
 * @throws ShapeError over an axis without elements; DTypeError for bool
 */
export const max: Reduce = /* @__PURE__ */ extreme("max", "the largest");

/** The smallest element over axes (all when left out); NaN wins. Otherwise as `max`. */
export const min: Reduce = /* @__PURE__ */ extreme("min", "the smallest");
