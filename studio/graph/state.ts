import { defaultExample } from "./examples.ts";
import { type Held, readHeld } from "./held.ts";

/** How much one step is: what one gate sends to one operand, a gate, a module or line of the formula, a whole pass. */
export const grains = ["edge", "node", "module", "all"] as const;
export type Grain = (typeof grains)[number];

export const speeds = [0.5, 1, 2, 4] as const;

/** How much is shown around the chosen item: all that feeds it, or what lies within so many steps. */
export const reaches = ["feeds", "1", "2", "3"] as const;
export type Reach = (typeof reaches)[number];

/** Where the graph grows to: the loss at the right, or at the bottom. */
export const directions = ["right", "down"] as const;
export type Growth = (typeof directions)[number];

/** Limits of health that can be changed, and the learning rate by which updates are judged. */
export const limitNames = [
  "vanishing",
  "exploding",
  "over",
  "layerVanishing",
  "layerExploding",
  "deadUnits",
  "saturation",
  "updateLow",
  "updateHigh",
  "rate",
] as const;
export type LimitName = (typeof limitNames)[number];
export type Limits = Readonly<Partial<Record<LimitName, number>>>;

/** What the address says of this tab. */
export interface GraphState {
  readonly formula: string;
  /** What stands in the box of each variable: a number, a list, a constant formula, with a dtype before it where it is not f64. */
  readonly values: Readonly<Record<string, string>>;
  /** Numbers of variables without a box's text that are too many for the address; it names them. */
  readonly held?: Held | undefined;
  /** How many of the walk's steps are shown; null: the whole forward pass. */
  readonly step: number | null;
  /** How many operands of the last of them have their gradient; null: all. */
  readonly edge: number | null;
  readonly grain: Grain;
  readonly speed: number;
  /** Predict the next gradient before it is shown. */
  readonly quiz: boolean;
  /** How many levels of modules are open; null: as many as are comfortable; -1: all. */
  readonly depth: number | null;
  readonly open: readonly string[];
  readonly closed: readonly string[];
  readonly table: boolean;
  /** The item around which a part of the graph is shown; null: the whole. */
  readonly near: string | null;
  readonly reach: Reach;
  readonly direction: Growth;
  /** Whether nodes stand on a tint that says how large the gradient is. */
  readonly tint: boolean;
  /** Limits of health that are not the library's own. */
  readonly limits: Limits;
}

export const defaultGraph: GraphState = {
  formula: defaultExample.formula,
  values: defaultExample.values,
  step: null,
  edge: null,
  grain: "node",
  speed: 1,
  quiz: false,
  depth: null,
  open: [],
  closed: [],
  table: false,
  near: null,
  reach: "feeds",
  direction: "right",
  tint: false,
  limits: {},
};

/** Longer formulas are refused with a message; an address does not bring one. */
export const longestFormula = 100_000;

function whole(given: unknown, least: number): number | null {
  return typeof given === "number" && Number.isSafeInteger(given) && given >= least ? given : null;
}

function texts(given: unknown): readonly string[] {
  return Array.isArray(given) ? given.filter((x): x is string => typeof x === "string").slice(0, 1000) : [];
}

function limitsIn(given: unknown): Limits {
  if (typeof given !== "object" || given === null) return {};
  const from = given as Readonly<Record<string, unknown>>;
  const found: Partial<Record<LimitName, number>> = {};
  for (const name of limitNames) {
    const x = from[name];
    if (typeof x === "number" && Number.isFinite(x) && x > 0) found[name] = x;
  }
  return found;
}

/** Reads the slice from anything; what does not fit gets its default. */
export function readGraph(given: unknown): GraphState {
  if (typeof given !== "object" || given === null) return defaultGraph;
  const from = given as Readonly<Record<string, unknown>>;
  const formula = typeof from["formula"] === "string" && from["formula"].length <= longestFormula ? from["formula"] : defaultGraph.formula;
  const list = from["values"];
  const values =
    typeof list === "object" && list !== null && !Array.isArray(list)
      ? Object.fromEntries(
          Object.entries(list)
            .filter((entry): entry is [string, string] => typeof entry[1] === "string")
            .slice(0, 5000),
        )
      : formula === defaultGraph.formula
        ? defaultGraph.values
        : {};
  const held = readHeld(from["held"]);
  return {
    formula,
    values,
    ...(held !== undefined && { held }),
    step: whole(from["step"], 0),
    edge: whole(from["edge"], 1),
    grain: grains.find((grain) => grain === from["grain"]) ?? "node",
    speed: speeds.find((speed) => speed === from["speed"]) ?? 1,
    quiz: from["quiz"] === true,
    depth: whole(from["depth"], -1),
    open: texts(from["open"]),
    closed: texts(from["closed"]),
    table: from["table"] === true,
    near: typeof from["near"] === "string" && from["near"].length <= 100 ? from["near"] : null,
    reach: reaches.find((reach) => reach === from["reach"]) ?? "feeds",
    direction: directions.find((direction) => direction === from["direction"]) ?? "right",
    tint: from["tint"] === true,
    limits: limitsIn(from["limits"]),
  };
}
