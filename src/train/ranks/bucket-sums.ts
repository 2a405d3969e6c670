import { InternalError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { scalarType, type TensorType } from "../../ir/type.ts";
import type { Pending } from "../../mpi/pending.ts";
import type { Ranks } from "../../mpi/ranks.ts";
import { op } from "../../ops/define.ts";
import { Meter } from "./meter.ts";

/** What was measured of the last step, in milliseconds. */
export interface StepTimes {
  /** When each bucket was finished, after the start of the first program. */
  ready: number[];
  /** The first program: forward and backward pass. */
  compute: number;
  /** Sums that were still waited for then. */
  waited: number;
  /** The second program: the update. */
  update: number;
}

/** What a program fills, and how it is summed. */
export interface Filled {
  /** Of each bucket. */
  readonly types: readonly TensorType[];
  /** Where the next program reads a bucket. */
  readonly bucket: (index: number) => Tensor;
  /** What is summed beside the buckets, when the program has ended. */
  readonly others: () => readonly Tensor[];
  /** Begins to sum a bucket. */
  readonly sum: (index: number, bucket: Tensor) => Pending;
}

/** Sums of buckets over the ranks, each begun in the middle of the program that fills them, and what is measured of them. */
export class BucketSums {
  readonly meter: Meter = new Meter();
  readonly times: StepTimes = { ready: [], compute: 0, waited: 0, update: 0 };
  /** The op that a program hands a bucket to as soon as it is finished. */
  readonly begin: (x: Value, attrs: { readonly index: number }) => Value;
  private readonly ranks: Ranks;
  /** Called by the program for each bucket that is finished, in the memory where it lies. */
  private ready: (index: number, data: Tensor["data"]) => void = () => undefined;
  /** Kinds and shapes of programs whose buckets were seen to lie where they are read from afterwards. */
  private readonly placed = new Set<string>();

  constructor(ranks: Ranks) {
    this.ranks = ranks;
    this.begin = op<(x: Value, attrs: { readonly index: number }) => Value, readonly ["x"]>("ranks.start", ["x"], {
      type: () => scalarType("i32"),
      eval: ({ x, index }) => {
        this.ready(index, x.data);
        return Int32Array.of(index);
      },
      vjp: null,
    });
  }

  /** Runs a program that fills buckets, and sums them: begun while it runs, waited for afterwards. */
  async overlapped(signature: string, run: () => Promise<unknown>, { types, bucket, others, sum }: Filled): Promise<unknown> {
    const early = this.placed.has(signature) && !this.meter.isApart;
    const pending: Pending[] = [];
    const seen: { readonly buffer: ArrayBufferLike; readonly offset: number }[] = [];
    const began = performance.now();
    this.times.ready = types.map(() => 0);
    this.ready = (index, data) => {
      this.times.ready[index] = performance.now() - began;
      seen[index] = { buffer: data.buffer, offset: data.byteOffset };
      // In their order on every rank, whatever order a program comes to them in.
      if (early && index === pending.length) pending.push(sum(index, hold(types[index]!, data)));
      for (const p of pending) p.done();
    };
    const ran = await run();
    this.ready = () => undefined;
    this.times.compute = performance.now() - began;
    const places = types.map((_, i) => bucket(i));
    const inPlace = places.every(({ data }, i) => seen[i]?.buffer === data.buffer && seen[i]?.offset === data.byteOffset);
    if (early && !inPlace) throw new InternalError("train: a bucket of gradients has moved while it was summed");
    // Only buckets that lie where the next program reads them may be summed before the program has ended: that is known after the first run.
    if (inPlace) this.placed.add(signature);
    if (this.meter.isApart) await this.ranks.barrier();
    const ended = performance.now();
    for (let i = pending.length; i < places.length; i++) pending.push(sum(i, places[i]!));
    for (const tensor of others()) pending.push(this.ranks.startAllReduce(tensor));
    for (const p of pending) await p.wait();
    this.times.waited = performance.now() - ended;
    this.meter.summed(this.times.waited);
    return ran;
  }
}
