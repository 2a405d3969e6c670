import { allocate, type DType, isArrayOf, type NumberArray } from "../ir/dtype.ts";
import { DomainError, DTypeError, EngineError, ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, settle, type Tensor } from "../ir/tensor.ts";
import { sameType, type TensorType, tensorType, typeText } from "../ir/type.ts";
import type { Handle, Library, Reduction, Wire } from "./library.ts";
import { type Pending, waited } from "./pending.ts";
import type { Watch } from "./watch.ts";

/** Where a result is written. */
export interface Into {
  /**
   * Memory for the result, of its very type: an engine's (`engine.tensor(type)`) or any tensor that nobody else reads now. The operand itself may be
   * given: it is then replaced. Left out, the result is new.
   */
  readonly into?: Tensor;
}

/** How tensors of several ranks become one. */
export interface Reducing extends Into {
  /** `sum` when left out. Of truth values `max` is "any" and `min` is "all", and there is no sum. */
  readonly op?: Reduction;
}

/**
 * The processes that were started together, and what they do together. All of them call the same operations in the same order, with tensors of
 * one type; each gets its result when all have called. Elements are read from and written to the memory where they are, an engine's too, without
 * copies. Sums are made in an order that the MPI library fixes by the number of ranks and elements: two runs give the same bits, and so do all ranks.
 *
 * What `train(..., { distributed })` takes; made by `mpi()`.
 */
export interface Ranks {
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** `node3, process 4711` of every rank. */
  readonly names: readonly string[];
  /** Resolves when every rank has called it. */
  barrier(): Promise<void>;
  /**
   * The elements of all ranks added up, one by one, on every rank; small whole numbers wrap. f16 and bf16 are added in f32 and rounded once.
   * @throws ShapeError, DTypeError for memory that does not fit, and for sums of truth values; DTypeError for 64-bit integers beyond 2^53
   */
  allReduce(x: Tensor, options?: Reducing): Promise<Tensor>;
  /** The tensor of one rank, 0 when left out, on every rank; the others give one of the same type for its type. @throws DomainError for a rank that is not there */
  broadcast(x: Tensor, options?: Into & { readonly root?: number }): Promise<Tensor>;
  /**
   * The tensors of all ranks one after the other along axis 0, in which they may differ. `rows` tells their sizes there, where all ranks know them; left
   * out, they are asked for first.
   * @throws ShapeError for scalars
   */
  allGather(x: Tensor, options?: Into & { readonly rows?: readonly number[] }): Promise<Tensor>;
  /**
   * The sum of the tensors of all ranks, of which each rank gets its own rows: `rows[rank]` of axis 0; left out, rows are shared out evenly, the first ranks
   * having one more.
   * @throws ShapeError for scalars, and rows that do not add up
   */
  reduceScatter(x: Tensor, options?: Reducing & { readonly rows?: readonly number[] }): Promise<Tensor>;
  /** Begins to replace a tensor by the sum over all ranks, and comes back at once. */
  startAllReduce(x: Tensor): Pending;
  /** Begins to replace the rows of a rank in a tensor by the sum of these rows over all ranks; what the others' rows become is not said. */
  startReduceScatter(x: Tensor, rows: readonly number[]): Pending;
  /** Begins to replace the rows of other ranks in a tensor by theirs. */
  startAllGather(x: Tensor, rows: readonly number[]): Pending;
  /** Tells all ranks that this one cannot go on, and ends them all with one message. Comes back where there are no others. */
  fail(message: string): void;
  /**
   * Waits a few seconds on every rank but the first: for errors that all ranks have alike. The first one tells of it, and when it ends, so do the others;
   * where it is caught, they go on too.
   */
  quiet(): Promise<void>;
}

/** What `mpi()` gives: the ranks, and what they run on. */
export interface Mpi extends Ranks {
  /** What the library calls itself: `Open MPI v4.1.4, package: ...`. */
  readonly library: string;
  /** Which family of MPI libraries it belongs to. */
  readonly family: "openmpi" | "mpich";
  /** Leaves the other ranks in good order, when all have come so far. It happens by itself at the end of the process. */
  finalize(): Promise<void>;
}

/** The number of rows for each rank: as even as they go, the first ones having one more. */
export function evenRows(rows: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor(rows / size) + (i < rows % size ? 1 : 0));
}

const reductions: readonly string[] = ["sum", "prod", "max", "min"];

/** C's name for how elements of a dtype lie in memory here. */
function wireOf(dtype: DType): Wire {
  switch (dtype) {
    case "f64":
    case "i64":
    case "u64":
      return "f64";
    case "f32":
    case "f16":
    case "bf16":
      return "f32";
    case "bool":
      return "u8";
    default:
      return dtype;
  }
}

/** What a running communicator is made of. */
export interface Session {
  readonly library: Library;
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  readonly names: readonly string[];
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
  private readonly flag = new Int32Array(1);
  /** Memory that the library reads or writes now. */
  private readonly kept: Set<readonly unknown[]> = new Set();
  private ended = false;

