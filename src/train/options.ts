import type { Batches } from "../data/batches.ts";
import { type Engine, isEngine, type Mode } from "../engines/engine.ts";
import type { Language } from "../explain/explain.ts";
import { DomainError, GraphError } from "../ir/errors.ts";
import { rebuild } from "../ir/tree.ts";
import type { Ranks } from "../mpi/ranks.ts";
import { checkOptionNames, isRecord, kindText, type OtherNames } from "../notation/given.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { AnyModel } from "./model.ts";
import type { DistributedOptions } from "./ranks/options.ts";
import type { TrainingReport } from "./report.ts";
import type { Totals } from "./totals.ts";

/** Where and when checkpoints are written. */
export interface CheckpointOptions {
  readonly file: string;
  /** Updates between two of them; one is written at the end, and when the run is stopped, in any case. */
  readonly every?: number;
  /** Goes on from the file, if it is there. */
  readonly resume?: boolean;
  /** A second file, written whenever the monitored number is better than ever. */
  readonly best?: string;
  /** Anything JSON can hold, kept in the file: how to build the model, how to scale the inputs. */
  readonly note?: unknown;
}

/** What decides which moment was the best. */
export interface Monitor {
  /** `loss`, or a metric of the validation. */
  readonly metric: string;
  readonly better: "lower" | "higher";
}

/** Numbers that are made of others at a checkup, such as `perplexity`. */
export type Derive = (totals: Totals) => { readonly [name: string]: number };

/** What is known when a run begins. */
export interface RunFacts {
  readonly epochs: number;
  /** Updates in an epoch, and in all; null where the data does not say. */
  readonly stepsInEpoch: number | null;
  readonly steps: number | null;
  /** Updates that a checkpoint brought along. */
  readonly resumed: number;
  /** Numbers in the parameters. */
  readonly parameters: number;
}

/** Someone who is told how it goes. What it returns is waited for. */
export interface Callback<E> {
  start?(run: RunFacts): void | Promise<void>;
  step?(event: E): void | Promise<void>;
  /** A checkpoint was written. */
  saved?(file: string, step: number): void | Promise<void>;
  /** The run is over, by itself or because it was stopped. */
  finish?(report: TrainingReport): void | Promise<void>;
  /** A step failed; what it threw is thrown after this. */
  fail?(error: unknown): void | Promise<void>;
}

/** How to train. */
export interface TrainOptions<B, M extends Mode, E> {
  readonly data: Batches<B>;
  /** Data that the model is tried on at the end of every epoch. */
  readonly validate?: Batches<B>;
  readonly optimizer: Optimizer;
  /**
   * What computes. Left out it is `wasm()`, and on a page's own thread `wasm({ worker: true })`, so that the page goes on answering; it is then loaded when the
   * run begins.
   */
  readonly engine?: Engine<M>;
  /** Passes over the data. */
  readonly epochs: number;
  /** Stops after so many updates in all, wherever the data stands. */
  readonly steps?: number;
  /** Where `context.key` comes from; 0 when left out. */
  readonly seed?: number;
  /** Batches whose mean gradient makes one update; 1 when left out. */
  readonly accumulate?: number;
  /** Stops after so many checkups in a row that were no better than the best. */
  readonly patience?: number;
  /** What "better" means; the lower loss when left out. */
  readonly monitor?: Monitor;
  /** Which parameters `finish` gives: those of the last step (when left out), or of the best checkup. */
  readonly keep?: "last" | "best";
  /** Further numbers of a checkup. */
  readonly derive?: Derive;
  readonly checkpoint?: CheckpointOptions;
  /** Stops after the step that is running: a checkpoint is written, and `finish` gives what there is. */
  readonly signal?: AbortSignal;
  readonly callbacks?: readonly Callback<E>[];
  /** Looks at the model as `health` does when all is over; true when left out. */
  readonly health?: boolean;
  /** Of the report and its health; "en" when left out. */
  readonly language?: Language;
  /** Leaves out the search for NaN and infinity in the first pass over the data. */
  readonly unchecked?: boolean;
  /**
   * Ranks that train one model together, `mpi()`, and how. All run the same program; each takes its rows of every batch, and the mean over the whole batch makes
   * the update, as in one process. Callbacks are called, and checkpoints written, on rank 0.
   */
  readonly distributed?: Ranks | DistributedOptions;
}

function whole(name: string, x: number | undefined, low = 1, optional = true): void {
  if (x === undefined && optional) return;
  if (x === undefined || !Number.isInteger(x) || x < low)
    throw new DomainError(`train: ${name} is ${typeof x === "string" ? kindText(x) : x}; it is a whole number, ${low} or more`);
}

