import type { Engine } from "../../engines/engine.ts";
import { memoryOf } from "../../engines/program.ts";
import { byteSize } from "../../files/element-bytes.ts";
import { allocate, isFloat } from "../../ir/dtype.ts";
import { DomainError, EngineError, InternalError, NumericError } from "../../ir/errors.ts";
import { typeOfLeaf } from "../../ir/graph.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { leaves, rebuild, type Values } from "../../ir/tree.ts";
import { f64, tensorType } from "../../ir/type.ts";
import type { Pending } from "../../mpi/pending.ts";
import { add, div, mul } from "../../ops/arithmetic.ts";
import { op } from "../../ops/define.ts";
import { cast } from "../../ops/elementwise/cast.ts";
import { greater } from "../../ops/elementwise/comparison.ts";
import { sqrt } from "../../ops/elementwise/roots.ts";
import { concat, stack } from "../../ops/linear/concat.ts";
import { reshape } from "../../ops/linear/reshape.ts";
import { at, slice } from "../../ops/linear/slice.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import { fold } from "../../random/random.ts";
import { countsOf, type Fed } from "../feed.ts";
import type { AnyModel } from "../model.ts";
import { type Names, normOf, Programs, type Ran, squaresOf, type TrainState } from "../programs.ts";
import { BucketSums, type StepTimes } from "./bucket-sums.ts";
import { type Bucket, bucketsOf, packed, unpacked } from "./buckets.ts";
import { together } from "./exchange.ts";
import { finishedBy } from "./finished.ts";
import type { Communication } from "./meter.ts";
import type { DistributedOptions } from "./options.ts";
import { Shards } from "./shards.ts";
import { alike } from "./symmetric.ts";

/** What ranks have beside the state that a checkpoint keeps: gradients and statistics on their way from one program to the next, in buckets. */
interface OnTheWay {
  readonly grad: readonly Tensor[];
  readonly stats: readonly Tensor[];
  /** Where the update is shared out: this rank's new weights, by bucket. */
  readonly own: readonly Tensor[];
}
type WideNames = Names & {
  readonly next: { readonly grad: readonly Value[]; readonly stats: readonly Value[]; readonly own: readonly Value[] };
};

/** Bytes of a bucket, unless options say otherwise. */
const usualBucket = 4 * 2 ** 20;

/**
 * The programs of one rank. A step is two programs: the first computes the gradient of this rank's rows, weighted by their share of the batch, into buckets, and
 * begins to sum each over the ranks as soon as the backward pass has finished it; the second makes the update of the sums, the same on all ranks.
 */
export class RankPrograms extends Programs {
  private readonly options: DistributedOptions;
  private layout: { readonly grad: readonly Bucket[]; readonly stats: readonly Bucket[] } | null = null;
  /** Where the update is shared out. */
  private shards: Shards | null = null;
  /** Sums over the ranks in the middle of a program, each marked with its number there. */
  private readonly sum: (x: Value, attrs: { readonly mark: number }) => Value;
  private marks = 0;
  /** Whether a gradient that was gathered since the last update was not finite. */
  private spoilt = false;
  private readonly sums: BucketSums;
  /** Whether some rank wants to stop, as all know since the last step. */
  stops = false;
  /** Whether this rank wants to stop. */
  private readonly wish: () => boolean;

  constructor(
    model: AnyModel,
    optimizer: Optimizer,
    engine: Engine,
    accumulates: boolean,
    initial: TrainState,
    options: DistributedOptions,
    wish: () => boolean,
  ) {
    super(model, optimizer, engine, accumulates, initial);
    if (engine.mode !== "sync")
      throw new EngineError(
        `train: distributed works on the memory of the engine, and ${engine.name} keeps its own; use wasm() without a worker, or reference()`,
      );
    this.options = options;
    this.wish = wish;
    this.sums = new BucketSums(options.ranks);
    this.sum = op<(x: Value, attrs: { readonly mark: number }) => Value, readonly ["x"]>("ranks.sum", ["x"], {
      type: ({ x }) => x,
      eval: ({ x, mark }) => options.ranks.sumNow(x.data as Float64Array, mark),
      linear: "all",
      // What the losses of all ranks together ask of the sum, for all have it: the sum of what each asks.
      vjp: ({ ct }) => ({ x: () => this.sum(ct, { mark: this.marks++ }) }),
    });
  }

