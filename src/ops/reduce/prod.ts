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
  const { dtype } = rows.type;
  const halves: { readonly low: Value; readonly high: Value; readonly size: number }[] = [];
  let level = rows;
  for (let n = size; n > 1; n = Math.ceil(n / 2)) {
    if (n % 2 === 1) level = concat([level, ones(tensorType(dtype, [outer, 1]))], { axis: 1 });
    const even = n + (n % 2);
    const low = slice(level, { axis: 1, end: even / 2 });
    const high = slice(level, { axis: 1, start: even / 2 });
    halves.push({ low, high, size: n });
    level = mul(low, high);
  }
  let others = ones(tensorType(dtype, [outer, 1]));
  for (let i = halves.length - 1; i >= 0; i--) {
    const { low, high, size: n } = halves[i]!;
    others = concat([mul(others, high), mul(others, low)], { axis: 1 });
    if (n % 2 === 1) others = slice(others, { axis: 1, end: n });
  }
  return others;
}

/** For each element of x the product of the others in its reduction. */
function others(x: Value, axis: readonly number[]): Value {
  const { shape } = x.type;
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
  batch: ({ x, axis, keepDims }) => prod(x, { axis: axis.map((a) => a + 1), keepDims }),
  formula: { x: "dX[i] = dY prod of X[j], j != i" },
  vjp: ({ ct, x, axis, keepDims }) => {
    if (sizeOf(x.type.shape) === 0) return { x: 0 };
    return { x: mul(restored(ct, x.type.shape, { axis, keepDims }), others(x, axis)) };
  },
  jvp: ({ d, x, axis, keepDims }) => {
    if (d.x === null) return null;
    return sum(sizeOf(x.type.shape) === 0 ? d.x : mul(d.x, others(x, axis)), { axis, keepDims });
  },
});
