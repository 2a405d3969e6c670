import { GraphError } from "../ir/errors.ts";
import { isType, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { rebuild, type Values } from "../ir/tree.ts";
import { declare, type Op } from "../ops/define.ts";

/** The op behind `stopGradient`: x itself, through which no derivative passes. */
export const stop: Op<(x: Operand) => Value> = declare<(x: Operand) => Value, readonly ["x"]>("stop", ["x"], {
  family: "unary",
  type: ({ x }) => x,
  eval: ({ x }) => x.data,
  scalar: (x) => x,
  vjp: null,
});

/** The same tree of numbers, through which no derivative passes: constants to every transform. */
export function stopGradient<T>(tree: T): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`stopGradient: ${path} is a type`);
    return stop(lift(leaf, "f64"));
  }) as Values<T>;
}