  /** Ranks without rows of a batch have the first one in their place, which must not count. */
  protected override across(weight: Value | null): ((x: Value) => Value) | undefined {
    if (this.options.syncBatchNorm !== true) return undefined;
    this.marks = 0;
    const counts = cast(greater(weight!, 0), "f64");
    return (x) => cast(this.sum(mul(counts, cast(x, "f64")), { mark: this.marks++ }), x.type.dtype);
  }

  protected override weightOf(rows: number): Value | null {
    return this.options.syncBatchNorm === true ? lift(rows, "f64") : null;
  }

  protected override keyOf(key: Value): Value {
    const { rank, size } = this.options.ranks;
    return size === 1 ? key : fold(key, rank);
  }

  override async update(batch: unknown, fed?: Fed): Promise<Ran> {
    const { own: rows, all } = countsOf(fed!);
    this.arrange(batch);
    const { grad, stats } = this.layout!;
    const given = { own: batch, weight: hold(f64(), Float64Array.of(rows / (all || 1))) };
    const body = (names: Names): object => {
      const s = names as unknown as WideNames & { readonly batch: { readonly own: unknown; readonly weight: Value } };
      const { own, weight } = s.batch;
      const found = this.differentiated({ ...s, batch: own } as unknown as Names, this.keyOf(fold(s.key, s.step)), weight);
      const { slopes, kept } = this.leavesOf(found.gradient, found.stats, (v) => mul(v, cast(weight, v.type.dtype)));
      const sums = grad.map((bucket) => packed(bucket, slopes));
      // First: a program computes its outputs in their order, so that the first bucket is not kept waiting by the others.
      const started = sums.map((v, index) => this.sums.begin(v, { index }));
      return { started, ...found.value, next: { ...s.next, grad: sums, stats: stats.map((bucket) => packed(bucket, kept)) } };
    };
    const ran = (await this.overlapped("share", given, body)) as Ran;
    const { loss, outputs } = await this.joined(ran, rows, all);
    const norm = await this.applied(
      {},
      (sums) => sums,
      () => this.isSpoilt(given, body),
    );
    return { loss, outputs, norm };
  }

  override async gather(batch: unknown, fed?: Fed): Promise<Ran> {
    const { own: rows, all } = countsOf(fed!);
    this.arrange(batch);
    const ran = await this.gatherAs(batch, rows, [], undefined, fed!.counts?.own);
    this.spoilt ||= rows > 0 && !Number.isFinite(ran.norm!.data[0]!);
    const { loss, outputs } = await this.joined(ran, rows, all);
    return { loss, outputs, norm: null };
  }

  /** One update by the mean of what all ranks have gathered, of so many rows in all. */
  override async apply(all = 0): Promise<Tensor> {
    const { grad, stats } = this.layout!;
    const total = hold(f64(), Float64Array.of(all || 1));
    await this.overlapped("bundle", { all: total }, (names) => {
      const s = names as unknown as WideNames & { readonly batch: { readonly all: Value } };
      const { gathered } = s;
      const weight = div(gathered!.rows, s.batch.all);
      const { slopes, kept } = this.leavesOf(gathered!.sum as Values<unknown>, s.stats, (v) => mul(v, cast(weight, v.type.dtype)));
      const sums = grad.map((bucket) => packed(bucket, slopes));
      const started = sums.map((v, index) => this.sums.begin(v, { index }));
      const none = rebuild(gathered, (v) => mul(v as Value, 0));
      return { started, gathered: none, next: { ...s.next, grad: sums, stats: stats.map((bucket) => packed(bucket, kept)) } };
    });
    const mean = (sums: readonly Value[], s: Names): Value[] =>
      sums.map((v) => div(v, cast((s.batch as { readonly all: Value }).all, v.type.dtype)));
    const { spoilt } = this;
    this.spoilt = false;
    return this.applied({ all: total }, mean, () => Promise.resolve(spoilt));
  }

  override async read(): Promise<TrainState> {
    const { next: _, ...state } = (await super.read()) as TrainState & { readonly next?: unknown };
    return state;
  }

  /** Writes parameters over those that are there. */
  async restore(params: unknown): Promise<void> {
    await this.state!.write({ params } as never);
  }

  override async whole(leads: boolean): Promise<TrainState> {
    const state = await this.read();
    if (this.shards === null) return state;
    return { ...state, opt: await this.shards.joined(this.options.ranks, state.opt, leads) };
  }

