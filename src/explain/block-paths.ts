import type { Between } from "../autodiff/pullback.ts";
import { allocate } from "../ir/dtype.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { type Held, hold } from "../ir/tensor.ts";
import { type FoundPaths, type PathEdge, seedAt } from "./found-paths.ts";
import { budget, rowsOf } from "./jacobian-rows.ts";
import { type Arrived, deliver, pulled, sweep } from "./sweep.ts";

/** A path from the end as far as it has been followed: the gradient block that it carries, at a value. */
interface Reached {
  readonly place: number;
  readonly result: number;
  readonly block: Held;
  readonly bound: number;
  readonly edge: number;
  readonly before: Reached | null;
}

/** Up to so many paths all are followed, which asks for no Jacobians and so works on large tensors too. */
const few = 512n;

/** How many gates the search for the largest paths may pass through before it is given up. */
const patience = 20_000;

/**
 * The paths from one element of f back to x, value by value; what each gives is a block of x's type. Their number comes from a count per node.
 * The largest are found best first: a partial path is followed in the order of a bound on what any of its ends can give, which is exact among
 * scalars. What they leave out is summed by one backward pass that starts wherever a path leaves the ones found.
 */
export function blockPaths(graph: Between, f: Value, from: number, x: Value, top: number): FoundPaths {
  const end = graph.place(f);
  const start = graph.place(x);
  const nothing = zeroOf(x);
  const none: FoundPaths = { count: 0n, live: null, ranked: true, top: [], restCount: 0n, restSum: nothing, magnitude: null };
  if (end < 0 || start < 0 || graph.active[end] === 0) return none;
  const counts = countsOf(graph, x, start);
  const count = end === start ? (f.index === x.index ? 1n : 0n) : counts[end]!;
  if (count === 0n) return none;
  const seed = seedAt(f, from)[f.index]!;
  const { found, ranked } = largest(graph, counts, { f, seed, end, x, start }, top);
  const rest = restOf(graph, counts, { f, seed, end, x, start }, found);
  return {
    count,
    live: null,
    ranked,
    top: found.map((at) => ({ edges: edgesOf(at), contribution: at.block, size: sizeOfBlock(at.block) })),
    restCount: rest.count,
    restSum: rest.sum ?? nothing,
    magnitude: null,
  };
}

function zeroOf(x: Value): Held {
  return x.type.shape.length === 0 ? 0 : hold(x.type, allocate(x.type.dtype, sizeOf(x.type.shape)));
}

function sizeOfBlock(block: Held): number {
  if (typeof block === "number") return Math.abs(block);
  let total = 0;
  for (let i = 0; i < block.data.length; i++) total += Math.abs(block.data[i]!);
  return total;
}

/** The paths from each node back to x. */
function countsOf({ order, active, edges, first }: Between, x: Value, start: number): bigint[] {
  const counts = new Array<bigint>(order.length).fill(0n);
  for (let i = start + 1; i < order.length; i++) {
    if (active[i] === 0) continue;
    let total = 0n;
    for (let e = first[i]!; e < first[i + 1]!; e++) total += alongEdge(order[i]!, e - first[i]!, edges[e]!, counts, x, start);
    counts[i] = total;
  }
  return counts;
}

/** The paths that go on along an edge. */
function alongEdge(node: Node, operand: number, place: number, counts: readonly bigint[], x: Value, start: number): bigint {
  if (place < 0) return 0n;
  if (place === start) return node.operands[operand]!.index === x.index ? 1n : 0n;
  return counts[place]!;
}

interface Ends {
  readonly f: Value;
  readonly seed: Held;
  readonly end: number;
  readonly x: Value;
  readonly start: number;
}

