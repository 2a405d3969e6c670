import { defaultCode, readCode } from "../code/state.ts";
import { defaultGraph, readGraph } from "../graph/state.ts";
import { defaultImport, readImport } from "../import/state.ts";
import { defaultTrain, readTrain } from "../train/state.ts";

/*
 * The state of the page is one object, made of a slice for each tab. A tab declares its slice in its own folder: what it begins as, and how to read
 * it from anything at all (an address from another version, from another person, from a typing error): what does not fit is replaced, never trusted.
 */

/** The tabs, in the order in which they stand. */
export const tabs = ["graph", "train", "import", "code"] as const;
export type Tab = (typeof tabs)[number];

export const languages = ["en", "ko"] as const;
export type Language = (typeof languages)[number];

/** `system`: light or dark as the reader's system has it. */
export const themes = ["system", "light", "dark", "colour-blind", "colour-blind dark"] as const;
export type Theme = (typeof themes)[number];

/** Everything that an address of the page says. */
export interface AppState {
  readonly tab: Tab;
  readonly graph: ReturnType<typeof readGraph>;
  readonly train: ReturnType<typeof readTrain>;
  readonly import: ReturnType<typeof readImport>;
  readonly code: ReturnType<typeof readCode>;
}

/** The version of the address's form: another one is read as far as its fields fit, and the page says so. */
export const stateVersion = 1;

export const defaultState: AppState = { tab: "graph", graph: defaultGraph, train: defaultTrain, import: defaultImport, code: defaultCode };

/** Reads a state from anything: unknown fields are dropped, unfit ones get their defaults. */
export function readState(given: unknown): AppState {
  const from = isRecord(given) ? given : {};
  return {
    tab: oneOf(tabs, from["tab"], defaultState.tab),
    graph: readGraph(from["graph"]),
    train: readTrain(from["train"]),
    import: readImport(from["import"]),
    code: readCode(from["code"]),
  };
}

/** @returns whether it is an object with fields */
export function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/** @returns `given` if it is one of `choices`, else `otherwise` */
export function oneOf<T extends string>(choices: readonly T[], given: unknown, otherwise: T): T {
  return choices.find((choice) => choice === given) ?? otherwise;
}
