import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, type Shape, sameShape, shapeText, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { gatherInto, scatterAddInto } from "../kernels/gather.ts";
import { axisLayout } from "../kernels/walk.ts";
import { zeros } from "./constants.ts";
import { checkIndices, outOfRange } from "./indices.ts";

/** The axis that indices point into, 0 when left out. */
export interface AxisAttr {
  readonly axis?: number;
}

interface OneAxis {
  readonly axis: number;
}

function takenShape(x: Shape, indices: Shape, axis: number): Shape {
  return [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
}

function axisIn(op: string, { axis = 0 }: AxisAttr, x: TensorType): OneAxis {
  if (x.shape.length === 0) throw new ShapeError(`${op}: x is ${typeText(x)}, a scalar; it has no axis to index`, { op });
  return { axis: axisOf(op, axis, x.shape.length) };
}

/**
 * Parts of x by index along one axis, as np.take: with indices of shape I the axis is replaced by I's axes. Rows of an embedding table:
 * `gather(table, ids)`. Negative indices count from the end. Backward: each part's gradient is added where it was read.
 * @throws DTypeError for indices that are not whole numbers; DomainError, when evaluated, for one out of range
 */
export const gather: Op<(x: Operand, indices: Operand, attrs?: AxisAttr) => Value> = declare<
  (x: Operand, indices: Operand, attrs?: AxisAttr) => Value,
  readonly ["x", "indices"],
  OneAxis
>("gather", ["x", "indices"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: (given, { x }) => axisIn("gather", given, x),
  type: ({ x, indices, axis }) => {
    checkIndices("gather", indices);
    return tensorType(x.dtype, takenShape(x.shape, indices.shape, axis));
  },
  eval: ({ x, indices, axis }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    gatherInto(
      y,
      x.data,
      axisLayout(x.type.shape, axis),
      indices.data,
      outOfRange("gather", indices.type, () => axis),
    );
    return y;
  },
  linear: ["x"],
  formula: { x: "dX = scatterAdd(0, indices, dY)" },
  vjp: ({ ct, x, indices, axis }) => ({ x: () => scatterAdd(zeros(x.type), indices, ct, { axis }), indices: null }),
});

/**
 * x with updates added at indices along one axis, the transpose of `gather`: `out[indices[i]] += updates[i]`; updates at one place add up.
 * `updates` has the shape that `gather(x, indices)` would have. Backward: x gets the gradient, updates gather it.
 * @throws ShapeError for updates of another shape; DTypeError and DomainError as `gather`
 */
export const scatterAdd: Op<(x: Operand, indices: Operand, updates: Operand, attrs?: AxisAttr) => Value> = declare<
  (x: Operand, indices: Operand, updates: Operand, attrs?: AxisAttr) => Value,
  readonly ["x", "indices", "updates"],
  OneAxis
>("scatterAdd", ["x", "indices", "updates"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: (given, { x }) => axisIn("scatterAdd", given, x),
  type: ({ x, indices, updates, axis }) => {
    checkIndices("scatterAdd", indices);
    const wanted = takenShape(x.shape, indices.shape, axis);
    if (!sameShape(updates.shape, wanted))
      throw new ShapeError(
        `scatterAdd: x is ${typeText(x)} and indices is ${typeText(indices)}, so on axis ${axis} updates is ${shapeText(wanted)}; it is ${typeText(updates)}`,
        { op: "scatterAdd" },
      );
    return x;
  },
  eval: ({ x, indices, updates, axis }) => {
    const y = x.data.slice();
    scatterAddInto(
      y,
      axisLayout(x.type.shape, axis),
      indices.data,
      updates.data,
      outOfRange("scatterAdd", indices.type, () => axis),
    );
    return y;
  },
  linear: "all",
  formula: { x: "dX = dY", updates: "dUpdates = gather(dY, indices)" },
  vjp: ({ ct, indices, axis }) => ({ x: ct, indices: null, updates: () => gather(ct, indices, { axis }) }),
});
