import type { Between } from "../autodiff/pullback.ts";
import { type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { budget, type Entry, rowsOf } from "./jacobian-rows.ts";

/** A path as a chain of edges; the one without `next` is at x. Tails are shared between paths. */
export interface Link {
  readonly product: number;
  readonly edge: number;
  /** The gate's result that the path comes through, and its element. */
  readonly result: number;
  readonly element: number;
  readonly intoElement: number;
  readonly weight: number;
  readonly next: Link | null;
}

/** What is known of all paths from one element back to x: the largest, and of the others their number and sum. */
export interface Tally {
  readonly count: bigint;
  /** Paths without a zero. */
  readonly live: bigint;
  readonly top: readonly Link[];
  readonly restCount: bigint;
  readonly restSum: number;
  /** The sum of the absolute products of all. */
  readonly magnitude: number;
}

/** Larger first; NaN before everything, for it decides the sum. */
function larger(a: Link, b: Link): number {
  const p = Math.abs(a.product);
  const q = Math.abs(b.product);
  if (Number.isNaN(p) || Number.isNaN(q)) return Number(Number.isNaN(q)) - Number(Number.isNaN(p));
  return p > q ? -1 : p < q ? 1 : 0;
}

/**
 * The paths from element `from` of f back to element `to` of x, by one dynamic program over the elements between: an element's largest paths
 * are among its successors' largest ones, because multiplying by one weight keeps the order of sizes. So the cost is (edges) x `top`, however
 * many paths there are. Null where there is none.
 */
export function tallyElement(graph: Between, f: Value, from: number, x: Value, to: number, top: number): Tally | null {
  const { order, edges, first } = graph;
  const end = graph.place(f);
  const start = graph.place(x);
  if (end < 0 || start < 0) return null;
  const offsets = order.map((node) => {
    let total = 0;
    return valuesOf(node).map((v) => {
      const at = total;
      total += sizeOf(v.type.shape);
      return at;
    });
  });
  const rows = linked(graph, offsets, end, offsets[end]![f.index]! + from, start);
  const tallies = new Array<Map<number, Tally> | null>(order.length).fill(null);
  const done: Link = { product: 1, edge: -1, result: 0, element: -1, intoElement: -1, weight: 1, next: null };
  tallies[start] = new Map([
    [
      offsets[start]![x.index]! + to,
      { count: 1n, live: 1n, top: top === 0 ? [] : [done], restCount: top === 0 ? 1n : 0n, restSum: top === 0 ? 1 : 0, magnitude: 1 },
    ],
  ]);
  for (let i = start + 1; i <= end; i++) {
    const needed = rows[i];
    if (needed == null) continue;
    const node = order[i]!;
    const found = new Map<number, Tally>();
    for (const [key, entries] of needed) {
      const parts: { readonly entry: Entry; readonly edge: number; readonly tally: Tally }[] = [];
      for (const entry of entries) {
        const edge = first[i]! + entry.operand;
        const x = node.operands[entry.operand]!;
        const tally = tallies[edges[edge]!]?.get(offsets[edges[edge]!]![x.index]! + entry.element);
        if (tally !== undefined) parts.push({ entry, edge, tally });
      }
      if (parts.length === 0) continue;
      const result = resultAt(offsets[i]!, key);
      found.set(key, combined(parts, result, key - offsets[i]![result]!, top));
    }
    tallies[i] = found;
  }
  return tallies[end]?.get(offsets[end]![f.index]! + from) ?? null;
}

function combined(
  parts: readonly { readonly entry: Entry; readonly edge: number; readonly tally: Tally }[],
  result: number,
  element: number,
  top: number,
): Tally {
  let count = 0n;
  let live = 0n;
  let restCount = 0n;
  let restSum = 0;
  let magnitude = 0;
  const links: Link[] = [];
  for (const { entry, edge, tally } of parts) {
    const { weight } = entry;
    count += tally.count;
    if (weight !== 0) live += tally.live;
    restCount += tally.restCount;
    if (tally.restCount > 0n) restSum += weight * tally.restSum;
    magnitude += Math.abs(weight) * tally.magnitude;
    for (const next of tally.top)
      links.push({ product: weight * next.product, edge, result, element, intoElement: entry.element, weight, next });
  }
  if (parts.length > 1) links.sort(larger);
  for (const link of links.splice(top)) {
    restCount++;
    restSum += link.product;
  }
  return { count, live, top: links, restCount, restSum, magnitude };
}

/** Which result of a node an element belongs to, by the offsets of its results. */
function resultAt(offsets: readonly number[], key: number): number {
  let result = offsets.length - 1;
  while (offsets[result]! > key) result--;
  return result;
}

/** The rows of the Jacobians that lie between, by place and element: what f's element leads back to. */
function linked(
  { order, edges, first }: Between,
  offsets: readonly (readonly number[])[],
  end: number,
  key: number,
  start: number,
): (Map<number, readonly Entry[]> | null)[] {
  const none: readonly Entry[] = [];
  const rows = new Array<Map<number, readonly Entry[]> | null>(order.length).fill(null);
  const costs = budget();
  rows[end] = new Map([[key, none]]);
  for (let i = end; i > start; i--) {
    const needed = rows[i];
    if (needed == null) continue;
    const node = order[i]!;
    const begin = first[i]!;
    if (node.op.pull === null) continue;
    const row = rowsOf(node, (j) => edges[begin + j]! >= 0, costs);
    const own = offsets[i]!;
    for (const k of needed.keys()) {
      const result = resultAt(own, k);
      const entries = row(result, k - own[result]!);
      needed.set(k, entries);
      for (const { operand, element } of entries) {
        const place = edges[begin + operand]!;
        const map = (rows[place] ??= new Map<number, readonly Entry[]>());
        const at = offsets[place]![node.operands[operand]!.index]! + element;
        if (!map.has(at)) map.set(at, none);
      }
    }
  }
  return rows;
}
