import type { Item } from "./layers.ts";
import { networkSimplex } from "./network-simplex.ts";
import type { RankEdge } from "./rank-problem.ts";
import { least } from "./spacing.ts";

/**
 * The heights with the least total bend, weighted by how much a bend in each stretch costs, that keep the order and the gaps: the same network
 * simplex as for ranks, with one more vertex for each stretch of wire (Gansner et al., 1993, section 4.2). Exact, and makes most stretches straight.
 * It starts from the heights that the items have, whole numbers that keep the gaps.
 */
export function alignLayers(layers: readonly (readonly Item[])[]): void {
  const first = new Int32Array(layers.length);
  for (let l = 1; l < layers.length; l++) first[l] = first[l - 1]! + layers[l - 1]!.length;
  const edges: RankEdge[] = [];
  const start: number[] = [];
  for (const layer of layers) for (const item of layer) start.push(item.y);
  layers.forEach((layer, l) => {
    layer.forEach((item, p) => {
      const from = first[l]! + p;
      const below = layer[p + 1];
      if (below) edges.push({ from, to: from + 1, weight: 0, length: least(item, below) });
      for (const { to, fromOffset, toOffset, stiffness: weight } of item.outs) {
        const drop = fromOffset - toOffset;
        const above = start.push(Math.min(item.y - Math.max(0, -drop), to.y - Math.max(0, drop))) - 1;
        edges.push({ from: above, to: from, weight, length: Math.max(0, -drop) });
        edges.push({ from: above, to: first[l + 1]! + to.position, weight, length: Math.max(0, drop) });
      }
    });
  });
  const heights = networkSimplex(start.length, edges, start);
  let i = 0;
  for (const layer of layers) for (const item of layer) item.y = heights[i++]!;
}
