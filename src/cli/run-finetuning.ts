import { crc32 } from "../data/crc32.ts";
import { rowOrder, rowsFrom } from "../data/row-order.ts";
import { blocksOf, heldUpTo, mapRows, type RowStore, type StoreOptions } from "../data/row-store.ts";
import { rowBytes } from "../data/rows-in-files.ts";
import { shares } from "../data/shares.ts";
import type { Engine } from "../engines/engine.ts";
import { reference } from "../engines/reference.ts";
import { piecesOf } from "../files/open-file.ts";
import { checkWritable } from "../files/write-file.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { EngineError, ParseError, ShapeError } from "../ir/errors.ts";
import { graph } from "../ir/graph.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import type { Ranks } from "../mpi/ranks.ts";
import { advised } from "./advised.ts";
import { batchesOf } from "./batches-of.ts";
import { printable } from "./describe-error.ts";
import { asLabels, checkLabels, type TuningRows, tuningRows } from "./finetune-data.ts";
import { checkTargets, classAxis, lossOf } from "./finetune-loss.ts";
import type { FinetuneSettings, LossName } from "./finetune-settings.ts";
import type { CommandIo } from "./io.ts";
import { inOptions } from "./not-finite.ts";
import { optimizerOf } from "./optimizer-named.ts";
import { tellEnd, tellers } from "./run-end.ts";
import { commandWords } from "./train-words.ts";
import type { EngineName } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

type Model = Awaited<ReturnType<typeof import("../onnx.ts").onnx.read>>;
type Weights = Readonly<Record<string, Tensor>>;

/** What is trained, and how it goes back into the model. */
interface Tuned {
  readonly params: Weights;
  /** The names of `params` that the optimiser moves; null for all. */
  readonly only: readonly string[] | null;
  apply(
    params: Readonly<Record<string, Value>>,
    inputs: Readonly<Record<string, Value>>,
    bound: Readonly<Record<string, Value>>,
  ): Readonly<Record<string, Value>>;
  /** What data decide in the model. */
  bind(inputs: Weights, params: Weights): Weights;
  whole(params: Weights): Model;
  save(params: Weights): Promise<void>;
}

const noteKind = "chainrule finetune";

/** The output that predicts: the one that is named, the only one, or the one called logits. */
function outputOf(model: Model, wanted: string | null): string {
  const names = Object.keys(model.outputs);
  if (wanted !== null) return wanted;
  if (names.length === 1) return names[0]!;
  if (names.includes("logits")) return "logits";
  throw new UsageError(`the model has several outputs, ${names.join(", ")}; name the one that predicts: --predict ${names[0]}`, "finetune");
}

async function tunedOf(model: Model, settings: FinetuneSettings): Promise<Tuned> {
  const { lora, saveAdapters, trainables } = await import("../finetune.ts");
  const { trainable, freeze, adapters } = settings;
  if (settings.lora === null) {
    const only = trainables(model, { ...(trainable !== null && { only: trainable }), ...(freeze !== null && { freeze }) });
    return {
      params: model.params,
      only,
      apply: model.apply,
      bind: model.bind,
      whole: (params) => model.with(params),
      save: async () => undefined,
    };
  }
  const { rank, alpha, targets } = settings.lora;
  const adapted = lora(model, {
    rank,
    alpha,
    seed: settings.seed,
    ...(targets !== null && { targets }),
    ...(trainable !== null && { also: trainable }),
  });
  return {
    params: adapted.params,
    only: null,
    apply: adapted.apply,
    bind: adapted.bind,
    whole: (params) => adapted.merge(params),
    save: async (params) => {
      if (adapters !== null) await saveAdapters(adapters, adapted, params);
    },
  };
}

/** Rows in a batch: what the model has fixed, what was asked for, or 32, but not more than there are. */
function batchOf(
  model: Model,
  { batch, model: path }: FinetuneSettings,
  rows: number,
): { readonly batch: number; readonly fixed: boolean } {
  for (const [name, { shape }] of Object.entries(model.inputs)) {
    const size = shape?.[0];
    if (typeof size !== "number") continue;
    if (batch !== null && batch !== size)
      throw new UsageError(
        `--batch ${batch}: the input ${name} of ${path} has ${size} rows, fixed at its export; leave --batch out, or export it with a free size`,
        "finetune",
      );
    return { batch: size, fixed: true };
  }
  return { batch: batch ?? Math.min(32, Math.max(1, rows)), fixed: false };
}

/** The first rows, from the beginning again where there are fewer. */
function firstRows({ type, data }: Tensor, rows: number): Tensor {
  const shape = [rows, ...type.shape.slice(1)];
  const some = allocate(type.dtype, sizeOf(shape));
  for (let i = 0; i < some.length; i++) some[i] = data[i % data.length]!;
  return hold(tensorType(type.dtype, shape), some);
}

