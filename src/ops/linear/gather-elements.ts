import { allocate } from "../../ir/dtype.ts";
import { DomainError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, sameShape, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { gatherElementsInto, type ScatterReduction, scatterElementsInto } from "../kernels/gather.ts";
import { zeros } from "./constants.ts";
import { everyExample } from "./every-example.ts";
import { type AxisAttr, checkIndices, outOfRange } from "./indices.ts";
import { whereLast } from "./last-wins.ts";
import { refuseBool } from "./refuse-bool.ts";

/** What a scatter does with the element that is there: put the update in its place, or add the update to it. */
export interface ScatterAttrs extends AxisAttr {
  /** "none" (put) when left out. */
  readonly reduction?: ScatterReduction;
}

interface Scatter {
  readonly axis: number;
  readonly reduction: ScatterReduction;
}

/** @throws DomainError for an unknown word */
export function reductionOf(op: string, reduction: ScatterReduction | undefined): ScatterReduction {
  if (reduction === undefined || reduction === "none" || reduction === "add") return reduction ?? "none";
  throw new DomainError(`${op}: reduction is "${String(reduction)}"; it is "none" or "add"`, { op });
}

function checkElements(op: string, x: TensorType, indices: TensorType, axis: number): void {
  checkIndices(op, indices);
  const fits = indices.shape.length === x.shape.length && indices.shape.every((s, i) => i === axis || s <= x.shape[i]!);
  if (!fits)
    throw new ShapeError(
      `${op}: x is ${typeText(x)} and indices is ${typeText(indices)}; they have one rank, and off axis ${axis} indices are no larger than x`,
      { op },
    );
}

/**
 * One element of x per index, as np.take_along_axis: `out[i,j] = x[indices[i,j], j]` on axis 0, `x[i, indices[i,j]]` on axis 1. The result has the
 * shape of the indices. Negative indices count from the end. Backward: each gradient is added where its element was read.
 * @throws ShapeError for ranks or sizes that do not fit; DTypeError and DomainError as `gather`
 */
export const gatherElements: Op<(x: Operand, indices: Operand, attrs?: AxisAttr) => Value> = declare<
  (x: Operand, indices: Operand, attrs?: AxisAttr) => Value,
  readonly ["x", "indices"],
  { readonly axis: number }
>("gatherElements", ["x", "indices"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: ({ axis = 0 }, { x }) => ({ axis: axisOf("gatherElements", axis, x.shape.length) }),
  type: ({ x, indices, axis }) => {
    checkElements("gatherElements", x, indices, axis);
    return tensorType(x.dtype, indices.shape);
  },
  eval: ({ x, indices, axis }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const fail = outOfRange("gatherElements", indices.type, () => axis);
    gatherElementsInto(y, x.data, x.type.shape, axis, indices.data, indices.type.shape, fail);
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, indices, axis, mapped, examples }) =>
    gatherElements(everyExample(x, mapped.x, examples), everyExample(indices, mapped.indices, examples), { axis: axis + 1 }),
  formula: { x: 'dX = scatterElements(0, indices, dY, "add")' },
  vjp: ({ ct, x, indices, axis }) => ({
    x: () => scatterElements(zeros(x.type), indices, ct, { axis, reduction: "add" }),
    indices: null,
  }),
});

/**
 * x with updates put (or added, `reduction: "add"`) at one index each, the transpose of `gatherElements`; indices and updates have one shape. Where
 * several updates are put at one place, the last in row-major order wins. Backward: x gets the gradient, zero where an update was put; updates gather
 * it, zero for those that lost their place.
 * @throws ShapeError for ranks or sizes that do not fit; DTypeError and DomainError as `gather`
 */
export const scatterElements: Op<(x: Operand, indices: Operand, updates: Operand, attrs?: ScatterAttrs) => Value> = declare<
  (x: Operand, indices: Operand, updates: Operand, attrs?: ScatterAttrs) => Value,
  readonly ["x", "indices", "updates"],
  Scatter
>("scatterElements", ["x", "indices", "updates"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: ({ axis = 0, reduction }, { x }) => ({
    axis: axisOf("scatterElements", axis, x.shape.length),
    reduction: reductionOf("scatterElements", reduction),
  }),
  type: ({ x, indices, updates, axis, reduction }) => {
    if (reduction === "add") refuseBool("scatterElements", "x", x);
    checkElements("scatterElements", x, indices, axis);
    if (!sameShape(indices.shape, updates.shape))
      throw new ShapeError(`scatterElements: indices is ${typeText(indices)} and updates is ${typeText(updates)}; they have one shape`, {
        op: "scatterElements",
      });
    return x;
  },
  eval: ({ x, indices, updates, axis, reduction }) => {
    const y = x.data.slice();
    const fail = outOfRange("scatterElements", indices.type, () => axis);
    scatterElementsInto(y, x.type.shape, axis, indices.data, updates.data, indices.type.shape, reduction, fail);
    return y;
  },
  linear: "all",
  batch: ({ x, indices, updates, axis, reduction, mapped, examples }) =>
    scatterElements(
      everyExample(x, mapped.x, examples),
      everyExample(indices, mapped.indices, examples),
      everyExample(updates, mapped.updates, examples),
      { axis: axis + 1, reduction },
    ),
  formula: { x: "dX = dY, 0 where an update was put", updates: "dUpdates = gatherElements(dY, indices)" },
  vjp: ({ ct, x, indices, updates, axis, reduction }) => ({
    x: () => (reduction === "add" ? ct : scatterElements(ct, indices, zeros(updates.type), { axis })),
    indices: null,
    updates: () => {
      const read = gatherElements(ct, indices, { axis });
      if (reduction === "add") return read;
      const places = zeros({ ...x.type, dtype: "i32" });
      return whereLast(read, (numbers) => gatherElements(scatterElements(places, indices, numbers, { axis }), indices, { axis }));
    },
  }),
});
