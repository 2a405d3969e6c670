import { DomainError } from "../ir/errors.ts";
import type { Dataset } from "./dataset.ts";
import { rowOrder } from "./row-order.ts";

/** How a loader cuts its data. */
export interface LoaderOptions {
  /** Rows in a batch. */
  readonly batch: number;
  /** A seed: each pass then has an order of its own, and pass n of a seed is always the same. Left out: the data's own order. */
  readonly shuffle?: number;
  /** What becomes of rows that fill no batch at the end: a smaller batch (the default), or nothing. */
  readonly last?: "drop" | "smaller";
}

/** Batches of a data set. Each `for` loop over it is one pass; the loader counts them. */
export interface Loader<B> extends AsyncIterable<B>, Iterable<B> {
  readonly dataset: Dataset<B>;
  readonly batch: number;
  /** Batches in a pass. */
  readonly length: number;
  /** The batches of one pass, counted from 0, whatever was read before. */
  pass(n: number): Iterable<B>;
}

/** @throws DomainError for a batch that is not a whole number above 0, and for options that are not there */
export function loader<B>(data: Dataset<B>, { batch, shuffle, last = "smaller" }: LoaderOptions): Loader<B> {
  if (!Number.isInteger(batch) || batch < 1) throw new DomainError(`loader: batch is ${batch}; it is a whole number, 1 or more`);
  if (last !== "drop" && last !== "smaller") throw new DomainError(`loader: last is ${String(last)}; it is "drop" or "smaller"`);
  const { size } = data;
  const length = last === "drop" ? Math.floor(size / batch) : Math.ceil(size / batch);
  let passes = 0;
  function* pass(n: number): Generator<B> {
    const order = shuffle === undefined ? Int32Array.from({ length: size }, (_, i) => i) : rowOrder(shuffle, size, n);
    for (let i = 0; i < length; i++) yield data.at(order.subarray(i * batch, (i + 1) * batch));
  }
  return {
    dataset: data,
    batch,
    length,
    pass,
    [Symbol.iterator]: () => pass(passes++),
    [Symbol.asyncIterator]: async function* () {
      yield* pass(passes++);
    },
  };
}
