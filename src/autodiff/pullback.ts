import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { input, lift, nameOf } from "../ir/leaf.ts";
import { Node, nextSerial, type Value } from "../ir/node.ts";
import type { Body, BodyPullback, Flow, Operand, Regions } from "../ir/op.ts";
import { sameType, typeText } from "../ir/type.ts";
import { walk } from "../ir/walk.ts";
import { add } from "../ops/arithmetic.ts";
import { expand, sumTo } from "../ops/linear/sum.ts";

/** The part of the graph between `wrt` and `roots`: nodes in order, which of them depend on `wrt`, and where each operand stands. */
export interface Between {
  readonly order: readonly Node[];
  readonly active: readonly number[];
  /** Places of operands, -1 for outside; those of node i start at `first[i]`. */
  readonly edges: readonly number[];
  readonly first: readonly number[];
  /** Places of the nodes of `roots` and `wrt`, -1 for outside. */
  place(v: Value): number;
}

/**
 * Finds the nodes that carry derivatives from `wrt` to `roots`. Nodes older than the oldest of `wrt` are never visited. All places are
 * resolved here, because rules that run later may walk the graph themselves.
 */
export function between(roots: readonly Value[], wrt: readonly Value[]): Between {
  let floor = Number.POSITIVE_INFINITY;
  for (const w of wrt) {
    floor = Math.min(floor, w.node.serial);
    w.node.place = asked;
  }
  const order: Node[] = [];
  const active: number[] = [];
  const first = [0];
  const edges: number[] = [];
  // Each node is looked at once, when the walk leaves it: its operands have places by then, and are in the processor's cache.
  walk(
    roots,
    (node) => {
      const { count, op, mark } = node;
      const passes = op.pull !== null;
      let carries = node.place === asked ? 1 : 0;
      node.place = order.length;
      order.push(node);
      for (let j = 0; j < count; j++) {
        let p = -1;
        const v = node.operand(j);
        if (passes && v !== null && v.node.mark === mark && isFloat(v.type.dtype) && active[v.node.place] === 1) {
          p = v.node.place;
          carries = 1;
        }
        edges.push(p);
      }
      active.push(carries);
      first.push(edges.length);
    },
    floor,
  );
  const places = new Map<Node, number>();
  const mark = order.length > 0 ? order[0]!.mark : -1;
  for (const w of wrt) {
    if (w.node.place === asked) w.node.place = 0;
    else if (w.node.mark === mark) places.set(w.node, w.node.place);
  }
  for (const { node } of roots) if (node.mark === mark && node.serial >= floor) places.set(node, node.place);
  return { order, active, edges, first, place: (v) => places.get(v.node) ?? -1 };
}

/** The place of a node that is asked about, until the walk comes to it. */
const asked = -2;

/**
 * Reverse mode: walks the graph backward from `roots`, pulls each cotangent through its node's rule and adds up what arrives at a value from
 * its branches. Builds only what `wrt` needs. Returns a cotangent per `wrt`, null where nothing arrived.
 * @param cts a cotangent per root, of the root's type
 */
export function pullback(roots: readonly Value[], cts: readonly Value[], wrt: readonly Value[]): (Value | null)[] {
  const graph = between(roots, wrt);
  const { order, active, edges, first } = graph;
  const arrived = new Array<Value | (Value | null)[] | null>(order.length).fill(null);
  roots.forEach((root, i) => {
    const p = graph.place(root);
    if (p >= 0 && active[p] === 1) deliver(arrived, p, root, cts[i]!);
  });
  let start = 0;
  const wanted = (j: number): boolean => edges[start + j]! >= 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    const ct = arrived[i];
    if (ct === null || ct === undefined || node.op.pull === null || node.count === 0) continue;
    start = first[i]!;
    if (!reaches(edges, start, first[i + 1]!)) continue;
    const serial = nextSerial();
    const pieces = node.op.pull(node, ct as Flow, wanted, regions);
    for (let j = 0; j < pieces.length; j++) {
      const p = edges[start + j]!;
      if (p < 0) continue;
      const x = node.operand(j)!;
      const piece = fit(node, j, x, pieces[j] ?? null);
      if (piece === null) continue;
      tag(piece, serial, node, j);
      deliver(arrived, p, x, piece);
    }
  }
  return wrt.map((w) => {
    const p = graph.place(w);
    const ct = p < 0 ? null : (arrived[p] ?? null);
    return ct === null ? null : Array.isArray(ct) ? (ct[w.index] ?? null) : (ct as Value);
  });
}

function reaches(edges: readonly number[], from: number, to: number): boolean {
  for (let k = from; k < to; k++) if (edges[k]! >= 0) return true;
  return false;
}