/** The type of the output for a batch, and whether data decide something in the model. @throws what the model throws for inputs that do not fit it */
async function outputType(
  tuned: Tuned,
  { store, rows: all }: TuningRows,
  names: readonly string[],
  output: string,
  batch: number,
): Promise<{ readonly out: TensorType; readonly splits: boolean }> {
  const inputs = inputsIn(await store.at(rowsFrom(0, Math.min(batch, all))), names);
  const rows = Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, firstRows(t, batch)]));
  const types = Object.fromEntries(Object.entries(rows).map(([name, { type }]) => [name, type]));
  const bound = tuned.bind(rows, tuned.params);
  const given = { params: Object.fromEntries(Object.entries(tuned.params).map(([name, { type }]) => [name, type])), inputs: types };
  const made = graph(given, ({ params, inputs: x }) => tuned.apply(params as never, x as never, bound as never)[output]!);
  return { out: made.outputs.type, splits: Object.keys(bound).length > 0 };
}

/** The rows with targets as the loss takes them, and whether it leaves some of these out. @throws for targets that are none, wherever they stand */
async function fitted(
  path: string,
  rows: TuningRows,
  loss: LossName,
  out: TensorType,
  output: string,
  axis: number,
): Promise<{ readonly store: RowStore<Weights>; readonly leavesOut: boolean }> {
  if (loss === "cross-entropy") {
    const leavesOut = await checkLabels(path, rows, out.shape[axis]!);
    return { store: mapRows(rows.store, (read) => ({ ...read, target: asLabels(read["target"]!) })), leavesOut };
  }
  checkTargets(out, { ...rows.target, shape: [out.shape[0]!, ...rows.target.shape.slice(1)] }, output);
  return { store: rows.store, leavesOut: false };
}

/** How many labels count. */
function labelled({ target }: Weights): number {
  let count = 0;
  for (const label of target!.data) if (label >= 0) count++;
  return count;
}

/** Every label, where a row has one. */
async function labelsIn({ targets, target }: TuningRows): Promise<Int32Array> {
  const all = new Int32Array(target.shape[0]!);
  for await (const { start, rows } of blocksOf(targets, rowBytes(target))) all.set(rows.data, start);
  return all;
}

async function engineOf(name: EngineName): Promise<Engine> {
  if (name === "reference") return reference() as Engine;
  // Entries, so that the package has their code once, where the worker's file is beside the compiler.
  if (name === "wasm") return (await import("../wasm.ts")).wasm() as Engine;
  const { onnxruntime } = await import("../onnxruntime.ts");
  const wanted: string = "onnxruntime-node";
  const ort: unknown = await import(wanted).catch((cause: unknown) => {
    throw new EngineError("--engine onnxruntime needs the package onnxruntime-node: npm install onnxruntime-node", { cause });
  });
  return onnxruntime(ort as never) as Engine;
}

/** Tunes as the settings say; the exit code. @throws UsageError, ParseError, ShapeError and others for a model and data that do not fit */
export async function runFinetuning(settings: FinetuneSettings, again: string, io: CommandIo, ranks: Ranks | null): Promise<number> {
  const { onnx } = await import("../onnx.ts");
  const model = await onnx.read(settings.model, {
    ...(settings.predict !== null && { outputs: [settings.predict] }),
    ...(settings.tie !== null && { tie: settings.tie }),
  });
  const output = outputOf(model, settings.predict);
  const open: TuningRows[] = [];
  const rowsIn = async (path: string): Promise<TuningRows> => {
    const rows = await tuningRows(path, settings, model.inputs, io);
    open.push(rows);
    return rows;
  };
  try {
    return await tunedBy(model, output, rowsIn, settings, again, io, ranks);
  } finally {
    for (const { close } of open) await close?.();
  }
}

