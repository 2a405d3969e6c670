import { type Between, between } from "../autodiff/pullback.ts";
import { isFloat } from "../ir/dtype.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { gateOf, seedAt } from "./found-paths.ts";
import { normOn, type Reach, reachOf } from "./reach.ts";
import { type Sweep, sweep } from "./sweep.ts";

/** A gate that turns what depends on x into something without a derivative: stopGradient, comparisons, integers. */
export interface Blocker {
  readonly place: number;
  readonly operand: number;
  /** Where a gradient arrives that would have gone on through it: the L1 norm there. */
  readonly upstream: number;
}

/** What flows from f back toward x along one edge: L1 norms of the part that hangs together with x. */
export interface EdgeFlow {
  readonly edge: number;
  readonly gate: number;
  readonly operand: number;
  /** What arrived at the gate. */
  readonly upstream: number;
  /** What left it toward the operand. */
  readonly sent: number;
}

/** The backward pass from f, seen from x. */
export interface FlowTo {
  readonly graph: Between;
  readonly end: number;
  readonly start: number;
  readonly reach: Reach;
  readonly sweep: Sweep;
  /** The edges over which something arrived, f's end first. */
  readonly edges: readonly EdgeFlow[];
  readonly blockers: readonly Blocker[];
  /** Whether f depends on x at all, derivatives or not. */
  readonly depends: boolean;
  /** The largest flow into each place: the edge it came by. */
  readonly best: Int32Array;
  /** A user of each place, on the way up to f: by the largest flow, where none flows by any operand; -1 at f. */
  upward(place: number): number;
  /** The next edge on the shortest way from each place to x; -1 where there is none. */
  readonly onward: Int32Array;
}

/** Follows the gradient of the scalar f back toward x. */
export function flowTo(f: Value, x: Value, element: number | null): FlowTo {
  const graph = between([f], [x]);
  const { order, edges, first } = graph;
  const start = graph.place(x);
  const end = graph.place(f);
  const reach = reachOf(graph, x, element);
  const depends = new Uint8Array(order.length);
  if (start >= 0) depends[start] = 1;
  const blocked = start < 0 ? [] : blockersOf(graph, reach, start, depends);
  // What arrives at a blocker is only known when the pass is asked to go there.
  const taps = blocked.flatMap(({ taps: t }) => t.map((p) => valuesOf(order[p]!)[0]!));
  const wide = taps.length === 0 ? graph : between([f], [x, ...taps]);
  const top = wide.place(f);
  const pass = top < 0 || wide.active[top] === 0 ? { arrived: [], sent: [] } : sweep(wide, new Map([[top, seedAt(f, 0)]]));
  const blockers = blocked.map(({ place, operand, taps: t }) => ({
    place,
    operand,
    upstream: t.reduce((n, p) => n + (pass.arrived[p] ?? []).reduce<number>((m, h) => m + normOn(h, true), 0), 0),
  }));
  const found: EdgeFlow[] = [];
  const best = new Int32Array(order.length).fill(-1);
  const largest = new Float64Array(order.length).fill(-1);
  for (let i = end; i > start && start >= 0; i--) {
    const cts = pass.arrived[i];
    const node = order[i]!;
    if (cts == null) continue;
    for (let e = first[i]!; e < first[i + 1]!; e++) {
      const place = edges[e]!;
      if (place < 0) continue;
      const operand = e - first[i]!;
      const mask = reach.masks[place]?.[node.operands[operand]!.index] ?? null;
      if (mask === null) continue;
      const image = reach.along(e);
      const dead = image.every((m) => m === null);
      const upstream = cts.reduce<number>((n, ct, r) => n + normOn(ct, dead ? true : (image[r] ?? null)), 0);
      if (upstream === 0) continue;
      const sent = dead ? 0 : normOn(pass.sent[e], mask);
      found.push({ edge: e, gate: i, operand, upstream, sent });
      const weight = Number.isNaN(sent) ? Number.POSITIVE_INFINITY : sent;
      if (weight > largest[place]!) {
        largest[place] = weight;
        best[place] = e;
      }
    }
  }
  return {
    graph,
    end,
    start,
    reach,
    sweep: pass,
    edges: found,
    blockers,
    depends: end >= 0 && depends[end] === 1,
    best,
    upward: upwardIn(wide, best, pass, end),
    onward: onwardFrom(graph, start),
  };
}

