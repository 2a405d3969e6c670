import { piecesOf } from "../files/open-file.ts";
import { DomainError, ParseError } from "../ir/errors.ts";
import { hold, type Tensor, tensor } from "../ir/tensor.ts";
import { f32, i32 } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { checksumOf } from "./checksum.ts";
import { type CsvBlock, type CsvOptions, csvBlocks } from "./csv.ts";
import { checkBatch } from "./rows-in-files.ts";

/** How rows of a CSV file are read. There is no shuffling: a row of text has no place that could be known without reading those before it. */
export interface CsvRowsOptions extends CsvOptions {
  readonly batch: number;
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

interface Facts {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly classes: readonly string[] | null;
  /** Every label is a whole number. */
  readonly whole: boolean;
  /** A checksum of every cell, in order. */
  readonly cells: string;
}

/**
 * Batches of rows of a CSV file larger than memory, in the file's order: `x` f32[rows, columns], and `y` where a label is named, as `readCsv` makes them.
 * The file is read once at the beginning, to count rows and classes and to find what is wrong with it before a training begins, and once in each pass.
 * Rows that are sorted, by class or by time, want to be put in a random order once, in the file. Node only.
 * @throws ParseError, with path, row and column, for a file that cannot be read, is no table of numbers, or has changed since; DomainError for a batch that
 *   is no whole number
 */
export function csvRows(
  path: string,
  options: CsvRowsOptions & { readonly label: string },
): Promise<CsvRowsSource<{ readonly x: Tensor; readonly y: Tensor }>>;
export function csvRows(path: string, options: CsvRowsOptions): Promise<CsvRowsSource<{ readonly x: Tensor }>>;
export async function csvRows(path: string, options: CsvRowsOptions): Promise<CsvRowsSource<{ readonly x: Tensor }>> {
  const { batch, last = "smaller", ...table } = options;
  checkBatch("csvRows", batch);
  if ("shuffle" in table)
    throw new DomainError(
      "csvRows: rows of text cannot be shuffled without reading them all; put the lines in a random order once, in the file",
    );
  const facts = await factsOf(path, table);
  const { rows, columns, classes } = facts;
  const length = last === "drop" ? Math.floor(rows / batch) : Math.ceil(rows / batch);
  return {
    batch,
    length,
    columns,
    classes,
    order: { rows, batch, shuffle: null, last, cells: facts.cells },
    rows: (_, i) => Int32Array.from({ length: Math.min(batch, rows - i * batch) }, (_, j) => i * batch + j),
    pass: async function* (_, from = 0) {
      let i = 0;
      for await (const block of blocksOf(path, { ...table, blockRows: batch })) {
        if (!isAsCounted(block, facts)) throw changed(path);
        if (i >= from && i < length) yield batchOf(block, facts.whole);
        i++;
      }
      if (i !== Math.ceil(rows / batch)) throw changed(path);
    },
  };
}

/** Whether a block could be one of the file that was counted: else its labels would be cut to whole numbers, or stand for other classes. */
function isAsCounted({ columns, start, rows, label }: CsvBlock, facts: Facts): boolean {
  return (
    start + rows <= facts.rows &&
    columns.length === facts.columns.length &&
    columns.every((name, i) => name === facts.columns[i]) &&
    (label === null || ((label.classes === null) === (facts.classes === null) && (!facts.whole || isWhole(label.values)))) &&
    (label?.classes ?? []).every((name, i) => name === facts.classes?.[i])
  );
}

function isWhole(values: Float64Array): boolean {
  return values.every((v) => (v | 0) === v);
}

function changed(path: string): ParseError {
  return new ParseError(`${path}: csv: the file has changed since its rows were counted; call csvRows again`);
}

function batchOf({ rows, columns, data, label }: CsvBlock, whole: boolean): { readonly x: Tensor; readonly y?: Tensor } {
  const x = hold(f32(rows, columns.length), Float32Array.from(data));
  if (label === null) return { x };
  return { x, y: whole ? hold(i32(rows), Int32Array.from(label.values)) : hold(f32(rows), Float32Array.from(label.values)) };
}

async function factsOf(path: string, options: CsvOptions): Promise<Facts> {
  let rows = 0;
  let columns: readonly string[] = [];
  let classes: readonly string[] | null = null;
  let whole = true;
  let cells = "";
  for await (const block of blocksOf(path, { ...options, blockRows: 4096 })) {
    rows += block.rows;
    columns = block.columns;
    classes = block.label?.classes ?? null;
    whole &&= block.label === null || isWhole(block.label.values);
    cells = checksumOf({ x: batchOf(block, false), before: tensor(Uint8Array.from(cells, (c) => c.charCodeAt(0))) });
  }
  if (columns.length === 0) throw new ParseError(`${path}: csv: there is no column beside the label`);
  return { rows, columns, classes, whole, cells };
}

async function* blocksOf(path: string, options: CsvOptions & { readonly blockRows: number }): AsyncGenerator<CsvBlock, void, undefined> {
  try {
    yield* csvBlocks(piecesOf(path), options);
  } catch (error) {
    if (error instanceof ParseError && !error.message.startsWith(`${path}: `))
      throw new ParseError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
