import type { CsvStore } from "../data/csv-store.ts";
import { rowOrder } from "../data/row-order.ts";
import { heldUpTo, mapRows } from "../data/row-store.ts";
import { shares } from "../data/shares.ts";
import { differences, saveTensors } from "../data/tensor-tree.ts";
import { reference } from "../engines/reference.ts";
import { checkWritable } from "../files/write-file.ts";
import { DomainError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves, type Values } from "../ir/tree.ts";
import { f32, i32 } from "../ir/type.ts";
import type { Ranks } from "../mpi/ranks.ts";
import { softmaxCrossEntropy } from "../ops/composite/label-loss.ts";
import { meanSquaredError } from "../ops/composite/loss.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { key } from "../random/random.ts";
import type { Context } from "../train/model.ts";
import { advised } from "./advised.ts";
import { batchesOf } from "./batches-of.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { modelOf, type SpecModel } from "./model-spec.ts";
import { inOptions } from "./not-finite.ts";
import { optimizerOf } from "./optimizer-named.ts";
import { tellEnd, tellers } from "./run-end.ts";
import { beside, scaled, scalingOf, scalingOfNumbers, tableStore } from "./table.ts";
import type { TrainSettings } from "./train-settings.ts";
import { type ModelNote, noteKind } from "./trained-model.ts";
import { UsageError } from "./usage-error.ts";

type Rows = { readonly x: Tensor; readonly y: Tensor };

/** Rows in a batch where nothing is said, and there are as many. */
const usualBatch = 64;

/** @throws UsageError for a share that leaves no rows to train on, and for a batch that they do not fill */
function checkShare({ split, batch, data }: TrainSettings, rows: number, all: number): void {
  if (rows === 0)
    throw new UsageError(
      `--split ${split} leaves none of the ${counted(all)} of ${data} to train on; give a larger share, up to 1`,
      "train",
    );
  if (batch !== null && batch > rows)
    throw new UsageError(
      `--batch ${batch}: ${counted(rows)} ${rows === 1 ? "is" : "are"} trained on, so every batch would be all of them; write --batch ${rows} if that is meant, or leave it out`,
      "train",
    );
}

function counted(rows: number): string {
  return `${rows} row${rows === 1 ? "" : "s"}`;
}

/** @throws UsageError for a checkpoint of a model that has weights of these shapes, and computes something else with them */
async function checkModel(
  { checkpoint, model }: TrainSettings,
  born: { readonly params: unknown; readonly stats: unknown },
): Promise<void> {
  const { readCheckpoint } = await import("../train.ts");
  const { header, tensors } = await readCheckpoint(checkpoint);
  const note = header.note as Partial<ModelNote> | null;
  if (note?.kind !== noteKind || note.model === model) return;
  const own = Object.fromEntries(Object.entries(tensors).filter(([name]) => /^(params|stats)\./.test(name)));
  // Of other shapes the run itself tells each one.
  if (differences(own, born).length > 0) return;
  throw new UsageError(
    `${checkpoint} has a run of --model ${note.model}, and --model ${model} would go on with its weights as another model; give that one, or begin anew: --force`,
    "train",
  );
}

/** How targets become what the loss takes, and how to turn predictions back. @throws DomainError for targets that do not fit the model */
function targetsOf(
  settings: TrainSettings,
  model: SpecModel,
  table: CsvStore,
  fit: Int32Array,
): { y: (values: Float64Array) => Tensor; note: Pick<ModelNote, "task" | "classes" | "targetScaling"> } {
  const { values, classes } = table.labels!;
  const task = settings.task ?? (model.outputs === 1 ? "regression" : "classification");
  if (task === "classification") {
    if (model.outputs < 2) throw new UsageError(`--model ${settings.model} has 1 output; a classification has one for each class`, "train");
    const bad = values.findIndex((v) => !Number.isInteger(v) || v < 0 || v >= model.outputs);
    if (bad >= 0)
      throw new DomainError(
        `${settings.data}: ${settings.target} is ${classes?.[values[bad]!] ?? values[bad]} in row ${bad} of the data (from 0)${classes === null ? "" : `, which is class ${values[bad]}, counted from 0 in order of appearance`}, and --model ${settings.model} has ${model.outputs} outputs, for the classes 0..${model.outputs - 1}; ${Number.isInteger(values[bad]) && values[bad]! > 0 ? "give it an output for each class" : "classes are whole numbers from 0 on, and a model for other numbers has 1 output"}`,
      );
    return { y: (some) => hold(i32(some.length), Int32Array.from(some)), note: { task, classes, targetScaling: null } };
  }
  if (classes !== null) throw new DomainError(`${settings.data}: ${settings.target} holds names; a regression predicts numbers`);
  if (model.outputs !== 1) throw new UsageError(`--model ${settings.model} has ${model.outputs} outputs; a regression has 1`, "train");
  const targetScaling = scalingOfNumbers(values, fit);
  return { y: (some) => hold(f32(some.length, 1), scaled(some, targetScaling)), note: { task, classes: null, targetScaling } };
}