/** Per value and element, how large (L1) a block any path can make of a 1 there: by dynamic programming from x. */
function bounds({ order, active, edges, first }: Between, counts: readonly bigint[], { x, start, end }: Ends): (Float64Array | null)[][] {
  const costs = budget();
  const found = new Array<(Float64Array | null)[]>(order.length);
  found[start] = valuesOf(x.node).map((v) => (v.index === x.index ? new Float64Array(sizeOf(v.type.shape)).fill(1) : null));
  for (let i = start + 1; i <= end; i++) {
    if (active[i] === 0 || counts[i] === 0n) continue;
    const node = order[i]!;
    const row = rowsOf(node, (j) => edges[first[i]! + j]! >= 0, costs);
    found[i] = valuesOf(node).map((v) => {
      const own = new Float64Array(sizeOf(v.type.shape));
      const along = new Float64Array(node.operands.length);
      for (let e = 0; e < own.length; e++) {
        along.fill(0);
        for (const { operand, element, weight } of row(v.index, e)) {
          const bound = found[edges[first[i]! + operand]!]?.[node.operands[operand]!.index];
          if (bound != null) along[operand]! += Math.abs(weight) * bound[element]!;
        }
        for (const a of along) own[e] = Math.max(own[e]!, a);
      }
      return own;
    });
  }
  return found;
}

/** Bounds that differ by rounding are one, so that among equals the search goes deep first and does not try all prefixes. */
function rank(bound: number): number {
  if (Number.isNaN(bound)) return Number.POSITIVE_INFINITY;
  return bound > 0 && Number.isFinite(bound) ? Math.round(Math.log2(bound) * 2 ** 24) : bound === 0 ? Number.NEGATIVE_INFINITY : bound;
}

type Bound = (block: Held, place: number, result: number) => number;

function largest(
  graph: Between,
  counts: readonly bigint[],
  ends: Ends,
  top: number,
): { readonly found: Reached[]; readonly ranked: boolean } {
  const { order, edges, first } = graph;
  const { f, seed, end, x, start } = ends;
  if (top === 0) return { found: [], ranked: true };
  const all = (end === start ? 1n : counts[end]!) <= few;
  const limit = all ? [] : bounds(graph, counts, ends);
  const boundOf: Bound = (block, place, result) => {
    const most = limit[place]?.[result];
    if (most == null) return 0;
    if (typeof block === "number") return Math.abs(block) * most[0]!;
    let total = 0;
    for (let i = 0; i < block.data.length; i++) if (block.data[i] !== 0) total += Math.abs(block.data[i]!) * most[i]!;
    return total;
  };
  const queue = new Queue();
  queue.push({ place: end, result: f.index, block: seed, bound: rank(boundOf(seed, end, f.index)), edge: -1, before: null });
  const found: Reached[] = [];
  for (let passed = 0; ; passed++) {
    const at = queue.pop();
    if (at === null) return { found: all ? found.sort(bySize).slice(0, top) : found, ranked: true };
    if (at.place === start) {
      found.push(at);
      if (!all && found.length === top) return { found, ranked: true };
      continue;
    }
    if (!all && passed > patience) return { found: beam(graph, counts, ends, boundOf, top), ranked: false };
    const node = order[at.place]!;
    const begin = first[at.place]!;
    const cts = valuesOf(node).map((_, r) => (r === at.result ? at.block : null));
    const goes = (j: number): boolean => alongEdge(node, j, edges[begin + j]!, counts, x, start) > 0n;
    const pieces = pulled(node, cts, goes);
    for (let j = 0; j < pieces.length; j++) {
      if (!goes(j)) continue;
      const into = node.operands[j]!;
      const block = pieces[j] ?? zeroOf(into);
      const place = edges[begin + j]!;
      queue.push({ place, result: into.index, block, bound: rank(boundOf(block, place, into.index)), edge: begin + j, before: at });
    }
  }
}

/** The largest that are met when every value keeps only its `top` most promising partial paths: what is shown when the search is given up. */
function beam(graph: Between, counts: readonly bigint[], ends: Ends, boundOf: Bound, top: number): Reached[] {
  const { order, edges, first } = graph;
  const { f, seed, end, x, start } = ends;
  const kept = new Array<Reached[] | null>(order.length).fill(null);
  kept[end] = [{ place: end, result: f.index, block: seed, bound: 0, edge: -1, before: null }];
  for (let i = end; i > start; i--) {
    const here = kept[i];
    if (here == null) continue;
    const node = order[i]!;
    const begin = first[i]!;
    const goes = (j: number): boolean => alongEdge(node, j, edges[begin + j]!, counts, x, start) > 0n;
    for (const at of here.sort((a, b) => b.bound - a.bound || 0).slice(0, top)) {
      const pieces = pulled(
        node,
        valuesOf(node).map((_, r) => (r === at.result ? at.block : null)),
        goes,
      );
      for (let j = 0; j < pieces.length; j++) {
        if (!goes(j)) continue;
        const into = node.operands[j]!;
        const block = pieces[j] ?? zeroOf(into);
        const place = edges[begin + j]!;
        const list = (kept[place] ??= []);
        list.push({ place, result: into.index, block, bound: rank(boundOf(block, place, into.index)), edge: begin + j, before: at });
      }
    }
    kept[i] = null;
  }
  return (kept[start] ?? []).sort(bySize).slice(0, top);
}

