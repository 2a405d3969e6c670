import { allocate, isInteger } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axesOf, broadcast, broadcastStrides, reducedShape, sameShape, shapeText, sizeOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { eachRow } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { aligned } from "./aligned.ts";
import { reshape } from "./reshape.ts";

/** Which axes to reduce (all when left out; negative ones count from the end) and whether they stay with size 1. */
export interface AxisAttrs {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

/** Axes as stored in a node: sorted, non-negative. */
export interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

/** A reduction over axes. */
export type Reduce = Op<(x: Operand, attrs?: AxisAttrs) => Value>;

/** Sum over axes; 0 for no elements; bool is counted in i32. Backward: every element gets the gradient of its sum. */
export const sum: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>("sum", ["x"], {
  family: "linear",
  attrs: ({ axis, keepDims }, { x }) => ({ axis: axesOf("sum", axis, x.shape.length), keepDims: keepDims ?? false }),
  type: ({ x, axis, keepDims }) => tensorType(x.dtype === "bool" ? "i32" : x.dtype, reducedShape(x.shape, axis, keepDims)),
  eval: ({ x, axis }, out) => {
    const kept = reducedShape(x.type.shape, axis, true);
    const total = new Float64Array(sizeOf(out.shape));
    const a = x.data;
    eachRow(x.type.shape, [broadcastStrides(kept, x.type.shape)], (at, base, step, length) => {
      const q = base[0]!;
      if (step[0] === 0) {
        let s = total[q]!;
        for (let i = 0; i < length; i++) s += a[at + i]!;
        total[q] = s;
      } else for (let i = 0; i < length; i++) total[q + i]! += a[at + i]!;
    });
    if (out.dtype === "f64") return total;
    const y = allocate(out.dtype, total.length);
    if (isInteger(out.dtype)) for (let i = 0; i < y.length; i++) y[i] = total[i]!;
    else y.set(total);
    return y;
  },
  linear: ["x"],
  reach: "lines",
  batch: ({ x, axis, keepDims }) => sum(x, { axis: axis.map((a) => a + 1), keepDims }),
  formula: { x: "dX = expand(dY)" },
  vjp: ({ ct, x, axis, keepDims }) => ({
    x: expand(keepDims ? ct : reshape(ct, { shape: reducedShape(x.type.shape, axis, true) }), { shape: x.type.shape }),
  }),
});

/**
 * Repeats along axes of size 1 and along new leading axes, by the broadcasting rule. Backward: sums over them.
 * @throws ShapeError when the shape is no repetition of the operand's
 */
export const expand: Op<(x: Operand, attrs: { readonly shape: readonly number[] }) => Value> = declare<
  (x: Operand, attrs: { readonly shape: readonly number[] }) => Value,
  readonly ["x"]
>("expand", ["x"], {
  family: "linear",
  attrs: ({ shape }, { x }) => {
    const joined = broadcast(x.shape, shape);
    if (joined === null || !sameShape(joined, shape))
      throw new ShapeError(
        `expand: x is ${typeText(x)} and cannot be repeated to ${shapeText(shape)}; only axes of size 1 and new leading axes grow`,
        { op: "expand" },
      );
    return { shape };
  },
  type: ({ x, shape }) => (sameShape(x.shape, shape) ? x : tensorType(x.dtype, shape)),
  eval: ({ x }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const a = x.data;
    if (a.length === 1) return y.fill(a[0]!);
    eachRow(out.shape, [broadcastStrides(x.type.shape, out.shape)], (at, base, step, length) => {
      let p = base[0]!;
      const dp = step[0]!;
      for (let i = 0; i < length; i++, p += dp) y[at + i] = a[p]!;
    });
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, shape, examples }) => expand(aligned(x, shape.length), { shape: [examples, ...shape] }),
  formula: { x: "dX = sum(dY)" },
  // The walk sums a cotangent over what its operand was broadcast along.
  vjp: ({ ct }) => ({ x: ct }),
});

/** Sums a broadcast value back to `shape`: the transpose of broadcasting. Returns `v` itself when there is nothing to sum. */
export function sumTo(v: Value, shape: readonly number[]): Value {
  const from = v.type.shape;
  if (sameShape(from, shape)) return v;
  const lead = from.map((_, i) => i).slice(0, from.length - shape.length);
  const inner = lead.length === 0 ? v : sum(v, { axis: lead });
  const axis = shape.flatMap((s, i) => (s === inner.type.shape[i] ? [] : [i]));
  return axis.length === 0 ? inner : sum(inner, { axis, keepDims: true });
}
