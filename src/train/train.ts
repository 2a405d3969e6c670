import { gradients, type Loss } from "../autodiff/grad.ts";
import type { Batches } from "../data/batches.ts";
import type { Loader } from "../data/loader.ts";
import type { Mode } from "../engines/engine.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { type HealthReport, health } from "../explain/health/health.ts";
import { checkWritable } from "../files/write-file.ts";
import { ChainruleError, DomainError, NumericError } from "../ir/errors.ts";
import { constantOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves, rebuild, type Tensors, type Values, variables } from "../ir/tree.ts";
import { kindText } from "../notation/given.ts";
import { sub } from "../ops/arithmetic.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import { fold, key } from "../random/random.ts";
import { BatchForms } from "./batch-form.ts";
import { turn } from "./breathe.ts";
import {
  bytesIfThere,
  type Checkpoint,
  type CheckpointHeader,
  checkOrder,
  checkpointIn,
  type Kept,
  stateIn,
  writeCheckpoint,
} from "./checkpoint.ts";
import { Checkups } from "./checkups.ts";
import { defaultEngine } from "./default-engine.ts";
import { countsOf, type Fed, Feed } from "./feed.ts";
import { History } from "./history.ts";
import type { AnyModel, Model, Outputs } from "./model.ts";
import { checkOptions, derivedFrom, type TrainOptions } from "./options.ts";
import { initialState, Programs, type Ran, type TrainState } from "./programs.ts";
import { bytesOfFirst, together, treeOfFirst } from "./ranks/exchange.ts";
import { checkSame, describe, meet } from "./ranks/meeting.ts";
import { type DistributedOptions, distributedOf } from "./ranks/options.ts";
import { RankPrograms } from "./ranks/programs.ts";
import { isAlike } from "./ranks/symmetric.ts";
import { reportOf, type TrainingReport } from "./report.ts";
import { byRow } from "./row-of-index.ts";
import { haveSameColumns, withColumns } from "./signature.ts";
import { SpareBatch } from "./spare-batch.ts";
import { Sums, type Totals } from "./totals.ts";
import type { Ending } from "./words.ts";
import { doing, type Work } from "./work.ts";

/** A checkup: what the validation gave. */
export interface Validation extends Totals {
  /** No checkup was better. */
  readonly isBest: boolean;
}

/** One update. */
export interface Step<R> {
  /** Counted from 1, over all epochs and resumptions. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** The loss before the update; with accumulation the mean over its rows. */
  readonly loss: number;
  /** What the loss function returned beside; with accumulation that of the last batch. */
  readonly outputs: Outputs<R>;
  /** The norm of the gradient. */
  readonly gradientNorm: number;
  /** Rows that the update saw. */
  readonly rows: number;
  /** At the last step of an epoch, where there is something to validate with. */
  readonly validation?: Validation;
  /** On ranks: milliseconds in which this one waited for messages, and for ranks that were late, and did nothing else. */
  readonly waited?: number;
}

/** What a run gives at its end. */
export interface Trained<P, S> {
  readonly params: Tensors<P>;
  readonly stats: Tensors<S>;
  readonly report: TrainingReport;
}

/** A run of training. It goes on only while somebody iterates over it or waits for `finish`. */
export interface Training<P, S, R> extends AsyncIterable<Step<R>> {
  /** Copies of the parameters and statistics as they are now. */
  read(): Promise<{ readonly params: Tensors<P>; readonly stats: Tensors<S> }>;
  /** Does the steps that are left, and tells how it went. @throws what went wrong, as iterating does */
  finish(): Promise<Trained<P, S>>;
  /**
   * The loss function once more, on the parameters as they are and the batch of the last step, or of the step that failed, over variables: for
   * `firstBad`, `explain`, `whyZero` and `health`.
   */
  replay(): Promise<R>;
  /** Writes a checkpoint now, to the file of the options or another one. @throws DomainError when there is no file, or it cannot be written */
  save(file?: string): Promise<void>;
}

/**
 * Trains a model: one compiled program makes each update with the parameters staying in the engine; only the batch goes in, and the numbers come out.
 * The result is an async iterable of steps, `for await (const { step, loss } of train(...))`; `finish()` does what is left of them.
 *
 * A run is fixed by its data, its seed and its checkpoint: resumed from a checkpoint it goes on bit for bit as it would have.
 * @throws DomainError, GraphError for options that cannot train; while it runs also NumericError for a loss or gradient that is not finite, after
 *   which the parameters are those from before the step
 */
