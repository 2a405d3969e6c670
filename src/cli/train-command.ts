import { dataset } from "../data/dataset.ts";
import { loader } from "../data/loader.ts";
import { rowOrder } from "../data/row-order.ts";
import { shares } from "../data/shares.ts";
import { saveTensors } from "../data/tensor-tree.ts";
import { reference } from "../engines/reference.ts";
import { wasm } from "../engines/wasm/wasm.ts";
import { nodeFiles } from "../files/node-files.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import { f32, i32 } from "../ir/type.ts";
import { softmaxCrossEntropy } from "../ops/composite/label-loss.ts";
import { meanSquaredError } from "../ops/composite/loss.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { key } from "../random/random.ts";
import { jsonLog } from "../train/log.ts";
import { accuracy } from "../train/metrics.ts";
import type { Callback } from "../train/options.ts";
import { progress } from "../train/progress.ts";
import { type Step, train } from "../train/train.ts";
import { coloursFor } from "./colours.ts";
import type { Command, Options } from "./command.ts";
import { printable } from "./describe-error.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { modelOf, type SpecModel } from "./model-spec.ts";
import { readTable, scaled, scalingOf, type TargetTable } from "./table.ts";
import { textIn } from "./text-in.ts";
import { optimizerOf, settingsOf, type TrainSettings, trainOptions } from "./train-settings.ts";
import { type ModelNote, noteKind } from "./trained-model.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule train`: a network on a table. */
export const trainCommand: Command = {
  name: "train",
  usage: ["chainrule train --model SPEC --data FILE.csv --target COLUMN [options]", "chainrule train CONFIG.json [options]"],
  summary: "train a network on a table, with checkpoints",
  details:
    "Trains dense or convolutional networks, for classes or numbers, on the rows of a CSV file, and validates on the rows that were held back.\n" +
    "The checkpoint holds everything: weights, optimiser, order of the data, the scaling of the inputs. Ctrl-C writes it and says how to\n" +
    "go on; a resumed run gives the numbers that an unbroken one would have given, bit for bit. CONFIG.json has the options by name:\n" +
    '{"model": "mlp:64-32-10", "data": "digits.csv", "target": "label", "epochs": 30}; options beside it win. Exit code 130 after Ctrl-C.',
  options: trainOptions,
  examples: [
    "chainrule train --model mlp:64-128-10 --data digits.csv --target label --epochs 30 --checkpoint digits.ckpt --curve loss.svg",
    "chainrule train --model conv:8x8x1-16c3-p2-32c3-p2-64-10 --data digits.csv --target label --rate 2e-3",
    "chainrule train --model mlp:13-32-1,tanh --data houses.csv --target price",
  ],
  run: async ({ words, options }, io) => {
    const settings = settingsOf(await given(words, options, io));
    const model = modelOf(settings.model);
    await checkFile(settings);
    const table = await readTable(settings.data, settings.target, io);
    const { columns } = table;
    if (columns.length !== model.inputs)
      throw new UsageError(
        `--model ${settings.model} takes ${model.inputs} numbers a row, and ${settings.data} has ${columns.length} columns beside ${settings.target}`,
        "train",
      );
    return trained(settings, model, table, commandText(words, options), io);
  },
};

