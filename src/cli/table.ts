import { type CsvBlock, type CsvOptions, csvBlocks } from "../data/csv.ts";
import { CsvRows } from "../data/csv-rows.ts";
import { joinBlocks } from "../data/join-blocks.ts";
import { ParseError } from "../ir/errors.ts";
import type { CommandIo } from "./io.ts";

/** Mean and deviation of columns: what inputs are brought to before a model sees them. */
export interface Scaling {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** A table with a target column. */
export interface TargetTable {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly data: Float64Array;
  readonly target: { readonly values: Float64Array; readonly classes: readonly string[] | null };
}

/** @throws ParseError, with the path, for what cannot be read or is no table with this column */
export async function readTable(path: string, target: string, io: CommandIo): Promise<TargetTable> {
  return told(path, async () => {
    const { columns, rows, data, label } = await joinBlocks(csvBlocks(io.readBytes(path), { label: target }));
    if (columns.length === 0) throw new ParseError(`csv: there is no column beside ${target}`);
    return { columns, rows, data, target: label! };
  });
}

/** The rows of a file block by block; the target is taken apart if it is there. @throws as `readTable` */
export async function* tableBlocks(path: string, target: string, blockRows: number, io: CommandIo): AsyncGenerator<CsvBlock> {
  const { names, pieces } = await told(path, () => headerOf(io.readBytes(path)));
  const options: CsvOptions = names.includes(target) ? { label: target } : {};
  const blocks = csvBlocks(pieces, { ...options, blockRows })[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await told(path, () => blocks.next());
    if (done === true) return;
    yield value;
  }
}

async function told<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ParseError) throw new ParseError(`${path}: ${error.message}`, { cause: error });
    const { code } = error as { readonly code?: unknown };
    if (code === "ENOENT" || code === "EISDIR" || code === "EACCES")
      throw new ParseError(
        `${path}: ${code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : "permission is denied"}`,
      );
    throw error;
  }
}

/** The cells of the first row, and all pieces, the ones read for it too. */
async function headerOf(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly names: readonly string[]; readonly pieces: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  const pieces = (async function* () {
    if (first.done !== true) yield first.value;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  })();
  if (first.done === true) return { names: [], pieces };
  const rows = new CsvRows(",".charCodeAt(0));
  rows.push(new TextDecoder().decode(first.value), true);
  const names = rows.next() ? Array.from({ length: rows.count }, (_, i) => rows.cell(i).trim()) : [];
  return { names, pieces };
}

/** Mean and deviation of every column over some rows; 1 where a column does not vary. */
export function scalingOf(data: Float64Array, columns: number, rows: Int32Array): Scaling {
  const mean = new Array<number>(columns).fill(0);
  const scale = new Array<number>(columns).fill(0);
  for (const row of rows) for (let j = 0; j < columns; j++) mean[j]! += data[row * columns + j]! / rows.length;
  for (const row of rows) for (let j = 0; j < columns; j++) scale[j]! += (data[row * columns + j]! - mean[j]!) ** 2 / rows.length;
  return { mean, scale: scale.map((v) => (Math.sqrt(v) > 1e-12 ? Math.sqrt(v) : 1)) };
}

/** Rows brought to mean 0 and deviation 1. */
export function scaled(data: Float64Array, { mean, scale }: Scaling): Float32Array {
  const columns = mean.length;
  return Float32Array.from(data, (x, i) => (x - mean[i % columns]!) / scale[i % columns]!);
}