export function train<P, B, R extends Loss, M extends Mode, S = {}>(
  model: Model<P, S, B, R>,
  options: TrainOptions<B, M, Step<R>>,
): Training<P, S, R> {
  checkOptions(model, options);
  return new Run(model as unknown as AnyModel, options as unknown as AnyOptions) as unknown as Training<P, S, R>;
}

type AnyOptions = TrainOptions<unknown, Mode, Step<Loss>>;

/** Rows that the health check looks at: the reference engine does it. */
const healthRows = 32;
/** Milliseconds after which everything else that waits has its turn: a page draws some sixty times a second. */
const patienceOfOthers = 16;
/** The metrics and tables of a pass without a validation. */
const none: Readonly<Record<string, never>> = /* @__PURE__ */ Object.freeze({});

class Run implements Training<unknown, unknown, Loss> {
  private readonly model: AnyModel;
  private readonly options: AnyOptions;
  private readonly history = new History();
  private readonly every: number;
  private programs: Programs | null = null;
  private seed: Tensor | null = null;
  private epoch = 0;
  private index = 0;
  private step = 0;
  private feed: Feed | null = null;
  /** The batch that comes next: read ahead, so that the last step of an epoch knows that it is. */
  private ahead: Fed | null = null;
  private last: Fed | null = null;
  private spare: SpareBatch | null = null;
  private readonly forms = new BatchForms();
  /** Whether steps run in another thread while this one does something else. */
  private elsewhere = false;
  /** Whether a step is one update by one batch, on an engine that answers at once. */
  private isPlain = false;
  /** Whether a step that nobody had to wait for is being made just now. */
  private inside = false;
  private readonly running = { loss: 0, rows: 0 };
  private meanLoss = Number.NaN;
  private best: { value: number; step: number; epoch: number } | null = null;
  private kept: Kept | null = null;
  private waited = 0;
  private readonly checkups = new Checkups();
  private ending: Ending | null = null;
  private seconds = 0;
  /** The clock after the last step, and when others last had their turn. */
  private now = 0;
  private breath = 0;
  private started: Promise<void> | null = null;
  private isReady = false;
  private tail: Promise<unknown> = Promise.resolve();
  /** Those who have their turn, or wait for it. */
  private queued = 0;
  private result: Promise<Trained<unknown, unknown>> | null = null;
  private resumed = 0;
  /** Null for one process alone. */
  private readonly spread: DistributedOptions | null;
  /** Who is told how it goes: on rank 0 alone. */
  private readonly callbacks: NonNullable<AnyOptions["callbacks"]>;

  constructor(model: AnyModel, options: AnyOptions) {
    if (model.bind !== undefined && options.distributed !== undefined)
      throw new DomainError(
        "train: bind tells what the data of a whole batch decide, and with distributed each rank has some of its rows; train such a model in one process",
      );
    this.model = model;
    this.options = options;
    this.every = options.accumulate ?? 1;
    this.spread = distributedOf(options.distributed);
    if (model.counts !== undefined && this.spread !== null && (this.spread.syncBatchNorm === true || leaves(model.stats ?? {}).length > 0))
      throw new DomainError(
        "train: with distributed, batch norm and its running statistics go by rows, and counts weighs the losses otherwise; leave counts out, or train such a model in one process",
      );
    this.callbacks = this.leads ? (options.callbacks ?? []) : [];
  }

