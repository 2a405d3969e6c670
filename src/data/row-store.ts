import { allocate } from "../ir/dtype.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import type { Batches, BatchOrder } from "./batches.ts";
import { checksumOf, standingRows } from "./checksum.ts";
import { type Columns, dataset } from "./dataset.ts";
import { rowOrder, rowsFrom } from "./row-order.ts";
import { type Cut, type Part, withParts } from "./share.ts";

/** Rows that lie somewhere else and are read when they are asked for: a data set that answers later. */
export interface RowStore<B> {
  readonly size: number;
  /** These rows in this order; a row may come twice. */
  at(rows: Int32Array): Promise<B>;
}

/** How a store is cut into batches. */
export interface StoreOptions {
  readonly batch: number;
  readonly shuffle?: number;
  readonly last?: "drop" | "smaller";
}

/** Bytes that are read at a time where a whole store is gone through. */
const blockBytes: number = 2 ** 22;

/** The rows of another store, each time through a function. */
export function mapRows<A, B>(store: RowStore<A>, f: (rows: A) => B | Promise<B>): RowStore<B> {
  return { size: store.size, at: async (rows) => f(await store.at(rows)) };
}

/** Rows that are in memory. */
export function heldRows<const C extends Columns>(columns: C): RowStore<{ readonly [K in keyof C]: Tensor }> {
  const whole = dataset(columns);
  return { size: whole.size, at: async (rows) => whole.at(rows) };
}

/** Bytes of a row, by the first one; 0 where there is none. */
export async function rowBytesOf(store: RowStore<Columns>): Promise<number> {
  if (store.size === 0) return 0;
  return Object.values(await store.at(rowsFrom(0, 1))).reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** All rows, some at a time, in their order. */
export async function* blocksOf<B>(store: RowStore<B>, rowBytes: number): AsyncGenerator<{ readonly start: number; readonly rows: B }> {
  const count = Math.max(1, Math.floor(blockBytes / Math.max(1, rowBytes)));
  for (let start = 0; start < store.size; start += count)
    yield { start, rows: await store.at(rowsFrom(start, Math.min(start + count, store.size))) };
}

/** The store itself where its rows take more bytes than `limit`, else one that holds them all in memory: the same rows either way. */
export async function heldUpTo(
  store: RowStore<Columns>,
  limit: number,
): Promise<{ readonly store: RowStore<Columns>; readonly held: boolean }> {
  const rowBytes = await rowBytesOf(store);
  if (store.size === 0 || store.size * rowBytes > limit) return { store, held: false };
  let all: Record<string, Tensor> = {};
  for await (const { start, rows } of blocksOf(store, rowBytes)) {
    if (start === 0) all = Object.fromEntries(Object.entries(rows).map(([name, part]) => [name, wholeOf(part, store.size)]));
    for (const [name, { data, type }] of Object.entries(rows)) all[name]!.data.set(data as never, start * (data.length / type.shape[0]!));
  }
  return { store: heldRows(all), held: true };
}

/** Room for all rows of a tensor of which there are some. */
function wholeOf({ type, data }: Tensor, size: number): Tensor {
  const [rows, ...rest] = type.shape;
  return hold({ ...type, shape: [size, ...rest] }, allocate(type.dtype, (data.length / rows!) * size));
}

/** A checksum of some rows that stand for all, the one that a data set in memory of the same rows has. */
export async function storeChecksum(store: RowStore<Columns>, places: Int32Array): Promise<string> {
  const rows = standingRows(places.length, await rowBytesOf(store));
  return checksumOf(await store.at(rows.map((row) => places[row]!)));
}

/**
 * Batches of some rows of a store (all, where `places` is null), in the order that `loader` has for the same seed. `facts` are those of the rows for `order`.
 * Held are 4 bytes a row for the order of a pass.
 */
export function storeBatches<B>(
  store: RowStore<B>,
  places: Int32Array | null,
  { batch, shuffle, last = "smaller" }: StoreOptions,
  facts: BatchOrder,
): Batches<B> & { readonly length: number } {
  const size = places === null ? store.size : places.length;
  const length = last === "drop" ? Math.floor(size / batch) : Math.ceil(size / batch);
  const orderOf = (n: number): Int32Array => {
    const order = shuffle === undefined ? rowsFrom(0, size) : rowOrder(shuffle, size, n);
    if (places !== null) for (let i = 0; i < size; i++) order[i] = places[order[i]!]!;
    return order;
  };
  async function* parts(n: number, from: number, cut: Cut): AsyncGenerator<Part<B>> {
    const order = orderOf(n);
    for (let i = from; i < length; i++) {
      const whole = order.subarray(i * batch, (i + 1) * batch);
      yield { batch: await store.at(whole.subarray(...cut(whole.length))), rows: whole.length };
    }
  }
  const made: Batches<B> & { readonly length: number } = {
    batch,
    length,
    order: { rows: size, batch, shuffle: shuffle ?? null, last, ...facts },
    rows: (n, i) => orderOf(n).slice(i * batch, (i + 1) * batch),
    pass: async function* (n, from = 0) {
      for await (const { batch: whole } of parts(n, from, (count) => [0, count])) yield whole;
    },
  };
  return withParts<typeof made, B>(made, parts);
}
