import type { Grain } from "./state.ts";

export type Pass = "forward" | "backward";

/** A step of the walk, as the buttons and chips need it. */
export interface WalkStep {
  readonly pass: Pass;
  readonly kind: "forward" | "seed" | "gate" | "sum";
  readonly item: string;
  readonly label: string;
  readonly name: string;
  /** What is one step together with it by module: the line of the formula, or the function that it is a part of. */
  readonly unit: string;
  /** How many operands it sends gradients to, one by one. */
  readonly edges: number;
}

export interface Walk {
  readonly steps: readonly WalkStep[];
  /** How many of the steps are forward. */
  readonly forward: number;
}

/** A place to stand at: after so many steps; of the last one, so many operands, or all (null). */
export interface Stop {
  readonly t: number;
  readonly edge: number | null;
}

/** All places to stand at, in order; the first is the start. */
export function stopsOf({ steps, forward }: Walk, grain: Grain): Stop[] {
  const stops: Stop[] = [{ t: 0, edge: null }];
  if (grain === "all") {
    if (forward > 0) stops.push({ t: forward, edge: null });
    if (steps.length > forward) stops.push({ t: steps.length, edge: null });
    return stops;
  }
  steps.forEach((step, i) => {
    const t = i + 1;
    if (grain === "module") {
      const next = steps[t];
      const goesOn = next !== undefined && t !== forward && next.unit === step.unit && next.pass === step.pass;
      if (!goesOn) stops.push({ t, edge: null });
      return;
    }
    if (grain === "edge") for (let edge = 1; edge < step.edges; edge++) stops.push({ t, edge });
    stops.push({ t, edge: null });
  });
  return stops;
}

function before(a: Stop, b: Stop): boolean {
  return a.t < b.t || (a.t === b.t && (a.edge ?? Number.POSITIVE_INFINITY) < (b.edge ?? Number.POSITIVE_INFINITY));
}

/** The next stop after a place, itself at the end. */
export function after(stops: readonly Stop[], at: Stop): Stop {
  return stops.find((stop) => before(at, stop)) ?? stops.at(-1)!;
}

/** The stop before a place, the first at the start. */
export function beforeStop(stops: readonly Stop[], at: Stop): Stop {
  return stops.findLast((stop) => before(stop, at)) ?? stops[0]!;
}

/** The number of the stop that a place is at or has passed. */
export function placeIn(stops: readonly Stop[], at: Stop): number {
  return stops.findLastIndex((stop) => !before(at, stop));
}
