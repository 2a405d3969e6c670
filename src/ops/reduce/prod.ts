import { isInteger } from "../../ir/dtype.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { tensorType } from "../../ir/type.ts";
import { mul, productOf } from "../arithmetic.ts";
import { declare } from "../define.ts";
import { concat } from "../linear/concat.ts";
import { ones } from "../linear/constants.ts";
import { reshape } from "../linear/reshape.ts";
import { slice } from "../linear/slice.ts";
import { type Axes, type AxisAttrs, type Reduce, sum } from "../linear/sum.ts";
import { transpose } from "../linear/transpose.ts";
import { axesIn, checkNumbers, countOver, placesOver, reduced, reducedType, restored } from "./reduction.ts";

/**
 * For each row element the product of all others, without dividing: halves are multiplied into each other up a tree and the product of everything
 * outside a half comes down again. Right with zeros, and made of ops whose derivatives are, to any order; 8 log2(n) nodes.
 */
function productOfOthers(rows: Value): Value {
  const [outer, size] = rows.type.shape as readonly [number, number];
  const axis = rows.type.shape.length - 1;
  const one = ones(tensorType(rows.type.dtype, [outer, 1]));
  const halves: { readonly low: Value; readonly high: Value; readonly size: number }[] = [];
  let level = rows;
  for (let n = size; n > 1; ) {
    const half = Math.ceil(n / 2);
    const even = half + half > n ? concat([level, one], { axis }) : level;
    const low = slice(even, { axis, end: half });
    const high = slice(even, { axis, start: half });
    halves.push({ low, high, size: n });
    level = mul(low, high);
    n = half;
  }
  let others = one;
  for (const { low, high, size: n } of halves.reverse()) {
    others = concat([mul(others, high), mul(others, low)], { axis });
    if (others.type.shape[axis] !== n) others = slice(others, { axis, end: n });
  }
  return others;
}

/** For each element of x the product of the others in its reduction. */
function others(x: Value, axis: readonly number[]): Value {
  const { shape } = x.type;
  if (sizeOf(shape) === 0) return x;
  const kept = shape.map((_, i) => i).filter((i) => !axis.includes(i));
  const order = [...kept, ...axis];
  const size = countOver(shape, axis);
  const rows = reshape(transpose(x, { axes: order }), { shape: [sizeOf(kept.map((i) => shape[i]!)), size] });
  const back = reshape(productOfOthers(rows), { shape: order.map((i) => shape[i]!) });
  return transpose(back, { axes: shape.map((_, i) => order.indexOf(i)) });
}

/**
 * The product over axes (all when left out); 1 for no elements; whole numbers wrap. Backward: each element gets the product of the others, so zeros
 * are right: with one zero only it has a gradient, with two none has, and second derivatives follow.
 * @throws DTypeError for bool
 */
export const prod: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>("prod", ["x"], {
  family: "reduce",
  attrs: (given, { x }) => axesIn("prod", given, x),
  type: ({ x, axis, keepDims }) => {
    checkNumbers("prod", x);
    return reducedType(x, { axis, keepDims });
  },
  eval: ({ x, axis }, out) => {
    if (!isInteger(out.dtype)) return reduced("prod", x, axis, out);
    const times = productOf(out.dtype);
    const y = new Float64Array(sizeOf(out.shape)).fill(1);
    const places = placesOver(x.type.shape, axis);
    for (let i = 0; i < places.length; i++) y[places[i]!] = times(y[places[i]!]!, x.data[i]!);
    return y;
  },
  reach: "lines",
  batch: ({ x, axis, keepDims }) => prod(x, { axis: axis.map((a) => a + 1), keepDims }),
  formula: { x: "dX[i] = dY prod of X[j], j != i" },
  vjp: ({ ct, x, axis }) => ({ x: mul(restored(ct, x.type.shape, axis), others(x, axis)) }),
  jvp: ({ d, x, axis, keepDims }) => d.x && sum(mul(d.x, others(x, axis)), { axis, keepDims }),
});