/** Trains as the settings say; the exit code. @throws UsageError, DomainError, ParseError for a model and a table that do not fit */
export async function runTraining(settings: TrainSettings, again: string, io: CommandIo, ranks: Ranks | null): Promise<number> {
  const model = modelOf(settings.model);
  // In f32, where nothing brings the columns to one size before.
  const kept = settings.raw ? Math.fround : (x: number): number => x;
  const table = await tableStore(settings.data, settings, io, ({ columns, data, label, start }) => {
    if (columns.length !== model.inputs)
      throw new UsageError(
        `--model ${settings.model} takes ${model.inputs} numbers a row, and ${settings.data} has ${beside(columns.length, settings)}`,
        "train",
      );
    const bad = data.findIndex((x) => !Number.isFinite(kept(x)));
    const wrong = label?.values.findIndex((x) => !Number.isFinite(x)) ?? -1;
    if (bad >= 0 || wrong >= 0) {
      const [name, value, row] =
        bad >= 0
          ? [columns[bad % columns.length], data[bad], Math.floor(bad / columns.length)]
          : [settings.target, label?.values[wrong], wrong];
      throw new DomainError(
        `${settings.data}: ${name} is ${value} in row ${start + row} of the data (from 0); leave such rows out or fill the gaps`,
      );
    }
  });
  try {
    return await trained(settings, model, table, again, io, ranks);
  } finally {
    await table.close();
  }
}

async function trained(
  settings: TrainSettings,
  model: SpecModel,
  table: CsvStore,
  again: string,
  io: CommandIo,
  ranks: Ranks | null,
): Promise<number> {
  // Entries, so that the package has their code once, where the worker's file is beside the compiler.
  const { accuracy, train } = await import("../train.ts");
  const { wasm } = await import("../wasm.ts");
  const { size, columns, labels } = table;
  const task = settings.task ?? (model.outputs === 1 ? "regression" : "classification");
  const [fit, others] = shares(rowOrder(settings.seed, size), settings.split, task === "classification" ? labels!.values : null);
  checkShare(settings, fit.length, size);
  const { y, note } = targetsOf(settings, model, table, fit);
  const scaling = settings.raw ? { mean: columns.map(() => 0), scale: columns.map(() => 1) } : await scalingOf(table, columns.length, fit);
  const { store, held } = await heldUpTo(
    mapRows(table, ({ rows, data, label }) => ({ x: hold(f32(rows, columns.length), scaled(data, scaling)), y: y(label!.values) })),
    settings.memory,
  );
  const source = await batchesOf(store, fit, { batch: settings.batch ?? Math.min(usualBatch, fit.length), shuffle: settings.seed }, held);
  const stop = new AbortController();
  const kept: ModelNote = { kind: noteKind, model: settings.model, target: settings.target, columns, scaling, ...note };
  const loss = (params: Values<unknown>, batch: Values<Rows>, { key: own, train: training, stats, across }: Context<unknown>) => {
    const { out, stats: next } = model.apply(params, batch.x, { train: training, key: own, stats, across });
    if (task === "classification") return { loss: softmaxCrossEntropy(out, batch.y), accuracy: accuracy(out, batch.y), stats: next };
    return { loss: meanSquaredError(out, reshape(batch.y, { shape: out.type.shape })), stats: next };
  };
  const born = model.init(key(settings.seed));
  if (settings.resume && settings.plan === null) await checkModel(settings, born);
  if (settings.syncBatchNorm && leaves(born.stats).length === 0)
    throw new UsageError(
      `--sync-batch-norm: --model ${settings.model} has no batch norm; leave it out, or give the layers between some: mlp:64-32-10,batchnorm`,
      "train",
    );
  if (settings.plan !== null) {
    const { measureStep, simulate } = await import("../train.ts");
    const how = {
      data: source,
      optimizer: optimizerOf(settings, 1),
      engine: settings.engine === "wasm" ? wasm() : reference(),
      shard: settings.shard,
    };
    const measured = await measureStep({ params: born.params, stats: born.stats, loss: loss as never }, how, settings.plan.ranks);
    const plan = simulate(measured, settings.plan);
    await io.write(settings.json ? `${JSON.stringify(plan)}\n` : plan.text());
    return exitCodes.done;
  }
  const written = [settings.out, settings.log, settings.curve];
  // Found out now, and not when the run is over.
  if (ranks === null || ranks.rank === 0) for (const file of written) if (file !== null) await checkWritable(file);
  const release = io.onInterrupt?.(() => stop.abort());
  try {
    const training = train(
      { params: born.params, stats: born.stats, loss: loss as never },
      {
        data: source,
        ...(others.length > 0 && { validate: await batchesOf(store, others, { batch: 256 }, held) }),
        optimizer: optimizerOf(settings, Math.ceil(source.length! / settings.accumulate) * settings.epochs),
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
        language: settings.lang,
        ...(ranks !== null && { distributed: { ranks, shard: settings.shard, syncBatchNorm: settings.syncBatchNorm } }),
        callbacks: (await tellers(settings, io)) as never,
      },
    );
    const { params, report } = await training.finish();
    const leads = ranks === null || ranks.rank === 0;
    if (settings.out !== null && leads) await saveTensors(settings.out, params);
    const { checkpoint, best, out, log, curve } = settings;
    return await tellEnd({ report, again, leads, wrote: [checkpoint, best, out, log, curve] }, settings, io);
  } catch (error) {
    const smaller = `--rate ${Number((settings.rate / 10).toPrecision(6))}${settings.raw ? ", or without --raw" : ""}`;
    throw inOptions(advised(error, smaller), { data: settings.data, validation: null, target: settings.target }, columns);
  } finally {
    release?.();
  }
}
