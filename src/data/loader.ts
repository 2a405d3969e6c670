import { DomainError, GraphError } from "../ir/errors.ts";
import { checkOptionNames, kindText, type OtherNames } from "../notation/given.ts";
import type { Batches } from "./batches.ts";
import { type Dataset, type Gather, gatherOf } from "./dataset.ts";
import { orderRows, rowOrder, rowsFrom } from "./row-order.ts";
import { type Cut, type Part, withParts } from "./share.ts";

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
export interface Loader<B> extends Batches<B>, AsyncIterable<B>, Iterable<B> {
  readonly dataset: Dataset<B>;
  readonly length: number;
  pass(n: number, from?: number, spare?: () => B | null): Iterable<B>;
  rows(n: number, batch: number): Int32Array;
}

/** What other libraries call them. */
const otherNames: OtherNames = { batchSize: "batch", seed: "shuffle", dropLast: 'last: "drop"', dropRemainder: 'last: "drop"' };

/** @throws DomainError for a batch that is not a whole number above 0, and for options that are not there */
export function loader<B>(data: Dataset<B>, options: LoaderOptions): Loader<B> {
  checkOptionNames("loader", options, ["batch", "shuffle", "last"], "loader(data, { batch: 64 })", otherNames);
  const { at } = ((data as unknown) ?? {}) as { readonly at?: unknown };
  if (typeof at !== "function" || Array.isArray(data))
    throw new GraphError(
      `loader: the data is ${kindText(data)}; it is a data set: ${Array.isArray(data) ? "of a split it is one part, [fit, held] = data.split(0.8)" : "loader(dataset({ x, y }), { batch: 64 })"}`,
    );
  const { batch, shuffle, last = "smaller" } = options;
  if (!Number.isInteger(batch) || batch < 1) throw new DomainError(`loader: batch is ${kindText(batch)}; it is a whole number, 1 or more`);
  if (last !== "drop" && last !== "smaller") throw new DomainError(`loader: last is ${String(last)}; it is "drop" or "smaller"`);
  if (shuffle !== undefined && !Number.isInteger(shuffle))
    throw new DomainError(`loader: shuffle is ${kindText(shuffle)}; it is a seed, a whole number, as { shuffle: 0 }, or left out`);
  const { size } = data;
  const length = last === "drop" ? Math.floor(size / batch) : Math.ceil(size / batch);
  let passes = 0;
  let checksum: string | null | undefined;
  const orderOf = (n: number): Int32Array => (shuffle === undefined ? rowsFrom(0, size) : rowOrder(shuffle, size, n));
  const gather = gatherOf(data);
  // The order of a pass that is over, memory for that of the next one: of passes of one batch it would be most of the garbage.
  let kept: Int32Array | null = null;
  function* gathered(take: Gather<B>, n: number, from: number, spare?: () => B | null): Generator<B> {
    const order = kept ?? rowsFrom(0, size);
    if (shuffle !== undefined) {
      kept = null;
      orderRows(shuffle, order, n);
    }
    for (let i = from; i < length; i++) yield take(order, i * batch, Math.min((i + 1) * batch, size), spare?.() ?? undefined);
    kept = order;
  }
  function* asked(n: number, from: number, spare?: () => B | null): Generator<B> {
    const order = orderOf(n);
    for (let i = from; i < length; i++) yield data.at(order.subarray(i * batch, (i + 1) * batch), spare?.() ?? undefined);
  }
  const pass = (n: number, from = 0, spare?: () => B | null): Generator<B> =>
    gather === null ? asked(n, from, spare) : gathered(gather, n, from, spare);
  function* parts(n: number, from: number, cut: Cut): Generator<Part<B>> {
    const order = orderOf(n);
    for (let i = from; i < length; i++) {
      const whole = order.subarray(i * batch, (i + 1) * batch);
      yield { batch: data.at(whole.subarray(...cut(whole.length))), rows: whole.length };
    }
  }
  const made: Loader<B> = {
    dataset: data,
    batch,
    length,
    get order() {
      checksum ??= size === 0 ? null : (data.checksum?.() ?? null);
      return { rows: size, batch, shuffle: shuffle ?? null, last, ...(checksum !== null && { checksum }) };
    },
    pass,
    rows: (n, i) => orderOf(n).slice(i * batch, (i + 1) * batch),
    [Symbol.iterator]: () => pass(passes++),
    [Symbol.asyncIterator]: async function* () {
      yield* pass(passes++);
    },
  };
  return withParts(made, parts);
}
