import { ParseError } from "../ir/errors.ts";
import { hold, type Tensor, tensor } from "../ir/tensor.ts";
import { f32, i32 } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { checksumOf } from "./checksum.ts";
import type { CsvOptions, CsvTable } from "./csv.ts";
import { csvStore } from "./csv-store.ts";
import { mapRows, storeBatches } from "./row-store.ts";
import { checkRows } from "./rows-in-files.ts";

/** How rows of a CSV file are read. */
export interface CsvRowsOptions extends CsvOptions {
  readonly batch: number;
  /** As in `loader`: pass n of a seed is always the same order, the one that `loader` has. */
  readonly shuffle?: number;
  readonly last?: "drop" | "smaller";
}

/** Batches of a CSV file, and what its columns are. */
export interface CsvRowsSource<B> extends Batches<B> {
  readonly length: number;
  /** The columns of `x`. */
  readonly columns: readonly string[];
  /** Names of the classes in order of first appearance; null where there is no label, or it holds numbers. */
  readonly classes: readonly string[] | null;
}

/**
 * Batches of rows of a CSV file larger than memory: `x` f32[rows, columns], and `y` where a label is named, as `readCsv` makes them. The file is read once at the
 * beginning, to find where its rows begin, the classes, and what is wrong with it before a training begins; then only the rows of a batch are read, in the
 * file's order or, by `shuffle`, in that of a loader. Held are 8 bytes a row for its place, 8 for its label, and 4 for the order. Node only.
 * @throws ParseError, with path, row and column, for a file that cannot be read, is no table of numbers, or has changed since; DomainError for a batch that
 *   is no whole number
 */
export function csvRows(
  path: string,
  options: CsvRowsOptions & { readonly label: string },
): Promise<CsvRowsSource<{ readonly x: Tensor; readonly y: Tensor }>>;
export function csvRows(path: string, options: CsvRowsOptions): Promise<CsvRowsSource<{ readonly x: Tensor }>>;
export async function csvRows(path: string, options: CsvRowsOptions): Promise<CsvRowsSource<{ readonly x: Tensor }>> {
  checkRows("csvRows", options, ["delimiter", "header", "label", "ignore", "empty"]);
  const { batch, last = "smaller", shuffle, ...table } = options;
  let cells = "";
  const store = await csvStore(path, table, (block) => {
    if (block.columns.length === 0) throw new ParseError("csv: there is no column beside the label");
    cells = checksumOf({ x: batchOf(block, false), before: tensor(Uint8Array.from(cells, (c) => c.charCodeAt(0))) });
  }).catch((error: unknown) => {
    if (error instanceof ParseError && !error.message.startsWith(`${path}: `))
      throw new ParseError(`${path}: ${error.message}`, { cause: error });
    throw error;
  });
  const { columns, labels } = store;
  const whole = labels?.values.every((v) => (v | 0) === v) ?? false;
  const rows = mapRows(store, (read) => batchOf(read, whole));
  const source = storeBatches(rows, null, { batch, last, ...(shuffle !== undefined && { shuffle }) }, { cells });
  // Not a copy: that would lose the way to read some rows of a batch alone.
  return Object.assign(source, { columns, classes: labels?.classes ?? null });
}

function batchOf({ rows, columns, data, label }: CsvTable, whole: boolean): { readonly x: Tensor; readonly y?: Tensor } {
  const x = hold(f32(rows, columns.length), Float32Array.from(data));
  if (label === null) return { x };
  return { x, y: whole ? hold(i32(rows), Int32Array.from(label.values)) : hold(f32(rows), Float32Array.from(label.values)) };
}
