import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { declare, type Op } from "./define.ts";

/** x itself, as a node of its own. Transforms differentiate with respect to fresh ones; pictures leave them out. */
export const identity: Op<(x: Operand) => Value> = declare<(x: Operand) => Value, readonly ["x"]>("identity", ["x"], {
  family: "unary",
  type: ({ x }) => x,
  eval: ({ x }) => x.data,
  linear: ["x"],
  scalar: (x) => x,
  vjp: ({ ct }) => ({ x: ct }),
});
