import { isFloat } from "./dtype.ts";
import type { AnyGraph } from "./graph.ts";
import { isGraph, nodesOf } from "./graph.ts";
import { constantOp, nameOf, variableOp } from "./leaf.ts";
import type { Node, Value } from "./node.ts";
import { dense, type Held } from "./tensor.ts";
import { leaves } from "./tree.ts";
import { typeText } from "./type.ts";

/**
 * What is allowed and yet probably not meant: inputs that no output uses, outputs that depend on no input, variables baked in as constants,
 * constants that hold NaN or infinities, and two random nodes that use one key. Bodies of loops and branches are looked through, too.
 */
export function check(g: AnyGraph): readonly string[] {
  const warnings: string[] = [];
  const nodes = nodesOf(g);
  const inputs = leaves(g.inputs).map(({ path, leaf }) => ({
    path: path === "" ? nameOf(leaf as Value) : path,
    node: (leaf as Value).node,
  }));
  const outputs = leaves(g.outputs).map(({ path, leaf }) => ({ path: path === "" ? "the output" : path, node: (leaf as Value).node }));
  const used = new Set<Node>(outputs.map(({ node }) => node));
  const depends = new Set<Node>(inputs.map(({ node }) => node));
  for (const node of nodes)
    for (const v of node.operands) {
      if (v === null) continue;
      used.add(v.node);
      if (depends.has(v.node)) depends.add(node);
    }
  const open: { readonly where: string; readonly nodes: readonly Node[] }[] = [{ where: "", nodes }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const { where } = part;
    warnings.push(...oddNodes(part.nodes).map((w) => where + w));
    for (const node of part.nodes)
      for (const attr of Object.values(node.attrs as Record<string, unknown>))
        if (isGraph(attr)) open.push({ where: `in the body of ${node.op.name}: `, nodes: nodesOf(attr) });
  }
  for (const { path, node } of inputs) if (!used.has(node)) warnings.push(`input ${path} is not used; its gradient is zero`);
  for (const { path, node } of outputs) if (!depends.has(node)) warnings.push(`${path} depends on no input`);
  return warnings;
}

/** What is odd about nodes by themselves. */
function oddNodes(nodes: readonly Node[]): string[] {
  const warnings: string[] = [];
  const keys = new Map<Value, Node>();
  for (const node of nodes) {
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
  return warnings;
}

function allFinite(node: Node): boolean {
  const { data } = dense(node.memo as Held, node.type);
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}
