import type { Value } from "../ir/node.ts";
import type { Body } from "../ir/op.ts";
import { close, placeholders } from "./region.ts";
import { rowOf } from "./rows.ts";

/** How a loop runs over its rows. */
export interface Walk {
  readonly length: Value | null;
  readonly rows: number;
  readonly reverse: boolean;
  /** The carry before the first step into each stretch of so many rows is a result, too; 0: none is. */
  readonly every: number;
}

/** Results of a loop: the last carries, the outs row by row, and the saved carries. */
export interface Applied {
  readonly carries: readonly Value[];
  readonly outs: readonly Value[];
  readonly saved: readonly Value[];
}

/** Applies a body as one loop node. */
export type Apply = (body: Body, fixed: readonly Value[], init: readonly Value[], walked: readonly Value[], walk: Walk) => Applied;

/** How many stretches there are. */
export function stretches({ rows, every }: { readonly rows: number; readonly every: number }): number {
  return every === 0 ? 0 : Math.ceil(rows / every);
}

/** What one step makes of the carries and a row. */
export interface Step {
  readonly carries: readonly Value[];
  readonly outs: readonly Value[];
}

/** Names of placeholders, for printing and errors. */
export interface Names {
  readonly carries: readonly string[];
  readonly walked: readonly string[];
}

/**
 * A loop written as a function of placeholders: what the step uses of its surroundings becomes operands. `walk` may look at these operands.
 */
export function loopWith(
  apply: Apply,
  step: (carries: readonly Value[], row: readonly Value[]) => Step,
  init: readonly Value[],
  walked: readonly Value[],
  walk: Walk | ((operands: readonly Value[]) => Walk),
  names?: Names,
): Applied {
  const carries = placeholders(
    init.map((v) => v.type),
    names?.carries ?? init.map((_, i) => `c${i}`),
  );
  const row = placeholders(
    walked.map((v) => rowOf(v.type)),
    names?.walked ?? walked.map((_, i) => `x${i}`),
  );
  const made = step(carries, row);
  const own = [...carries, ...row];
  const { body, captured } = close(own, [...made.carries, ...made.outs]);
  const ordered = { inputs: [...body.inputs.slice(own.length), ...own], outputs: body.outputs };
  return apply(ordered, captured, init, walked, typeof walk === "function" ? walk([...captured, ...init, ...walked]) : walk);
}

/** Places of the flags that are set. */
export function placesOf(flags: readonly boolean[]): number[] {
  return flags.flatMap((f, i) => (f ? [i] : []));
}
