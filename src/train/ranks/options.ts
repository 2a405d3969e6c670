import { DomainError } from "../../ir/errors.ts";
import type { Ranks } from "../../mpi/ranks.ts";

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
}

/** What `train` takes as `distributed`, made complete; null for one process alone. @throws DomainError for numbers that are none */
export function distributedOf(given: Ranks | DistributedOptions | undefined): DistributedOptions | null {
  if (given === undefined) return null;
  const options: DistributedOptions = "ranks" in given ? given : { ranks: given };
  const { bucket, check } = options;
  if (bucket !== undefined && !(bucket >= 1))
    throw new DomainError(`train: distributed.bucket is ${bucket}; it is a number of bytes, 1 or more`);
  if (check !== undefined && !(Number.isInteger(check) && check >= 1))
    throw new DomainError(`train: distributed.check is ${check}; it is a number of steps, 1 or more`);
  return options;
}