  /** A copy of what all ranks have to have alike. */
  async alike(): Promise<TrainState> {
    const state = await this.read();
    return this.shards === null ? state : { ...state, opt: this.shards.alike(state.opt) };
  }

  protected override trained(): ReadonlySet<string> {
    return new Set(this.layout!.grad.flatMap(({ places }) => places.map(({ path }) => path)));
  }

  /** The second program of a step: the update by what is in the buckets. */
  private async applied(
    batch: object,
    mean: (sums: readonly Value[], s: Names) => readonly Value[],
    spoilt: () => Promise<boolean>,
  ): Promise<Tensor> {
    const began = performance.now();
    try {
      const norm = this.shards === null ? await this.updatedWhole(batch, mean) : await this.updatedInParts(this.shards, batch, mean);
      this.sums.times.update = performance.now() - began;
      return norm;
    } catch (error) {
      if (!(error instanceof NumericError)) throw error;
      const { ranks } = this.options;
      const { each } = await together(ranks, [(await spoilt()) ? 1 : 0]);
      const rank = each(0).indexOf(1);
      const [found = "norm is not finite"] = /^norm is \S+/.exec(error.message) ?? [];
      throw alike(
        new NumericError(rank < 0 ? `${found} of the sum of all ranks` : `${found} on rank ${rank} (${ranks.names[rank]})`, {
          cause: error,
        }),
      );
    }
  }

  /** The update of all parameters, alike on all ranks. */
  private async updatedWhole(batch: object, mean: (sums: readonly Value[], s: Names) => readonly Value[]): Promise<Tensor> {
    const { grad, stats } = this.layout!;
    const ran = await this.run(this.updating(), batch, ["norm"], (names) => {
      const s = names as unknown as WideNames;
      const slopes = unpacked(grad, mean(s.next.grad, names));
      const kept = unpacked(stats, s.next.stats);
      // Nobody asks for the gradient of what is frozen.
      const gradient = rebuild(s.params, (p, path) => slopes.get(path) ?? mul(p as Value, 0)) as Values<unknown>;
      const { params, opt } = this.optimizer.update({ params: s.params as {}, grad: gradient, opt: s.opt });
      const next = rebuild(s.stats, (v, path) => kept.get(path) ?? v);
      return { norm: normOf(gradient, new Set(slopes.keys())), params, opt, stats: next, step: add(s.step, 1) };
    });
    return (ran as { readonly norm: Tensor }).norm;
  }

  /**
   * The update of this rank's part of the parameters, and then of all by what the others have made of theirs. What has to see the whole gradient, as its norm, is
   * a sum over all ranks: one program computes this rank's part of such sums, the next goes on with the sums.
   */
  private async updatedInParts(
    shards: Shards,
    batch: object,
    mean: (sums: readonly Value[], s: Names) => readonly Value[],
  ): Promise<Tensor> {
    const { ranks } = this.options;
    const { buckets, rows } = shards;
    const { stats } = this.layout!;
    const updated = (names: Names, across: (x: Value) => Value) => {
      const s = names as unknown as WideNames;
      const own = s.next.grad.map((sum, i) => {
        const from = shards.firstOf(i);
        return slice(sum, { start: from, end: from + rows[i]![ranks.rank]! });
      });
      const slopes = shards.slopes(mean(own, names));
      const params = shards.parts(s.params);
      const gradient = rebuild(params, (p, path) => slopes.get(path) ?? mul(p as Value, 0)) as Values<unknown>;
      const norm = sqrt(across(squaresOf(gradient, new Set(slopes.keys()))));
      const moved = this.optimizer.update({ params: params as {}, grad: gradient, opt: s.opt, across });
      return { norm, ...moved };
    };
    const { parts } = (await this.run(`${this.updating()}: sums`, batch, [], (names) => {
      const scalars: Value[] = [];
      updated(names, (x) => {
        scalars.push(cast(x, "f64"));
        return x;
      });
      return { parts: stack(scalars) };
    })) as { readonly parts: Tensor };
    const asked = performance.now();
    const sums = await ranks.allReduce(parts);
    const told = performance.now();
    const ran = await this.run(this.updating(), { ...batch, sums }, ["norm"], (names) => {
      const s = names as unknown as WideNames & { readonly batch: { readonly sums: Value } };
      let next = 0;
      const { norm, params, opt } = updated(names, (x) => cast(at(s.batch.sums, next++), x.type.dtype));
      const kept = unpacked(stats, s.next.stats);
      const moved = new Map(leaves(params).map(({ path, leaf }) => [path, leaf as Value]));
      const own = s.next.own.map((old, i) => {
        const pieces = shards.inBucket(i).map((path) => moved.get(path)!);
        return pieces.length === 0 ? old : concat(pieces.map((v) => reshape(v, { shape: [sizeOf(v.type.shape)] })));
      });
      const averaged = rebuild(s.stats, (v, path) => kept.get(path) ?? v);
      return { norm, opt, stats: averaged, step: add(s.step, 1), next: { ...s.next, own } };
    });
    const from = performance.now();
    const gathered = buckets.map((_, i) => {
      const bucket = memoryOf(this.state, `next.grad.${i}`);
      bucket.data.set(memoryOf(this.state, `next.own.${i}`).data, shards.firstOf(i));
      return { bucket, pending: ranks.startAllGather(bucket, rows[i]!) };
    });
    for (const [i, { bucket, pending }] of gathered.entries()) {
      await pending.wait();
      for (const { path, start, length } of buckets[i]!.places)
        memoryOf(this.state, path === "" ? "params" : `params.${path}`).data.set(bucket.data.subarray(start, start + length));
    }
    const followed = performance.now() - from + told - asked;
    this.sums.times.waited += followed;
    this.sums.meter.followed(followed);
    return (ran as { readonly norm: Tensor }).norm;
  }

