import type { Point } from "./layout/routes.ts";
import { decimal } from "./xml.ts";

const radius = 6;

/** SVG path data for an orthogonal line with rounded corners. */
export function roundedPath(points: readonly Point[]): string {
  const [first] = points;
  if (first === undefined) return "";
  let path = `M${decimal(first.x)} ${decimal(first.y)}`;
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1]!;
    const corner = points[i]!;
    const to = points[i + 1];
    if (to === undefined) {
      path += `L${decimal(corner.x)} ${decimal(corner.y)}`;
      continue;
    }
    const turn = Math.min(radius, distance(from, corner) / 2, distance(corner, to) / 2);
    const before = toward(corner, from, turn);
    const after = toward(corner, to, turn);
    path += `L${decimal(before.x)} ${decimal(before.y)}Q${decimal(corner.x)} ${decimal(corner.y)} ${decimal(after.x)} ${decimal(after.y)}`;
  }
  return path;
}

/** SVG path data for an arrow head whose tip is the first point, against the direction of the line. */
export function arrowHead(points: readonly Point[]): string {
  const [tip, next] = points;
  if (tip === undefined || next === undefined) return "";
  const base = toward(tip, next, 10);
  const across = { x: (base.y - tip.y) / 2, y: (tip.x - base.x) / 2 };
  const corner = (sign: number): string => `${decimal(base.x + sign * across.x)} ${decimal(base.y + sign * across.y)}`;
  return `M${decimal(tip.x)} ${decimal(tip.y)}L${corner(1)}L${corner(-1)}Z`;
}

/** The line without its first pixels. */
export function shortened(points: readonly Point[], by: number): Point[] {
  const [first, next, ...rest] = points;
  if (first === undefined || next === undefined) return [...points];
  return [toward(first, next, Math.min(by, distance(first, next) / 2)), next, ...rest];
}

function distance(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

function toward(from: Point, to: Point, by: number): Point {
  const length = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / length, y: from.y + ((to.y - from.y) * by) / length };
}
