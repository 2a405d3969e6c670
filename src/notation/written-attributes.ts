import { isValue } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";

/**
 * The attributes of a node that have to be written: those which the op would not fill in by itself. Found by applying the op without each
 * one, so that no table of defaults has to keep up with the ops.
 */
export function writtenAttributes(node: Node): [name: string, value: unknown][] {
  const entries = Object.entries(node.attrs).filter(([, value]) => value !== undefined);
  const apply: unknown = node.op;
  if (entries.length === 0 || !isFunction(apply)) return entries;
  const args = node.op.slots.map(({ arity }, i) => (arity === "rest" ? node.operands.slice(i) : (node.operands[i] ?? undefined)));
  let kept = entries;
  for (const entry of entries) {
    const fewer = kept.filter((other) => other !== entry);
    try {
      const made = madeNode(fewer.length === 0 ? apply(...args) : apply(...args, Object.fromEntries(fewer)));
      if (made !== null && sameAttributes(made.attrs, node.attrs)) kept = fewer;
    } catch {
      // The op cannot do without it.
    }
  }
  return kept;
}

function isFunction(x: unknown): x is (...args: unknown[]) => unknown {
  return typeof x === "function";
}

function madeNode(result: unknown): Node | null {
  if (isValue(result)) return result.node;
  const first: unknown = typeof result === "object" && result !== null ? Object.values(result)[0] : null;
  return isValue(first) ? (first as Value).node : null;
}

function sameAttributes(a: object, b: object): boolean {
  const keys = Object.keys(b).filter((key) => (b as Record<string, unknown>)[key] !== undefined);
  return (
    keys.length === Object.values(a).filter((value) => value !== undefined).length &&
    keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => same(x, b[i])));
}
