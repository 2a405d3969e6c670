import type { Tensor } from "../ir/tensor.ts";
import type { Reduction } from "./library.ts";
import type { Pending } from "./pending.ts";

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
  /**
   * The sums of these numbers over all ranks, before it comes back: for a program that goes on with them. It has a channel of its own, so it may come between operations
   * that were begun, in another order on each rank. `mark`, a small whole number, says which sum it is.
   * @throws EngineError where another rank came to another sum
   */
  sumNow(numbers: Float64Array, mark: number): Float64Array;
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
