import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkSimplex } from "../../../src/draw/layout/network-simplex.ts";
import type { RankEdge } from "../../../src/draw/layout/rank-problem.ts";

const cost = (rank: ArrayLike<number>, edges: readonly RankEdge[]): number =>
  edges.reduce((sum, { from, to, weight }) => sum + weight * (rank[to]! - rank[from]!), 0);
const isFeasible = (rank: ArrayLike<number>, edges: readonly RankEdge[]): boolean =>
  edges.every(({ from, to, length }) => rank[to]! - rank[from]! >= length);

const anyEdges = (count: number, longest: number): fc.Arbitrary<RankEdge[]> =>
  fc.array(
    fc
      .record({ a: fc.nat(count - 1), b: fc.nat(count - 1), weight: fc.nat(4), length: fc.nat(longest) })
      .filter(({ a, b }) => a !== b)
      .map(({ a, b, weight, length }) => ({ from: Math.min(a, b), to: Math.max(a, b), weight, length })),
    { minLength: 3, maxLength: 12, size: "max" },
  );

describe("networkSimplex", () => {
  it("finds ranks no single set of vertices can improve on larger graphs", () => {
    fc.assert(
      fc.property(anyEdges(14, 5), (edges) => {
        const rank = networkSimplex(14, edges);
        expect(isFeasible(rank, edges)).toBe(true);
        // Optimal means: moving everything on one side of any tight cut does not pay. Single vertices are the cuts that are easy to list.
        for (let v = 0; v < 14; v++) {
          for (const by of [-1, 1]) {
            const moved = rank.slice();
            moved[v]! += by;
            if (isFeasible(moved, edges)) expect(cost(moved, edges)).toBeGreaterThanOrEqual(cost(rank, edges));
          }
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("finds ranks as good from a given start, and does not use one that breaks a length", () => {
    const start = fc.array(fc.nat(40), { minLength: 14, maxLength: 14 });
    fc.assert(
      fc.property(anyEdges(14, 5), start, fc.boolean(), (edges, any, isMended) => {
        const given = any.slice();
        if (isMended) {
          // Edges run from smaller to larger vertices.
          for (let v = 0; v < 14; v++) {
            for (const { from, to, length } of edges) if (to === v) given[v] = Math.max(given[v]!, given[from]! + length);
          }
        }
        const rank = networkSimplex(14, edges, given);
        expect(isFeasible(rank, edges)).toBe(true);
        expect(cost(rank, edges)).toBe(cost(networkSimplex(14, edges), edges));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("starts each connected part at rank 0", () => {
    const edges = [
      { from: 0, to: 1, weight: 1, length: 1 },
      { from: 2, to: 3, weight: 1, length: 4 },
    ];
    expect([...networkSimplex(5, edges)]).toEqual([0, 1, 0, 4, 0]);
  });

  it("refuses a cycle", () => {
    const edges = [
      { from: 0, to: 1, weight: 1, length: 1 },
      { from: 1, to: 0, weight: 1, length: 1 },
    ];
    expect(() => networkSimplex(2, edges)).toThrow("draw: the wires form a cycle");
  });
});
