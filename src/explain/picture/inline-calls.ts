import { callOp } from "../../control/call.ts";
import { copyOf, type Graph, isGraph, substitute } from "../../ir/graph.ts";
import { type Node, nextSerial, type Value, valuesOf } from "../../ir/node.ts";
import { newerThan } from "../../ir/scope.ts";
import { leaves } from "../../ir/tree.ts";
import { collect } from "../../ir/walk.ts";

/** The most nodes that inlining may add up to, so that calls within calls do not grow without bound. */
const most = 100_000;

/** Values with every `call` written out, each as a scope of its own, and what became of other values of the same graph. */
export interface Inlined {
  readonly roots: readonly Value[];
  moved(v: Value): Value;
}

/**
 * Writes out the graphs that `call` nodes apply, so that a picture can show them open or closed as any other scope. The values are the same; nodes
 * that depend on no call are shared. Graphs that would grow beyond 100,000 nodes keep their calls.
 */
export function inlineCalls(roots: readonly Value[]): Inlined {
  let current: Inlined = { roots, moved: (v) => v };
  // Calls within calls come to light one level at a time.
  for (let level = 0; level < 50; level++) {
    const order = collect(current.roots);
    if (!order.some(isCall) || sizeAfter(order) > most) return current;
    current = inlineOnce(current, order);
  }
  return current;
}

function isCall(node: Node): boolean {
  return node.op === callOp;
}

function regionOf(node: Node): Graph<readonly Value[], readonly Value[]> | null {
  const { graph } = node.attrs as { readonly graph?: unknown };
  return isGraph(graph) ? (graph as unknown as Graph<readonly Value[], readonly Value[]>) : null;
}

function sizeAfter(order: readonly Node[]): number {
  const sizes = new Map<object, number>();
  let total = order.length;
  for (const node of order.filter(isCall)) {
    const region = regionOf(node);
    if (region === null) continue;
    if (!sizes.has(region)) sizes.set(region, collect(leaves(region.outputs).map(({ leaf }) => leaf as Value)).length);
    total += sizes.get(region)!;
  }
  return total;
}

function inlineOnce(before: Inlined, order: readonly Node[]): Inlined {
  const replaced = new Map<Value, Value>();
  const moved = (v: Value): Value => replaced.get(v) ?? v;
  for (const node of order) {
    const operands = node.operands.map((v) => (v === null ? null : moved(v)));
    const changed = operands.some((v, i) => v !== node.operands[i]);
    const region = isCall(node) ? regionOf(node) : null;
    if (region !== null) {
      const from = nextSerial();
      const inputs = leaves(region.inputs).map(({ leaf }) => leaf as Value);
      const outputs = leaves(region.outputs).map(({ leaf }) => leaf as Value);
      const made = substitute(outputs, new Map(inputs.map((input, i) => [input, operands[i]!])));
      placeIn(made, from, node);
      valuesOf(node).forEach((v, i) => {
        replaced.set(v, made[i]!);
      });
    } else if (changed) {
      const copy = copyOf(node, operands);
      copy.memo = node.memo;
      valuesOf(node).forEach((v, i) => {
        replaced.set(v, valuesOf(copy)[i]!);
      });
    }
  }
  return { roots: before.roots.map(moved), moved: (v) => moved(before.moved(v)) };
}

/** Puts the copies of a body into a scope of the call's own, within the call's. */
function placeIn(made: readonly Value[], from: number, call: Node): void {
  const label = call.label ?? "call";
  const outer = call.where;
  for (const node of newerThan(made, from)) {
    const inner = node.where;
    const names = [outer?.scope, label, inner?.scope].filter((name) => name != null);
    const calls = [...(outer?.calls ?? []), from, ...(inner?.calls ?? [])];
    node.where = { scope: names.join("/"), source: inner?.source ?? null, span: inner?.span ?? null, stack: inner?.stack ?? null, calls };
  }
}
