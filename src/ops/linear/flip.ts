import { allocate } from "../../ir/dtype.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axesOf, stridesOf } from "../../ir/shape.ts";
import { declare, type Op } from "../define.ts";
import { copyStrided } from "../kernels/walk.ts";

/** Which axes to turn round; all of them when left out. */
export interface FlipAttrs {
  readonly axis?: number | readonly number[];
}

/** The elements in reverse order along axes (all when left out). Backward: flips back. */
export const flip: Op<(x: Operand, attrs?: FlipAttrs) => Value> = declare<
  (x: Operand, attrs?: FlipAttrs) => Value,
  readonly ["x"],
  { readonly axis: readonly number[] }
>("flip", ["x"], {
  family: "linear",
  attrs: ({ axis }, { x }) => ({ axis: axesOf("flip", axis, x.shape.length) }),
  type: ({ x }) => x,
  eval: ({ x, axis }, out) => {
    const y = allocate(out.dtype, x.data.length);
    const { shape } = x.type;
    const strides = stridesOf(shape);
    let from = 0;
    for (const a of axis) {
      from += (shape[a]! - 1) * strides[a]!;
      strides[a] = -strides[a]!;
    }
    if (y.length > 0) copyStrided(x.data, strides, from, y, shape);
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, axis }) => flip(x, { axis: axis.map((a) => a + 1) }),
  formula: { x: "dX = flip(dY)" },
  vjp: ({ ct, axis }) => ({ x: flip(ct, { axis }) }),
});
