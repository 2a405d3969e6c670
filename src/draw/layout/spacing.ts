import type { Item } from "./layers.ts";

/** The least distance between the middles of two neighbours in a layer, the first above the second; a whole number for whole extents. */
export function least(upper: Item, lower: Item): number {
  return upper.down + lower.up + spacing(upper, lower);
}

function spacing(upper: Item, lower: Item): number {
  if (upper.role === "pass" || lower.role === "pass") return 10;
  return upper.role === "label" && lower.role === "label" ? 4 : 14;
}
