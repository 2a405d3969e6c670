import { isFloat, isInteger } from "../../ir/dtype.ts";
import { DTypeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { reducedShape } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { div, mul, sub } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { type Axes, type AxisAttrs, expand, type Reduce, sum } from "../linear/sum.ts";
import { axesIn, checkFloats, countOver, placesOver, reduced, reducedType, restored } from "./reduction.ts";

/**
 * The mean over axes (all when left out); the share of true, in f32, for bool; NaN for no elements. Backward: every element gets an equal share.
 * @throws DTypeError for whole numbers, whose mean is seldom whole
 */
export const mean: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>("mean", ["x"], {
  family: "reduce",
  attrs: (given, { x }) => axesIn("mean", given, x),
  type: ({ x, axis, keepDims }) => {
    if (isInteger(x.dtype))
      throw new DTypeError(`mean: x is ${typeText(x)} and a mean is seldom a whole number; write mean(cast(x, "f32"))`, { op: "mean" });
    return tensorType(x.dtype === "bool" ? "f32" : x.dtype, reducedShape(x.shape, axis, keepDims));
  },
  eval: ({ x, axis }, out) => {
    const y = reduced("sum", x, axis, out);
    const n = countOver(x.type.shape, axis);
    for (let i = 0; i < y.length; i++) y[i]! /= n;
    return y;
  },
  linear: ["x"],
  reach: "lines",
  batch: ({ x, axis, keepDims }) => mean(x, { axis: axis.map((a) => a + 1), keepDims }),
  formula: { x: "dX = dY / n" },
  vjp: ({ ct, x, axis }) => {
    if (!isFloat(x.type.dtype)) return { x: null };
    const { shape } = x.type;
    const share = div(restored(ct, shape, axis), countOver(shape, axis));
    return { x: expand(share, { shape }) };
  },
});

/** Attributes of `variance`. */
export interface VarianceAttrs extends AxisAttrs {
  /** What is taken off the count in the divisor: 0 for the variance of the numbers, 1 for an unbiased estimate from a sample. 0 when left out. */
  readonly correction?: number;
}

interface Corrected extends Axes {
  readonly correction: number;
}

/** What the sum of squares is divided by; 0 where the correction leaves nothing, which makes the variance NaN, as in PyTorch. */
function divisor(shape: readonly number[], axis: readonly number[], correction: number): number {
  return Math.max(0, countOver(shape, axis) - correction);
}

/**
 * The variance over axes, `sum((x - mean)^2) / (n - correction)`, in two passes. NaN where n - correction is not above 0.
 * Backward: `dX = 2 (x - mean) / (n - correction) dY`.
 * @throws DTypeError for anything but floats
 */
export const variance: Op<(x: Operand, attrs?: VarianceAttrs) => Value> = declare<
  (x: Operand, attrs?: VarianceAttrs) => Value,
  readonly ["x"],
  Corrected
>("variance", ["x"], {
  family: "reduce",
  attrs: (given, { x }) => ({ ...axesIn("variance", given, x), correction: given.correction ?? 0 }),
  type: ({ x, axis, keepDims }) => {
    checkFloats("variance", x);
    return reducedType(x, { axis, keepDims });
  },
  eval: ({ x, axis, correction }, out) => {
    const { shape } = x.type;
    const n = countOver(shape, axis);
    const total = reduced("sum", x, axis, out);
    const squares = new Float64Array(total.length);
    const places = placesOver(shape, axis);
    const a = x.data;
    for (let i = 0; i < a.length; i++) {
      const q = places[i]!;
      const d = a[i]! - total[q]! / n;
      squares[q]! += d * d;
    }
    const by = divisor(shape, axis, correction);
    for (let i = 0; i < squares.length; i++) squares[i]! /= by;
    return squares;
  },
  reach: "lines",
  batch: ({ x, axis, keepDims, correction }) => variance(x, { axis: axis.map((a) => a + 1), keepDims, correction }),
  formula: { x: "dX = 2 (x - mean) / (n - correction) dY" },
  vjp: ({ ct, x, axis, correction }) => {
    const { shape } = x.type;
    const scaled = mul(restored(ct, shape, axis), 2 / divisor(shape, axis, correction));
    return { x: mul(scaled, sub(x, mean(x, { axis, keepDims: true }))) };
  },
  jvp: ({ d, x, axis, keepDims, correction }) => {
    if (d.x === null) return null;
    const centred = sub(x, mean(x, { axis, keepDims: true }));
    return mul(sum(mul(d.x, centred), { axis, keepDims }), 2 / divisor(x.type.shape, axis, correction));
  },
});
