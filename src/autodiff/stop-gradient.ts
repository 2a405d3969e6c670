import { GraphError } from "../ir/errors.ts";
import { isType, lift } from "../ir/leaf.ts";
import { rebuild, type Values } from "../ir/tree.ts";
import { stop } from "../ops/identity.ts";

/**
 * The same tree of numbers, through which no derivative passes: constants to every transform.
 * @throws GraphError for types among the leaves
 */
export function stopGradient<T>(tree: T): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`stopGradient: ${path} is a type`);
    return stop(lift(leaf, "f64"));
  }) as Values<T>;
}
