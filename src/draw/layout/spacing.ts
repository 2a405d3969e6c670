import type { Item, Link } from "./layers.ts";

/** The least distance between the middles of two neighbours in a layer, the first above the second; a whole number for whole extents. */
export function least(upper: Item, lower: Item): number {
  return upper.down + lower.up + spacing(upper, lower);
}

function spacing(upper: Item, lower: Item): number {
  if (upper.role === "pass" || lower.role === "pass") return 10;
  return upper.role === "label" && lower.role === "label" ? 4 : 14;
}

/** How much a bend in this stretch costs: most in the middle of a trunk. */
export function straightness(link: Link): number {
  if (link.from.role === "pass" && link.to.role === "pass") return 8;
  if (link.from.role === "pass" || link.to.role === "pass") return 3;
  return 2;
}