  constructor(session: Session) {
    this.own = session;
    ({ rank: this.rank, size: this.size, names: this.names, version: this.library } = session);
    this.family = session.library.family;
  }

  async barrier(): Promise<void> {
    await this.start("a barrier", (request) => this.lib.call.Ibarrier(this.lib.world, request), []).wait();
  }

  async allReduce(x: Tensor, { op = "sum", into }: Reducing = {}): Promise<Tensor> {
    const how = this.operation("allReduce", op, x.type.dtype);
    const out = place("allReduce", x.type, into);
    const source = out.data === x.data ? this.lib.inPlace : x.data;
    await this.reduced("allReduce", source, out.data, x, how).wait();
    return settled(out);
  }

  startAllReduce(x: Tensor): Pending {
    return this.reduced("allReduce", this.lib.inPlace, x.data, x, this.operation("allReduce", "sum", x.type.dtype));
  }

  private reduced(what: string, source: unknown, into: NumberArray, x: Tensor, how: Handle): Pending {
    const { call, world } = this.lib;
    const type = this.wire(x.type.dtype);
    return this.start(`${what} of ${typeText(x.type)}`, (r) => call.Iallreduce(source, into, into.length, type, how, world, r), [
      x.data,
      into,
    ]);
  }

  async broadcast(x: Tensor, { root = 0, into }: Into & { readonly root?: number } = {}): Promise<Tensor> {
    if (!Number.isInteger(root) || root < 0 || root >= this.size)
      throw new DomainError(`broadcast: root is ${root}; ranks go from 0 to ${this.size - 1}`);
    const out = place("broadcast", x.type, into);
    if (out.data !== x.data && this.rank === root) out.data.set(x.data);
    const { call, world } = this.lib;
    const type = this.wire(x.type.dtype);
    await this.start(`broadcast of ${typeText(x.type)}`, (r) => call.Ibcast(out.data, out.data.length, type, root, world, r), [
      out.data,
    ]).wait();
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
      `allGather of ${typeText(out.type)}`,
      (r) => call.Iallgatherv(source, count, type, out.data, counts, places, type, world, r),
      [source, out.data, counts, places],
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
    return this.start(`reduceScatter of ${typeText(of)}`, (r) => call.Ireduce_scatter(source, out, counts, type, how, world, r), [
      source,
      out,
      counts,
    ]);
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
    const until = performance.now() + 5000;
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

  private get lib(): Library {
    return this.own.library;
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

  /** Begins an operation. The arrays are kept for as long as the library reads and writes them. */
  private start(what: string, call: (request: BigInt64Array) => number, kept: readonly unknown[]): Pending {
    if (this.ended) throw new EngineError(`mpi: ${what} was asked for after finalize()`);
    // A handle is four bytes or eight.
    const request = new BigInt64Array(1);
    checked(this.lib, call(request), what);
    this.kept.add(kept);
    let over = false;
    const { flag } = this;
    const done = (): boolean => {
      if (over) return true;
      checked(this.lib, this.lib.call.Test(request, flag, this.lib.statusIgnore), what);
      if (flag[0] === 0) return false;
      over = true;
      this.kept.delete(kept);
      return true;
    };
    const patience = { timeout: this.own.timeout, check: this.check };
    return { done, wait: () => (done() ? Promise.resolve() : waited(what, done, patience)) };
  }
}

/** Memory for a result. */
function place(what: string, type: TensorType, into: Tensor | undefined): Tensor {
  if (into === undefined) return hold(type, allocate(type.dtype, sizeOf(type.shape)));
  if (!sameType(into.type, type) || !isArrayOf(type.dtype, into.data))
    throw new ShapeError(`${what}: into is ${typeText(into.type)}, and the result is ${typeText(type)}; give memory of that type`);
  return into;
}

/** Elements rounded to their dtype, where their array is wider. */
function settled(x: Tensor): Tensor {
  settle(x.type.dtype, x.data);
  return x;
}

/** Where each part begins. */
function startsOf(counts: Int32Array): Int32Array {
  const starts = new Int32Array(counts.length);
  for (let i = 1; i < counts.length; i++) starts[i] = starts[i - 1]! + counts[i - 1]!;
  return starts;
}

function checkRows(what: string, rows: readonly number[], size: number, type: TensorType | null): void {
  const total = rows.reduce((a, b) => a + b, 0);
  const fits = rows.length === size && rows.every((n) => Number.isInteger(n) && n >= 0);
  if (!fits || (type !== null && total !== (type.shape[0] ?? -1)))
    throw new ShapeError(
      `${what}: rows are ${rows.join(", ")}${type === null ? "" : ` for ${typeText(type)}`}; there is one number for each of the ${size} ranks, and together they are axis 0`,
    );
}

/** @throws EngineError with the library's own words */
export function checked(library: Library, code: number, what: string): void {
  if (code === 0) return;
  const text = new Uint8Array(1024);
  const length = new Int32Array(1);
  library.call.Error_string(code, text, length);
  throw new EngineError(
    `mpi: ${what} failed: ${new TextDecoder().decode(text.subarray(0, length[0])) || `error ${code}`}; do all ranks give the same type?`,
  );
}
