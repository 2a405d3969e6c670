import { type ByteOrder, byteSize, readElements } from "../files/element-bytes.ts";
import type { OpenFile } from "../files/node-files.ts";
import { withFile } from "../files/open-file.ts";
import { DomainError, ParseError, ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { checkOptionNames, kindText, type OtherNames } from "../notation/given.ts";
import type { Batches } from "./batches.ts";
import { checksumOf, standingRows } from "./checksum.ts";
import { type RowStore, storeBatches } from "./row-store.ts";

/** Reads that are asked for at once. */
const together = 64;

/** How rows are read from files: what `npyRows` and `safetensorsRows` take. */
export interface RowsOptions {
  readonly batch: number;
  /** As in `loader`: pass n of a seed is always the same order, the one that `loader` has. */
  readonly shuffle?: number;
  readonly last?: "drop" | "smaller";
}

/** An array whose rows lie one after the other in a file. */
export interface RowsInFile {
  readonly path: string;
  /** What messages call the array: its file, or its name and its file. */
  readonly label: string;
  readonly format: "npy" | "safetensors";
  readonly type: TensorType;
  readonly order: ByteOrder;
  /** The place of the first row in the file. */
  readonly start: number;
}

/** Bytes that one row takes. */
export function rowBytes({ dtype, shape }: TensorType): number {
  return sizeOf(shape.slice(1)) * byteSize(dtype);
}

/** What other libraries call what says how rows are read. */
export const rowsNames: OtherNames = {
  batchSize: "batch",
  seed: "shuffle",
  dropLast: 'last: "drop"',
  dropRemainder: 'last: "drop"',
  target: "label",
};

/** @throws GraphError for what is no record of options, DomainError for one that is not there and for a batch that is no whole number above 0 */
export function checkRows(who: string, options: unknown, more: readonly string[] = []): void {
  checkOptionNames(who, options, ["batch", "shuffle", "last", ...more], "{ batch: 64, shuffle: 0 }", rowsNames);
  const { batch } = options as { readonly batch: unknown };
  if (!Number.isInteger(batch) || (batch as number) < 1)
    throw new DomainError(`${who}: batch is ${kindText(batch)}; it is a whole number, 1 or more`);
}

/** Batches of rows of arrays in files, by name. Only the rows of a batch are read, and an order of 4 bytes a row is held. @throws ShapeError where the arrays have no rows, or not as many */
export async function rowsInFiles<K extends string>(
  who: string,
  columns: readonly (readonly [K, RowsInFile])[],
  options: RowsOptions,
): Promise<Batches<{ readonly [N in K]: Tensor }>> {
  const [, first] = columns[0]!;
  for (const [, { label, type }] of columns) {
    if (type.shape.length === 0) throw new ShapeError(`${who}: ${label} is ${typeText(type)}, a scalar; rows are axis 0`);
    if (type.shape[0] !== first.type.shape[0])
      throw new ShapeError(
        `${who}: ${first.label} is ${typeText(first.type)} and ${label} ${typeText(type)}; they have one row each for every sample`,
      );
  }
  const rows = first.type.shape[0]!;
  const some = standingRows(
    rows,
    columns.reduce((sum, [, { type }]) => sum + rowBytes(type), 0),
  );
  const store = storeInFiles(columns, rows);
  return storeBatches(store, null, options, { checksum: checksumOf(await store.at(some)) });
}

/** The rows of arrays in files, by name. */
export function storeInFiles<K extends string>(
  columns: readonly (readonly [K, RowsInFile])[],
  size: number,
): RowStore<{ readonly [N in K]: Tensor }> {
  return {
    size,
    at: async (rows) =>
      Object.fromEntries(await Promise.all(columns.map(async ([name, column]) => [name, await rowsIn(column, rows)] as const))) as {
        readonly [N in K]: Tensor;
      },
  };
}

/** Reads as many bytes as `into` has, from a place in the file. @throws ParseError where the file ends before */
export async function readAt(file: OpenFile, into: Uint8Array, position: number): Promise<void> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new ParseError("the file has become shorter while it was read");
    at += bytesRead;
  }
}

/** Several parts of a file, some at a time: one after the other each would wait for its turn. @throws as `readAt` */
export async function readAll(file: OpenFile, parts: readonly (readonly [into: Uint8Array, position: number])[]): Promise<void> {
  for (let i = 0; i < parts.length; i += together)
    await Promise.all(parts.slice(i, i + together).map(([into, position]) => readAt(file, into, position)));
}

/** Some rows of a file; rows that follow each other are read at once. */
function rowsIn({ path, format, type, order, start }: RowsInFile, places: Int32Array): Promise<Tensor> {
  const width = rowBytes(type);
  return withFile(path, async (file) => {
    const bytes = new Uint8Array(places.length * width);
    const runs: (readonly [into: Uint8Array, position: number])[] = [];
    for (let i = 0; i < places.length; ) {
      let n = 1;
      while (i + n < places.length && places[i + n] === places[i]! + n) n++;
      runs.push([bytes.subarray(i * width, (i + n) * width), start + places[i]! * width]);
      i += n;
    }
    await readAll(file, runs);
    const read = { ...type, shape: [places.length, ...type.shape.slice(1)] };
    return hold(read, readElements(type.dtype, bytes, order, format));
  });
}
