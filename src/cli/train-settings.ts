import { nearestName } from "../notation/nearest.ts";
import type { OptionSpec } from "./command.ts";
import { type Given, ignoredColumns, ignoreOption, settingReaders } from "./setting-readers.ts";
import { type TrainingDefaults, type TrainingSettings, trainingOptions, trainingSettings } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

const defaults: TrainingDefaults = {
  rate: "rate",
  rateOf: () => 1e-3,
  rateText: "1e-3 when left out",
  epochs: 20,
  batch: null,
  batchText: "64 when left out, or all there are",
  seedText: "the split, the weights, the order of rows and dropout",
  engines: ["wasm", "reference"],
  enginesText: "wasm (when left out) or reference",
  checkpoint: () => "chainrule.ckpt",
  checkpointText: ", chainrule.ckpt when left out",
};

/** The options of `chainrule train`, which are the names in a CONFIG.json too. */
export const trainOptions: readonly OptionSpec[] = trainingOptions(
  defaults,
  [
    {
      name: "model",
      value: "SPEC",
      about: "mlp:64-32-10, or conv:8x8x1-16c3-p2-64-10; then ,relu ,tanh ,gelu ,sigmoid ,batchnorm ,dropout=0.2",
    },
    { name: "data", value: "FILE.csv", about: "a table of numbers with a header; - is standard input" },
    { name: "target", value: "COLUMN", about: "what is to be predicted: classes, or a number" },
    ignoreOption,
    { name: "task", value: "TASK", about: "classification or regression; by the model's outputs (1: regression) when left out" },
    { name: "split", value: "SHARE", about: "the share of rows that is trained on, 0.8 when left out; the rest is the validation" },
    { name: "raw", about: "leave the inputs as they are; else each column is brought to mean 0 and deviation 1" },
  ],
  [
    { name: "best", value: "FILE", about: "a second checkpoint, of the best epoch" },
    { name: "out", value: "FILE.safetensors", about: "the weights alone" },
    { name: "mpi", about: "train on all ranks that mpirun started: mpirun -np 4 chainrule train --mpi ..." },
    { name: "shard", about: "with --mpi or --plan: share out the update, so that each rank keeps its part of the optimiser's memory" },
    { name: "sync-batch-norm", about: "with --mpi: batch norm by the rows of all ranks, not of each by itself" },
    { name: "plan", about: "train nothing: measure a step, and predict it on many ranks" },
    { name: "ranks", value: "COUNT", about: "ranks of the plan, 8 when left out" },
    { name: "bandwidth", value: "RATE", about: "of the plan's network: 10Gb/s (when left out), 1.2GB/s" },
    { name: "latency", value: "TIME", about: "of the plan's network: 20us (when left out), 1ms" },
  ],
);

/** What is asked for, checked. */
export interface TrainSettings extends TrainingSettings {
  readonly model: string;
  readonly data: string;
  readonly target: string;
  readonly ignore: readonly string[];
  readonly task: "classification" | "regression" | null;
  readonly split: number;
  readonly raw: boolean;
  readonly best: string | null;
  readonly out: string | null;
  readonly mpi: boolean;
  readonly shard: boolean;
  readonly syncBatchNorm: boolean;
  /** Ranks, bytes a second and seconds, where a plan is asked for. */
  readonly plan: { readonly ranks: number; readonly bandwidth: number; readonly latency: number } | null;
}

const refuse = (message: string): never => {
  throw new UsageError(message, "train");
};

/** The settings in options or the record of a CONFIG.json. @throws UsageError for names and values that are not there */
export function settingsOf(given: Given): TrainSettings {
  const known = trainOptions.map(({ name }) => name);
  for (const name of Object.keys(given))
    if (!known.includes(name)) {
      const nearest = nearestName(name, known);
      refuse(
        `the configuration has no ${name.slice(0, 40)}; ${nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`}`,
      );
    }
  const readers = settingReaders(given, "train");
  const { text, needed, number, count, flag, choice, file } = readers;
  const common = trainingSettings(given, readers, defaults);
  return {
    ...common,
    model: needed("model", "mlp:64-32-10"),
    data: needed("data", "digits.csv"),
    target: needed("target", "label"),
    ignore: ignoredColumns(readers, "train"),
    task:
      given["task"] === undefined
        ? null
        : choice<"classification" | "regression">("task", ["classification", "regression"], "classification"),
    split: number("split", 0.8, (x) => x > 0 && x <= 1, "share above 0, up to 1"),
    raw: flag("raw"),
    best: text("best"),
    out: file("out", /\.safetensors$/i, "….safetensors"),
    mpi: flag("mpi"),
    shard: flag("shard") && (flag("mpi") || flag("plan") || refuse("--shard shares the update out over ranks: add --mpi, or --plan")),
    syncBatchNorm: flag("sync-batch-norm") && (flag("mpi") || refuse("--sync-batch-norm is for ranks: add --mpi")),
    plan: planIn(flag("plan"), count("ranks", 8), text("bandwidth"), text("latency"), given),
  };
}

const rates: Readonly<Record<string, number>> = { b: 1 / 8, B: 1 };
const scales: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const times: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };

/** The network of a plan, or null where none is asked for. @throws UsageError for what is no rate or time, and for a network without a plan */
function planIn(wanted: boolean, ranks: number, bandwidth: string | null, latency: string | null, given: Given): TrainSettings["plan"] {
  if (!wanted) {
    const extra = ["ranks", "bandwidth", "latency"].find((name) => given[name] !== undefined);
    return extra === undefined ? null : refuse(`--${extra} belongs to a plan: add --plan`);
  }
  const [, rate, scale, unit] = /^(\d+(?:\.\d+)?)([kMGT]?)([bB])(?:\/s|ps)$/.exec(bandwidth ?? "10Gb/s") ?? [];
  if (!(Number(rate) > 0)) refuse(`--bandwidth ${bandwidth} is no rate; write 10Gb/s for bits, 1.2GB/s for bytes`);
  const [, time, fraction] = /^(\d+(?:\.\d+)?)(s|ms|us|ns)$/.exec(latency ?? "20us") ?? [];
  if (time === undefined) refuse(`--latency ${latency} is no time; write 20us or 1ms`);
  return { ranks, bandwidth: Number(rate) * scales[scale!]! * rates[unit!]!, latency: Number(time) * times[fraction!]! };
}