const pullbacks = new WeakMap<Body, Map<string, BodyPullback>>();

/** The derivatives of graph-valued attributes: each body is differentiated once for what is asked of it. */
export const regions: Regions = { vjp: bodyPullback };

/** Places of the floating-point values among these. */
function floats(vs: readonly Value[]): number[] {
  return vs.flatMap((v, i) => (isFloat(v.type.dtype) ? [i] : []));
}

export function bodyPullback(body: Body, wanted?: readonly number[], arriving?: readonly number[]): BodyPullback {
  const inputs = wanted ?? floats(body.inputs);
  const outputs = arriving ?? floats(body.outputs);
  const key = `${inputs.join(" ")}/${outputs.join(" ")}`;
  let known = pullbacks.get(body);
  if (known === undefined) {
    known = new Map();
    pullbacks.set(body, known);
  }
  const before = known.get(key);
  if (before !== undefined) return before;
  const cts = outputs.map((i) => input(body.outputs[i]!.type, `d${i}`));
  const wrt = inputs.map((i) => body.inputs[i]!);
  const found = pullback(
    outputs.map((i) => body.outputs[i]!),
    cts,
    wrt,
  );
  const made = { body: { inputs: [...body.inputs, ...cts], outputs: found.map((v, i) => v ?? zerosLike(wrt[i]!)) }, inputs, outputs };
  known.set(key, made);
  return made;
}

/** Adds a cotangent to what has arrived at a result: gradients sum at branches. */
function deliver(arrived: (Value | (Value | null)[] | null)[], place: number, x: Value, ct: Value): void {
  const { node, index } = x;
  if (node.outputs === null) {
    const before = arrived[place] as Value | null;
    arrived[place] = before === null ? ct : branchSum(before, ct, node);
  } else {
    const list = (arrived[place] ??= new Array<Value | null>(node.outputs.length).fill(null)) as (Value | null)[];
    const before = list[index]!;
    list[index] = before === null ? ct : branchSum(before, ct, node);
  }
}

function branchSum(a: Value, b: Value, at: Node): Value {
  const total = add(a, b);
  total.node.origin = at;
  total.node.role = -1;
  return total;
}

/** What a rule returned for an operand, as a cotangent of the operand's type: un-broadcast here, once for all rules. */
export function fit(node: Node, index: number, x: Value, piece: Operand | null): Value | null {
  if (piece === null) return null;
  let v = piece instanceof Node ? piece : lift(piece, x.type.dtype);
  if (v.type === x.type) return v;
  if (v.type.dtype !== x.type.dtype)
    throw new GradientError(
      `${node.op.name}: its rule gives ${typeText(v.type)} for operand ${slotName(node, index)}, which is ${typeText(x.type)}; a cotangent has its operand's dtype`,
      {
        op: node.op.name,
      },
    );
  if (v.type.shape.length < x.type.shape.length) v = expand(v, { shape: x.type.shape });
  else if (!sameType(v.type, x.type)) v = sumTo(v, x.type.shape);
  if (!sameType(v.type, x.type)) v = expand(v, { shape: x.type.shape });
  return v;
}

function slotName(node: Node, index: number): string {
  const { slots } = node.op;
  return slots[Math.min(index, slots.length - 1)]?.name ?? String(index);
}

/** Writes on the nodes that a rule made which forward node and operand they serve. */
function tag(v: Value, since: number, origin: Node, role: number): void {
  const { node } = v;
  if (node.serial < since || node.origin !== null) return;
  node.origin = origin;
  node.role = role;
  let open: Node[] | null = null;
  for (let at: Node | undefined = node; at !== undefined; at = open?.pop())
    for (let i = 0; i < at.count; i++) {
      const x = at.operand(i);
      if (x === null || x.node.serial < since || x.node.origin !== null) continue;
      x.node.origin = origin;
      x.node.role = role;
      if (open === null) open = [x.node];
      else open.push(x.node);
    }
}

/** The cotangent of a value that nothing depends on. */
export function zerosLike(v: Value): Value {
  const zero = lift(0, v.type.dtype);
  return v.type.shape.length === 0 ? zero : expand(zero, { shape: v.type.shape });
}

/** The seed of a backward pass or a direction: broadcast to the type it belongs to. */
export function seed(x: Operand, like: Value, who: string): Value {
  const v = lift(x, like.type.dtype);
  if (sameType(v.type, like.type)) return v;
  if (v.type.dtype !== like.type.dtype)
    throw new GradientError(
      `${who}: ${nameOf(like)} is ${typeText(like.type)} and its direction is ${typeText(v.type)}; they must have one dtype`,
    );
  return expand(v, { shape: like.type.shape });
}
