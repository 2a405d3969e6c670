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
import { everyExample, moveAxis } from "./every-example.ts";
import { gatherND, scatterND } from "./gather-nd.ts";
import { type AxisAttr, checkIndices, outOfRange } from "./indices.ts";
import { refuseBool } from "./refuse-bool.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

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

/** Indices as index tuples of one number. */
function column(indices: Value): Value {
  return reshape(indices, { shape: [...indices.type.shape, 1] });
}

/** [examples, ...indices, ...before, ...after] as [examples, ...before, ...indices, ...after]; `axis` axes stand before. */
function joinedAt(v: Value, rank: number, axis: number): Value {
  const order = v.type.shape.map((_, i) => i);
  return transpose(v, {
    axes: [0, ...order.slice(1 + rank, 1 + rank + axis), ...order.slice(1, 1 + rank), ...order.slice(1 + rank + axis)],
  });
}

/** The way back from `joinedAt`. */
function splitAt(v: Value, rank: number, axis: number): Value {
  return joinedAt(v, axis, rank);
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
  reach: "moves",
  batch: ({ x, indices, axis, mapped }) => {
    if (!mapped.indices) return gather(x, indices, { axis: axis + 1 });
    if (!mapped.x) return moveAxis(gather(x, indices, { axis }), axis, 0);
    const picked = gatherND(moveAxis(x, axis + 1, 1), column(indices), { batchDims: 1 });
    return joinedAt(picked, indices.type.shape.length - 1, axis);
  },
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
    refuseBool("scatterAdd", "x", x);
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
  batch: ({ x, indices, updates, axis, mapped, examples }) => {
    const into = everyExample(x, mapped.x, examples);
    const added = everyExample(updates, mapped.updates, examples);
    if (!mapped.indices) return scatterAdd(into, indices, added, { axis: axis + 1 });
    const rows = splitAt(added, indices.type.shape.length - 1, axis);
    const out = scatterND(moveAxis(into, axis + 1, 1), column(indices), rows, { batchDims: 1, reduction: "add" });
    return moveAxis(out, 1, axis + 1);
  },
  formula: { x: "dX = dY", updates: "dUpdates = gather(dY, indices)" },
  vjp: ({ ct, indices, axis }) => ({ x: ct, indices: null, updates: () => gather(ct, indices, { axis }) }),
});
