import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { input, lift } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Body, BodyPushforward, Flow, ForwardRegions } from "../ir/op.ts";
import { sameType } from "../ir/type.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { applyTo } from "../ops/define.ts";
import { identity } from "../ops/identity.ts";
import { expand, sum } from "../ops/linear/sum.ts";
import { between, bodyPullback, pullback, regions, zerosLike } from "./pullback.ts";

/**
 * Forward mode: pushes tangents of `wrt` through the graph to `roots`, node by node. Returns a tangent per root, null where the root does not
 * depend on `wrt`.
 */
export function pushforward(roots: readonly Value[], wrt: readonly Value[], tangents: readonly Value[]): (Value | null)[] {
  const graph = between(roots, wrt);
  const { order, active, edges, first } = graph;
  const carried = new Array<Value | readonly (Value | null)[] | null>(order.length).fill(null);
  const given = new Map<number, Value | (Value | null)[]>();
  wrt.forEach((w, i) => {
    const p = graph.place(w);
    if (p < 0) return;
    const { outputs } = w.node;
    if (outputs === null) given.set(p, tangents[i]!);
    else {
      const list = (given.get(p) as (Value | null)[] | undefined) ?? new Array<Value | null>(outputs.length).fill(null);
      list[w.index] = tangents[i]!;
      given.set(p, list);
    }
  });
  const at = (p: number, v: Value): Value | null => {
    const t = p < 0 ? null : (carried[p] ?? null);
    return t === null ? null : Array.isArray(t) ? ((t as readonly (Value | null)[])[v.index] ?? null) : (t as Value);
  };
  for (let i = 0; i < order.length; i++) {
    if (active[i] === 0) continue;
    const node = order[i]!;
    const own = given.get(i);
    if (own !== undefined) {
      carried[i] = own;
      continue;
    }
    const start = first[i]!;
    const arriving = node.operands.map((v, j) => (v === null ? null : at(edges[start + j]!, v)));
    if (arriving.every((t) => t === null)) continue;
    const t = push(node, arriving);
    carried[i] = t === null ? null : fitted(node, t);
  }
  return roots.map((r) => at(graph.place(r), r));
}

const pushforwards = new WeakMap<Body, Map<string, BodyPushforward>>();

/** Both derivatives of graph-valued attributes. */
export const forwardRegions: ForwardRegions = { vjp: bodyPullback, jvp: bodyPushforward };

function bodyPushforward(body: Body, moving: readonly number[]): BodyPushforward {
  const key = moving.join(" ");
  let known = pushforwards.get(body);
  if (known === undefined) {
    known = new Map();
    pushforwards.set(body, known);
  }
  const before = known.get(key);
  if (before !== undefined) return before;
  const wrt = moving.map((i) => body.inputs[i]!);
  const tangents = wrt.map((v, i) => input(v.type, `t${moving[i]!}`));
  const pushed = pushforward(body.outputs, wrt, tangents);
  const outputs = pushed.flatMap((t, i) => (t === null ? [] : [i]));
  const made = { body: { inputs: [...body.inputs, ...tangents], outputs: pushed.filter((t) => t !== null) }, outputs };
  known.set(key, made);
  return made;
}

/** By the op's forward rule; or the op itself where it is linear; or as the vjp of its vjp. */
function push(node: Node, tangents: readonly (Value | null)[]): Flow | null {
  const { op } = node;
  if (op.push !== null) return op.push(node, tangents, forwardRegions);
  if (op.facts.linear !== null) return pushLinear(node, op.facts.linear, tangents);
  return transposedTwice(node, tangents);
}

function pushLinear(node: Node, linear: readonly string[] | "all", tangents: readonly (Value | null)[]): Flow | null {
  const { op, operands } = node;
  const apply = (given: readonly (Value | null)[]): readonly Value[] => {
    const made = applyTo(op, given, node.attrs);
    return node.outputs === null ? [made as Value] : valuesOf((Object.values(made as object)[0] as Value).node);
  };
  let total: readonly Value[] | null = null;
  if (linear === "all")
    total = apply(operands.map((v, i) => (v === null ? null : (tangents[i] ?? (isFloat(v.type.dtype) ? zerosLike(v) : v)))));
  else
    for (let i = 0; i < operands.length; i++) {
      const t = tangents[i];
      const slot = op.slots[Math.min(i, op.slots.length - 1)]!;
      if (!t) continue;
      if (!linear.includes(slot.name)) return transposedTwice(node, tangents);
      const part = apply(operands.map((v, j) => (j === i ? t : v)));
      total = total === null ? part : total.map((v, k) => add(v, part[k]!));
    }
  return total === null ? null : node.outputs === null ? total[0]! : total;
}

/**
 * The tangent from the reverse rule alone: vjp is linear in its cotangent, so its own vjp pushes tangents forward.
 * Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
 */
export function transposedTwice(node: Node, tangents: readonly (Value | null)[]): Flow | null {
  const results = valuesOf(node);
  // The result does not depend on the cotangent's value, only its graph may: zeros stand in for it.
  const cts = results.map((v) => (isFloat(v.type.dtype) ? identity(zerosLike(v)) : null));
  const pull = node.op.pull;
  if (pull === null) return null;
  const pulled = pull(node, node.outputs === null ? cts[0]! : cts, (i) => tangents[i] !== null, regions);
  let total: Value | null = null;
  pulled.forEach((piece, i) => {
    const t = tangents[i] ?? null;
    if (piece === null || t === null) return;
    const dot = sum(mul(lift(piece, t.type.dtype), t));
    total = total === null ? dot : add(total, dot);
  });
  if (total === null) return null;
  const asked = cts.filter((c) => c !== null);
  const pushed = pullback([total], [lift(1, (total as Value).type.dtype)], asked);
  let k = 0;
  const flow = cts.map((c) => (c === null ? null : (pushed[k++] ?? null)));
  return node.outputs === null ? flow[0]! : flow;
}

function fitted(node: Node, t: Flow): Flow {
  const fit = (x: Value | null, like: Value): Value | null => {
    if (x === null || sameType(x.type, like.type)) return x;
    if (x.type.dtype !== like.type.dtype)
      throw new GradientError(`${node.op.name}: its forward rule gives ${x.type.dtype} for a ${like.type.dtype} result`, {
        op: node.op.name,
      });
    return expand(x, { shape: like.type.shape });
  };
  return Array.isArray(t) ? (t as readonly (Value | null)[]).map((x, i) => fit(x, node.outputs![i]!)) : fit(t as Value, node)!;
}
