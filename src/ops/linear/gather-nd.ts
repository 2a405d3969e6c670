import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { type Shape, sameShape, shapeText, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { gatherNDInto, type ScatterReduction, type SliceLayout, scatterNDInto } from "../kernels/gather.ts";
import { zeros } from "./constants.ts";
import { everyExample } from "./every-example.ts";
import { reductionOf } from "./gather-elements.ts";
import { checkIndices, outOfRange } from "./indices.ts";
import { whereLast } from "./last-wins.ts";
import { refuseBool } from "./refuse-bool.ts";

/** Attributes of `gatherND`. */
export interface GatherNDAttrs {
  /** How many leading axes x and indices have in common; 0 when left out. */
  readonly batchDims?: number;
}

/** Attributes of `scatterND`. */
export interface ScatterNDAttrs extends GatherNDAttrs {
  /** "none" (put) when left out. */
  readonly reduction?: ScatterReduction;
}

interface Batched {
  readonly batchDims: number;
}

/** How many axes of x an index tuple names: the last size of indices. */
function depthOf(op: string, x: TensorType, indices: TensorType, batchDims: number): number {
  checkIndices(op, indices);
  const depth = indices.shape.at(-1);
  if (
    depth === undefined ||
    !Number.isInteger(batchDims) ||
    batchDims < 0 ||
    batchDims >= indices.shape.length ||
    !sameShape(x.shape.slice(0, batchDims), indices.shape.slice(0, batchDims)) ||
    depth > x.shape.length - batchDims
  )
    throw new ShapeError(
      `${op}: x is ${typeText(x)}, indices is ${typeText(indices)} and batchDims is ${batchDims}; the last axis of indices holds index tuples of at most ${Math.max(0, x.shape.length - batchDims)} numbers, and the first ${batchDims} sizes of both are equal`,
      { op },
    );
  return depth;
}

function pickedShape(x: Shape, indices: Shape, batchDims: number, depth: number): Shape {
  return [...indices.slice(0, -1), ...x.slice(batchDims + depth)];
}

function layoutOf(x: Shape, indices: Shape, batchDims: number): SliceLayout {
  const depth = indices.at(-1)!;
  return {
    batches: sizeOf(x.slice(0, batchDims)),
    sizes: x.slice(batchDims, batchDims + depth),
    inner: sizeOf(x.slice(batchDims + depth)),
    count: sizeOf(indices.slice(batchDims, -1)),
  };
}

/**
 * Slices of x by index tuples, as ONNX GatherND: the last axis of indices holds tuples that name an element of the leading axes (after `batchDims`
 * common ones); the result is `indices.shape[:-1]` followed by the axes that tuples do not name. Backward: each slice's gradient is added where it was read.
 * @throws ShapeError for tuples longer than x has axes; DTypeError and DomainError as `gather`
 */
export const gatherND: Op<(x: Operand, indices: Operand, attrs?: GatherNDAttrs) => Value> = declare<
  (x: Operand, indices: Operand, attrs?: GatherNDAttrs) => Value,
  readonly ["x", "indices"],
  Batched
>("gatherND", ["x", "indices"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: ({ batchDims = 0 }) => ({ batchDims }),
  type: ({ x, indices, batchDims }) => {
    const depth = depthOf("gatherND", x, indices, batchDims);
    return tensorType(x.dtype, pickedShape(x.shape, indices.shape, batchDims, depth));
  },
  eval: ({ x, indices, batchDims }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const layout = layoutOf(x.type.shape, indices.type.shape, batchDims);
    const fail = outOfRange("gatherND", indices.type, (position) => batchDims + (position % layout.sizes.length));
    gatherNDInto(y, x.data, layout, indices.data, fail);
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, indices, batchDims, mapped, examples }) => {
    if (!mapped.x && batchDims === 0) return gatherND(x, indices);
    return gatherND(everyExample(x, mapped.x, examples), everyExample(indices, mapped.indices, examples), { batchDims: batchDims + 1 });
  },
  formula: { x: 'dX = scatterND(0, indices, dY, "add")' },
  vjp: ({ ct, x, indices, batchDims }) => ({
    x: () => scatterND(zeros(x.type), indices, ct, { batchDims, reduction: "add" }),
    indices: null,
  }),
});

/**
 * x with slices put (or added, `reduction: "add"`) at index tuples, the transpose of `gatherND`; updates has the shape `gatherND` would give. Where
 * several slices are put at one place, the last wins. Backward: as `scatterElements`.
 * @throws ShapeError for updates of another shape; otherwise as `gatherND`
 */
export const scatterND: Op<(x: Operand, indices: Operand, updates: Operand, attrs?: ScatterNDAttrs) => Value> = declare<
  (x: Operand, indices: Operand, updates: Operand, attrs?: ScatterNDAttrs) => Value,
  readonly ["x", "indices", "updates"],
  Batched & { readonly reduction: ScatterReduction }
>("scatterND", ["x", "indices", "updates"], {
  family: "linear",
  dtypes: { indices: "i32" },
  attrs: ({ batchDims = 0, reduction }) => ({ batchDims, reduction: reductionOf("scatterND", reduction) }),
  type: ({ x, indices, updates, batchDims, reduction }) => {
    if (reduction === "add") refuseBool("scatterND", "x", x);
    const wanted = pickedShape(x.shape, indices.shape, batchDims, depthOf("scatterND", x, indices, batchDims));
    if (!sameShape(updates.shape, wanted))
      throw new ShapeError(
        `scatterND: x is ${typeText(x)} and indices is ${typeText(indices)}, so updates is ${shapeText(wanted)}; it is ${typeText(updates)}`,
        { op: "scatterND" },
      );
    return x;
  },
  eval: ({ x, indices, updates, batchDims, reduction }) => {
    const y = x.data.slice();
    const layout = layoutOf(x.type.shape, indices.type.shape, batchDims);
    const fail = outOfRange("scatterND", indices.type, (position) => batchDims + (position % layout.sizes.length));
    scatterNDInto(y, layout, indices.data, updates.data, reduction, fail);
    return y;
  },
  linear: "all",
  batch: ({ x, indices, updates, batchDims, reduction, mapped, examples }) =>
    scatterND(
      everyExample(x, mapped.x, examples),
      everyExample(indices, mapped.indices, examples),
      everyExample(updates, mapped.updates, examples),
      { batchDims: batchDims + 1, reduction },
    ),
  formula: { x: "dX = dY, 0 where a slice was put", updates: "dUpdates = gatherND(dY, indices)" },
  vjp: ({ ct, x, indices, updates, batchDims, reduction }) => ({
    x: () => (reduction === "add" ? ct : scatterND(ct, indices, zeros(updates.type), { batchDims })),
    indices: null,
    updates: () => {
      const read = gatherND(ct, indices, { batchDims });
      if (reduction === "add") return read;
      const places = zeros({ ...x.type, dtype: "i32" });
      return whereLast(read, (numbers) => gatherND(scatterND(places, indices, numbers, { batchDims }), indices, { batchDims }));
    },
  }),
});
