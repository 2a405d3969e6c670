import type { Batches } from "../../data/batches.ts";
import type { Engine } from "../../engines/engine.ts";
import { byteSize } from "../../files/element-bytes.ts";
import { allocate } from "../../ir/dtype.ts";
import { DomainError, GraphError } from "../../ir/errors.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { rebuild } from "../../ir/tree.ts";
import type { Ranks } from "../../mpi/ranks.ts";
import { checkRecord, kindText } from "../../notation/given.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import { key } from "../../random/random.ts";
import type { AnyModel } from "../model.ts";
import { initialState } from "../programs.ts";
import { rowsOf } from "../signature.ts";
import type { DistributedOptions } from "./options.ts";
import { RankPrograms } from "./programs.ts";

/** One step of one rank as it was measured; times in milliseconds. */
export interface MeasuredStep {
  /** Rows that this rank computed: of all, one that has most. */
  readonly rows: number;
  /** The rows of the whole batch, and over how many ranks they were spread: where there are fewer rows than ranks, some had none. Left out: `rows` on each. */
  readonly batch?: { readonly rows: number; readonly ranks: number };
  /** Buckets of gradients in the order in which they are finished: their bytes, and when that is after the start of the step. */
  readonly buckets: readonly { readonly bytes: number; readonly ready: number }[];
  /** Forward and backward pass. */
  readonly compute: number;
  readonly update: number;
  /** Bytes that the optimiser keeps on one rank. */
  readonly optimizer: number;
  /** Whether the update is shared out: each rank made its part of it, and the weights are gathered then. */
  readonly shard: boolean;
}

/** A network between ranks. */
export interface Network {
  readonly ranks: number;
  /** Bytes a second from one rank to another, both ways at once. */
  readonly bandwidth: number;
  /** Seconds until the first byte of a message is there. */
  readonly latency: number;
}

/** A bucket on its way; milliseconds from the start of the step. */
export interface BucketTime {
  readonly bytes: number;
  readonly ready: number;
  readonly start: number;
  readonly end: number;
}

/** What a step is predicted to take on many ranks. */
export interface ScalePlan extends Network {
  /** Rows of a rank, of those that have most, and of all together. */
  readonly rows: number;
  readonly batch: number;
  readonly buckets: readonly BucketTime[];
  /** Bytes of gradients that each rank sums in a step. */
  readonly bytes: number;
  readonly compute: number;
  readonly update: number;
  readonly optimizer: number;
  readonly shard: boolean;
  /** Milliseconds until the new weights are gathered after the update; 0 where it is not shared out. */
  readonly gather: number;
  /** Milliseconds that messages take, and those of them in which nothing else is done. */
  readonly communication: number;
  readonly exposed: number;
  /** Milliseconds of a step. */
  readonly step: number;
  /** The time of a step without any communication, as a part of the step's. */
  readonly efficiency: number;
  /** The part of the communication that is hidden behind the backward pass. */
  readonly hidden: number;
  text(): string;
}

/**
 * The timeline of buckets on a network. A sum takes 2 log2(n) latencies, and 2 (n - 1) / n times the bytes by the bandwidth: reduce-scatter by halving, all-gather by
 * doubling (Thakur, Rabenseifner and Gropp 2005, "Optimization of collective communication operations in MPICH"), which MPI libraries use for large
 * vectors. Sums follow each other, and get on while the backward pass computes; a small exchange of losses follows, then the update. Where the update is shared out,
 * buckets are reduced and scattered alone, and the weights are gathered after the update, when there is nothing to hide it behind.
 * @throws DomainError for a network that is none
 */
