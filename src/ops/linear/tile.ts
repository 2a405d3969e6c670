import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { shapeText, sizeOf, stridesOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { copyStrided } from "../kernels/walk.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";

/** How often each axis is repeated, one number per axis. */
export interface TileAttrs {
  readonly repeats: readonly number[];
}

/** [r0, s0, r1, s1, ...]: the result with each axis split into its copies and the elements of one copy. */
function copies(shape: readonly number[], repeats: readonly number[]): number[] {
  return shape.flatMap((s, i) => [repeats[i]!, s]);
}

/**
 * x laid out again and again along its axes, as np.tile: `tile(x, { repeats: [2, 3] })`. Backward: the sum over the copies.
 * @throws ShapeError unless there is one whole number, 0 or more, per axis
 */
export const tile: Op<(x: Operand, attrs: TileAttrs) => Value> = declare<(x: Operand, attrs: TileAttrs) => Value, readonly ["x"]>(
  "tile",
  ["x"],
  {
    family: "linear",
    attrs: ({ repeats }, { x }) => {
      if (repeats.length !== x.shape.length || repeats.some((r) => !Number.isInteger(r) || r < 0))
        throw new ShapeError(
          `tile: x is ${typeText(x)} and repeats is ${shapeText(repeats)}; write one whole number, 0 or more, for each of the ${x.shape.length} axes`,
          { op: "tile" },
        );
      return { repeats };
    },
    type: ({ x, repeats }) =>
      tensorType(
        x.dtype,
        x.shape.map((s, i) => s * repeats[i]!),
      ),
    eval: ({ x, repeats }, out) => {
      const y = allocate(out.dtype, sizeOf(out.shape));
      const strides = stridesOf(x.type.shape).flatMap((s) => [0, s]);
      if (y.length > 0) copyStrided(x.data, strides, 0, y, copies(x.type.shape, repeats));
      return y;
    },
    linear: ["x"],
    reach: "moves",
    batch: ({ x, repeats }) => tile(x, { repeats: [1, ...repeats] }),
    formula: { x: "dX = sum of dY over the copies" },
    vjp: ({ ct, x, repeats }) => ({
      x: sum(reshape(ct, { shape: copies(x.type.shape, repeats) }), { axis: x.type.shape.map((_, i) => 2 * i) }),
    }),
  },
);
