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
  batch: "elementwise",
  vjp: ({ ct }) => ({ x: ct }),
});

/** The op behind `stopGradient`: x itself, through which no derivative passes. */
export const stop: Op<(x: Operand) => Value> = declare<(x: Operand) => Value, readonly ["x"]>("stop", ["x"], {
  family: "unary",
  type: ({ x }) => x,
  eval: ({ x }) => x.data,
  scalar: (x) => x,
  batch: "elementwise",
  vjp: null,
});
