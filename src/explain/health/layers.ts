import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import type { HealthFacts } from "./facts.ts";

/** A layer: its name, and the value that it hands on. */
export interface Layer {
  readonly name: string;
  readonly end: Value;
}

const products: ReadonlySet<string> = new Set(["matmul", "conv", "convTranspose", "einsum"]);

/**
 * The layers of a network in order: the scopes in whose gates parameters stand, or, for a product with a parameter outside of every scope, the
 * product by the parameter's name.
 */
export function layersOf({
  order,
  parameters,
  gradients,
  names,
}: Pick<HealthFacts, "order" | "parameters" | "gradients" | "names">): Layer[] {
  const own = new Map(parameters.map(({ name, of }) => [of.node, name]));
  const withParameters = new Set<string>();
  const parameterIn = (node: Node): Node | undefined => node.operands.find((v) => v !== null && own.has(v.node))?.node;
  for (const node of order) {
    const scope = node.where?.scope;
    if (scope != null && parameterIn(node) !== undefined) withParameters.add(scope);
  }
  // A layer keeps its place in the map and takes a later end.
  const layers = new Map<string, Layer>();
  for (const node of order) {
    if (!gradients.has(node) || node.operands.length === 0) continue;
    const scope = node.where?.scope;
    if (scope != null) {
      // The last gate of a scope is what the layer hands on; nodes stand in order of computation.
      if (withParameters.has(scope)) layers.set(`scope ${scope}`, { name: scope, end: valuesOf(node)[0]! });
      continue;
    }
    const weights = products.has(node.op.name) ? parameterIn(node) : undefined;
    if (weights !== undefined) layers.set(`node ${names.get(node)}`, { name: own.get(weights)!, end: valuesOf(node)[0]! });
  }
  return [...layers.values()];
}
