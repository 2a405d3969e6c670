import type { Batches } from "../data/batches.ts";
import type { Engine, Mode } from "../engines/engine.ts";
import type { Language } from "../explain/explain.ts";
import { DomainError, GraphError } from "../ir/errors.ts";
import { leaves } from "../ir/tree.ts";
import type { Ranks } from "../mpi/ranks.ts";
import type { Optimizer } from "../optim/optimizer.ts";
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
    throw new DomainError(`train: ${name} is ${x}; it is a whole number, ${low} or more`);
}

/** @throws DomainError, GraphError for what cannot be done, before anything is done */
export function checkOptions(params: unknown, options: TrainOptions<unknown, Mode, unknown>): void {
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
  if (monitor !== undefined && monitor.better !== "lower" && monitor.better !== "higher")
    throw new DomainError(`train: monitor.better is ${String(monitor.better)}; it is "lower" or "higher"`);
  if (monitor !== undefined && monitor.metric !== "loss" && validate === undefined)
    throw new DomainError(`train: the monitor looks at ${monitor.metric}, a number of the validation, and there is none; give validate`);
  if (checkpoint !== undefined && (typeof checkpoint.file !== "string" || checkpoint.file === ""))
    throw new DomainError("train: checkpoint.file is the path of the file to write");
  if (leaves(params).length === 0) throw new GraphError("train: the model has no parameters, so there is nothing to train");
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