async function tunedBy(
  model: Model,
  output: string,
  rowsIn: (path: string) => Promise<TuningRows>,
  settings: FinetuneSettings,
  again: string,
  io: CommandIo,
  ranks: Ranks | null,
): Promise<number> {
  const all = await rowsIn(settings.data);
  if (all.rows === 0) throw new ShapeError(`${settings.data} has no rows`);
  const held = typeof settings.validation === "number" ? null : await rowsIn(settings.validation);
  if (held?.classes != null && String(held.classes) !== String(all.classes))
    throw new ParseError(
      `${settings.validation} has the classes ${held.classes.join(", ")}, and ${settings.data} has ${all.classes?.join(", ") ?? "numbers"}; both have to have the same, or their numbers would differ`,
    );
  const tuned = await tunedOf(model, settings);
  const { batch, fixed } = batchOf(model, settings, all.rows);
  if (fixed && ranks !== null && ranks.size > 1)
    throw new UsageError(
      `--mpi shares the rows of a batch out, and ${settings.model} takes ${batch} at a time, fixed at its export; export it with a free size, or train it in one process`,
      "finetune",
    );
  const names = Object.keys(model.inputs);
  const { out, splits } = await outputType(tuned, all, names, output, batch);
  if (!isFloat(out.dtype))
    throw new UsageError(`--predict ${output}: it is ${typeText(out)}, and a loss is made of floating-point numbers`, "finetune");
  const loss = settings.loss ?? (isFloat(all.target.dtype) ? "mse" : "cross-entropy");
  const axis =
    loss === "cross-entropy" ? classAxis(out, { ...all.target, shape: [out.shape[0]!, ...all.target.shape.slice(1)] }, output) : 0;
  const rowsOf = async (path: string, rows: TuningRows, places: Int32Array | null): Promise<Part> => {
    const { store, leavesOut } = await fitted(path, rows, loss, out, output, axis);
    return { ...(await heldUpTo(store, settings.memory)), leavesOut, places, size: places?.length ?? rows.rows };
  };
  const parts = async (): Promise<readonly [Part, Part]> => {
    if (held !== null) return [await rowsOf(settings.data, all, null), await rowsOf(String(settings.validation), held, null)];
    const whole = await rowsOf(settings.data, all, null);
    const labels = loss === "cross-entropy" && all.target.shape.length === 1 ? await labelsIn(all) : null;
    const [first, second] = shares(rowOrder(settings.seed, all.rows), 1 - (settings.validation as number), labels);
    return [
      { ...whole, places: first, size: first.length },
      { ...whole, places: second, size: second.length },
    ];
  };
  const [fit, others] = await parts();
  return trained({ settings, model, tuned, output, loss, axis, batch, fixed, fit, others, names, splits, ranks }, again, io);
}

/** Some rows of a store. */
interface Part {
  readonly store: RowStore<Weights>;
  readonly held: boolean;
  /** Whether some labels are -1. */
  readonly leavesOut: boolean;
  readonly places: Int32Array | null;
  readonly size: number;
}

interface Plan {
  readonly settings: FinetuneSettings;
  readonly model: Model;
  readonly tuned: Tuned;
  readonly output: string;
  readonly loss: LossName;
  readonly axis: number;
  readonly batch: number;
  readonly fixed: boolean;
  readonly fit: Part;
  readonly others: Part;
  readonly names: readonly string[];
  /** Whether data decide something in the model, which then is bound before each step. */
  readonly splits: boolean;
  /** Those that train together; null for this process alone. */
  readonly ranks: Ranks | null;
}

/** The inputs of a batch by their own names. */
function inputsIn<V>(rows: Readonly<Record<string, V>>, names: readonly string[]): Record<string, V> {
  return Object.fromEntries(names.map((name) => [name, rows[`input ${name}`]!]));
}

/** @throws UsageError for rows that fill no batch of a model which takes so many at a time */
function checkFilled(model: string, batch: number, fit: number, others: number): void {
  const short =
    fit < batch ? `${fit} rows are trained on` : others > 0 && others < batch ? `${others} rows are held back to validate on` : null;
  if (short !== null)
    throw new UsageError(
      `${short}, and ${model} takes ${batch} at a time, fixed at its export; give more rows or another --validation, or export it with a free size`,
      "finetune",
    );
}

