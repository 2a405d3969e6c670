import { DomainError, GraphError } from "../../ir/errors.ts";
import type { Ranks } from "../../mpi/ranks.ts";
import { kindText } from "../../notation/given.ts";

/** How a training is spread over ranks. */
export interface DistributedOptions {
  /** The ranks: `mpi()`. */
  readonly ranks: Ranks;
  /** Bytes of gradients that are summed together, 4 MB when left out: while one bucket is on its way, the backward pass computes the next. */
  readonly bucket?: number;
  /**
   * Every so many steps all ranks compare their parameters, and the run ends with the name of the first that differs. Left out: never; equal sums and equal
   * programs keep them equal.
   */
  readonly check?: number;
  /**
   * Shares out the update: each rank sums and updates its own part of the parameters, keeps the optimiser's numbers for that part alone, and the new weights are gathered.
   * What the optimiser remembers then takes one part in as many as there are ranks of the memory. The bytes sent stay the same; those of the weights are not hidden behind the
   * backward pass. `save` then has to be called on all ranks.
   */
  readonly shard?: boolean;
  /**
   * Gives the loss `context.across`, with which batch norm takes mean and variance, and gradients through them, over the rows of all ranks: two small sums for each layer and
   * step, which the ranks wait for. Left out, each rank normalises by its own rows.
   */
  readonly syncBatchNorm?: boolean;
}

/** What `train` takes as `distributed`, made complete; null for one process alone. @throws DomainError for numbers that are none */
export function distributedOf(given: Ranks | DistributedOptions | undefined): DistributedOptions | null {
  if (given === undefined) return null;
  const { size, ranks } = ((given as unknown) ?? {}) as { readonly size?: unknown; readonly ranks?: { readonly size?: unknown } };
  if (typeof size !== "number" && typeof ranks?.size !== "number")
    throw new GraphError(`train: distributed is ${kindText(given)}; it is the ranks, mpi(), or a record with them: { ranks: mpi() }`);
  const options: DistributedOptions = "ranks" in given ? given : { ranks: given };
  const { bucket, check } = options;
  if (bucket !== undefined && !(bucket >= 1))
    throw new DomainError(`train: distributed.bucket is ${bucket}; it is a number of bytes, 1 or more`);
  if (check !== undefined && !(Number.isInteger(check) && check >= 1))
    throw new DomainError(`train: distributed.check is ${check}; it is a number of steps, 1 or more`);
  return options;
}
