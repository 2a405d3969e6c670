import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { sortInto, topKInto } from "../kernels/sort.ts";
import { axisLayout } from "../kernels/walk.ts";
import { zeros } from "../linear/constants.ts";
import { gatherElements, scatterElements } from "../linear/gather-elements.ts";
import { checkNumbers } from "./reduction.ts";

/** Elements in order, and where along the axis each of them came from (i32). */
export interface Sorted {
  readonly values: Value;
  readonly indices: Value;
}

/** Attributes of `sort`. */
export interface SortAttrs {
  /** The last axis when left out. */
  readonly axis?: number;
  readonly descending?: boolean;
}

/** Attributes of `topK`. */
export interface TopKAttrs {
  readonly k: number;
  /** The last axis when left out. */
  readonly axis?: number;
  /** The smallest when false. */
  readonly largest?: boolean;
}

function lineAxis(op: string, axis: number | undefined, x: TensorType): number {
  if (x.shape.length === 0) throw new ShapeError(`${op}: x is ${typeText(x)}, a scalar; it has no axis to order`, { op });
  return axisOf(op, axis ?? -1, x.shape.length);
}

/** The gradient of the values put back where they came from: the places are distinct. */
function putBack(ct: Value | null, x: Value, indices: Value, axis: number): Value | null {
  return ct && scatterElements(zeros(x.type), indices, ct, { axis, reduction: "add" });
}

/**
 * The elements along an axis (the last when left out) in order, and their places. Stable in both directions; NaN counts as largest.
 * Backward: each gradient goes back to the place its element came from.
 * @throws ShapeError for a scalar; DTypeError for bool
 */
export const sort: Op<(x: Operand, attrs?: SortAttrs) => Sorted> = declare<
  (x: Operand, attrs?: SortAttrs) => Sorted,
  readonly ["x"],
  { readonly axis: number; readonly descending: boolean }
>("sort", ["x"], {
  family: "reduce",
  results: ["values", "indices"],
  attrs: ({ axis, descending = false }, { x }) => ({ axis: lineAxis("sort", axis, x), descending }),
  type: ({ x }) => {
    checkNumbers("sort", x);
    return { values: x, indices: tensorType("i32", x.shape) };
  },
  eval: ({ x, axis, descending }, out) => {
    const values = allocate(out.values.dtype, x.data.length);
    const indices = new Int32Array(x.data.length);
    sortInto(x.data, axisLayout(x.type.shape, axis), descending, values, indices);
    return { values, indices };
  },
  reach: "lines",
  batch: ({ x, axis, descending }) => sort(x, { axis: axis + 1, descending }),
  formula: { x: "dX[indices] = dValues" },
  vjp: ({ ct, x, out, axis }) => ({ x: () => putBack(ct.values, x, out.indices, axis) }),
  jvp: ({ d, out, axis }) => ({ values: d.x && gatherElements(d.x, out.indices, { axis }), indices: null }),
});

/**
 * The k largest elements along an axis (the last when left out), largest first, and their places; the smallest with `largest: false`.
 * Of equals the first; NaN counts as largest. Backward: each gradient goes back to the place its element came from, 0 elsewhere.
 * @throws ShapeError for a k that is no whole number from 0 to the size of the axis; DTypeError for bool
 */
export const topK: Op<(x: Operand, attrs: TopKAttrs) => Sorted> = declare<
  (x: Operand, attrs: TopKAttrs) => Sorted,
  readonly ["x"],
  { readonly k: number; readonly axis: number; readonly largest: boolean }
>("topK", ["x"], {
  family: "reduce",
  results: ["values", "indices"],
  attrs: ({ k, axis, largest = true }, { x }) => {
    const at = lineAxis("topK", axis, x);
    if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!)
      throw new ShapeError(
        `topK: k is ${k} and axis ${at} of x, ${typeText(x)}, has size ${x.shape[at]}; k is a whole number from 0 to ${x.shape[at]}`,
        {
          op: "topK",
        },
      );
    return { k, axis: at, largest };
  },
  type: ({ x, k, axis }) => {
    checkNumbers("topK", x);
    const shape = x.shape.map((s, i) => (i === axis ? k : s));
    return { values: tensorType(x.dtype, shape), indices: tensorType("i32", shape) };
  },
  eval: ({ x, k, axis, largest }, out) => {
    const values = allocate(out.values.dtype, sizeOf(out.values.shape));
    const indices = new Int32Array(values.length);
    topKInto(x.data, axisLayout(x.type.shape, axis), k, largest, values, indices);
    return { values, indices };
  },
  reach: "lines",
  batch: ({ x, k, axis, largest }) => topK(x, { k, axis: axis + 1, largest }),
  formula: { x: "dX[indices] = dValues" },
  vjp: ({ ct, x, out, axis }) => ({ x: () => putBack(ct.values, x, out.indices, axis) }),
  jvp: ({ d, out, axis }) => ({ values: d.x && gatherElements(d.x, out.indices, { axis }), indices: null }),
});
