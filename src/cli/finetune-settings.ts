import type { OptionSpec } from "./command.ts";
import { type Given, ignoredColumns, ignoreOption, settingReaders } from "./setting-readers.ts";
import { type TrainingDefaults, type TrainingSettings, trainingOptions, trainingSettings } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

/** The losses by their names on the command line. */
export const lossNames = ["cross-entropy", "mse", "mae", "huber", "bce"] as const;
export type LossName = (typeof lossNames)[number];

const defaults: TrainingDefaults = {
  rate: "lr",
  rateOf: (given) => (given["lora"] === undefined ? 1e-4 : 1e-3),
  rateText: "1e-4 when left out, 1e-3 with --lora",
  epochs: 3,
  batch: null,
  batchText: "32 when left out, or what the model has fixed",
  seedText: "the split, the order of rows and the adapters",
  engines: ["wasm", "reference", "onnxruntime"],
  enginesText: "wasm (when left out), reference, or onnxruntime, which needs the package onnxruntime-node",
  checkpoint: (given) => String(given["output"]).replace(/\.onnx$/i, ".ckpt"),
  checkpointText: "; the output's name with .ckpt when left out",
};

/** The options of `chainrule finetune`. */
export const finetuneOptions: readonly OptionSpec[] = trainingOptions(
  defaults,
  [
    { name: "output", short: "o", value: "FILE.onnx", about: "the tuned model" },
    {
      name: "data",
      value: "FILE",
      about:
        "rows to train on: .safetensors or .npz with tensors by name, .csv with a header (- is one from standard input), or a folder of images",
    },
    { name: "mean", value: "NUMBER,...", about: "of a folder of images: taken off its channels, which go from 0 to 1; 0 when left out" },
    { name: "std", value: "NUMBER,...", about: "of a folder of images: its channels are divided by it, after --mean; 1 when left out" },
    { name: "input", value: "NAME=TENSOR,...", about: "which tensor of the data is which input of the model, where their names differ" },
    {
      name: "target",
      value: "NAME",
      about: "the tensor or column to be predicted; the one that is left over, or is called y or label, when left out",
    },
    ignoreOption,
    { name: "predict", value: "NAME", about: "the output of the model that predicts it; its only one, or logits, when left out" },
    { name: "loss", value: "NAME", about: `${lossNames.join(", ")}; cross-entropy for whole numbers, else mse, when left out` },
    { name: "validation", value: "SHARE|FILE", about: "the share of rows held back, 0.2 when left out, or a file of others; 0 for none" },
    {
      name: "trainable",
      value: "PATTERN,...",
      about: "weights to train, * for any characters; all but statistics, masks and positions when left out",
    },
    { name: "freeze", value: "PATTERN,...", about: "weights that stay as they are; nothing is computed for their gradients" },
    {
      name: "tie",
      value: "all|none|PATTERN,...",
      about: "weights that the file has twice and that are one; a table and the product with its numbers when left out",
    },
    {
      name: "lora",
      value: "RANK",
      about: "train adapters of this rank beside the matrices instead of the weights; --trainable names further weights",
    },
    { name: "alpha", value: "NUMBER", about: "with --lora: the change is alpha / RANK times the factors' product; RANK when left out" },
    {
      name: "targets",
      value: "PATTERN,...",
      about: "with --lora: the weights that get adapters; the matrices of all products when left out",
    },
    { name: "adapters", value: "FILE.safetensors", about: "with --lora: the factors alone" },
  ],
  [
    { name: "mpi", about: "train on all ranks that mpirun started: mpirun -np 4 chainrule finetune --mpi ..." },
    { name: "shard", about: "with --mpi: share out the update, so that each rank keeps its part of the optimiser's memory" },
  ],
);