  /** Whether this process writes and tells. */
  private get leads(): boolean {
    return this.spread === null || this.spread.ranks.rank === 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<Step<Loss>> {
    return {
      next: () => {
        const step = this.nextStep();
        return step instanceof Promise ? step.then(resultOf) : Promise.resolve(resultOf(step));
      },
      // Leaving the loop ends nothing: `finish` or another loop goes on from here. But nobody may come, so no file stays open.
      return: async () => {
        await this.inTurn(() => this.letGo());
        return { done: true, value: undefined };
      },
    };
  }

  async read(): Promise<{ readonly params: Tensors<unknown>; readonly stats: Tensors<unknown> }> {
    const { params, stats } = await this.inTurn(() => this.current());
    return { params: params as Tensors<unknown>, stats: stats as Tensors<unknown> };
  }

  finish(): Promise<Trained<unknown, unknown>> {
    this.result ??= this.toTheEnd();
    // A run that failed may be taken up again: after a full disk, say.
    this.result.catch(() => {
      this.result = null;
    });
    return this.result;
  }

  async replay(): Promise<Loss> {
    return this.inTurn(async () => {
      if (this.last === null) throw new DomainError("replay: no step was made yet; iterate first, or await finish()");
      return (await this.lossOn(await this.current(), this.last.batch)).loss;
    });
  }

  async save(file?: string): Promise<void> {
    const to = file ?? this.options.checkpoint?.file;
    if (to === undefined) throw new DomainError("save: no file is named, here or in the checkpoint of the options");
    await this.inTurn(() =>
      this.shared(async () => {
        await this.begin();
        await this.write(to);
      }),
    );
  }

  /** A step, at once where nobody is before. */
  private nextStep(): Step<Loss> | null | Promise<Step<Loss> | null> {
    if (this.queued > 0 || this.inside) return this.inTurn(() => this.advance());
    let step: Step<Loss> | null | Promise<Step<Loss> | null>;
    this.inside = true;
    try {
      step = this.advance();
    } catch (error) {
      step = Promise.reject(error);
    }
    this.inside = false;
    if (step instanceof Promise) {
      this.queued++;
      this.tail = step.then(this.leave, this.leave);
    }
    return step;
  }

  /** One thing after the other, however many ask. */
  private inTurn<T>(task: () => T | Promise<T>): Promise<T> {
    // Asked by what a step calls: whether that has to be waited for is not known yet.
    if (this.inside) return Promise.resolve().then(() => this.inTurn(task));
    this.queued++;
    const done = this.tail.then(task);
    this.tail = done.then(this.leave, this.leave);
    return done;
  }

  private readonly leave = (): void => {
    this.queued--;
  };

  /**
   * Work that other ranks wait for. What goes wrong on this rank alone ends them all; what goes wrong on all alike is thrown on all, and told by the first:
   * the others hold it back for a while.
   */
  private async shared<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      if (this.spread !== null) {
        const { ranks } = this.spread;
        if (isAlike(error)) await ranks.quiet();
        else ranks.fail(error instanceof ChainruleError ? error.message : String((error as Error)?.stack ?? error));
      }
      throw error;
    }
  }

  private async toTheEnd(): Promise<Trained<unknown, unknown>> {
    while (await this.inTurn(() => this.someSteps()));
    return this.inTurn(async () => {
      const now = await this.current();
      const { params, stats } = this.options.keep === "best" && this.kept !== null ? this.kept : now;
      const report = reportOf({
        steps: this.step,
        epochs: this.epoch,
        loss: this.meanLoss,
        best: this.best?.value ?? Number.NaN,
        bestStep: this.best?.step ?? 0,
        reason: this.ending!,
        seconds: this.seconds,
        history: this.history.points(),
        checkups: this.checkups.all(),
        health: this.leads ? await this.healthNow(now) : null,
        monitored: this.options.monitor?.metric ?? "loss",
        validated: this.options.validate !== undefined,
        parameters: sizeOfAll(this.model.params),
        ...(this.programs instanceof RankPrograms && { communication: this.programs.communication() }),
        language: this.options.language ?? "en",
      });
      for (const c of this.callbacks) await c.finish?.(report);
      return { params: params as Tensors<unknown>, stats: stats as Tensors<unknown>, report };
    });
  }

  /** Steps, until somebody else waits for their turn. Whether there may be more. */
  private async someSteps(): Promise<boolean> {
    // A step begins where the one before ended: to ask the clock takes a while, too.
    let began: number | undefined;
    do {
      // Waited for although it may be there: what callbacks and listeners have put off comes between two steps.
      if ((await this.advance(began)) === null) return false;
      began = this.now;
    } while (this.queued === 1);
    return true;
  }

  private async current(): Promise<TrainState> {
    await this.begin();
    return this.programs!.read();
  }

  private begin(): Promise<void> {
    this.started ??= this.prepare();
    this.started.catch(() => {
      this.started = null;
    });
    return this.started;
  }

  private async prepare(): Promise<void> {
    const { optimizer, engine, checkpoint, data, epochs, steps } = this.options;
    // Found out now, and not when hours of training are to be written.
    if (this.leads) for (const file of [checkpoint?.file, checkpoint?.best]) if (file !== undefined) await checkWritable(file);
    const seed = key(this.options.seed ?? 0);
    let state = initialState(this.model, optimizer, seed, this.every > 1);
    const saved = checkpoint?.resume === true ? await this.saved(checkpoint.file) : null;
    if (saved !== null) {
      checkOrder(saved, this.order(), checkpoint!.file);
      const found = stateIn(saved, state, checkpoint!.file);
      if (found.state.key.data.some((x, i) => x !== seed.data[i]))
        throw new DomainError(
          `train: ${checkpoint!.file} was written with another seed; resume with the same seed, or the run would be another`,
        );
      // Who resumes with another rate means it.
      const said = (optimizer.given ?? []).filter((name) => Object.hasOwn(state.opt, name));
      state = { ...found.state, opt: { ...found.state.opt, ...Object.fromEntries(said.map((name) => [name, state.opt[name]!])) } };
      this.kept = found.best;
      this.take(saved);
    }
    this.seed = seed;
    const own = engine ?? (await defaultEngine());
    // A rank's engine gets a part of what the loader reads.
    this.elsewhere = own.mode === "async" && this.spread === null;
    this.spare = new SpareBatch(this.spread === null ? own.tensor : undefined, data.batch);
    if (this.spread === null) this.programs = new Programs(this.model, optimizer, own, this.every > 1, state);
    else {
      const { ranks } = this.spread;
      this.ahead ??= await this.nextOf();
      await meet(ranks, describe(state, { ...this.options, engine: own }, this.order(), this.ahead?.batch));
      // The weights of rank 0, wherever the others have theirs from.
      state = await treeOfFirst(ranks, state);
      const wish = (): boolean => this.options.signal?.aborted === true;
      this.programs = new RankPrograms(this.model, optimizer, own, this.every > 1, state, this.spread, wish);
    }
    await this.tryValidation(this.options);
    const stepsInEpoch = data.length === null ? null : Math.ceil(data.length / this.every);
    const all = stepsInEpoch === null ? (steps ?? null) : Math.min(stepsInEpoch * epochs, steps ?? Number.POSITIVE_INFINITY);
    const facts = { epochs, stepsInEpoch, steps: all, resumed: this.resumed, parameters: sizeOfAll(this.model.params) };
    for (const c of this.callbacks) await c.start?.(facts);
    this.isPlain =
      own.mode === "sync" && this.spread === null && this.every === 1 && this.model.bind === undefined && this.model.counts === undefined;
    this.isReady = true;
  }

  /** The checkpoint at a path, or null: as rank 0 has it. */
  private async saved(file: string): Promise<Checkpoint | null> {
    const own = this.leads ? await bytesIfThere(file) : null;
    const bytes = this.spread === null ? own : await bytesOfFirst(this.spread.ranks, own);
    return bytes === null ? null : checkpointIn(bytes, file);
  }

  private order(): CheckpointHeader["order"] {
    return { ...this.options.data.order, accumulate: this.every };
  }

  private take({ header }: Checkpoint): void {
    this.epoch = header.epoch;
    this.index = header.batch;
    this.step = this.resumed = header.step;
    Object.assign(this.running, header.running);
    this.best = header.best === null ? null : { ...header.best };
    this.waited = header.waited;
    this.seconds = header.seconds;
    this.history.load(header.history);
    this.checkups.load(header.checkups);
    this.meanLoss =
      this.running.rows > 0 ? this.running.loss / this.running.rows : (header.meanLoss ?? header.checkups.at(-1)?.loss ?? Number.NaN);
  }

  private advance(began?: number): Step<Loss> | null | Promise<Step<Loss> | null> {
    if (this.spread !== null) return this.shared(async () => doing(this.advanced()));
    return this.quick(began) ?? doing(this.advanced());
  }

  /**
   * A step as most are: one update by one batch, where the program is compiled and the batch is there. It does what `advanced` does, in less time, which is much of that of
   * steps of small nets. Null where the step is another one; nothing is done then but reading the batch.
   */
  private quick(began: number = performance.now()): Step<Loss> | Promise<Step<Loss> | null> | null {
    if (!this.isPlain || this.ending !== null || this.endingNow() !== null) return null;
    try {
      const fed = this.ahead ?? this.nextOf();
      if (fed instanceof Promise) return fed.then(this.arrived, this.failed);
      this.ahead = fed;
      if (fed === null) return null;
      const ran = this.updated(fed);
      if (ran === null) return null;
      const next = this.nextOf();
      const event =
        next instanceof Promise ? next.then((ahead) => this.updatedBy(began, fed, ran, ahead)) : this.updatedBy(began, fed, ran, next);
      return event instanceof Promise ? event.then(this.rested, this.failed) : this.rested(event);
    } catch (error) {
      return this.failed(error);
    }
  }

  /** The step, when others have had their turn where that is due. */
  private readonly rested = (event: Step<Loss>): Step<Loss> | Promise<Step<Loss>> =>
    this.now - this.breath < patienceOfOthers ? event : this.breathe().then(() => event);

  /** A batch is there that a step had to wait for. */
  private readonly arrived = (fed: Fed | null): Step<Loss> | null | Promise<Step<Loss> | null> => {
    this.ahead = fed;
    return this.quick() ?? doing(this.advanced());
  };

  /** The update by a batch, or null where there is no program of its form yet. */
  private updated(fed: Fed): Ran | null {
    try {
      const ran = this.programs!.updateNow(fed);
      if (ran !== null) this.recycle(fed);
      return ran;
    } catch (error) {
      this.recycle(fed);
      throw this.placed(error, fed);
    }
  }

  private updatedBy(began: number, { all }: Fed, ran: Ran, ahead: Fed | null): Step<Loss> | Promise<Step<Loss>> {
    this.ahead = ahead;
    this.index++;
    this.step++;
    return this.counted(began, ran.loss.data[0]! * all, all, ran, ran.norm!);
  }

  /** Lets go of everything after a failure, and tells of it. */
  private readonly failed = async (error: unknown): Promise<never> => {
    await this.letGo();
    await this.programs!.ungather();
    for (const c of this.callbacks) await c.fail?.(error);
    throw error;
  };

  private *advanced(): Work<Step<Loss> | null> {
    if (!this.isReady) yield this.begin();
    if (this.ending === null) {
      const ending = this.endingNow();
      const { checkpoint } = this.options;
      if (ending === "aborted" && checkpoint !== undefined && this.step > this.resumed) yield this.write(checkpoint.file);
      this.ending = ending;
    }
    if (this.ending !== null) {
      yield this.letGo();
      return null;
    }
    let event: Step<Loss>;
    try {
      event = yield* this.oneStep();
    } catch (error) {
      return (yield this.failed(error)) as never;
    }
    const rested = this.rested(event);
    return rested instanceof Promise ? ((yield rested) as Step<Loss>) : rested;
  }

  /** Why no further step is made, or null. */
  private endingNow(): Ending | null {
    const { epochs, steps, patience, signal } = this.options;
    if (this.epoch >= epochs) return "epochs";
    if (steps !== undefined && this.step >= steps) return "steps";
    if (patience !== undefined && this.waited >= patience) return "patience";
    const stops = this.programs instanceof RankPrograms ? this.programs.stops : signal?.aborted === true;
    return stops ? "aborted" : null;
  }

  private *oneStep(): Work<Step<Loss>> {
    const began = performance.now();
    const programs = this.programs!;
    let ran: Ran;
    let batches = 0;
    let rows = 0;
    let counts = 0;
    let sum = 0;
    do {
      const found = this.ahead ?? this.nextOf();
      let fed = (this.ahead = found instanceof Promise ? ((yield found) as Fed | null) : found);
      if (fed === null) throw new DomainError(`train: data gave no batch in pass ${this.epoch}; it is empty`);
      if (this.model.counts !== undefined) this.ahead = fed = (yield this.weighed(fed)) as Fed;
      this.recycle(fed);
      let following: Promise<Fed | null> | null = null;
      try {
        const running = this.every > 1 ? programs.gather(fed.batch, fed) : programs.update(fed.batch, fed);
        following = this.besides(running);
        ran = running instanceof Promise ? ((yield running) as Ran) : running;
      } catch (error) {
        throw this.placed(error, fed);
      } finally {
        // Nothing of this pass is read any more when a failure closes it.
        if (following !== null) yield following.catch(() => undefined);
      }
      const { all } = countsOf(fed);
      sum += ran.loss.data[0]! * all;
      counts += all;
      rows += fed.all;
      batches++;
      const next = following ?? this.nextOf();
      this.ahead = next instanceof Promise ? ((yield next) as Fed | null) : next;
    } while (batches < this.every && this.ahead !== null);
    const norm = this.every > 1 ? yield* this.applied(counts) : ran.norm!;
    this.index += batches;
    this.step++;
    const check = this.spread?.check;
    if (check !== undefined && this.step % check === 0)
      yield checkSame(this.spread!.ranks, (yield (programs as RankPrograms).alike()) as TrainState, this.step);
    const event = this.counted(began, sum, rows, ran, norm, counts);
    return event instanceof Promise ? ((yield event) as Step<Loss>) : event;
  }

  /** How much a batch counts, on all ranks together. @throws DomainError for a model that gives no such number */
  private async weighed(fed: Fed): Promise<Fed> {
    const own = fed.rows === 0 ? 0 : this.countsIn(fed.batch);
    if (this.spread === null) return { ...fed, counts: { own, all: own } };
    const { each } = await together(this.spread.ranks, [own]);
    return { ...fed, counts: { own, all: each(0).reduce((a, b) => a + b, 0) } };
  }

  private countsIn(batch: unknown): number {
    const count: unknown = this.model.counts!(batch as never);
    if (typeof count === "number" && count >= 0 && count < Number.POSITIVE_INFINITY) return count;
    throw new DomainError(
      `train: the model's counts gave ${typeof count === "number" ? count : count === undefined ? "nothing" : kindText(count)}; it gives what the loss of the batch is a mean over, a number from 0`,
    );
  }

  /**
   * The step that was just made, of batches whose losses times what they count add up to `sum`: put down, and told. At the end of a pass that is ended. Where the model
   * says nothing else, rows are what is counted.
   */
  private counted(
    began: number,
    sum: number,
    rows: number,
    ran: Ran,
    norm: Tensor,
    counts: number = rows,
  ): Step<Loss> | Promise<Step<Loss>> {
    const loss = sum / (counts || 1);
    this.history.add(this.step, loss);
    this.running.loss += loss * counts;
    this.running.rows += counts;
    const event = {
      step: this.step,
      epoch: this.epoch + 1,
      loss,
      outputs: outputsOf(ran.loss, ran.outputs),
      gradientNorm: norm.data[0]!,
      rows,
    } as Step<Loss>;
    if (this.ahead === null) {
      const validation = doing(this.endEpoch());
      return validation instanceof Promise
        ? validation.then((found) => this.told(began, event, found))
        : this.told(began, event, validation);
    }
    this.meanLoss = this.running.loss / (this.running.rows || 1);
    return this.told(began, event, null);
  }

  private told(began: number, step: Step<Loss>, validation: Validation | null): Step<Loss> | Promise<Step<Loss>> {
    const { programs } = this;
    let event = step;
    if (programs instanceof RankPrograms) event = { ...event, waited: programs.times.waited };
    if (validation !== null) event = { ...event, validation };
    this.now = performance.now();
    this.seconds += (this.now - began) / 1000;
    return this.callbacks.length > 0 || this.isSaveDue() ? this.telling(event) : event;
  }

  private async telling(event: Step<Loss>): Promise<Step<Loss>> {
    for (const c of this.callbacks) await c.step?.(event);
    if (this.isSaveDue()) await this.write(this.options.checkpoint!.file);
    this.now = performance.now();
    return event;
  }

  private *applied(rows: number): Work<Tensor> {
    try {
      const norm = this.programs!.apply(rows);
      return norm instanceof Promise ? ((yield norm) as Tensor) : norm;
    } catch (error) {
      throw this.placed(error, this.last!);
    }
  }

  /** Ends the pass that is being read. Whoever goes on reads it again from the batch that comes next. */
  private async letGo(): Promise<void> {
    const { feed } = this;
    this.feed = null;
    this.ahead = null;
    await feed?.close();
  }

  /**
   * The next batch, read while the step runs where that is somewhere else; null where nothing would be won. It is read whatever becomes of the step, and when
   * both fail the step's error is the one that is told.
   */
  private besides(running: unknown): Promise<Fed | null> | null {
    if (!this.elsewhere) return null;
    (running as Promise<unknown>).catch(() => undefined);
    // What the step is given has to be on its way first.
    const following = turn().then(() => this.nextOf());
    following.catch(() => undefined);
    return following;
  }

  /** The next batch of the pass, null at its end: at once where the data are there. */
  private nextOf(): Fed | null | Promise<Fed | null> {
    this.feed ??= this.feedOfData();
    const next = this.feed.next();
    return next instanceof Promise ? next.then(this.took) : this.took(next);
  }

  private readonly took = (fed: Fed | null): Fed | null => {
    this.spare!.took(fed);
    return fed;
  };

  private feedOfData(): Feed {
    const spare = this.spare!;
    const checks = this.epoch === 0 && this.options.unchecked !== true;
    return new Feed(this.options.data, "data", this.epoch, this.index, checks, () => spare.take(), this.forms, this.spread?.ranks);
  }

  /** This is the last batch from now on; the one before is free. */
  private recycle(fed: Fed): void {
    if (this.last !== null && this.last !== fed) this.spare!.give(this.last);
    this.last = fed;
  }

  /** What a program throws, with where that was. */
  private placed(error: unknown, fed: Fed): unknown {
    return placed(error, this.step + 1, this.epoch + 1, fed, this.options.data, "data");
  }

  /** Ends the pass. What a validation gave, or null without one. */
  private *endEpoch(): Work<Validation | null> {
    const { validate, derive, checkpoint, keep, optimizer } = this.options;
    const { running } = this;
    this.meanLoss = running.loss / (running.rows || 1);
    let totals: Totals = { loss: this.meanLoss, metrics: none, tables: none, rows: running.rows };
    if (validate !== undefined) totals = (yield this.validated()) as Totals;
    if (derive !== undefined) totals = derivedFrom(derive, validate === undefined ? { ...totals, metrics: {}, tables: {} } : totals);
    const isBest = this.judge(totals);
    if (isBest && keep === "best") {
      const { params, stats } = (yield this.programs!.read()) as TrainState;
      this.kept = { params, stats };
    }
    this.checkups.add(this.step, this.epoch + 1, totals.loss, totals.metrics);
    this.epoch++;
    this.index = 0;
    this.feed = null;
    running.loss = running.rows = 0;
    if (optimizer.observe !== undefined) yield this.programs!.observe(totals.loss);
    if (isBest && checkpoint?.best !== undefined) yield this.write(checkpoint.best);
    return validate === undefined ? null : { ...totals, isBest };
  }

  private async validated(): Promise<Totals> {
    const sums = new Sums();
    let free: unknown = null;
    const ranks = this.spread?.ranks;
    const checks = this.epoch === 0 && this.options.unchecked !== true;
    const feed = new Feed(this.options.validate!, "validate", 0, 0, checks, () => free, this.forms, ranks);
    try {
      for (let fed = await feed.next(); fed !== null; fed = await feed.next()) {
        const at = fed;
        free = at.batch;
        if (at.rows > 0) sums.add(await this.evaluated(at), at.rows, this.model.counts === undefined ? at.rows : this.countsIn(at.batch));
        if (performance.now() - this.breath >= patienceOfOthers) await this.breathe();
      }
    } finally {
      await feed.close();
    }
    return ranks === undefined ? sums.total() : (await sums.overRanks(ranks)).total();
  }

  private async evaluated(fed: Fed): Promise<Ran> {
    try {
      return await this.programs!.evaluate(fed.batch, fed.form);
    } catch (error) {
      const told = placed(error, this.step, this.epoch + 1, fed, this.options.validate!, "validate");
      throw withColumns(told, this.last?.batch ?? this.sample(this.options.data), fed.batch);
    }
  }

  /** A row of data that is in memory; null for other data. */
  private sample(source: Batches<unknown>): unknown {
    return (source as Partial<Loader<unknown>>).dataset?.at(Int32Array.of(0)) ?? null;
  }

  /** A validation whose columns have other names mostly fails, and not after the hours of a first epoch: it is tried now. */
  private async tryValidation({ data, validate }: AnyOptions): Promise<void> {
    if (validate === undefined || this.spread !== null) return;
    const [trained, batch] = [data, validate].map((source) => this.sample(source));
    if (trained === null || batch === null || haveSameColumns(trained, batch)) return;
    await this.evaluated({ batch, rows: 1, all: 1, first: 0, pass: 0, index: 0 });
  }

  /** Whether this is the best so far. */
  private judge(totals: Totals): boolean {
    const { metric, better } = this.options.monitor ?? { metric: "loss", better: "lower" };
    const value = metric === "loss" ? totals.loss : totals.metrics[metric];
    if (value === undefined)
      throw new DomainError(
        `train: the monitor looks at ${metric}, and the validation has loss${Object.keys(totals.metrics)
          .map((name) => `, ${name}`)
          .join("")}`,
      );
    const isBest = this.best === null || (better === "lower" ? value < this.best.value : value > this.best.value);
    if (!isBest) {
      this.waited++;
      return false;
    }
    this.waited = 0;
    this.best ??= { value, step: 0, epoch: 0 };
    this.best.value = value;
    this.best.step = this.step;
    this.best.epoch = this.epoch + 1;
    return true;
  }

  private isSaveDue(): boolean {
    const { checkpoint, epochs, steps, patience } = this.options;
    if (checkpoint === undefined) return false;
    const over = this.epoch >= epochs || (steps !== undefined && this.step >= steps) || (patience !== undefined && this.waited >= patience);
    return over || (checkpoint.every !== undefined && this.step % checkpoint.every === 0);
  }

  private async write(file: string): Promise<void> {
    // Ranks that share the update out have to put the state together.
    if (!this.leads && this.spread?.shard !== true) return;
    const state = await this.programs!.whole(this.leads);
    if (!this.leads) return;
    const header: CheckpointHeader = {
      format: 1,
      step: this.step,
      epoch: this.epoch,
      batch: this.index,
      order: this.order(),
      running: this.running,
      meanLoss: this.meanLoss,
      best: this.best,
      waited: this.waited,
      seconds: this.seconds,
      history: this.history.save(),
      checkups: this.checkups.all(),
      note: this.options.checkpoint?.note ?? null,
    };
    // Between updates nothing is gathered; after a failure the batches since the last update are read again.
    for (const { leaf } of leaves(state.gathered ?? {})) (leaf as Tensor).data.fill(0);
    await writeCheckpoint(file, header, state, this.kept);
    for (const c of this.callbacks) await c.saved?.(file, this.step);
  }

  private async breathe(): Promise<void> {
    await turn();
    this.now = this.breath = performance.now();
  }

  /** The loss on parameters that can be asked about. */
  private async lossOn(state: TrainState, batch: unknown): Promise<{ readonly loss: Loss; readonly params: Values<unknown> }> {
    const params = variables(state.params) as Values<unknown>;
    const named = variables(batch) as Values<unknown>;
    const own = fold(held(this.seed!) as Value, this.step);
    const bound = held((await this.model.bind?.(batch as never, async () => state.params as never)) ?? {}) as Record<string, Value>;
    return { loss: this.model.loss(params, named, { key: own, train: true, stats: held(state.stats), bound }), params };
  }

  private async healthNow(state: TrainState): Promise<HealthReport | null> {
    if (this.options.health === false || this.last === null) return null;
    const { loss, params } = await this.lossOn(state, firstRows(this.last.batch, healthRows));
    const f = "loss" in loss ? loss.loss : loss;
    const wrt = Object.fromEntries(leaves(params).map(({ path, leaf }) => [path || "the parameter", leaf as Value]));
    const slopes = gradients(f, wrt);
    const grad = rebuild(params, (_, path) => slopes[path || "the parameter"]) as Values<unknown>;
    // Where the update is shared out, no rank by itself has what it needs.
    if (this.spread?.shard === true) return health(f, { wrt });
    const next = this.options.optimizer.update({ params: params as {}, grad, opt: held(state.opt) as Values<OptimizerState> }).params;
    const moved = new Map(leaves(next).map(({ path, leaf }) => [path || "the parameter", leaf as Value]));
    const updates = evaluate(Object.fromEntries(Object.entries(wrt).map(([name, p]) => [name, sub(moved.get(name)!, p)])));
    return health(f, { wrt, updates, language: this.options.language ?? "en" });
  }
}

