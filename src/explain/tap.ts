import { isFloat } from "../ir/dtype.ts";
import { named } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { declare, type Op } from "../ops/define.ts";

/** What a tap saw pass by. */
export interface Tapped {
  readonly label: string;
  readonly what: "value" | "gradient";
  readonly tensor: Tensor;
}

interface TapAttrs {
  readonly label: string;
  readonly what: "value" | "gradient";
  readonly report: (seen: Tapped) => void;
}

/** The op behind `tap`. */
export const tapOp: Op<(x: Operand, attrs: TapAttrs) => Value> = declare<(x: Operand, attrs: TapAttrs) => Value, readonly ["x"]>(
  "tap",
  ["x"],
  {
    type: ({ x }) => x,
    eval: ({ x, label, what, report }) => {
      report({ label, what, tensor: { ...x, data: x.data.slice() } });
      return x.data;
    },
    // A tap sees all examples at once, for that is what is computed.
    batch: "elementwise",
    linear: ["x"],
    formula: { x: "dX = dY" },
    vjp: ({ ct, label, what, report }) => ({
      x: what === "value" && isFloat(ct.type.dtype) ? tapOp(ct, { label, what: "gradient", report }) : ct,
    }),
  },
);

/**
 * The value itself, reported to `report` when it is computed, and its gradient when that is: a probe that changes nothing. Each value is
 * reported once, because readings are remembered.
 */
export function tap(value: Operand, label: string, report: (seen: Tapped) => void): Value {
  return named(tapOp(value, { label, what: "value", report }), label);
}