/** What is asked for, checked. */
export interface FinetuneSettings extends TrainingSettings {
  readonly model: string;
  readonly out: string;
  readonly data: string;
  /** The tensor of the data for an input of the model, by the input's name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What the channels of images are brought to, one number or one for each channel. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  readonly target: string | null;
  /** Columns of a table that are left out. */
  readonly ignore: readonly string[];
  readonly predict: string | null;
  readonly loss: LossName | null;
  /** A share of the rows, or a file. */
  readonly validation: number | string;
  readonly trainable: readonly string[] | null;
  readonly freeze: readonly string[] | null;
  /** What `tie` of `onnx.read` is; null when left out. */
  readonly tie: boolean | readonly string[] | null;
  readonly lora: { readonly rank: number; readonly alpha: number; readonly targets: readonly string[] | null } | null;
  readonly adapters: string | null;
  readonly mpi: boolean;
  readonly shard: boolean;
}

/** The settings in the options. @throws UsageError for values that are not there, and options that do not go together */
export function finetuneSettings(model: string, given: Given): FinetuneSettings {
  const readers = settingReaders(given, "finetune");
  const { text, needed, number, count, flag, choice, file } = readers;
  const refuse = (message: string): never => {
    throw new UsageError(message, "finetune");
  };
  const list = (name: string): readonly string[] | null =>
    text(name)
      ?.split(",")
      .filter((part) => part !== "") ?? null;
  const numbers = (name: string): readonly number[] | null => {
    const found = list(name)?.map(Number) ?? null;
    const fits = found === null || (found.length > 0 && found.every((v) => Number.isFinite(v) && (name === "mean" || v > 0)));
    return fits
      ? found
      : refuse(`--${name} ${String(given[name]).slice(0, 40)}: write numbers with commas between them${name === "std" ? ", above 0" : ""}`);
  };
  const out = text("output") ?? refuse("-o is missing: name the file of the tuned model, -o tuned.onnx");
  if (!/\.onnx$/i.test(out)) refuse(`-o ${out.slice(0, 40)}: name the file ….onnx`);
  if (out === model) refuse(`-o ${out.slice(0, 40)} is the model itself, which a resumed run reads again; name another file`);
  const rank = given["lora"] === undefined ? null : count("lora", 1);
  for (const name of ["alpha", "targets", "adapters"])
    if (rank === null && given[name] !== undefined) refuse(`--${name} belongs to adapters; give --lora RANK too`);
  if (rank !== null && given["freeze"] !== undefined)
    refuse("--freeze has nothing to freeze with --lora, which trains adapters alone; leave it out");
  const above = (x: number): boolean => x > 0 && x < Number.POSITIVE_INFINITY;
  const share = text("validation") ?? "0.2";
  return {
    ...trainingSettings(given, readers, defaults),
    model,
    out,
    data: needed("data", "train.safetensors"),
    inputs: pairs(list("input") ?? [], refuse),
    mean: numbers("mean"),
    std: numbers("std"),
    target: text("target"),
    ignore: ignoredColumns(readers, "finetune"),
    predict: text("predict"),
    loss: given["loss"] === undefined ? null : choice("loss", lossNames, "cross-entropy"),
    validation: /^[\d.]+(e-?\d+)?$/.test(share)
      ? number("validation", 0.2, (x) => x >= 0 && x < 1, "share of the rows from 0, below 1")
      : share,
    trainable: list("trainable"),
    freeze: list("freeze"),
    tie: tieIn(text("tie")),
    lora: rank === null ? null : { rank, alpha: number("alpha", rank, above, "number above 0"), targets: list("targets") },
    adapters: file("adapters", /\.safetensors$/i, "….safetensors"),
    mpi: flag("mpi"),
    shard: flag("shard") && (flag("mpi") || refuse("--shard shares the update out over ranks: add --mpi")),
  };
}

/** `all`, `none`, or patterns, as `tie` of `onnx.read` takes them. */
export function tieIn(text: string | null): boolean | readonly string[] | null {
  if (text === null || text === "all" || text === "none") return text && text === "all";
  return text.split(",").filter((part) => part !== "");
}

/** `image=x,mask=m` as a record. */
function pairs(parts: readonly string[], refuse: (message: string) => never): Record<string, string> {
  const found = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf("=");
    if (at < 1 || at === part.length - 1) refuse(`--input ${part.slice(0, 40)}: write the model's input and the tensor, --input image=x`);
    found.set(part.slice(0, at), part.slice(at + 1));
  }
  return Object.fromEntries(found);
}
