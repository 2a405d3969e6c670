import { isFloat } from "./dtype.ts";
import type { Graph } from "./graph.ts";
import { nodesOf } from "./graph.ts";
import { constantOp, nameOf, variableOp } from "./leaf.ts";
import type { Node, Value } from "./node.ts";
import { dense, type Held } from "./tensor.ts";
import { leaves } from "./tree.ts";
import { typeText } from "./type.ts";

/**
 * What is allowed and yet probably not meant: inputs that no output uses, outputs that depend on no input, variables baked in as constants,
 * constants that hold NaN or infinities, and two random nodes that use one key.
 */
export function check(g: Graph<never, unknown> | Graph<unknown, unknown>): readonly string[] {
  const warnings: string[] = [];
  const nodes = nodesOf(g);
  const inputs = leaves(g.inputs).map(({ path, leaf }) => ({
    path: path === "" ? nameOf(leaf as Value) : path,
    node: (leaf as Value).node,
  }));
  const outputs = leaves(g.outputs).map(({ path, leaf }) => ({ path: path === "" ? "the output" : path, node: (leaf as Value).node }));
  const used = new Set<Node>(outputs.map(({ node }) => node));
  const depends = new Set<Node>(inputs.map(({ node }) => node));
  const keys = new Map<Value, Node>();
  for (const node of nodes) {
    for (const v of node.operands) {
      if (v === null) continue;
      used.add(v.node);
      if (depends.has(v.node)) depends.add(node);
    }
    if (node.op === variableOp)
      warnings.push(
        `${node.label ?? "a variable"} is a variable inside the graph; its value is fixed there: make it an input to change it`,
      );
    if (node.op === constantOp && isFloat(node.type.dtype) && !allFinite(node))
      warnings.push(`a constant ${typeText(node.type)} holds NaN or an infinity`);
    const key = node.op.facts.family === "random" ? node.operands[0] : undefined;
    if (key) {
      const other = keys.get(key);
      if (other !== undefined)
        warnings.push(`${other.op.name} and ${node.op.name} use one key, so their numbers are not independent; fold or split it`);
      else keys.set(key, node);
    }
  }
  for (const { path, node } of inputs) if (!used.has(node)) warnings.push(`input ${path} is not used; its gradient is zero`);
  for (const { path, node } of outputs) if (!depends.has(node)) warnings.push(`${path} depends on no input`);
  return warnings;
}

function allFinite(node: Node): boolean {
  const { data } = dense(node.memo as Held, node.type);
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}
