import { type Scale, scales } from "./given-input.ts";
import { type LossName, lossNames } from "./protocol.ts";

/** Where the numbers of an input come from. */
export const sources = ["seed", "text", "file"] as const;

/** How an input of the model is chosen. A file's numbers stay on the reader's machine: its name alone is kept, to ask for it again. */
export interface InputChoice {
  readonly from: (typeof sources)[number];
  readonly text: string;
  readonly file: string | null;
  readonly entry: string | null;
  readonly row: number | null;
  readonly scale: Scale;
}

export const drawn: InputChoice = { from: "seed", text: "", file: null, entry: null, row: null, scale: "unit" };

/** What the address says of this tab: how the picture is shown, and what gradients are asked for. Files themselves stay on the reader's machine. */
export interface ImportState {
  /** The file that all the rest but the depth is about. */
  readonly file: FileMark | null;
  /** How many levels of modules are open; null: as many as are comfortable. */
  readonly depth: number | null;
  /** Modules that were opened and closed by hand. */
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** Only what feeds this item, or lies within so many steps of it. */
  readonly near: { readonly item: string; readonly steps: number | "feeds" } | null;
  /** The selected item of the picture, and the weight whose numbers are shown. */
  readonly selected: string | null;
  readonly tensor: string | null;
  readonly search: string;
  /** Whether the table of all parts stands below the picture. */
  readonly table: boolean;
  /** The output that gradients are of; null: the first one. */
  readonly output: string | null;
  readonly loss: LossName;
  /** What the loss holds the output against, as it was typed. */
  readonly target: string;
  readonly seed: number;
  /** Inputs that are not simply drawn, by their names. */
  readonly inputs: Readonly<Record<string, InputChoice>>;
}

/** Tells a file from others, for those who open it again. */
export interface FileMark {
  readonly name: string;
  readonly mark: string;
}

export const defaultImport: ImportState = {
  file: null,
  depth: null,
  open: [],
  closed: [],
  near: null,
  selected: null,
  tensor: null,
  search: "",
  table: false,
  output: null,
  loss: "class",
  target: "0",
  seed: 0,
  inputs: {},
};

/** Longer texts belong into a file; an address does not bring one. */
export const longestText = 20_000;
const longestName = 1000;
const mostInputs = 200;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (given: unknown): Fields =>
  typeof given === "object" && given !== null && !Array.isArray(given) ? (given as Fields) : {};
const text = (given: unknown, otherwise: string): string => (typeof given === "string" && given.length <= longestText ? given : otherwise);
const name = (given: unknown): string | null => (typeof given === "string" && given.length <= longestName ? given : null);
const whole = (given: unknown, least: number, most: number): number | null =>
  typeof given === "number" && Number.isInteger(given) && given >= least && given <= most ? given : null;

function readChoice(given: unknown): InputChoice {
  const from = fieldsOf(given);
  return {
    from: sources.find((source) => source === from["from"]) ?? "seed",
    text: text(from["text"], ""),
    file: name(from["file"]),
    entry: name(from["entry"]),
    row: whole(from["row"], 1, Number.MAX_SAFE_INTEGER),
    scale: scales.find((scale) => scale === from["scale"]) ?? "unit",
  };
}

function readFile(given: unknown): FileMark | null {
  const from = fieldsOf(given);
  const [called, mark] = [name(from["name"]), from["mark"]];
  return called !== null && typeof mark === "string" && mark.length <= 64 ? { name: called, mark } : null;
}

function readNear(given: unknown): ImportState["near"] {
  const from = fieldsOf(given);
  const item = name(from["item"]);
  const steps = from["steps"] === "feeds" ? "feeds" : whole(from["steps"], 1, 100);
  return item === null || steps === null ? null : { item, steps };
}

const names = (given: unknown): readonly string[] =>
  Array.isArray(given) ? given.filter((one): one is string => name(one) !== null).slice(0, 1000) : [];

/** Reads the slice from anything; what does not fit gets its default. */
export function readImport(given: unknown): ImportState {
  const from = fieldsOf(given);
  return {
    file: readFile(from["file"]),
    depth: whole(from["depth"], 0, 20),
    open: names(from["open"]),
    closed: names(from["closed"]),
    near: readNear(from["near"]),
    selected: name(from["selected"]),
    tensor: name(from["tensor"]),
    search: name(from["search"]) ?? "",
    table: from["table"] === true,
    output: name(from["output"]),
    loss: lossNames.find((loss) => loss === from["loss"]) ?? "class",
    target: text(from["target"], "0"),
    seed: whole(from["seed"], 0, 2 ** 32 - 1) ?? 0,
    inputs: Object.fromEntries(
      Object.entries(fieldsOf(from["inputs"]))
        .filter(([key]) => key.length <= longestName)
        .slice(0, mostInputs)
        .map(([key, choice]) => [key, readChoice(choice)]),
    ),
  };
}