const known: readonly (keyof TrainOptions<unknown, Mode, unknown>)[] = [
  "data",
  "validate",
  "optimizer",
  "engine",
  "epochs",
  "steps",
  "seed",
  "accumulate",
  "patience",
  "monitor",
  "keep",
  "derive",
  "checkpoint",
  "signal",
  "callbacks",
  "health",
  "language",
  "unchecked",
  "distributed",
];
const example = "train({ params, loss }, { data, optimizer, epochs })";
/** What people write who know other libraries. */
const otherNames: OtherNames = {
  validation: "validate",
  validationData: "validate",
  callback: "callbacks",
  batch: "data: loader(dataset, { batch })",
  batchSize: "data: loader(dataset, { batch })",
  shuffle: "data: loader(dataset, { batch, shuffle })",
  rate: "optimizer: sgd({ rate })",
  lr: "optimizer: sgd({ rate })",
  learningRate: "optimizer: sgd({ rate })",
  metrics: "them beside the loss: ({ loss, accuracy })",
  resume: "checkpoint: { file, resume }",
  earlyStopping: "patience",
  maxSteps: "steps",
};
const parts: readonly string[] = ["start", "step", "saved", "finish", "fail"];

/** @throws GraphError for what is no model */
function checkModel(model: unknown): void {
  if (!isRecord(model))
    throw new GraphError(`train: the model is ${kindText(model)}; it is parameters and a loss of them: train({ params, loss }, options)`);
  if (model["params"] === undefined)
    throw new GraphError("train: the model has no params; they are a tree of tensors: train({ params, loss }, options)");
  if (model["stats"] !== undefined) numberOfLeaves(model["stats"], "stats");
  for (const name of ["loss", "bind", "counts"] as const) {
    const f = model[name];
    if (typeof f === "function" || (name !== "loss" && f === undefined)) continue;
    throw new GraphError(
      `train: the model's ${name} is ${kindText(f)}; it is a function, ${name === "loss" ? "of parameters and a batch: (p, { x, y }) => mean(square(sub(net(p, x), y)))" : "of a batch"}`,
    );
  }
}

/** How many leaves a tree of parameters has. @throws GraphError for what is no tree, by its path */
function numberOfLeaves(tree: unknown, name: string): number {
  let count = 0;
  try {
    rebuild(tree, () => count++, name);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new GraphError(`train: in the model: ${error.message}`, { cause: error });
  }
  return count;
}

/** @throws GraphError for options of other kinds than they have to be of */
function checkKinds({
  data,
  validate,
  optimizer,
  engine,
  derive,
  signal,
  callbacks,
  ...others
}: TrainOptions<unknown, Mode, unknown>): void {
  const refuse = (name: string, x: unknown, rule: string): never => {
    throw new GraphError(`train: the option ${name} is ${kindText(x)}; ${rule}`);
  };
  for (const [name, source] of [
    ["data", data],
    ["validate", validate],
  ] as const) {
    if (name === "validate" && source === undefined) continue;
    const { pass, order, split } = (source ?? {}) as Record<string, unknown>;
    if (typeof pass === "function" && isRecord(order)) continue;
    if (typeof split === "function")
      throw new GraphError(`train: ${name} is a data set, which no one has cut into batches; write loader(${name}, { batch: 64 })`);
    refuse(name, source, "it gives batches: loader(dataset({ x, y }), { batch: 64 })");
  }
  const { init, update } = ((optimizer as unknown) ?? {}) as Record<string, unknown>;
  if (typeof init !== "function" || typeof update !== "function")
    refuse("optimizer", optimizer, "an optimiser is what a call makes: sgd({ rate: 0.1 })");
  if (engine !== undefined && engine !== null && !isEngine(engine)) refuse("engine", engine, "an engine is what a call makes: wasm()");
  if (derive !== undefined && typeof derive !== "function")
    refuse("derive", derive, "it makes numbers of others: ({ loss }) => ({ perplexity: perplexity(loss) })");
  if (signal !== undefined && typeof signal?.aborted !== "boolean")
    refuse("signal", signal, "it is an AbortSignal: new AbortController().signal");
  for (const name of ["health", "unchecked"] as const)
    if (others[name] !== undefined && typeof others[name] !== "boolean") refuse(name, others[name], "it is true or false");
  if (callbacks === undefined) return;
  if (!Array.isArray(callbacks)) refuse("callbacks", callbacks, "it is a list of them: [progress({ write, terminal })]");
  for (const [i, callback] of callbacks.entries()) {
    const found = typeof callback === "object" && callback !== null ? parts.filter((part) => part in callback) : [];
    if (found.length === 0)
      refuse(
        `callbacks[${i}]`,
        callback,
        typeof callback === "function"
          ? "a callback is what a call makes, or a record of functions: progress({ write, terminal }), { step: (event) => ... }"
          : `a callback is a record of functions called ${parts.join(", ")}, or some of them`,
      );
    for (const part of found) {
      const f: unknown = callback[part as "step"];
      if (f !== undefined && typeof f !== "function") refuse(`callbacks[${i}].${part}`, f, "it is a function");
    }
  }
}

