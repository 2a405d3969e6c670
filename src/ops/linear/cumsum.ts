import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf } from "../../ir/shape.ts";
import { tensorType } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { axisLayout } from "../kernels/walk.ts";

/** Attributes of `cumsum`. */
export interface CumsumAttrs {
  readonly axis: number;
  /** Each sum leaves its own element out. */
  readonly exclusive?: boolean;
  /** Sums run from the end. */
  readonly reverse?: boolean;
}

/**
 * Running sums along an axis: element i is the sum of elements 0..i, or 0..i-1 with `exclusive`, from the end with `reverse`. Bool is counted in i32.
 * Backward: the running sum of the gradient in the other direction.
 */
export const cumsum: Op<(x: Operand, attrs: CumsumAttrs) => Value> = declare<
  (x: Operand, attrs: CumsumAttrs) => Value,
  readonly ["x"],
  Required<CumsumAttrs>
>("cumsum", ["x"], {
  family: "linear",
  attrs: ({ axis, exclusive = false, reverse = false }, { x }) => ({ axis: axisOf("cumsum", axis, x.shape.length), exclusive, reverse }),
  type: ({ x }) => (x.dtype === "bool" ? tensorType("i32", x.shape) : x),
  eval: ({ x, axis, exclusive, reverse }) => {
    const { outer, size, inner } = axisLayout(x.type.shape, axis);
    const a = x.data;
    const y = new Float64Array(a.length);
    for (let o = 0; o < outer; o++) {
      for (let r = 0; r < inner; r++) {
        let total = 0;
        for (let i = 0; i < size; i++) {
          const at = (o * size + (reverse ? size - 1 - i : i)) * inner + r;
          const next = total + a[at]!;
          y[at] = exclusive ? total : next;
          total = next;
        }
      }
    }
    return y;
  },
  linear: ["x"],
  reach: "lines",
  batch: ({ x, axis, exclusive, reverse }) => cumsum(x, { axis: axis + 1, exclusive, reverse }),
  formula: { x: "dX = cumsum(dY) from the other end" },
  vjp: ({ ct, axis, exclusive, reverse }) => ({ x: cumsum(ct, { axis, exclusive, reverse: !reverse }) }),
});
