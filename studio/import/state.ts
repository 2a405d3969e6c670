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
  /** How many levels of modules are open; null: as many as are comfortable. */
  readonly depth: number | null;
  /** The output that gradients are of; null: the first one. */
  readonly output: string | null;
  readonly loss: LossName;
  /** What the loss holds the output against, as it was typed. */
  readonly target: string;
  readonly seed: number;
  /** Inputs that are not simply drawn, by their names. */
  readonly inputs: Readonly<Record<string, InputChoice>>;
}

export const defaultImport: ImportState = { depth: null, output: null, loss: "class", target: "0", seed: 0, inputs: {} };

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

/** Reads the slice from anything; what does not fit gets its default. */
export function readImport(given: unknown): ImportState {
  const from = fieldsOf(given);
  return {
    depth: whole(from["depth"], 0, 20),
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
