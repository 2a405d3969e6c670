import { setHeights } from "./heights.ts";
import { buildLayers, type NodeSize, type Pins, type WireSize } from "./layers.ts";
import { orderLayers } from "./order.ts";
import { type Point, type Route, routeWires, type Trunk } from "./routes.ts";
import type { Spacing } from "./spacing.ts";

/** Where numbered nodes and the labels of numbered wires go; wires run to the right, and the highest item touches 0. */
export interface FlatLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Point[];
  readonly labels: readonly Point[];
  readonly routes: readonly Route[];
  readonly trunks: readonly Trunk[];
}

/**
 * Lays out nodes without groups. After Sugiyama, Tagawa and Toda (1981) and Gansner et al. (1993), with the numbers on wires as items of their own.
 *
 * @throws GraphError when the wires form a cycle or pass through more than `maxPlaces` layers in all.
 */
export function layoutFlat(
  sizes: readonly NodeSize[],
  wires: readonly WireSize[],
  maxPlaces: number,
  spacing: Spacing,
  pins?: Pins,
): FlatLayout {
  const layers = buildLayers(sizes, wires, maxPlaces, spacing, pins);
  orderLayers(layers.layers);
  setHeights(layers.layers);
  const height = moveToTop(layers.layers);
  const { routes, trunks, width } = routeWires(layers, sizes, wires, spacing);
  const point = ({ x, y }: Point): Point => ({ x, y });
  return { width, height, nodes: layers.nodes.map(point), labels: layers.labels.map(point), routes, trunks };
}

/** Moves everything so that the highest item touches 0; returns the height. */
function moveToTop(layers: readonly (readonly { y: number; readonly up: number; readonly down: number }[])[]): number {
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const layer of layers) {
    for (const item of layer) {
      top = Math.min(top, item.y - item.up);
      bottom = Math.max(bottom, item.y + item.down);
    }
  }
  if (top > bottom) return 0;
  for (const layer of layers) for (const item of layer) item.y -= top;
  return bottom - top;
}