/** Larger first; NaN before everything, for it decides the sum. */
function bySize(a: Reached, b: Reached): number {
  const p = sizeOfBlock(a.block);
  const q = sizeOfBlock(b.block);
  if (Number.isNaN(p) || Number.isNaN(q)) return Number(Number.isNaN(q)) - Number(Number.isNaN(p));
  return q - p || 0;
}

/** A binary heap: the largest bound first, among equals the deepest. */
class Queue {
  private readonly items: Reached[] = [];
  push(item: Reached): void {
    const { items } = this;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(items[i]!, items[parent]!)) break;
      this.exchange(i, parent);
      i = parent;
    }
  }
  pop(): Reached | null {
    const { items } = this;
    const [first] = items;
    const last = items.pop();
    if (first === undefined || last === undefined) return null;
    if (items.length > 0) {
      items[0] = last;
      for (let i = 0; ; ) {
        let best = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < items.length && before(items[child]!, items[best]!)) best = child;
        if (best === i) break;
        this.exchange(i, best);
        i = best;
      }
    }
    return first;
  }
  private exchange(i: number, j: number): void {
    const { items } = this;
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}

function before(a: Reached, b: Reached): boolean {
  return a.bound > b.bound || (a.bound === b.bound && a.place < b.place);
}

function edgesOf(at: Reached): PathEdge[] {
  const found: PathEdge[] = [];
  for (let a = at; a.before !== null; a = a.before)
    found.push({ edge: a.edge, result: a.before.result, element: -1, intoElement: -1, weight: null });
  return found.reverse();
}

/** What all paths but the ones found give together: where one leaves them, its block starts a backward pass. */
function restOf(
  graph: Between,
  counts: readonly bigint[],
  { f, seed, end, x, start }: Ends,
  found: readonly Reached[],
): { readonly count: bigint; readonly sum: Held | null } {
  const { order, edges, first } = graph;
  const pending: (Arrived | null)[] = new Array<Arrived | null>(order.length).fill(null);
  const open = pending as ((Held | null)[] | null)[];
  if (found.length === 0) {
    const { arrived } = sweep(graph, new Map([[end, valuesOf(f.node).map((_, r) => (r === f.index ? seed : null))]]));
    return { count: end === start ? 1n : counts[end]!, sum: arrived[start]?.[x.index] ?? null };
  }
  let count = 0n;
  const followed = new Map<Reached, Set<number>>();
  for (const end of found)
    for (let at = end; at.before !== null; at = at.before) {
      const set = followed.get(at.before) ?? new Set<number>();
      set.add(at.edge);
      followed.set(at.before, set);
    }
  for (const [at, taken] of followed) {
    const node = order[at.place]!;
    const begin = first[at.place]!;
    const leaves = (j: number): boolean => !taken.has(begin + j) && alongEdge(node, j, edges[begin + j]!, counts, x, start) > 0n;
    if (!node.operands.some((_, j) => leaves(j))) continue;
    const pieces = pulled(
      node,
      valuesOf(node).map((_, r) => (r === at.result ? at.block : null)),
      leaves,
    );
    for (let j = 0; j < pieces.length; j++) {
      if (!leaves(j)) continue;
      const place = edges[begin + j]!;
      count += alongEdge(node, j, place, counts, x, start);
      const piece = pieces[j]!;
      if (piece !== null) deliver(open, place, node.operands[j]!, piece);
    }
  }
  const given = new Map<number, Arrived>();
  pending.forEach((cts, place) => {
    if (cts !== null) given.set(place, cts);
  });
  const { arrived } = sweep(graph, given);
  return { count, sum: arrived[start]?.[x.index] ?? null };
}
