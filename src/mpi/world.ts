import { allocate, type DType, type NumberArray } from "../ir/dtype.ts";
import { DomainError, DTypeError, EngineError, ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import type { Handle, Library, Reduction } from "./library.ts";
import { checkRows, place, settled, startsOf, wireOf } from "./operands.ts";
import { type Operation, Operations } from "./operations.ts";
import { OwnSums, type Summand } from "./own-sum.ts";
import type { Pending } from "./pending.ts";
import { evenRows, type Into, type Mpi, type Reducing } from "./ranks.ts";
import type { Watch } from "./watch.ts";

/** Milliseconds in which the first rank tells what all have alike, also where the processors have much else to do. */
const patienceWithFirst = 10_000;
const reductions: readonly string[] = ["sum", "prod", "max", "min"];

/** What a running communicator is made of. */
export interface Session {
  readonly library: Library;
  /** A second communicator of all ranks: what is asked for there need not be in one order with what is asked for in the first. */
  readonly channel: Handle;
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  readonly names: readonly string[];
  /** Whether all ranks are on one. */
  readonly sameMachine: boolean;
  readonly watch: Watch | null;
  readonly timeout: number;
  /** Ends the process, and with it all. */
  readonly abort: () => never;
  readonly finalize: () => void;
}

/** The ranks of `MPI_COMM_WORLD`. */
export class World implements Mpi {
  readonly rank: number;
  readonly size: number;
  readonly names: readonly string[];
  readonly library: string;
  readonly family: "openmpi" | "mpich";
  private readonly own: Session;
  private readonly operations: Operations;
  /** Where all ranks are on one machine: sums of messages. */
  private readonly near: OwnSums | null;
  private readonly lib: Library;
  /** What was found out of the tensors that were summed in place: training sums the same ones in each step. */
  private readonly sums: WeakMap<Tensor, Summand> = new WeakMap();
  private ended = false;

  constructor(session: Session) {
    this.own = session;
    this.lib = session.library;
    const { library, rank, size, channel, timeout, sameMachine } = session;
    const near = size > 1 && sameMachine ? new OwnSums(library, { rank, ranks: size, channel, timeout, check: this.check }) : null;
    this.near = near;
    this.operations = new Operations(library, timeout, this.check, near === null ? undefined : () => near.progress(null));
    ({ rank: this.rank, size: this.size, names: this.names, version: this.library } = session);
    this.family = session.library.family;
  }

  async barrier(): Promise<void> {
    await this.start("a barrier", null, (request) => this.lib.call.Ibarrier(this.lib.world, request)).wait();
  }

  async allReduce(x: Tensor, { op = "sum", into }: Reducing = {}): Promise<Tensor> {
    const how = this.operation("allReduce", op, x.type.dtype);
    const out = place("allReduce", x.type, into);
    if (op === "sum" && (this.near?.planOf(out.data) ?? null) !== null) {
      if (out.data !== x.data) out.data.set(x.data);
      await this.startAllReduce(out).wait();
      return settled(out);
    }
    await this.reduced(x.data, out.data, x.type, how).wait();
    return settled(out);
  }

  /** Small sums are what everybody waits for: each thing that is asked for, made or handed over as more than a number here is a hundredth part of what one costs. */
  startAllReduce(x: Tensor): Pending {
    const known = this.sums.get(x);
    // An array is of length 0 when its memory has moved on.
    const summand = known !== undefined && known.data.length === known.count ? known : this.planned(x);
    const { lib, operations, ended, near } = this;
    if (ended) this.refuse("allReduce");
    const { address, count, type, data, plan } = summand;
    if (plan !== null) return near!.begin(summand, plan, x.type);
    const { call, ops, world, inPlace } = lib;
    const slot = operations.take();
    return operations.begun(slot, call.Iallreduce(inPlace, address, count, type, ops.sum, world, slot.address), "allReduce", x.type, data);
  }

  /** What the library is told of a tensor that is summed in place. */
  private planned(x: Tensor): Summand {
    const { data, type } = x;
    this.operation("allReduce", "sum", type.dtype);
    const summand: Summand = {
      data,
      count: data.length,
      address: this.lib.address(data),
      type: this.wire(type.dtype),
      elementBytes: data.BYTES_PER_ELEMENT,
      plan: this.near?.planOf(data) ?? null,
    };
    this.sums.set(x, summand);
    return summand;
  }

  private reduced(source: NumberArray, into: NumberArray, of: TensorType, how: Handle): Pending {
    const { call, world, inPlace, address } = this.lib;
    const type = this.wire(of.dtype);
    const from = source === into ? inPlace : address(source);
    const to = address(into);
    return this.start("allReduce", of, (r) => call.Iallreduce(from, to, into.length, type, how, world, r), source, into);
  }

  async broadcast(x: Tensor, { root = 0, into }: Into & { readonly root?: number } = {}): Promise<Tensor> {
    if (!Number.isInteger(root) || root < 0 || root >= this.size)
      throw new DomainError(`broadcast: root is ${root}; ranks go from 0 to ${this.size - 1}`);
    const out = place("broadcast", x.type, into);
    if (out.data !== x.data && this.rank === root) out.data.set(x.data);
    const { call, world } = this.lib;
    const type = this.wire(x.type.dtype);
    const { data } = out;
    await this.start("broadcast", x.type, (r) => call.Ibcast(data, data.length, type, root, world, r), data).wait();
    return out;
  }

  async allGather(x: Tensor, { into, rows }: Into & { readonly rows?: readonly number[] } = {}): Promise<Tensor> {
    const [own, ...rest] = x.type.shape;
    if (own === undefined)
      throw new ShapeError(`allGather: x is ${typeText(x.type)}, a scalar; what is joined are rows, axis 0: give it the shape [1]`);
    const every = rows ?? (await this.rowsOfAll(own));
    checkRows("allGather", every, this.size, null);
    if (every[this.rank] !== own)
      throw new ShapeError(`allGather: x is ${typeText(x.type)}, and rows says ${every[this.rank]} for rank ${this.rank}`);
    const total = every.reduce((a, b) => a + b, 0);
    const out = place("allGather", { ...x.type, shape: [total, ...rest] }, into);
    await this.gathered(x.data, x.data.length, out, every, sizeOf(rest)).wait();
    return out;
  }

  startAllGather(x: Tensor, rows: readonly number[]): Pending {
    checkRows("allGather", rows, this.size, x.type);
    return this.gathered(this.lib.inPlace, 0, x, rows, sizeOf(x.type.shape.slice(1)));
  }

  private gathered(source: unknown, count: number, out: Tensor, rows: readonly number[], width: number): Pending {
    const { call, world } = this.lib;
    const type = this.wire(out.type.dtype);
    const counts = Int32Array.from(rows, (n) => n * width);
    const places = startsOf(counts);
    return this.start(
      "allGather",
      out.type,
      (r) => call.Iallgatherv(source, count, type, out.data, counts, places, type, world, r),
      source,
      out.data,
      counts,
      places,
    );
  }

  /** What each rank has along axis 0. */
  private async rowsOfAll(own: number): Promise<number[]> {
    const counts = hold(tensorType("i32", [this.size]), new Int32Array(this.size));
    const one = Array.from({ length: this.size }, () => 1);
    await this.gathered(Int32Array.of(own), 1, counts, one, 1).wait();
    return [...counts.data];
  }

  async reduceScatter(x: Tensor, { op = "sum", into, rows }: Reducing & { readonly rows?: readonly number[] } = {}): Promise<Tensor> {
    const how = this.operation("reduceScatter", op, x.type.dtype);
    const [all, ...rest] = x.type.shape;
    if (all === undefined) throw new ShapeError(`reduceScatter: x is ${typeText(x.type)}, a scalar; what is shared out are rows, axis 0`);
    const every = rows ?? evenRows(all, this.size);
    checkRows("reduceScatter", every, this.size, x.type);
    const out = place("reduceScatter", { ...x.type, shape: [every[this.rank]!, ...rest] }, into);
    await this.scattered(x.data, out.data, x.type, every, how).wait();
    return settled(out);
  }

  startReduceScatter(x: Tensor, rows: readonly number[]): Pending {
    checkRows("reduceScatter", rows, this.size, x.type);
    const how = this.operation("reduceScatter", "sum", x.type.dtype);
    const width = sizeOf(x.type.shape.slice(1));
    const from = rows.slice(0, this.rank).reduce((a, b) => a + b, 0) * width;
    const out = allocate(x.type.dtype, rows[this.rank]! * width);
    const begun = this.scattered(x.data, out, x.type, rows, how);
    let copied = false;
    const finish = (): void => {
      if (!copied) x.data.set(out, from);
      copied = true;
    };
    return {
      done: () => {
        const done = begun.done();
        if (done) finish();
        return done;
      },
      wait: async () => {
        await begun.wait();
        finish();
      },
    };
  }

  private scattered(source: NumberArray, out: NumberArray, of: TensorType, rows: readonly number[], how: Handle): Pending {
    const { call, world } = this.lib;
    const type = this.wire(of.dtype);
    const width = sizeOf(of.shape.slice(1));
    const counts = Int32Array.from(rows, (n) => n * width);
    const begin = (r: number): number => call.Ireduce_scatter(source, out, counts, type, how, world, r);
    return this.start("reduceScatter", of, begin, source, out, counts);
  }

  sumNow(numbers: Float64Array, mark: number): Float64Array {
    if (this.size === 1) return numbers.slice();
    const n = numbers.length;
    const sent = new Float64Array(n + 1);
    sent.set(numbers);
    sent[n] = mark;
    const { call, inPlace, types, ops } = this.lib;
    this.start(
      "a sum in the middle of a program",
      null,
      (r) => call.Iallreduce(inPlace, this.lib.address(sent), n + 1, types.f64, ops.sum, this.own.channel, r),
      sent,
    ).waitHere();
    if (sent[n] !== mark * this.size)
      throw new EngineError(
        `mpi: another rank came to another sum than sum ${mark} of rank ${this.rank}; all ranks must run the same program, whatever rows they have`,
      );
    return sent.subarray(0, n);
  }

  fail(message: string): void {
    const { watch } = this.own;
    if (this.size === 1) return;
    if (watch !== null) {
      watch.fail(message, false);
      watch.await(5000);
    }
    this.own.abort();
  }

  async quiet(): Promise<void> {
    if (this.rank === 0) return;
    const until = performance.now() + patienceWithFirst;
    while (performance.now() < until) {
      this.check();
      await new Promise<void>((resolve) => setTimeout(resolve, 50));
    }
  }

  async finalize(): Promise<void> {
    if (this.ended) return;
    await this.barrier();
    this.ended = true;
    this.own.finalize();
  }

  /** Ends this process where a rank is lost: nothing that was begun with it can come to an end. */
  private readonly check = (): void => {
    const { watch, abort } = this.own;
    if (watch === null || watch.verdict() === null) return;
    // The first rank has told of it and ends all; the others follow by themselves only where it cannot.
    if (this.rank !== 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
    abort();
  };

  private wire(dtype: DType): Handle {
    return this.lib.types[wireOf(dtype)];
  }

  private operation(what: string, op: Reduction, dtype: DType): Handle {
    if (!reductions.includes(op)) throw new DomainError(`${what}: op is ${String(op)}; there are ${reductions.join(", ")}`);
    if (dtype !== "bool") return this.lib.ops[op];
    if (op === "sum" || op === "prod")
      throw new DTypeError(
        `${what}: x is bool, which has no ${op}; { op: "max" } is true where any rank has true, "min" where all have; to count, cast to i32`,
      );
    return this.lib.ops[op === "max" ? "any" : "all"];
  }

  private refuse(what: string): never {
    throw new EngineError(`mpi: ${what} was asked for after finalize()`);
  }

  private start(what: string, of: TensorType | null, call: (request: number) => number, ...kept: readonly unknown[]): Operation {
    if (this.ended) this.refuse(what);
    return this.operations.begin(what, of, call, ...kept);
  }
}