  /** What was measured of the last step. */
  get times(): StepTimes {
    return this.sums.times;
  }

  /** What messages have cost so far; null as long as there are too few steps to tell. */
  communication(): Communication | null {
    return this.sums.meter.result(this.options.ranks.size, this.bucketBytes());
  }

  private updating(): string {
    return this.accumulates ? "apply gathered" : "apply shares";
  }

  /** Whether the gradient of this rank's own rows has a number that is not finite: computed once more, for the sums say no longer whose it was. */
  private async isSpoilt(given: object, body: (names: Names) => object): Promise<boolean> {
    await this.run("share", given, [], body);
    return this.layout!.grad.some((_, i) => memoryOf(this.state, `next.grad.${i}`).data.some((x) => !Number.isFinite(x)));
  }

  /** Values by path: slopes of parameters, and statistics that are averaged. */
  private leavesOf(
    gradient: Values<unknown>,
    stats: unknown,
    weighted: (v: Value) => Value,
  ): { readonly slopes: (path: string) => Value; readonly kept: (path: string) => Value } {
    const byPath = (tree: unknown): Map<string, Value> => new Map(leaves(tree).map(({ path, leaf }) => [path, leaf as Value]));
    const [slopes, kept] = [byPath(gradient), byPath(stats)];
    return { slopes: (path) => slopes.get(path)!, kept: (path) => weighted(kept.get(path)!) };
  }

  /** Runs a program that fills the buckets, and sums them over the ranks: begun while it runs, waited for afterwards. */
  private overlapped(kind: string, batch: object, body: (names: Names) => object): Promise<unknown> {
    const { grad, stats } = this.layout!;
    return this.sums.overlapped(`${kind} ${shapesOf(batch)}`, () => this.run(kind, batch, [], body), {
      types: grad.map(({ type }) => type),
      bucket: (i) => memoryOf(this.state, `next.grad.${i}`),
      others: () => stats.map((_, i) => memoryOf(this.state, `next.stats.${i}`)),
      sum: (i, bucket) => this.sumOf(i, bucket),
    });
  }

  /** Begins to sum a bucket: all of it, or what this rank updates. */
  private sumOf(index: number, bucket: Tensor): Pending {
    const { ranks } = this.options;
    return this.shards === null ? ranks.startAllReduce(bucket) : ranks.startReduceScatter(bucket, this.shards.rows[index]!);
  }

