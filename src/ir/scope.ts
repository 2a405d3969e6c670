import { isValue } from "./leaf.ts";
import { type Node, nextSerial, nextWalk, type Value, type Where } from "./node.ts";
import { isLeaf } from "./tree.ts";

const nowhere: Where = { scope: null, source: null, span: null, stack: null };

/**
 * Runs `build` and writes `name` on the nodes that its result is made of and that were built inside; scopes nest as `outer/inner`.
 * The function is synchronous. Pictures fold nodes by scope, errors and explanations name it.
 */
export function scope<R>(name: string, build: () => R): R {
  return scopes([{ name, call: nextSerial() }], build);
}

/** {@link scope} with several names, the outermost first, and the number of each: what has the same names and numbers lies in the same scopes. */
export function scopes<R>(path: readonly { readonly name: string; readonly call: number }[], build: () => R): R {
  const from = nextSerial();
  const result = build();
  const roots: Value[] = [];
  // The result may hold anything beside Values (functions, flags), so it is no tree.
  const seen = new Set<object>();
  const gather = (x: unknown): void => {
    if (isValue(x)) roots.push(x);
    else if (typeof x === "object" && x !== null && !isLeaf(x) && !seen.has(x)) {
      seen.add(x);
      for (const inner of Object.values(x)) gather(inner);
    }
  };
  gather(result);
  const name = path.map((part) => part.name).join("/");
  const calls = path.map((part) => part.call);
  for (const node of newerThan(roots, from)) {
    const old = node.where ?? nowhere;
    node.where = { ...old, scope: old.scope === null ? name : `${name}/${old.scope}`, calls: [...calls, ...(old.calls ?? [])] };
  }
  return result;
}

/** The nodes behind `roots` with serials from `from` on. */
export function newerThan(roots: readonly Value[], from: number): Node[] {
  const mark = nextWalk();
  const found: Node[] = [];
  const push = (v: Value | null): void => {
    if (v === null || v.node.serial < from || v.node.mark === mark) return;
    v.node.mark = mark;
    found.push(v.node);
  };
  for (const r of roots) push(r);
  for (let i = 0; i < found.length; i++) for (const v of found[i]!.operands) push(v);
  return found;
}

/** Writes where in a source text the nodes behind `value` built since `from` come from, unless an inner part said it already. */
export function placeSource(value: Value, from: number, source: string, span: { readonly from: number; readonly to: number }): void {
  for (const node of newerThan([value], from)) if (node.where?.span == null) node.where = { ...(node.where ?? nowhere), source, span };
}
