import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkSimplex } from "../../../src/draw/layout/network-simplex.ts";
import type { RankEdge } from "../../../src/draw/layout/rank-problem.ts";

const cost = (rank: ArrayLike<number>, edges: readonly RankEdge[]): number =>
  edges.reduce((sum, { from, to, weight }) => sum + weight * (rank[to]! - rank[from]!), 0);
const isFeasible = (rank: ArrayLike<number>, edges: readonly RankEdge[]): boolean =>
  edges.every(({ from, to, length }) => rank[to]! - rank[from]! >= length);

/** The least cost by trying all ranks below `limit`. */
function leastCost(count: number, edges: readonly RankEdge[], limit: number): number {
  let best = Number.POSITIVE_INFINITY;
  const rank = new Int32Array(count);
  for (let code = 0; code < limit ** count; code++) {
    for (let v = 0, rest = code; v < count; v++, rest = Math.floor(rest / limit)) rank[v] = rest % limit;
    if (isFeasible(rank, edges)) best = Math.min(best, cost(rank, edges));
  }
  return best;
}

const anyEdges = (count: number, longest: number): fc.Arbitrary<RankEdge[]> =>
  fc.array(
    fc
      .record({ a: fc.nat(count - 1), b: fc.nat(count - 1), weight: fc.nat(4), length: fc.nat(longest) })
      .filter(({ a, b }) => a !== b)
      .map(({ a, b, weight, length }) => ({ from: Math.min(a, b), to: Math.max(a, b), weight, length })),
    { minLength: 3, maxLength: 12, size: "max" },
  );

describe("networkSimplex", () => {
  it("finds the least total length, as trying every ranking does", () => {
    fc.assert(
      fc.property(anyEdges(6, 1), (edges) => {
        const rank = networkSimplex(6, edges);
        expect(isFeasible(rank, edges)).toBe(true);
        expect(cost(rank, edges)).toBe(leastCost(6, edges, 6));
      }),
      { seed: 1, numRuns: 150 },
    );
  });
});