function upwardIn(wide: Between, best: Int32Array, { sent }: Sweep, end: number): (place: number) => number {
  let users: Int32Array | null = null;
  return (place) => {
    if (place === end) return -1;
    if (best[place]! >= 0) return gateOf(wide, best[place]!);
    users ??= widest(wide, sent, end);
    return users[place]!;
  };
}

/** For each place its user by the largest flow (by any operand where nothing flows), on the way up to `end`. */
export function widest({ order, edges, first }: Between, sent: Sweep["sent"], end: number): Int32Array {
  const users = new Int32Array(order.length).fill(-1);
  const sizes = new Float64Array(order.length).fill(-1);
  const places = new Map(order.map((node, i) => [node, i]));
  for (let i = end; i >= 0; i--)
    for (let e = first[i]!; e < first[i + 1]!; e++) {
      const v = order[i]!.operands[e - first[i]!];
      const p = v == null ? undefined : places.get(v.node);
      if (p === undefined) continue;
      const size = edges[e]! < 0 ? 0 : normOn(sent[e], true);
      if (size > sizes[p]! || users[p] === -1) {
        sizes[p] = size;
        users[p] = i;
      }
    }
  return users;
}

function onwardFrom({ order, edges, first }: Between, start: number): Int32Array {
  const onward = new Int32Array(order.length).fill(-1);
  const far = new Float64Array(order.length).fill(Number.POSITIVE_INFINITY);
  if (start >= 0) far[start] = 0;
  for (let i = Math.max(0, start + 1); i < order.length; i++)
    for (let e = first[i]!; e < first[i + 1]!; e++) {
      const p = edges[e]!;
      if (p >= 0 && far[p]! + 1 < far[i]!) {
        far[i] = far[p]! + 1;
        onward[i] = e;
      }
    }
  return onward;
}

interface Blocked {
  readonly place: number;
  readonly operand: number;
  readonly taps: readonly number[];
}

/** Finds the gates behind which x has no derivative any more; fills in what depends on x at all. */
function blockersOf({ order, edges, first, active }: Between, reach: Reach, start: number, depends: Uint8Array): Blocked[] {
  const places = new Map<Node, number>();
  for (let i = start; i < order.length; i++) places.set(order[i]!, i);
  const gates = new Map<number, number>();
  for (let i = start + 1; i < order.length; i++) {
    const node = order[i]!;
    for (let j = 0; j < node.operands.length; j++) {
      const v = node.operands[j];
      if (v == null) continue;
      const p = places.get(v.node);
      if (p === undefined || depends[p] === 0) continue;
      depends[i] = 1;
      const carries = active[p] === 1 && (p === start || reach.masks[p]?.[v.index] != null || !isFloat(v.type.dtype));
      if (!carries) continue;
      if (isFloat(v.type.dtype)) {
        if (node.op.pull === null) gates.set(i, j);
      } else if (p !== start) {
        let operand = 0;
        while (operand < order[p]!.operands.length - 1 && edges[first[p]! + operand]! < 0) operand++;
        gates.set(p, operand);
      }
    }
  }
  if (gates.size === 0) return [];
  const users = new Map<number, number[]>();
  for (let i = start + 1; i < order.length; i++)
    for (const v of order[i]!.operands) {
      const p = v == null ? undefined : places.get(v.node);
      if (p === undefined || depends[p] === 0) continue;
      const list = users.get(p);
      if (list === undefined) users.set(p, [i]);
      else list.push(i);
    }
  return [...gates].map(([place, operand]) => ({ place, operand, taps: tapsOf(order, users, place) }));
}

/** Where what a blocker makes becomes a floating-point number again: the blocker itself, or the casts behind it. What only steers is none. */
function tapsOf(order: readonly Node[], users: ReadonlyMap<number, readonly number[]>, place: number): number[] {
  const float = (p: number): boolean => valuesOf(order[p]!).every((v) => isFloat(v.type.dtype));
  if (float(place)) return [place];
  const found: number[] = [];
  const seen = new Set<number>([place]);
  const open = [place];
  while (open.length > 0)
    for (const user of users.get(open.pop()!) ?? []) {
      if (seen.has(user)) continue;
      seen.add(user);
      if (!float(user)) open.push(user);
      else if (order[user]!.op.name === "cast") found.push(user);
    }
  return found;
}