  /** The loss and the numbers beside it over all ranks' rows. @throws NumericError that names the rank whose loss is not finite */
  private async joined(ran: Ran, rows: number, all: number): Promise<{ readonly loss: Tensor; readonly outputs: unknown }> {
    const { ranks } = this.options;
    const { loss, outputs } = ran;
    const scalars = leaves(outputs).filter(({ leaf }) => isMean((leaf as Tensor).type));
    const own = [
      rows,
      this.wish() ? 1 : 0,
      loss.data[0]!,
      ...this.sums.meter.tell(),
      ...scalars.map(({ leaf }) => (leaf as Tensor).data[0]!),
    ];
    const { each, columns } = await together(ranks, own);
    this.sums.meter.hear(each(3), each(4));
    this.stops = each(1).some((x) => x !== 0);
    const bad = each(2).findIndex((x, rank) => each(0)[rank]! > 0 && !Number.isFinite(x));
    if (bad >= 0)
      throw alike(new NumericError(`loss is ${each(2)[bad]} on rank ${bad} (${ranks.names[bad]}); no rank has made the update`));
    const mean = (column: number): number =>
      each(0).reduce((sum, n, rank) => sum + (n === 0 ? 0 : n * each(column)[rank]!), 0) / (all || 1);
    const means = new Map(columns === own.length ? scalars.map(({ path }, i) => [path, mean(5 + i)]) : []);
    const whole = rebuild(outputs, (leaf, path) => {
      const { type } = leaf as Tensor;
      const value = means.get(path);
      return value === undefined
        ? leaf
        : hold(type.dtype === "bool" ? f64() : type, type.dtype === "f32" ? Float32Array.of(value) : Float64Array.of(value));
    });
    return { loss: hold(f64(), Float64Array.of(mean(2))), outputs: whole };
  }

  /** Bytes of each bucket of gradients, once a batch was seen. */
  bucketBytes(): number[] {
    return (this.layout?.grad ?? []).map(({ type }) => type.shape[0]! * byteSize(type.dtype));
  }

  /** Lays the buckets out, by the gradient as it is built for a batch: in the order in which the backward pass finishes it. */
  private arrange(batch: unknown): void {
    if (this.layout !== null) return;
    if (this.state !== null) throw new InternalError("train: the state was there before its buckets");
    const types = rebuild({ ...this.initial, batch, weight: f64() }, (leaf) => typeOfLeaf(leaf));
    const { finished, means } = finishedBy(types, this.optimizer, (s) => {
      const found = this.differentiated(s, fold(s.key, s.step), s.weight);
      if (this.options.syncBatchNorm === true && this.marks === 0)
        throw alike(
          new DomainError(
            "train: distributed.syncBatchNorm is asked for, and the loss has no batch norm that is told of it; hand context.across on: batchNorm(p, stats, x, { train, across: context.across }), stack.apply(params, x, { train, stats, across: context.across })",
          ),
        );
      return found;
    });
    const found = bucketsOf(finished, this.options.bucket ?? usualBucket);
    if (this.options.shard === true) this.shards = new Shards(found, this.options.ranks, this.optimizer);
    const grad = this.shards?.buckets ?? found;
    const stats = bucketsOf(means, Number.POSITIVE_INFINITY);
    const empty = ({ dtype }: Value["type"], length: number): Tensor => hold(tensorType(dtype, [length]), allocate(dtype, length));
    const next: OnTheWay = {
      grad: grad.map(({ type }) => empty(type, type.shape[0]!)),
      stats: stats.map(({ type }) => empty(type, type.shape[0]!)),
      own: (this.shards?.rows ?? []).map((rows, i) => empty(grad[i]!.type, rows[this.options.ranks.rank]!)),
    };
    this.layout = { grad, stats };
    const { initial, shards } = this;
    const parts: Partial<TrainState> =
      shards === null ? {} : { params: copiesOf(initial.params), opt: shards.cut(initial.params, initial.opt) };
    this.initial = { ...initial, ...parts, next } as TrainState;
  }
}

/** Tensors of their own: where the update is shared out, new weights are written over the old. */
function copiesOf(tree: unknown): unknown {
  return rebuild(tree, (leaf) => hold((leaf as Tensor).type, (leaf as Tensor).data.slice()));
}

/** Outputs whose mean over the ranks is theirs over all rows. */
function isMean({ dtype, shape }: Tensor["type"]): boolean {
  return shape.length === 0 && (isFloat(dtype) || dtype === "bool");
}

/** The shapes of a batch, as a text. */
function shapesOf(batch: object): string {
  return leaves(batch)
    .map(({ leaf }) => (leaf as Tensor).type.shape.join())
    .join(" ");
}