async function trained(plan: Plan, again: string, io: CommandIo): Promise<number> {
  const { settings, tuned, output, loss, axis, batch, fixed, fit, others, names, splits, ranks } = plan;
  const leads = ranks === null || ranks.rank === 0;
  const { readCheckpoint, train } = await import("../train.ts");
  const { onnx } = await import("../onnx.ts");
  const last = fixed ? "drop" : "smaller";
  const cut = ({ store, places, held }: Part, options: StoreOptions) => batchesOf(store, places, { ...options, last }, held);
  if (fixed) checkFilled(settings.model, batch, fit.size, others.size);
  if (!fixed && settings.batch !== null && settings.batch > fit.size)
    throw new UsageError(
      `--batch ${settings.batch}: ${fit.size} rows are trained on, so every batch would be all of them; write --batch ${Math.max(1, fit.size)} if that is meant, or leave it out`,
      "finetune",
    );
  const source = await cut(fit, { batch: fixed ? batch : Math.min(batch, Math.max(1, fit.size)), shuffle: settings.seed });
  const note = await noteOf(plan);
  // Rank 0 alone needs the file.
  if (settings.resume && leads) checkNote((await readCheckpoint(settings.checkpoint)).header.note, note, settings.checkpoint);
  const moved = tuned.only ?? Object.keys(tuned.params);
  const count = (list: Iterable<Tensor>): number => [...list].reduce((n, t) => n + sizeOf(t.type.shape), 0);
  io.writeError(
    printable(
      `${commandWords[settings.lang].tuning({
        numbers: count(moved.map((name) => tuned.params[name]!)),
        weights: moved.length,
        adapters: settings.lora !== null,
        model: settings.model,
        all: count(Object.values(plan.model.params)),
        rows: fit.size,
        others: others.size,
      })}\n`,
    ),
  );
  // Found out now, and not when the run is over.
  if (leads)
    for (const file of [settings.out, settings.adapters, settings.log, settings.curve]) if (file !== null) await checkWritable(file);
  const stop = new AbortController();
  const release = io.onInterrupt?.(() => stop.abort());
  try {
    const training = train(
      {
        params: tuned.params,
        loss: ((params: Values<Weights>, rows: Values<Record<string, Tensor>>, { bound }: { readonly bound: Values<Weights> }) =>
          lossOf(loss, axis, tuned.apply(params, inputsIn(rows, names), bound)[output]!, rows["target"]!)) as never,
        // A loss is the mean over the labels that count, and parts of a batch have more and fewer of them.
        ...((fit.leavesOut || others.leavesOut) && { counts: labelled }),
        ...(splits && {
          bind: async (rows: Weights, params: () => Promise<Weights>) => tuned.bind(inputsIn(rows, names), await params()),
        }),
      },
      {
        data: source,
        ...(others.size > 0 && { validate: await cut(others, { batch: fixed ? batch : Math.min(batch, others.size) }) }),
        optimizer: optimizerOf(
          settings,
          Math.ceil(source.length! / settings.accumulate) * settings.epochs,
          tuned.only === null ? {} : { only: tuned.only },
        ),
        engine: await engineOf(settings.engine),
        epochs: settings.epochs,
        seed: settings.seed,
        accumulate: settings.accumulate,
        // It runs on the reference engine, which models of this size would keep busy for minutes.
        health: false,
        ...(settings.patience !== null && { patience: settings.patience, keep: "best" as const }),
        checkpoint: { file: settings.checkpoint, resume: settings.resume, note, ...(settings.every !== null && { every: settings.every }) },
        signal: stop.signal,
        language: settings.lang,
        ...(ranks !== null && { distributed: { ranks, shard: settings.shard } }),
        callbacks: (await tellers(settings, io)) as never,
      },
    );
    const { params, report } = await training.finish();
    const stopped = report.reason === "aborted";
    if (!stopped && leads) {
      await onnx.save(settings.out, tuned.whole(params as Weights));
      await tuned.save(params as Weights);
    }
    const { out, adapters, checkpoint, log, curve } = settings;
    const end = { report, again, leads, wrote: [out, adapters, checkpoint, log, curve], more: { file: stopped ? null : out } };
    return await tellEnd(end, settings, io);
  } catch (error) {
    const validation = typeof settings.validation === "string" ? settings.validation : null;
    throw inOptions(
      advised(error, `--lr ${Number((settings.rate / 10).toPrecision(6))}`),
      { data: settings.data, validation, target: settings.target ?? "the target" },
      null,
    );
  } finally {
    release?.();
  }
}

/** What a run is of, kept in its checkpoint: going on with anything else would be another run. */
type Note = Readonly<Record<string, string>>;

async function noteOf({ settings, tuned, output, loss }: Plan): Promise<Note> {
  let sum = 0;
  for await (const piece of piecesOf(settings.model)) sum = crc32(piece, sum);
  const { lora } = settings;
  return {
    kind: noteKind,
    model: sum.toString(16),
    "--predict": output,
    "--loss": loss,
    "--optimizer": settings.optimizer,
    "--lr": String(settings.rate),
    "--schedule": settings.schedule === "cosine" ? `cosine over ${settings.epochs} epochs` : "constant",
    "--lora": lora === null ? "none" : `rank ${lora.rank}, alpha ${lora.alpha}`,
    "the weights that are trained": (tuned.only ?? Object.keys(tuned.params)).join(", "),
  };
}

/** @throws ParseError for the checkpoint of another run, with what differs */
function checkNote(there: unknown, note: Note, path: string): void {
  const own = (typeof there === "object" && there !== null ? there : {}) as Readonly<Record<string, unknown>>;
  if (own["kind"] !== noteKind)
    throw new ParseError(`${path} is no checkpoint of chainrule finetune; name another, or start anew with --force`);
  if (own["model"] !== note["model"])
    throw new ParseError(`${path} was written while tuning another model file; go on with that one, or start anew with --force`);
  const faults = Object.keys(note).filter((name) => own[name] !== note[name]);
  if (faults.length > 0)
    throw new ParseError(
      `${path} is of another run: ${faults.map((name) => `${name} was ${String(own[name]).slice(0, 80)}, and is ${note[name]!.slice(0, 80)} here`).join("; ")}. Go on with what it was, or start anew with --force`,
    );
}
