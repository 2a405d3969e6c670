import type { Engine } from "../engines/engine.ts";
import { DomainError, GraphError } from "../ir/errors.ts";
import { checkOptionNames, kindText } from "../notation/given.ts";

/** Why a search ended. */
export type Reason = "gradient" | "value" | "step" | "limit" | "signal";

/** What a search tells after each of its rounds. */
export interface Round {
  readonly round: number;
  /** The function, or the sum of squares, at the best point so far. */
  readonly value: number;
  /** The largest element of the gradient there. */
  readonly slope: number;
}

/** What every search takes. */
export interface SearchOptions {
  /** Rounds at most. */
  readonly limit?: number;
  /** Once it is aborted the search ends with the best point so far. It is looked at between rounds, so `each` can abort it. */
  readonly signal?: AbortSignal;
  /** Is called after each round. */
  readonly each?: (round: Round) => void;
  /**
   * Compiles the function for an engine, once. Without one it is called anew at each point, so it may read values and branch on them; with one it is
   * faster for functions of many ops, such as those with loops.
   */
  readonly engine?: Engine<"sync">;
}

/** @throws GraphError where there is no function or no record of options, DomainError for an option that is not there */
export function checkSearched(who: string, f: unknown, options: unknown, own: readonly string[]): void {
  const example = `${who}(f, start, { limit: 100 })`;
  if (typeof f !== "function") throw new GraphError(`${who}: the function is ${kindText(f)}; write ${example}`);
  const otherNames = { maxIterations: "limit", maxIter: "limit", steps: "limit", tol: "tolerance" };
  checkOptionNames(who, options, ["limit", "signal", "each", "engine", ...own], example, otherNames);
}

/** @throws DomainError for limits and tolerances that make no sense */
export function checkSearch(who: string, limit: number, tolerances: Readonly<Record<string, number>>): void {
  if (!(limit >= 0)) throw new DomainError(`${who}: limit is ${limit}; it is the number of rounds at most, 0 or more`);
  for (const [name, x] of Object.entries(tolerances))
    if (!(x >= 0)) throw new DomainError(`${who}: ${name} is ${x}; it is a number of 0 or more`);
}

/** Where a function was looked at, and what was found. */
export interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** One round of a method: a lower point, or null when it finds none. */
export type Descent = (from: Point, look: (x: Float64Array) => Point) => Point | null;
