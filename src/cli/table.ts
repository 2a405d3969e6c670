import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adviceOn, type ColumnChoice, type CsvBlock, type CsvOptions, type CsvTable, chosenBlocks } from "../data/csv.ts";
import { type CsvStore, csvStore } from "../data/csv-store.ts";
import { blocksOf, type RowStore } from "../data/row-store.ts";
import { nodeFiles, type OpenFile, reasonOf } from "../files/node-files.ts";
import { DomainError, ParseError } from "../ir/errors.ts";
import { listed } from "../notation/given.ts";
import type { CommandIo } from "./io.ts";
import { inTableWords } from "./table-words.ts";

/** Mean and deviation of columns: what inputs are brought to before a model sees them. */
export interface Scaling {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** Which columns of a table are what; the others are inputs. */
export interface ChosenColumns {
  readonly target: string;
  readonly ignore: readonly string[];
}

function andIgnored(ignore: readonly string[]): string {
  return ignore.length === 0 ? "" : " and those of --ignore";
}

/** `3 columns beside price`, in a message. */
export function beside(columns: number, { target, ignore }: ChosenColumns): string {
  return `${columns} column${columns === 1 ? "" : "s"} beside ${target}${andIgnored(ignore)}`;
}

/** The rows of a table, until it is closed. */
export interface OpenTable extends CsvStore {
  close(): Promise<void>;
}

/**
 * The rows of a table with a target column, which are read where they stand; what is no ordinary file, as standard input, is written to a temporary one on its way, for
 * rows are read again. All rows are read once, block by block, and `each` looks at them.
 * @throws ParseError, with the path, for what cannot be read or is no table with this column; DomainError where there is no room for it; what `each` throws
 */
export async function tableStore(
  path: string,
  { target, ignore }: ChosenColumns,
  io: CommandIo,
  each: (block: CsvBlock) => void,
): Promise<OpenTable> {
  const looked = (block: CsvBlock): void => {
    if (block.columns.length === 0) throw new ParseError(`csv: there is no column beside ${target}${andIgnored(ignore)}`);
    each(block);
  };
  const ordinary = path !== "-" && ((await (await nodeFiles()).stat(path).catch(() => null))?.isFile() ?? false);
  return told(path, async () => {
    const options: CsvOptions = { label: target, ignore };
    if (ordinary) return { ...(await csvStore(path, options, looked, io.readBytes(path))), close: async () => undefined };
    const file = await keptFile(path);
    try {
      return { ...(await csvStore(path, options, looked, keptIn(file, path, io.readBytes(path)), file)), close: () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
  });
}

/** A temporary file that has no name any more, so that nothing of it is left however the process ends. @throws DomainError where there can be none */
async function keptFile(path: string): Promise<OpenFile> {
  const files = await nodeFiles();
  const name = join(tmpdir(), `chainrule-${randomUUID()}.csv`);
  try {
    const file = await files.open(name, "wx+", 0o600);
    await files.rm(name, { force: true });
    return file;
  } catch (error) {
    throw noRoom(path, error);
  }
}

async function* keptIn(file: OpenFile, path: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    await file.writeFile(piece).catch((error: unknown) => {
      throw noRoom(path, error);
    });
    yield piece;
  }
}

function noRoom(path: string, error: unknown): DomainError {
  return new DomainError(
    `${path}: rows are read more than once, so what comes by a pipe is kept in a temporary file, and none can be written to ${tmpdir()}: ${reasonOf(error)}; name another folder in TMPDIR, or write the table to a file`,
    { cause: error },
  );
}

/** The columns that a trained model reads, and what it predicts. */
export interface ModelColumns {
  readonly columns: readonly string[];
  readonly target: string;
  /** Whether the target is one of several names. */
  readonly named: boolean;
}

/**
 * The rows of a file block by block, in the columns of a model by their names. The target is taken apart if it is there, NaN where it is empty; other columns
 * are not read, and their names told.
 * @throws ParseError, with the path, for what cannot be read, a column that is missing, and a cell of the model's that is no number
 */
export async function* tableBlocks(
  path: string,
  { columns, target, named }: ModelColumns,
  blockRows: number,
  tell: (unread: readonly string[]) => void,
  io: CommandIo,
): AsyncGenerator<CsvBlock> {
  const choose: ColumnChoice = (names, header) => {
    const missing = columns.filter((name) => !names.includes(name));
    if (missing.length > 0)
      throw new ParseError(
        `csv: the model reads columns that are not there: ${listed(missing)}; there are ${listed(names)}${adviceOn(names, header)}`,
      );
    const unread = names.filter((name) => name !== target && !columns.includes(name));
    tell(unread);
    return { label: names.includes(target) ? { name: target, holds: named ? "names" : "numbers" } : null, ignore: unread };
  };
  const blocks = chosenBlocks(io.readBytes(path), choose, blockRows)[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await told(path, () => blocks.next(), "the model reads this column");
    if (done === true) return;
    yield value;
  }
}

/** @param reads what is said of a column of text where none can be left out */
async function told<T>(path: string, read: () => Promise<T>, reads: string | null = null): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ParseError && !error.message.startsWith(`${path}: `))
      throw new ParseError(`${path}: ${inTableWords(error.message, reads)}`, { cause: error });
    const { code } = error as { readonly code?: unknown };
    if (code === "ENOENT" || code === "EISDIR" || code === "EACCES")
      throw new ParseError(
        `${path}: ${code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : "permission is denied"}`,
      );
    throw error;
  }
}

/**
 * Mean and deviation of every column over some rows, in one reading, in the file's order (B. P. Welford, "Note on a Method for Calculating Corrected Sums of
 * Squares and Products", Technometrics 4(3), 1962); 1 where a column does not vary.
 */
export async function scalingOf(table: RowStore<CsvTable>, columns: number, rows: Int32Array): Promise<Scaling> {
  const own = new Uint8Array(table.size);
  for (const row of rows) own[row] = 1;
  const mean = new Array<number>(columns).fill(0);
  const sums = new Array<number>(columns).fill(0);
  let count = 0;
  for await (const { start, rows: read } of blocksOf(table, columns * 8))
    for (let i = 0; i < read.rows; i++) {
      if (own[start + i] === 0) continue;
      count++;
      for (let j = 0; j < columns; j++) {
        const x = read.data[i * columns + j]!;
        const away = x - mean[j]!;
        mean[j]! += away / count;
        sums[j]! += away * (x - mean[j]!);
      }
    }
  return { mean, scale: sums.map((v) => deviation(v, count)) };
}

/** The same of numbers. */
export function scalingOfNumbers(values: Float64Array, rows: Int32Array): Scaling {
  const mean = rows.reduce((sum, row) => sum + values[row]! / rows.length, 0);
  return {
    mean: [mean],
    scale: [
      deviation(
        rows.reduce((sum, row) => sum + (values[row]! - mean) ** 2, 0),
        rows.length,
      ),
    ],
  };
}

function deviation(squares: number, count: number): number {
  const found = Math.sqrt(squares / count);
  return found > 1e-12 ? found : 1;
}

/** Rows brought to mean 0 and deviation 1. */
export function scaled(data: Float64Array, { mean, scale }: Scaling): Float32Array {
  const columns = mean.length;
  return Float32Array.from(data, (x, i) => (x - mean[i % columns]!) / scale[i % columns]!);
}
