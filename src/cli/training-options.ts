import type { Language } from "../explain/explain.ts";
import { langOption, type OptionSpec } from "./command.ts";
import type { Given, SettingReaders } from "./setting-readers.ts";

/** The optimisers by their names on the command line. */
export const optimizerNames = [
  "adam",
  "adamw",
  "sgd",
  "nesterov",
  "rmsprop",
  "adagrad",
  "adadelta",
  "adamax",
  "nadam",
  "lion",
  "lamb",
] as const;

export type EngineName = "wasm" | "reference" | "onnxruntime";

/** In what the commands that train differ: names, and what stands where nothing is said. */
export interface TrainingDefaults {
  /** The name of the learning rate's option. */
  readonly rate: "rate" | "lr";
  /** The rate when left out, and what help says of it. */
  readonly rateOf: (given: Given) => number;
  readonly rateText: string;
  readonly epochs: number;
  /** Null where what is left out is told later. */
  readonly batch: number | null;
  readonly batchText: string;
  /** What the seed is of. */
  readonly seedText: string;
  readonly engines: readonly EngineName[];
  readonly enginesText: string;
  readonly checkpoint: (given: Given) => string;
  readonly checkpointText: string;
}

/** What is asked for, of all that trains. */
export interface TrainingSettings {
  readonly optimizer: (typeof optimizerNames)[number];
  readonly rate: number;
  readonly schedule: "constant" | "cosine";
  readonly epochs: number;
  readonly batch: number | null;
  readonly accumulate: number;
  readonly seed: number;
  readonly memory: number;
  readonly patience: number | null;
  readonly engine: EngineName;
  readonly checkpoint: string;
  readonly every: number | null;
  readonly resume: boolean;
  readonly force: boolean;
  readonly log: string | null;
  readonly curve: string | null;
  readonly json: boolean;
  readonly lang: Language;
}

/** One setting: its option, what help says of it, and how it is read. */
interface Row<T> {
  readonly value?: string;
  readonly about: string | ((defaults: TrainingDefaults) => string);
  /** The option's name, where it is not the setting's. */
  readonly name?: (defaults: TrainingDefaults) => string;
  readonly read: (readers: SettingReaders, name: string, given: Given, defaults: TrainingDefaults) => T;
}

const table: { readonly [K in keyof TrainingSettings]: Row<TrainingSettings[K]> } = {
  optimizer: {
    value: "NAME",
    about: optimizerNames.join(", ").replace("adam", "adam (when left out)"),
    read: ({ choice }, name) => choice(name, optimizerNames, "adam"),
  },
  rate: {
    value: "NUMBER",
    name: ({ rate }) => rate,
    about: ({ rateText }) => `the learning rate, ${rateText}`,
    read: ({ number }, name, given, { rateOf }) =>
      number(name, rateOf(given), (x) => x > 0 && x < Number.POSITIVE_INFINITY, "learning rate, a number above 0"),
  },
  schedule: {
    value: "NAME",
    about: "constant (when left out), or cosine: down to 0 over all steps",
    read: ({ choice }, name) => choice<"constant" | "cosine">(name, ["constant", "cosine"], "constant"),
  },
  epochs: {
    value: "COUNT",
    about: ({ epochs }) => `passes over the data, ${epochs} when left out`,
    read: ({ count }, name, _, { epochs }) => count(name, epochs),
  },
  batch: {
    value: "ROWS",
    about: ({ batchText }) => `rows in a batch, ${batchText}`,
    read: ({ count }, name, given, { batch }) => (batch === null && given[name] === undefined ? null : count(name, batch ?? 1)),
  },
  accumulate: {
    value: "COUNT",
    about: "batches for one update, 1 when left out",
    read: ({ count }, name) => count(name, 1),
  },
  seed: {
    value: "NUMBER",
    about: ({ seedText }) => `of ${seedText}; 0 when left out`,
    read: ({ number }, name) => number(name, 0, Number.isSafeInteger, "whole number"),
  },
  memory: {
    value: "SIZE",
    about: "data up to this size is held in memory, 256MB when left out; of more, each batch is read from its file",
    read: ({ size }, name) => size(name, 256e6),
  },
  patience: {
    value: "COUNT",
    about: "stop after so many epochs without a better validation, and keep the best",
    read: ({ count }, name, given) => (given[name] === undefined ? null : count(name, 1)),
  },
  engine: {
    value: "NAME",
    about: ({ enginesText }) => enginesText,
    read: ({ choice }, name, _, { engines }) => choice(name, engines, "wasm"),
  },
  checkpoint: {
    value: "FILE",
    about: ({ checkpointText }) => `where the run is kept${checkpointText}`,
    read: ({ text }, name, given, { checkpoint }) => text(name) ?? checkpoint(given),
  },
  every: {
    value: "STEPS",
    about: "also write the checkpoint after so many steps; else at the end, and when stopped",
    read: ({ count }, name, given) => (given[name] === undefined ? null : count(name, 1)),
  },
  resume: { about: "go on from the checkpoint", read: ({ flag }, name) => flag(name) },
  force: { about: "start anew although there is a checkpoint", read: ({ flag }, name) => flag(name) },
  log: { value: "FILE.jsonl", about: "every step as a line of JSON", read: ({ file }, name) => file(name, /\.jsonl$/i, "….jsonl") },
  curve: { value: "FILE.svg", about: "the curve of the losses", read: ({ file }, name) => file(name, /\.svg$/i, "….svg") },
  json: { about: "print the report as JSON", read: ({ flag }, name) => flag(name) },
  lang: {
    value: langOption.value!,
    about: langOption.about,
    read: ({ choice }, name) => choice<Language>(name, ["en", "ko"], "en"),
  },
};

const told: readonly (keyof TrainingSettings)[] = ["log", "curve", "json", "lang"];

function nameOf(setting: keyof TrainingSettings, defaults: TrainingDefaults): string {
  return table[setting].name?.(defaults) ?? setting;
}

/** The options of a command that trains: those of how it does, then its own, then those of what it tells. */
export function trainingOptions(
  defaults: TrainingDefaults,
  first: readonly OptionSpec[],
  between: readonly OptionSpec[] = [],
): readonly OptionSpec[] {
  const spec = (setting: keyof TrainingSettings): OptionSpec => {
    const { value, about } = table[setting];
    return {
      name: nameOf(setting, defaults),
      ...(value !== undefined && { value }),
      about: typeof about === "string" ? about : about(defaults),
    };
  };
  const settings = Object.keys(table) as (keyof TrainingSettings)[];
  return [...first, ...settings.filter((s) => !told.includes(s)).map(spec), ...between, ...told.map(spec)];
}

/** What is said of them. @throws UsageError for values that are not there */
export function trainingSettings(given: Given, readers: SettingReaders, defaults: TrainingDefaults): TrainingSettings {
  return Object.fromEntries(
    Object.entries(table).map(([setting, { read }]) => [
      setting,
      read(readers, nameOf(setting as keyof TrainingSettings, defaults), given, defaults),
    ]),
  ) as unknown as TrainingSettings;
}
