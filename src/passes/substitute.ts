import { GraphError } from "../ir/errors.ts";
import { substitute as replaced } from "../ir/graph.ts";
import { isValue, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { typeText } from "../ir/type.ts";

/**
 * `substitute(f, x, by)`: f with `by` in the place of x, a leaf or any value on the way. The gates between x and f are built again; the rest is
 * shared. With it a gradient on a wire inside a graph can be checked, or a part replaced: `checkGradients((v) => substitute(f, q, v), at)`.
 * @throws GraphError when `by` is of another type than x, or one of the three is no Value
 */
export function substitute(f: Value, x: Value, by: Value): Value {
  for (const [name, v] of Object.entries({ f, x, by }))
    if (!isValue(v)) throw new GraphError(`substitute: ${name} is no Value; write substitute(f, x, by) with the Values themselves`);
  if (typeText(x.type) !== typeText(by.type))
    throw new GraphError(
      `substitute: ${nameOf(x)} is ${typeText(x.type)} and what takes its place is ${typeText(by.type)}; give the same type`,
    );
  return replaced(f, new Map([[x, by]]));
}
