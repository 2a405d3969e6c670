import {
  bridges,
  connectedParts,
  feasibleRanks,
  makeProblem,
  otherEnd,
  type Problem,
  type RankEdge,
  slack,
  topologicalOrder,
} from "./rank-problem.ts";

interface Tree {
  readonly rank: Int32Array;
  readonly inTree: Uint8Array;
  /** The tree edge toward the root, -1 at the root. */
  readonly parent: Int32Array;
  /** Postorder numbers: the vertices under v are those numbered `low[v] .. last[v]`. */
  readonly low: Int32Array;
  readonly last: Int32Array;
  /** The vertex with a postorder number. */
  readonly at: Int32Array;
  readonly cut: Float64Array;
  /** Where the numbering goes on at each vertex. */
  readonly cursor: Int32Array;
}

/**
 * Ranks with the smallest total weighted edge length, each connected part starting at 0. Network simplex after Gansner, Koutsofios, North and Vo,
 * "A technique for drawing directed graphs" (1993): a spanning tree of tight edges, improved one exchange at a time. Nothing recurses. `start` gives
 * whole numbers to begin with; where they break an edge's length they are not used.
 *
 * @throws GraphError when the edges form a cycle.
 */
export function networkSimplex(count: number, edges: readonly RankEdge[], start?: readonly number[]): Int32Array {
  const order = topologicalOrder(count, edges);
  const part = connectedParts(count, edges);
  const extra = bridges(part, order, edges);
  const isGiven = start?.length === count && edges.every(({ from, to, length }) => start[to]! - start[from]! >= length);
  const known = isGiven ? extra.map((edge) => ({ ...edge, length: start[edge.to]! - start[edge.from]! })) : extra;
  const problem = makeProblem(count, known.length > 0 ? [...edges, ...known] : edges);
  const tree: Tree = {
    rank: isGiven ? Int32Array.from(start) : feasibleRanks(problem, order),
    inTree: new Uint8Array(problem.tail.length),
    parent: new Int32Array(count).fill(-1),
    low: new Int32Array(count),
    last: new Int32Array(count),
    at: new Int32Array(count + 1),
    cut: new Float64Array(problem.tail.length),
    cursor: new Int32Array(count),
  };
  if (count > 1) {
    growTightTree(problem, tree);
    number(problem, tree, 0, 1);
    computeCuts(problem, tree);
    // Each exchange shortens the drawing or keeps its length; the bound only guards against a cycle of exchanges that keep it.
    let searchFrom = 0;
    for (let exchanges = 16 * problem.tail.length + 64; exchanges > 0; exchanges--) {
      const leaving = leavingEdge(problem, tree, searchFrom);
      if (leaving < 0) break;
      searchFrom = leaving + 1;
      exchange(problem, tree, leaving, enteringEdge(problem, tree, leaving));
    }
  }
  return startAtZero(tree.rank, part);
}

/** Grows a tree of tight edges from vertex 0; where it stops, the whole tree shifts until the nearest edge that leaves it is tight. */
function growTightTree(problem: Problem, { rank, inTree }: Tree): void {
  const { count, first, incident, tail } = problem;
  const reached = new Uint8Array(count);
  const members = new Int32Array(count);
  reached[0] = 1;
  let size = 1;
  for (let next = 0; size < count; ) {
    for (; next < size; next++) {
      const v = members[next]!;
      for (let i = first[v]!; i < first[v + 1]!; i++) {
        const e = incident[i]!;
        const other = otherEnd(problem, e, v);
        if (reached[other] || slack(problem, rank, e) !== 0) continue;
        reached[other] = 1;
        inTree[e] = 1;
        members[size++] = other;
      }
    }
    if (size === count) return;
    let nearest = -1;
    let smallest = Number.POSITIVE_INFINITY;
    for (let m = 0; m < size; m++) {
      const v = members[m]!;
      for (let i = first[v]!; i < first[v + 1]!; i++) {
        const e = incident[i]!;
        if (reached[otherEnd(problem, e, v)]) continue;
        const room = slack(problem, rank, e);
        if (room < smallest) {
          smallest = room;
          nearest = e;
        }
      }
    }
    const outward = reached[tail[nearest]!] === 1;
    for (let m = 0; m < size; m++) rank[members[m]!]! += outward ? smallest : -smallest;
    const inside = outward ? tail[nearest]! : problem.head[nearest]!;
    const outside = otherEnd(problem, nearest, inside);
    reached[outside] = 1;
    inTree[nearest] = 1;
    members[size++] = outside;
  }
}

/** Numbers the tree under `root` in postorder, starting with `start`, and points every vertex there at its parent. */
function number(problem: Problem, tree: Tree, root: number, start: number): void {
  const { first, incident } = problem;
  const { cursor } = tree;
  const stack = [root];
  let next = start;
  tree.low[root] = next;
  cursor[root] = first[root]!;
  while (stack.length > 0) {
    const v = stack[stack.length - 1]!;
    let i = cursor[v]!;
    let child = -1;
    for (; i < first[v + 1]! && child < 0; i++) {
      const e = incident[i]!;
      if (tree.inTree[e] && e !== tree.parent[v]) {
        child = otherEnd(problem, e, v);
        tree.parent[child] = e;
      }
    }
    cursor[v] = i;
    if (child >= 0) {
      tree.low[child] = next;
      cursor[child] = first[child]!;
      stack.push(child);
    } else {
      tree.last[v] = next;
      tree.at[next++] = v;
      stack.pop();
    }
  }
}