/** @throws GraphError, DomainError for what is no such options, and for a note that no file can hold */
function checkCheckpoint(checkpoint: CheckpointOptions): void {
  const own = '{ file: "run.ckpt", every: 200, resume: true }';
  if (!isRecord(checkpoint)) throw new GraphError(`train: checkpoint is ${kindText(checkpoint)}; it is a record: ${own}`);
  checkOptionNames("checkpoint", checkpoint, ["file", "every", "resume", "best", "note"], own, { path: "file", name: "file" });
  const { file, best, resume, note } = checkpoint;
  if (typeof file !== "string" || file === "") throw new DomainError("train: checkpoint.file is the path of the file to write");
  if (best !== undefined && (typeof best !== "string" || best === ""))
    throw new DomainError("train: checkpoint.best is the path of the file to write");
  if (best === file)
    throw new DomainError(`train: checkpoint.best and checkpoint.file are both ${file}; the best moment needs a file of its own`);
  if (resume !== undefined && typeof resume !== "boolean")
    throw new GraphError(`train: checkpoint.resume is ${kindText(resume)}; it is true or false`);
  try {
    JSON.stringify(note);
  } catch (error) {
    throw new DomainError(`train: checkpoint.note cannot be written as JSON: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  }
}

/** What `derive` makes of a checkup. @throws GraphError for what are no numbers */
export function derivedFrom(derive: Derive, totals: Totals): Totals {
  const made: unknown = derive(totals);
  const wrong = isRecord(made) ? Object.entries(made).find(([, x]) => typeof x !== "number") : ["", made];
  if (wrong !== undefined)
    throw new GraphError(
      `train: derive gave ${wrong[0] === "" ? "" : `${wrong[0]} as `}${wrong[1] === undefined ? "nothing" : kindText(wrong[1])}; it gives a record of numbers, as { perplexity: perplexity(loss) }`,
    );
  return { ...totals, metrics: { ...totals.metrics, ...(made as Record<string, number>) } };
}

/** @throws DomainError, GraphError for what cannot be done, before anything is done */
export function checkOptions(model: unknown, given: unknown): void {
  checkModel(model);
  checkOptionNames("train", given, known, example, otherNames);
  const options = given as TrainOptions<unknown, Mode, unknown>;
  checkKinds(options);
  const { data, validate, accumulate, epochs, steps, patience, monitor, checkpoint, keep, language } = options;
  // Without types they may be forgotten, and the run would have no end.
  whole("epochs", epochs, 1, false);
  whole("steps", steps);
  whole("accumulate", accumulate);
  whole("patience", patience);
  whole("checkpoint.every", checkpoint?.every);
  if (keep !== undefined && keep !== "last" && keep !== "best")
    throw new DomainError(`train: keep is ${String(keep)}; it is "last" or "best"`);
  if (language !== undefined && language !== "en" && language !== "ko")
    throw new DomainError(`train: language is ${String(language)}; it is "en" or "ko"`);
  if (monitor !== undefined && (!isRecord(monitor) || typeof monitor.metric !== "string"))
    throw new GraphError(
      `train: monitor${isRecord(monitor) ? ".metric" : ""} is ${kindText(isRecord(monitor) ? monitor["metric"] : monitor)}; it names a number and which way is better: { metric: "accuracy", better: "higher" }`,
    );
  if (monitor !== undefined && monitor.better !== "lower" && monitor.better !== "higher")
    throw new DomainError(`train: monitor.better is ${String(monitor.better)}; it is "lower" or "higher"`);
  if (monitor !== undefined && monitor.metric !== "loss" && validate === undefined)
    throw new DomainError(`train: the monitor looks at ${monitor.metric}, a number of the validation, and there is none; give validate`);
  if (checkpoint !== undefined) checkCheckpoint(checkpoint);
  if (numberOfLeaves((model as AnyModel).params, "params") === 0)
    throw new GraphError("train: the model has no parameters, so there is nothing to train");
  for (const [name, source] of [
    ["data", data],
    ["validate", validate],
  ] as const) {
    if (source === undefined) continue;
    const rows = source.order["rows"];
    if (rows === 0) throw new DomainError(`train: ${name} is empty: it has no rows`);
    if (source.length === 0)
      throw new DomainError(
        `train: ${name} has ${rows} rows, which fill no batch of ${source.batch}; make the batch smaller, or keep the last one: { last: "smaller" }`,
      );
    if (name === "data" && typeof rows === "number" && source.batch > rows)
      throw new DomainError(
        `train: ${name} has ${rows} rows and a batch is ${source.batch}; a batch larger than the data would be all of it: write { batch: ${rows} } if that is meant`,
      );
  }
}