/** Tensors as constants. */
function held(tree: unknown): Values<unknown> {
  return rebuild(tree, (leaf) =>
    constantOf((leaf as Tensor).type.shape.length === 0 ? (leaf as Tensor).data[0]! : (leaf as Tensor), (leaf as Tensor).type),
  ) as Values<unknown>;
}

/** Numbers in a tree of parameters. */
function sizeOfAll(params: unknown): number {
  return leaves(params).reduce((n, { leaf }) => n + (typeof leaf === "number" ? 1 : sizeOf((leaf as Tensor).type.shape)), 0);
}

/** A step as iterators hand it out. */
function resultOf(step: Step<Loss> | null): IteratorResult<Step<Loss>> {
  return step === null ? { done: true, value: undefined } : { done: false, value: step };
}

/** What a loss function returned, as `Step` has it. */
function outputsOf(loss: Tensor, others: unknown): unknown {
  return { loss, ...(others as object) };
}

/** The first rows of every tensor of a batch. */
function firstRows(batch: unknown, most: number): unknown {
  return rebuild(batch, (leaf) => {
    const { type, data } = leaf as Tensor;
    const [rows, ...rest] = type.shape;
    if (rows === undefined || rows <= most) return leaf;
    return hold({ ...type, shape: [most, ...rest] }, data.slice(0, most * sizeOf(rest)));
  });
}

/** An error of a step with its place, and how to look at it. */
function placed(error: unknown, step: number, epoch: number, fed: Fed, source: Batches<unknown>, part: string): unknown {
  if (!(error instanceof ChainruleError)) return error;
  const where = `train: step ${step}, epoch ${epoch}`;
  if (error instanceof NumericError) {
    const [, what, value, rank = ""] = /^(\S+) is (\S+)( on rank \d+ \(.*\)| of the sum of all ranks)?/.exec(error.message) ?? [
      "",
      "the loss",
      "not finite",
    ];
    const name = what === "norm" ? "the norm of the gradient" : `the ${what}`;
    return new NumericError(
      `${where}: ${name} is ${value}${rank}; the parameters are as they were before the step. Replay it: firstBad(await training.replay())`,
      { cause: error },
    );
  }
  return error instanceof DomainError ? (byRow(error, where, fed, source, part) ?? error) : error;
}
