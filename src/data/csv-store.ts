import type { OpenFile } from "../files/node-files.ts";
import { piecesOf, withFile } from "../files/open-file.ts";
import { ParseError } from "../ir/errors.ts";
import { type CsvBlock, type CsvOptions, type CsvTable, csvBlocks, type KnownTable, parseKnownRows } from "./csv.ts";
import { CsvRows } from "./csv-rows.ts";
import type { RowStore } from "./row-store.ts";
import { readAll } from "./rows-in-files.ts";

/** The rows of a CSV file where they stand, and what was found when all of it was read once. */
export interface CsvStore extends RowStore<CsvTable> {
  readonly columns: readonly string[];
  /** The label of every row; null where there is none. */
  readonly labels: { readonly values: Float64Array; readonly classes: readonly string[] | null } | null;
}

/** Rows that are parsed at a time in the first reading. */
const blockRows = 4096;
const chunk = 2 ** 16;
const lf = 10;
const cr = 13;
const quote = 34;

/** A list of numbers that grows by pieces, so that there never are two of it. */
class Growing {
  readonly #chunks: Float64Array[] = [];
  length = 0;

  push(x: number): void {
    const at = this.length++;
    if (at % chunk === 0) this.#chunks.push(new Float64Array(chunk));
    this.#chunks[Math.floor(at / chunk)]![at % chunk] = x;
  }

  at(i: number): number {
    return this.#chunks[Math.floor(i / chunk)]![i % chunk]!;
  }

  joined(): Float64Array {
    const all = new Float64Array(this.length);
    this.#chunks.forEach((one, i) => {
      all.set(one.subarray(0, Math.min(chunk, this.length - i * chunk)), i * chunk);
    });
    return all;
  }
}

/**
 * Finds where rows begin in the bytes of CSV text. In UTF-8 no other character has the bytes of a line end or a quote in it, and in a table that can be
 * read quotes come in pairs, so that a line end is one of a row where their number is even.
 */
class RowStarts {
  readonly places: Growing = new Growing();
  /** Bytes seen. */
  end = 0;
  #between = true;
  #quoted = false;

  push(piece: Uint8Array): void {
    const { places, end } = this;
    let from = 0;
    // A mark of UTF-8 at the beginning is no part of the first row.
    if (end === 0 && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf) from = 3;
    for (let i = from; i < piece.length; i++) {
      const byte = piece[i]!;
      if (byte === quote) this.#quoted = !this.#quoted;
      if ((byte === lf || byte === cr) && !this.#quoted) this.#between = true;
      else if (this.#between) {
        this.#between = false;
        places.push(end + i);
      }
    }
    this.end += piece.length;
  }
}

/**
 * Reads a CSV file once, for its columns, its labels and whatever `each` looks at, and keeps where every row begins: 8 bytes a row, and 8 more for its label.
 * Rows then are read from their places. `pieces` are the bytes of the file where somebody else reads them, `kept` is a file that is open and stays so, for one without a path.
 * @throws ParseError, with row and column, for what is no table of numbers; later, with the path, for a file that has changed since
 */
export async function csvStore(
  path: string,
  options: CsvOptions,
  each: (block: CsvBlock) => void = () => undefined,
  pieces: AsyncIterable<Uint8Array> = piecesOf(path),
  kept: OpenFile | null = null,
): Promise<CsvStore> {
  const reading = async <T>(use: (file: OpenFile, size: number) => Promise<T>): Promise<T> =>
    kept === null ? withFile(path, use) : use(kept, (await kept.stat()).size);
  const starts = new RowStarts();
  const values = new Growing();
  let last: CsvBlock | null = null;
  for await (const block of csvBlocks(seenBy(starts, pieces), { ...options, blockRows })) {
    for (const value of block.label?.values ?? []) values.push(value);
    each(block);
    last = block;
  }
  const { columns, label, start, rows: count } = last!;
  const size = start + count;
  const { places } = starts;
  const skipped = places.length - size;
  const spanOf = (row: number): Span => [
    places.at(row + skipped),
    row + skipped + 1 < places.length ? places.at(row + skipped + 1) : starts.end,
  ];
  const header: Span = [0, skipped === 0 ? 0 : places.at(skipped)];
  const head = await reading((file) => bytesOf(file, [header]));
  const known: KnownTable = {
    names:
      skipped === 0
        ? Array.from({ length: columns.length + (label === null ? 0 : 1) + (options.ignore?.length ?? 0) }, (_, i) => `column${i + 1}`)
        : namesIn(head, options),
    label: label?.name ?? null,
    classes: label?.classes ?? null,
  };
  const labels = label === null ? null : { values: values.joined(), classes: label.classes };
  const whole = labels?.values.every(Number.isInteger) ?? false;
  const at = (rows: Int32Array): Promise<CsvTable> =>
    reading(async (file, bytes) => {
      const same = bytes === starts.end && isSame(await bytesOf(file, [header]), head);
      const found = same ? parsed(await bytesOf(file, Array.from(rows, spanOf)), known, options) : null;
      if (found === null || found.rows !== rows.length || (whole && !found.label!.values.every(Number.isInteger)))
        throw new ParseError("csv: the file has changed since its rows were counted; begin again");
      return found;
    });
  return { size, columns, labels, at };
}

async function* seenBy(starts: RowStarts, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    starts.push(piece);
    yield piece;
  }
}

/** Bytes of a file from one place up to another. */
type Span = readonly [from: number, to: number];

/** The bytes of these spans, a line end behind each; spans that follow each other are read at once. */
async function bytesOf(file: OpenFile, spans: readonly Span[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(spans.reduce((sum, [from, to]) => sum + to - from + 1, 0)).fill(lf);
  const parts: (readonly [Uint8Array, number])[] = [];
  let into = 0;
  for (let i = 0; i < spans.length; ) {
    const [from] = spans[i]!;
    let n = 1;
    while (i + n < spans.length && spans[i + n]![0] === spans[i + n - 1]![1]) n++;
    const length = spans[i + n - 1]![1] - from;
    parts.push([bytes.subarray(into, into + length), from]);
    // Rows that were read together have their own line ends; what is left over at the end are empty lines.
    into += length + 1;
    i += n;
  }
  await readAll(file, parts);
  return bytes;
}

/** The rows in some bytes, or null where there are none of this table. */
function parsed(bytes: Uint8Array, known: KnownTable, options: CsvOptions): CsvTable | null {
  try {
    return parseKnownRows(new TextDecoder("utf-8", { fatal: true }).decode(bytes), known, options);
  } catch {
    return null;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The names in the first row. */
function namesIn(head: Uint8Array, { delimiter = "," }: CsvOptions): readonly string[] {
  const rows = new CsvRows(delimiter.charCodeAt(0));
  rows.push(new TextDecoder().decode(head), true);
  rows.next();
  return Array.from({ length: rows.count }, (_, i) => rows.cell(i).trim());
}