export function simulate(measured: MeasuredStep, network: Network): ScalePlan {
  checkRecord("simulate", "the step", measured, ["compute", "buckets"], "what measureStep gave: simulate(await measureStep(...), network)");
  checkRecord("simulate", "the network", network, ["ranks", "bandwidth", "latency"], "{ ranks: 8, bandwidth: 1.25e9, latency: 2e-5 }");
  const { ranks, bandwidth, latency } = network;
  if (!Number.isInteger(ranks) || ranks < 1) throw new DomainError(`plan: ranks is ${ranks}; it is a whole number, 1 or more`);
  if (!(bandwidth > 0)) throw new DomainError(`plan: the bandwidth is ${bandwidth} bytes a second; it is a number above 0`);
  if (!(latency >= 0)) throw new DomainError(`plan: the latency is ${latency} s; it is 0 or more`);
  const { compute, update, rows, optimizer, shard } = measured;
  const batch = measured.batch?.ranks === ranks ? measured.batch.rows : rows * ranks;
  const rounds = 2 * Math.ceil(Math.log2(ranks));
  const half = (bytes: number): number => 1000 * (0.5 * rounds * latency + (((ranks - 1) / ranks) * bytes) / bandwidth);
  const sum = (bytes: number): number => (shard ? half(bytes) : 2 * half(bytes));
  const buckets: BucketTime[] = [];
  let end = 0;
  for (const { bytes, ready } of measured.buckets) {
    const start = Math.max(ready, end);
    end = start + sum(bytes);
    buckets.push({ bytes, ready, start, end });
  }
  const gather = shard ? measured.buckets.reduce((t, { bytes }) => t + half(bytes), 0) : 0;
  // The losses; where the update is shared out the norm of the gradient too, which no rank has by itself.
  const exchange = 1000 * rounds * latency * (shard ? 1.5 : 0.5);
  const exposed = Math.max(0, end - compute) + exchange + gather;
  const communication = buckets.reduce((t, b) => t + b.end - b.start, 0) + exchange + gather;
  const step = compute + exposed + update;
  const plan = {
    ...network,
    rows,
    batch,
    buckets,
    bytes: buckets.reduce((n, b) => n + b.bytes, 0),
    compute,
    update,
    optimizer,
    shard,
    gather,
    communication,
    exposed,
    step,
    efficiency: (compute + update) / step,
    hidden: communication === 0 ? 1 : Math.max(0, 1 - exposed / communication),
  };
  return { ...plan, text: () => planText(plan) };
}

const number = (x: number): string => (x === 0 || x >= 100 ? x.toFixed(0) : x.toPrecision(3));
const bytesText = (n: number): string => (n >= 1e6 ? `${number(n / 1e6)} MB` : n >= 1e3 ? `${number(n / 1e3)} kB` : `${n} B`);
const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
const percent = (x: number): string => `${(100 * x).toFixed(0)}%`;

