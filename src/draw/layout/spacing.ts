/** The distances that a layout keeps, in its unit: pixels, or the cells of a terminal. All are whole numbers. */
export interface Spacing {
  /** Between neighbours in a layer: beside a passing wire, between two labels, else. */
  readonly pass: number;
  readonly label: number;
  readonly node: number;
  /** Two horizontals of different outputs closer than this would be read as one wire. */
  readonly apart: number;
  /** Two verticals on one track are more than this apart. */
  readonly touch: number;
  readonly trackGap: number;
  /** Between a track and a node, and between a track and a label. */
  readonly nodeMargin: number;
  readonly labelMargin: number;
  /** How far off its height a wire goes that has to let another one pass, and how clear of others that is at best. */
  readonly detour: number;
  readonly clearance: number;
}

/** The distances of an SVG picture. */
export const pixels: Spacing = {
  pass: 10,
  label: 4,
  node: 14,
  apart: 4,
  touch: 6,
  trackGap: 8,
  nodeMargin: 14,
  labelMargin: 8,
  detour: 24,
  clearance: 12,
};

/** What keeps its distance from its neighbours in a layer. */
interface Spaced {
  readonly role: "node" | "label" | "pass";
  readonly up: number;
  readonly down: number;
  readonly spacing: Spacing;
}

/** The least distance between the middles of two neighbours in a layer, the first above the second; a whole number for whole extents. */
export function least(upper: Spaced, lower: Spaced): number {
  return upper.down + lower.up + between(upper, lower);
}

function between(upper: Spaced, lower: Spaced): number {
  const { spacing } = upper;
  if (upper.role === "pass" || lower.role === "pass") return spacing.pass;
  return upper.role === "label" && lower.role === "label" ? spacing.label : spacing.node;
}
