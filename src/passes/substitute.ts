import { GraphError } from "../ir/errors.ts";
import { substitute as replaced } from "../ir/graph.ts";
import { isValue, nameOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { typeText } from "../ir/type.ts";

/** One place where a value is used: an operand of a node, by its place among the node's operands. */
export interface Use {
  readonly node: Node;
  readonly operand: number;
}

/**
 * `substitute(f, x, by)`: f with `by` in the place of x, a leaf or any value on the way. The gates between x and f are built again; the rest is
 * shared. With it a gradient on a wire inside a graph can be checked, or a part replaced: `checkGradients((v) => substitute(f, q, v), at)`.
 * @param uses the uses of x that take `by`, where not all of them do: the derivative is then what these branches contribute to the gradient of x
 * @throws GraphError when `by` is of another type than x, when one of the three is no Value, or where a use is none of x
 */
export function substitute(f: Value, x: Value, by: Value, uses?: readonly Use[]): Value {
  for (const [name, v] of Object.entries({ f, x, by }))
    if (!isValue(v)) throw new GraphError(`substitute: ${name} is no Value; write substitute(f, x, by) with the Values themselves`);
  if (typeText(x.type) !== typeText(by.type))
    throw new GraphError(
      `substitute: ${nameOf(x)} is ${typeText(x.type)} and what takes its place is ${typeText(by.type)}; give the same type`,
    );
  if (uses === undefined) return replaced(f, new Map([[x, by]]));
  const wanted = new Map<Node, Set<number>>();
  for (const { node, operand } of uses) {
    if (node.operands[operand] !== x)
      throw new GraphError(
        `substitute: operand ${operand} of ${nameOf(node)} is not ${nameOf(x)}; a use is { node, operand } with node.operands[operand] === x`,
      );
    const known = wanted.get(node);
    if (known === undefined) wanted.set(node, new Set([operand]));
    else known.add(operand);
  }
  return replaced(f, new Map([[x, by]]), (node, operand) => wanted.get(node)?.has(operand) === true);
}