function planText(p: Omit<ScalePlan, "text">): string {
  const lines = [
    `Plan: ${counted(p.ranks, "rank")}, ${bytesText(p.bandwidth)}/s, latency ${number(p.latency * 1e6)} us, ${counted(p.rows, "row")} a step on ${p.batch < p.ranks ? `${p.batch} of them, none on the others` : "each"}`,
    `  gradients             ${bytesText(p.bytes)} a step in ${counted(p.buckets.length, "bucket")}`,
    `  forward and backward  ${number(p.compute)} ms, measured on one rank`,
    `  update                ${number(p.update)} ms, measured${p.shard ? ", of one rank's part" : ""}`,
    `  optimiser             ${bytesText(p.optimizer)} on each rank`,
    `  sums over ranks       ${number(p.communication)} ms, ${percent(p.hidden)} of it behind the backward pass`,
    ...(p.shard ? [`  weights gathered      ${number(p.gather)} ms of that, after the update`] : []),
    `  a step                ${number(p.step)} ms, ${number((1000 * p.batch) / p.step)} rows/s`,
    `  efficiency            ${percent(p.efficiency)} of ${p.ranks} times one rank`,
    "",
    "  bucket      bytes   ready   start     end (ms)",
    ...p.buckets.map(
      (b, i) =>
        `  ${String(i).padStart(6)} ${bytesText(b.bytes).padStart(10)} ${number(b.ready).padStart(7)} ${number(b.start).padStart(7)} ${number(b.end).padStart(7)}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** Ranks for which a step is measured, at most: what they tell each other is made up for each. */
const most = 2 ** 17;

/** One rank among so many that are done at once and have what it has: to measure what it computes by itself. */
function rankAmong(size: number): Ranks {
  const done = { done: () => true, wait: () => Promise.resolve() };
  const same = (x: Tensor): Promise<Tensor> => Promise.resolve(x);
  return {
    rank: 0,
    size,
    names: Array.from({ length: size }, () => "this process"),
    barrier: () => Promise.resolve(),
    allReduce: same,
    broadcast: same,
    allGather: ({ type, data }) => {
      const all = allocate(type.dtype, size * data.length);
      for (let i = 0; i < size; i++) all.set(data, i * data.length);
      return Promise.resolve(hold({ ...type, shape: [size * (type.shape[0] ?? 1), ...type.shape.slice(1)] }, all));
    },
    reduceScatter: same,
    startAllReduce: () => done,
    startReduceScatter: () => done,
    startAllGather: () => done,
    sumNow: (numbers) => numbers.slice(),
    fail: () => undefined,
    quiet: () => Promise.resolve(),
  };
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[xs.length >> 1]!;

/**
 * Measures a step as one of so many ranks would make it, on the first batch of the data: the medians of some rounds, after the first ones. The model given is not changed.
 * @throws DomainError for data without a batch, and for more ranks than are told of one by one
 */
export async function measureStep(
  model: AnyModel,
  how: { readonly data: Batches<unknown>; readonly optimizer: Optimizer; readonly engine: Engine } & Pick<
    DistributedOptions,
    "bucket" | "shard"
  >,
  ranks: number,
  rounds = 15,
): Promise<MeasuredStep> {
  checkRecord("measureStep", "the model", model, ["params", "loss"], "parameters and a loss of them: { params, loss }");
  const example = "{ data: loader(set, { batch: 64 }), optimizer: adam({ rate: 1e-3 }), engine: wasm() }";
  checkRecord("measureStep", "the second argument", how, ["data", "optimizer", "engine"], example);
  if (typeof how.data.pass !== "function")
    throw new GraphError(`measureStep: the option data is ${kindText(how.data)}; it gives batches: loader(set, { batch: 64 })`);
  if (ranks > most)
    throw new DomainError(
      `plan: ranks is ${ranks}; a step of one among them is measured up to ${most}, whose losses it adds up as they would`,
    );
  const batches = how.data.pass(0);
  const iterator = Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  const { value: whole, done } = await iterator.next();
  await iterator.return?.(undefined);
  if (done === true) throw new DomainError("plan: data gave no batch; it is empty");
  const all = rowsOf(whole, "the first batch");
  const rows = Math.ceil(all / ranks);
  const batch = rebuild(whole, (leaf) => firstRows(leaf as Tensor, rows));
  const state = initialState(model, how.optimizer, key(0), false);
  const { bucket, shard = false } = how;
  const options = { ranks: rankAmong(ranks), shard, ...(bucket !== undefined && { bucket }) };
  const programs = new RankPrograms(model, how.optimizer, how.engine, false, state, options, () => false);
  const fed = { batch, rows, all: rows, first: 0, pass: 0, index: 0 };
  const seen: { ready: number[]; compute: number; update: number }[] = [];
  for (let round = -3; round < rounds; round++) {
    await programs.update(batch, fed);
    // The other ranks have sent nothing, so that what was gathered is no model.
    if (shard) await programs.restore(state.params);
    if (round >= 0) seen.push({ ...programs.times });
  }
  const buckets = programs.bucketBytes().map((bytes, i) => ({ bytes, ready: median(seen.map(({ ready }) => ready[i]!)) }));
  const { opt } = await programs.read();
  const optimizer = Object.values(opt).reduce((n, { type, data }) => n + data.length * byteSize(type.dtype), 0);
  return {
    rows,
    batch: { rows: all, ranks },
    buckets,
    compute: median(seen.map((s) => s.compute)),
    update: median(seen.map((s) => s.update)),
    optimizer,
    shard,
  };
}

function firstRows(x: Tensor, rows: number): Tensor {
  const [all, ...rest] = x.type.shape;
  if (all === undefined || all <= rows) return x;
  return hold({ ...x.type, shape: [rows, ...rest] }, x.data.slice(0, rows * sizeOf(rest)));
}