/** The cut value of a tree edge: weight across the cut in its direction less weight against it. Negative means the tree can improve. */
function computeCuts(problem: Problem, tree: Tree): void {
  const { count, first, incident, tail, weight } = problem;
  for (let n = 1; n <= count; n++) {
    const v = tree.at[n]!;
    const up = tree.parent[v]!;
    if (up < 0) continue;
    const outward = tail[up] === v;
    let cut = weight[up]!;
    for (let i = first[v]!; i < first[v + 1]!; i++) {
      const e = incident[i]!;
      if (e === up) continue;
      const along = (tail[e] === v) === outward;
      cut += along ? weight[e]! : -weight[e]!;
      const other = otherEnd(problem, e, v);
      if (tree.inTree[e] && tree.parent[other] === e) cut += along ? -tree.cut[e]! : tree.cut[e]!;
    }
    tree.cut[up] = cut;
  }
}

/** The worst of the next few tree edges with a negative cut value, searching round from `start`; -1 when the tree is optimal. */
function leavingEdge(problem: Problem, tree: Tree, start: number): number {
  const total = problem.tail.length;
  let worst = -1;
  let found = 0;
  for (let i = 0; i < total; i++) {
    const e = start + i < total ? start + i : start + i - total;
    if (!tree.inTree[e] || tree.cut[e]! >= 0) continue;
    if (worst < 0 || tree.cut[e]! < tree.cut[worst]!) worst = e;
    if (++found === 30) break;
  }
  return worst;
}

/** The tightest edge that crosses the cut against the leaving edge; looks from the smaller side of the cut. */
function enteringEdge(problem: Problem, tree: Tree, leaving: number): number {
  const { count, first, incident, tail, head } = problem;
  const childIsTail = tree.last[tail[leaving]!]! < tree.last[head[leaving]!]!;
  const child = childIsTail ? tail[leaving]! : head[leaving]!;
  const low = tree.low[child]!;
  const last = tree.last[child]!;
  const isUnder = (v: number): boolean => tree.last[v]! >= low && tree.last[v]! <= last;
  let best = -1;
  let smallest = Number.POSITIVE_INFINITY;
  const look = (from: number, to: number, under: boolean): void => {
    for (let n = from; n <= to; n++) {
      const v = tree.at[n]!;
      for (let i = first[v]!; i < first[v + 1]!; i++) {
        const e = incident[i]!;
        // Against the leaving edge: out of the part that held its head.
        const leavesHead = (tail[e] === v) === (under !== childIsTail);
        if (!leavesHead || isUnder(otherEnd(problem, e, v)) === under) continue;
        const room = slack(problem, tree.rank, e);
        if (room < smallest || (room === smallest && e < best)) {
          smallest = room;
          best = e;
        }
      }
    }
  };
  if (2 * (last - low + 1) <= count) look(low, last, true);
  else {
    look(1, low - 1, false);
    look(last + 1, count, false);
  }
  return best;
}

function exchange(problem: Problem, tree: Tree, leaving: number, entering: number): void {
  const { tail, head, count } = problem;
  const shift = slack(problem, tree.rank, entering);
  if (shift > 0) {
    const childIsTail = tree.last[tail[leaving]!]! < tree.last[head[leaving]!]!;
    const child = childIsTail ? tail[leaving]! : head[leaving]!;
    const low = tree.low[child]!;
    const last = tree.last[child]!;
    const move = (from: number, to: number, by: number): void => {
      for (let n = from; n <= to; n++) tree.rank[tree.at[n]!]! += by;
    };
    const by = childIsTail ? -shift : shift;
    if (2 * (last - low + 1) <= count) move(low, last, by);
    else {
      move(1, low - 1, -by);
      move(last + 1, count, -by);
    }
  }
  const gain = tree.cut[leaving]!;
  const meeting = updateCutsUp(problem, tree, tail[entering]!, head[entering]!, gain, true);
  updateCutsUp(problem, tree, head[entering]!, tail[entering]!, gain, false);
  tree.cut[entering] = -gain;
  tree.cut[leaving] = 0;
  tree.inTree[leaving] = 0;
  tree.inTree[entering] = 1;
  number(problem, tree, meeting, tree.low[meeting]!);
}

/** Corrects the cut values from `v` up to the first vertex that also has `w` under it, which is returned. */
function updateCutsUp(problem: Problem, tree: Tree, v: number, w: number, gain: number, direction: boolean): number {
  while (tree.low[v]! > tree.last[w]! || tree.last[w]! > tree.last[v]!) {
    const e = tree.parent[v]!;
    tree.cut[e]! += (v === problem.tail[e]) === direction ? gain : -gain;
    v = otherEnd(problem, e, v);
  }
  return v;
}

function startAtZero(rank: Int32Array, part: Int32Array): Int32Array {
  const smallest = new Map<number, number>();
  for (let v = 0; v < rank.length; v++) smallest.set(part[v]!, Math.min(smallest.get(part[v]!) ?? rank[v]!, rank[v]!));
  return rank.map((value, v) => value - smallest.get(part[v]!)!);
}
