import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, shapeText, sizeOf, stridesOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { eachRow } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";

interface Order {
  readonly axes: readonly number[];
}

/**
 * Reorders axes: result axis i is operand axis `axes[i]`; all axes reversed when left out. Backward: the inverse order.
 * @throws ShapeError when the axes are not each named once
 */
export const transpose: Op<(x: Operand, attrs?: { readonly axes?: readonly number[] }) => Value> = declare<
  (x: Operand, attrs?: { readonly axes?: readonly number[] }) => Value,
  readonly ["x"],
  Order
>("transpose", ["x"], {
  family: "linear",
  attrs: ({ axes }, { x }) => {
    const rank = x.shape.length;
    const order = axes ? axes.map((a) => axisOf("transpose", a, rank)) : x.shape.map((_, i) => rank - 1 - i);
    if (order.length !== rank || new Set(order).size !== rank)
      throw new ShapeError(`transpose: axes ${shapeText(axes ?? [])} do not name each of the ${rank} axes of ${typeText(x)} once`, {
        op: "transpose",
      });
    return { axes: order };
  },
  type: ({ x, axes }) =>
    tensorType(
      x.dtype,
      axes.map((a) => x.shape[a]!),
    ),
  eval: ({ x, axes }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const a = x.data;
    const own = stridesOf(x.type.shape);
    const strides = axes.map((i) => own[i]!);
    eachRow(out.shape, [strides], (at, base, step, length) => {
      let p = base[0]!;
      const dp = step[0]!;
      for (let i = 0; i < length; i++, p += dp) y[at + i] = a[p]!;
    });
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, axes }) => transpose(x, { axes: [0, ...axes.map((a) => a + 1)] }),
  formula: { x: "dX = transpose(dY)" },
  vjp: ({ ct, axes }) => ({ x: transpose(ct, { axes: axes.map((_, i) => axes.indexOf(i)) }) }),
});
