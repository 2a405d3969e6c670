import { constantOp, inputOp, literalOf, variableOp } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { typeText } from "../ir/type.ts";

/** Names for the values of a graph: the user's, else `q1, q2, ...` in order of computation; the end is `f` unless that name is taken. */
export function nameValues(order: readonly Node[], end: Value): Map<Node, string> {
  const names = new Map<Node, string>();
  const taken = new Set<string>();
  const free = (wanted: string): string => {
    if (!taken.has(wanted)) return wanted;
    for (let i = 2; ; i++) if (!taken.has(`${wanted}#${i}`)) return `${wanted}#${i}`;
  };
  const give = (node: Node, name: string): void => {
    names.set(node, name);
    taken.add(name);
  };
  for (const node of order) if (node.label !== null) give(node, free(node.label));
  if (!names.has(end.node)) {
    const c = literalOf(end);
    give(end.node, c === null ? free("f") : String(c));
  }
  let count = 0;
  for (const node of order) {
    if (names.has(node)) continue;
    if (isFixed(node)) names.set(node, constantName(node));
    else {
      let name: string;
      do name = `q${++count}`;
      while (taken.has(name));
      give(node, name);
    }
  }
  return names;
}

/** Whether a node is a number here: a constant, or a node that depends on nothing and forgot how it was made. */
export function isFixed(node: Node): boolean {
  return node.op === constantOp || (node.operands.length === 0 && node.op !== variableOp && node.op !== inputOp && node.memo !== undefined);
}

function constantName(node: Node): string {
  if (typeof node.memo === "number") return node.type.dtype === "bool" ? String(node.memo === 1) : String(node.memo);
  return node.outputs === null ? `const ${typeText(node.type)}` : `const ${node.op.name}`;
}

/** `q1`, or `q1.values` for one of several results. */
export function nameOfResult(names: ReadonlyMap<Node, string>, v: Value): string {
  const base = names.get(v.node) ?? v.node.op.name;
  if (v.node.outputs === null) return base;
  const { results } = v.node.op;
  return `${base}.${Array.isArray(results) ? (results as readonly string[])[v.index] : v.index}`;
}
