import { GraphError } from "../ir/errors.ts";
import { findRule, unknownText } from "./operators.ts";
import { type Parameter, placesOf } from "./parameters.ts";
import type { FunctionMessage, NodeMessage } from "./schema.ts";
import { functionKey, readsOf } from "./walk.ts";

/** Nodes of graphs and functions inside a node, the node first; each function once. */
function* inside(node: NodeMessage, functions: ReadonlyMap<string, FunctionMessage>): Generator<NodeMessage> {
  const open: NodeMessage[] = [node];
  const seen = new Set<FunctionMessage>();
  for (const next of open) {
    const called = functions.get(functionKey(next, next.op_type ?? ""));
    if (called === undefined) yield next;
    else if (!seen.has(called)) {
      seen.add(called);
      open.push(...(called.node ?? []));
    }
    for (const { g } of next.attribute ?? []) if (g !== undefined) open.push(...(g.node ?? []));
  }
}

/** The first node inside a node, or itself, whose operator has no rule. */
export function unsupportedIn(node: NodeMessage, functions: ReadonlyMap<string, FunctionMessage>): NodeMessage | null {
  for (const next of inside(node, functions)) {
    const domain = next.domain === "ai.onnx" ? "" : (next.domain ?? "");
    if (findRule(domain, next.op_type ?? "") === undefined) return next;
  }
  return null;
}

/**
 * Looks for operators without a rule before anything is computed.
 * @throws GraphError that names the node, the weights that lie behind it, and what to do
 */
export function checkOperators(
  nodes: readonly NodeMessage[],
  functions: ReadonlyMap<string, FunctionMessage>,
  parameters: readonly Parameter[],
  outputs: readonly string[],
): void {
  for (const node of nodes) {
    const wrong = unsupportedIn(node, functions);
    if (wrong === null) continue;
    const domain = wrong.domain === "ai.onnx" ? "" : (wrong.domain ?? "");
    const blocked = weightsBehind(node, nodes, parameters);
    const shown =
      blocked.length === 0
        ? ""
        : `, and ${blocked.slice(0, 6).join(", ")}${blocked.length > 6 ? ` and ${blocked.length - 6} more weights` : ""} behind it get no gradient`;
    throw new GraphError(`onnx: ${unknownText(domain, wrong)}. Without it there is no ${outputs.join(", ")}${shown}`);
  }
}

/** The weights that a node's results depend on. */
export function weightsBehind(node: NodeMessage, nodes: readonly NodeMessage[], parameters: readonly Parameter[]): string[] {
  const needed = new Set<string>(readsOf(node));
  for (let i = nodes.indexOf(node) - 1; i >= 0; i--)
    if ((nodes[i]!.output ?? []).some((o) => needed.has(o))) for (const name of readsOf(nodes[i]!)) needed.add(name);
  return parameters.filter((p) => placesOf(p).some((name) => needed.has(name))).map((p) => p.name);
}
