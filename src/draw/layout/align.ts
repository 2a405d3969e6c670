import type { Item } from "./layers.ts";
import { networkSimplex } from "./network-simplex.ts";
import type { RankEdge } from "./rank-problem.ts";
import { least } from "./spacing.ts";

/**
 * The heights with the least total bend, weighted by how much a bend in each stretch costs, that keep the order and the gaps: the same network
 * simplex as for ranks, with one more vertex for each stretch of wire (Gansner et al., 1993, section 4.2). Exact, and makes most stretches straight.
 */
export function alignLayers(layers: readonly (readonly Item[])[]): void {
  const index = new Map<Item, number>();
  for (const layer of layers) for (const item of layer) index.set(item, index.size);
  const edges: RankEdge[] = [];
  let count = index.size;
  for (const layer of layers) {
    for (const item of layer) {
      const from = index.get(item)!;
      const below = layer[item.position + 1];
      if (below) edges.push({ from, to: index.get(below)!, weight: 0, length: least(item, below) });
      for (const link of item.outs) {
        const drop = link.fromOffset - link.toOffset;
        const weight = link.stiffness;
        edges.push({ from: count, to: from, weight, length: Math.max(0, -drop) });
        edges.push({ from: count, to: index.get(link.to)!, weight, length: Math.max(0, drop) });
        count++;
      }
    }
  }
  const heights = networkSimplex(count, edges);
  for (const [item, i] of index) item.y = heights[i]!;
}