/** The settings of a CONFIG.json under those of the command line. */
async function given(words: readonly string[], options: Options, io: CommandIo): Promise<Readonly<Record<string, unknown>>> {
  if (words.length > 1) throw new UsageError("train takes one CONFIG.json, and everything else as options", "train");
  const own = Object.fromEntries(options);
  const [file] = words;
  if (file === undefined) return own;
  const text = await textIn(file, io);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is no JSON: ${(cause as Error).message}`, "train");
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw new UsageError(`${file} must be an object of options: {"model": "mlp:64-32-10", ...}`, "train");
  return { ...config, ...own };
}

/** The command line again, to be told. */
function commandText(words: readonly string[], options: Options): string {
  const quoted = (text: string): string => (/^[\w./:,=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const parts = [...options].filter(([name]) => name !== "force" && name !== "resume");
  return [
    "chainrule train",
    ...words.map(quoted),
    ...parts.map(([name, v]) => (v === true ? `--${name}` : `--${name} ${quoted(v)}`)),
    "--resume",
  ].join(" ");
}

/** @throws UsageError where a checkpoint would be written over, or there is none to go on from */
async function checkFile({ checkpoint, resume, force }: TrainSettings): Promise<void> {
  if (resume && force) throw new UsageError("--resume and --force do not go together; choose one", "train");
  const there = await (await nodeFiles()).stat(checkpoint).then(
    () => true,
    () => false,
  );
  if (there && !resume && !force)
    throw new UsageError(
      `${checkpoint} is there already: --resume goes on from it, --force starts anew, --checkpoint names another`,
      "train",
    );
  if (!there && resume) throw new UsageError(`there is no ${checkpoint} to go on from; leave --resume out to begin`, "train");
}

type Rows = { readonly x: Tensor; readonly y: Tensor };

/** Targets as the loss takes them, and how to turn predictions back. @throws DomainError for targets that do not fit the model */
function targetsOf(
  settings: TrainSettings,
  model: SpecModel,
  table: TargetTable,
  fit: Int32Array,
): { y: Tensor; note: Pick<ModelNote, "task" | "classes" | "targetScaling"> } {
  const { values, classes } = table.target;
  const task = settings.task ?? (model.outputs === 1 ? "regression" : "classification");
  if (task === "classification") {
    if (model.outputs < 2) throw new UsageError(`--model ${settings.model} has 1 output; a classification has one for each class`, "train");
    const bad = values.findIndex((v) => !Number.isInteger(v) || v < 0 || v >= model.outputs);
    if (bad >= 0)
      throw new DomainError(
        `${settings.data}: ${settings.target} is ${classes?.[values[bad]!] ?? values[bad]} in row ${bad} of the data (from 0)${classes === null ? "" : `, class number ${values[bad]}`}; classes are 0..${model.outputs - 1}, as many as the model has outputs`,
      );
    return { y: hold(i32(table.rows), Int32Array.from(values)), note: { task, classes, targetScaling: null } };
  }
  if (classes !== null) throw new DomainError(`${settings.data}: ${settings.target} holds names; a regression predicts numbers`);
  if (model.outputs !== 1) throw new UsageError(`--model ${settings.model} has ${model.outputs} outputs; a regression has 1`, "train");
  const targetScaling = scalingOf(values, 1, fit);
  return { y: hold(f32(table.rows, 1), scaled(values, targetScaling)), note: { task, classes: null, targetScaling } };
}

async function trained(settings: TrainSettings, model: SpecModel, table: TargetTable, again: string, io: CommandIo): Promise<number> {
  const { rows, columns, data } = table;
  const task = settings.task ?? (model.outputs === 1 ? "regression" : "classification");
  const [fit, held] = shares(rowOrder(settings.seed, rows), settings.split, task === "classification" ? table.target.values : null);
  const scaling = settings.raw ? { mean: columns.map(() => 0), scale: columns.map(() => 1) } : scalingOf(data, columns.length, fit);
  const { y, note } = targetsOf(settings, model, table, fit);
  const all = dataset({ x: hold(f32(rows, columns.length), scaled(data, scaling)), y });
  const part = (of: Int32Array) => dataset(all.at(of));
  const source = loader(part(fit), { batch: Math.min(settings.batch, Math.max(1, fit.length)), shuffle: settings.seed });
  const stop = new AbortController();
  const kept: ModelNote = { kind: noteKind, model: settings.model, target: settings.target, columns, scaling, ...note };
  const callbacks: Callback<Step<unknown>>[] = [
    progress({
      write: (text) => io.writeError(text),
      terminal: io.isTerminal.error,
      ...(io.columns !== undefined && { columns: io.columns }),
    }),
    ...(settings.log === null ? [] : [jsonLog(settings.log)]),
  ];
  const loss = (
    params: Values<unknown>,
    batch: Values<Rows>,
    { key: own, train: training, stats }: { key: Value; train: boolean; stats: Values<unknown> },
  ) => {
    const { out, stats: next } = model.apply(params, batch.x, { train: training, key: own, stats });
    if (task === "classification") return { loss: softmaxCrossEntropy(out, batch.y), accuracy: accuracy(out, batch.y), stats: next };
    return { loss: meanSquaredError(out, reshape(batch.y, { shape: out.type.shape })), stats: next };
  };
  const born = model.init(key(settings.seed));
  const release = io.onInterrupt?.(() => stop.abort());
  try {
    const training = train(
      { params: born.params, stats: born.stats, loss: loss as never },
      {
        data: source,
        ...(held.length > 0 && { validate: loader(part(held), { batch: 256 }) }),
        optimizer: optimizerOf(settings, Math.ceil(source.length / settings.accumulate) * settings.epochs),
        engine: settings.engine === "wasm" ? wasm() : reference(),
        epochs: settings.epochs,
        seed: settings.seed,
        accumulate: settings.accumulate,
        ...(settings.patience !== null && { patience: settings.patience, keep: "best" as const }),
        checkpoint: {
          file: settings.checkpoint,
          resume: settings.resume,
          note: kept,
          ...(settings.every !== null && { every: settings.every }),
          ...(settings.best !== null && { best: settings.best }),
        },
        signal: stop.signal,
        callbacks: callbacks as never,
      },
    );
    const { params, report } = await training.finish();
    if (settings.out !== null) await saveTensors(settings.out, params);
    if (settings.curve !== null) await writeFileWhole(settings.curve, report.svg());
    const { heading, warning } = coloursFor("output", io);
    if (settings.json) await io.write(`${JSON.stringify(report.toJSON())}\n`);
    else await io.write(printable(report.text()).replace(/^Training:/, heading("Training:")));
    if (report.reason === "aborted") {
      io.writeError(`${warning("stopped")} after step ${report.steps}; the run is in ${settings.checkpoint}. Go on with\n  ${again}\n`);
      return exitCodes.interrupted;
    }
    if (!settings.json) {
      const wrote = [settings.checkpoint, settings.best, settings.out, settings.log, settings.curve].filter((name) => name !== null);
      await io.write(`wrote ${wrote.join(", ")}\n`);
    }
    return exitCodes.done;
  } finally {
    release?.();
  }
}
