import { GraphError } from "../../ir/errors.ts";

/** `to` comes at least `length` ranks after `from`; each rank in between costs `weight`. */
export interface RankEdge {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly length: number;
}

/** The edges as arrays, with the edges at each vertex. */
export interface Problem {
  readonly count: number;
  readonly tail: Int32Array;
  readonly head: Int32Array;
  readonly weight: Float64Array;
  readonly length: Int32Array;
  /** The edges at vertex v are `incident[first[v]] .. incident[first[v + 1] - 1]`. */
  readonly first: Int32Array;
  readonly incident: Int32Array;
}

/**
 * The vertices, each after those that its edges come from.
 *
 * @throws GraphError when the edges form a cycle.
 */
export function topologicalOrder(count: number, edges: readonly RankEdge[]): Int32Array {
  const waiting = new Int32Array(count);
  for (const edge of edges) waiting[edge.to]!++;
  const { first, incident } = incidence(count, edges);
  const order = new Int32Array(count);
  let filled = 0;
  for (let v = 0; v < count; v++) if (waiting[v] === 0) order[filled++] = v;
  for (let next = 0; next < filled; next++) {
    const v = order[next]!;
    for (let i = first[v]!; i < first[v + 1]!; i++) {
      const edge = edges[incident[i]!]!;
      if (edge.from === v && --waiting[edge.to]! === 0) order[filled++] = edge.to;
    }
  }
  if (filled < count) throw new GraphError("draw: the wires form a cycle; a computational graph has none, draw one turn of the loop");
  return order;
}

function incidence(count: number, edges: readonly RankEdge[]): { first: Int32Array; incident: Int32Array } {
  const first = new Int32Array(count + 1);
  for (const edge of edges) {
    first[edge.from + 1]!++;
    first[edge.to + 1]!++;
  }
  for (let v = 0; v < count; v++) first[v + 1]! += first[v]!;
  const next = first.slice();
  const incident = new Int32Array(2 * edges.length);
  for (let e = 0; e < edges.length; e++) {
    incident[next[edges[e]!.from]!++] = e;
    incident[next[edges[e]!.to]!++] = e;
  }
  return { first, incident };
}

/** The smallest vertex of each vertex's connected part. */
export function connectedParts(count: number, edges: readonly RankEdge[]): Int32Array {
  const part = new Int32Array(count);
  for (let v = 0; v < count; v++) part[v] = v;
  const find = (v: number): number => {
    while (part[v] !== v) v = part[v] = part[part[v]!]!;
    return v;
  };
  for (const edge of edges) {
    const a = find(edge.from);
    const b = find(edge.to);
    part[Math.max(a, b)] = Math.min(a, b);
  }
  for (let v = 0; v < count; v++) part[v] = find(v);
  return part;
}

/**
 * Edges of no weight that join the parts, so that one spanning tree holds them all. They run between sources, forward in `order`, so `order` stays
 * topological.
 */
export function bridges(part: Int32Array, order: Int32Array, edges: readonly RankEdge[]): RankEdge[] {
  const fed = new Uint8Array(part.length);
  for (const edge of edges) fed[edge.to] = 1;
  const joined = new Set<number>();
  let from = -1;
  const extra: RankEdge[] = [];
  for (const v of order) {
    if (fed[v] || joined.has(part[v]!)) continue;
    joined.add(part[v]!);
    if (from >= 0) extra.push({ from, to: v, weight: 0, length: 0 });
    from = v;
  }
  return extra;
}

/** Edges as arrays. */
export function makeProblem(count: number, edges: readonly RankEdge[]): Problem {
  const tail = new Int32Array(edges.length);
  const head = new Int32Array(edges.length);
  const weight = new Float64Array(edges.length);
  const length = new Int32Array(edges.length);
  for (let e = 0; e < edges.length; e++) {
    const edge = edges[e]!;
    tail[e] = edge.from;
    head[e] = edge.to;
    weight[e] = edge.weight;
    length[e] = edge.length;
  }
  return { count, tail, head, weight, length, ...incidence(count, edges) };
}

/** As early as the edges allow, then everything that can moves toward its nearest consumer: close to the optimum already. */
export function feasibleRanks(problem: Problem, order: Int32Array): Int32Array {
  const { first, incident, tail, head, length } = problem;
  const rank = new Int32Array(problem.count);
  for (const v of order) {
    for (let i = first[v]!; i < first[v + 1]!; i++) {
      const e = incident[i]!;
      if (head[e] === v) rank[v] = Math.max(rank[v]!, rank[tail[e]!]! + length[e]!);
    }
  }
  for (let next = order.length - 1; next >= 0; next--) {
    const v = order[next]!;
    let incoming = 0;
    let outgoing = 0;
    let latest = Number.POSITIVE_INFINITY;
    for (let i = first[v]!; i < first[v + 1]!; i++) {
      const e = incident[i]!;
      if (tail[e] === v) {
        outgoing += problem.weight[e]!;
        latest = Math.min(latest, rank[head[e]!]! - length[e]!);
      } else incoming += problem.weight[e]!;
    }
    if (outgoing > incoming && latest < Number.POSITIVE_INFINITY) rank[v] = latest;
  }
  return rank;
}

/** How much longer an edge is than it must be. */
export function slack(problem: Problem, rank: Int32Array, e: number): number {
  return rank[problem.head[e]!]! - rank[problem.tail[e]!]! - problem.length[e]!;
}

/** The end of an edge that is not `v`. */
export function otherEnd(problem: Problem, e: number, v: number): number {
  return problem.tail[e] === v ? problem.head[e]! : problem.tail[e]!;
}
