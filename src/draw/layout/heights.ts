import { alignLayers } from "./align.ts";
import type { Item, Link } from "./layers.ts";
import { placeLayers } from "./place.ts";
import { inputSlide, settlePorts } from "./settle-ports.ts";
import { straighten } from "./straighten.ts";

type Heights = readonly (readonly Item[])[];

/** Up to this many items the exact alignment is worth its time, some 50 ms at the most. */
const exactItems = 1200;

/**
 * Sets every item's height. Least squares come first: they draw a tree of operations symmetrically. Where that leaves wires with small jogs or bent
 * trunks, the exact alignment is tried, and kept if it leaves fewer.
 */
export function setHeights(layers: readonly Item[][]): void {
  placeLayers(layers);
  straighten(layers);
  const jogs = countJogs(layers);
  if (jogs > 0 && layers.reduce((sum, layer) => sum + layer.length, 0) <= exactItems) {
    const before = layers.map((layer) => layer.map((item) => item.y));
    alignLayers(layers);
    straighten(layers);
    if (countJogs(layers) >= jogs) restore(layers, before);
  }
  for (const layer of layers) for (const item of layer) if (item.role === "node") settlePorts(item);
}

function restore(layers: Heights, heights: readonly (readonly number[])[]): void {
  layers.forEach((layer, l) => {
    layer.forEach((item, p) => {
      item.y = heights[l]![p]!;
    });
  });
}

/** Bends that look like slips: small ones, and any within a trunk. */
function countJogs(layers: Heights): number {
  let jogs = 0;
  for (const layer of layers) for (const item of layer) for (const link of item.outs) if (isJog(link)) jogs++;
  return jogs;
}

function isJog({ from, fromOffset, to, toOffset }: Link): boolean {
  const drop = Math.abs(from.y + fromOffset - to.y - toOffset);
  if (from.role === "pass" && to.role === "pass") return drop > 0;
  return drop > (to.role === "node" && to.ins.length > 1 ? inputSlide : 0) && drop < 20;
}
