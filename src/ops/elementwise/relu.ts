import { allocate } from "../../ir/dtype.ts";
import { DTypeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { typeText } from "../../ir/type.ts";
import type { Unary } from "../arithmetic.ts";
import { declare } from "../define.ts";
import { lessEqual } from "./comparison.ts";
import { where } from "./select.ts";

function rectify(x: number): number {
  return Math.max(x, 0);
}

/**
 * max(x, 0), of numbers of any shape; NaN stays. One gate rather than a choice of two, because it is the router that networks are made of: the
 * gradient passes where x > 0. Its derivative at 0 is 0, PyTorch's.
 * @throws DTypeError for truth values
 */
export const relu: Unary = declare<(x: Operand) => Value, readonly ["x"]>("relu", ["x"], {
  family: "unary",
  type: ({ x }) => {
    if (x.dtype === "bool") throw new DTypeError(`relu: x is ${typeText(x)} and relu takes numbers; write cast(x, "f32")`, { op: "relu" });
    return x;
  },
  eval: ({ x }, out) => {
    const y = allocate(out.dtype, x.data.length);
    for (let i = 0; i < y.length; i++) y[i] = rectify(x.data[i]!);
    return y;
  },
  scalar: rectify,
  batch: "elementwise",
  vjp: ({ ct, x }) => ({ x: where(lessEqual(x, 0), 0, ct) }),
  jvp: ({ d, x }) => d.x && where(lessEqual(x, 0), 0, d.x),
  local: (node) => {
    const x = node.operands[0]!;
    return [where(lessEqual(x, 0), lift(0, x.type.dtype), lift(1, x.type.dtype))];
  },
  kink: ({ x }) => Math.abs(x),
});
