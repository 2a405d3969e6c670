import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sameShape, shapeText, sizeOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";

/**
 * The same elements in row-major order under another shape; one size may be -1 and is worked out. Backward: reshapes back.
 * @throws ShapeError when the sizes do not multiply to the number of elements
 */
export const reshape: Op<(x: Operand, attrs: { readonly shape: readonly number[] }) => Value> = declare<
  (x: Operand, attrs: { readonly shape: readonly number[] }) => Value,
  readonly ["x"]
>("reshape", ["x"], {
  family: "linear",
  attrs: ({ shape }, { x }) => {
    const n = sizeOf(x.shape);
    const open = shape.indexOf(-1);
    const known = shape.reduce((p, s, i) => (i === open ? p : p * s), 1);
    const fits = open < 0 ? known === n : known > 0 && n % known === 0 && shape.lastIndexOf(-1) === open;
    if (!fits)
      throw new ShapeError(
        `reshape: x is ${typeText(x)} with ${n} elements and cannot take shape ${shapeText(shape)}; the sizes must multiply to ${n}, at most one may be -1`,
        { op: "reshape" },
      );
    return { shape: open < 0 ? shape : shape.map((s, i) => (i === open ? n / known : s)) };
  },
  type: ({ x, shape }) => (sameShape(x.shape, shape) ? x : tensorType(x.dtype, shape)),
  eval: ({ x }) => x.data,
  linear: ["x"],
  reach: "moves",
  batch: ({ x, shape, examples }) => reshape(x, { shape: [examples, ...shape] }),
  formula: { x: "dX = reshape(dY)" },
  vjp: ({ ct, x }) => ({ x: reshape(ct, { shape: x.type.shape }) }),
});
