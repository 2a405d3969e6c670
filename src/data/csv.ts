import { DomainError, GraphError, ParseError } from "../ir/errors.ts";
import { checkOptionNames, kindText, type OtherNames } from "../notation/given.ts";
import { CsvRows } from "./csv-rows.ts";
import { writeDecimal } from "./decimal.ts";

/** How a table is read: what separates cells, whether the first row holds names. */
export interface CsvOptions {
  /** One character between cells; a comma unless said. */
  readonly delimiter?: string;
  /** Whether the first row holds names. Left out: it does if none of its cells is a number, it does not if all are, and a mixture is an error. */
  readonly header?: boolean;
  /** The name of the column that is kept apart as the label; it may hold numbers or names of classes. */
  readonly label?: string;
  /** Names of columns that are left out, as ids and texts; they may hold anything. */
  readonly ignore?: readonly string[];
  /** What an empty cell stands for, such as `NaN`; left out, it is an error. */
  readonly empty?: number;
}

/** The column kept apart. */
export interface CsvLabel {
  readonly name: string;
  /** Numbers, or the place of each row's class in `classes`. */
  readonly values: Float64Array;
  /** Names of classes in order of first appearance; null where the column holds numbers. */
  readonly classes: readonly string[] | null;
}

/** Numbers of a CSV file: `data` is row-major, `rows` x `columns.length`. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly data: Float64Array;
  readonly label: CsvLabel | null;
}

/** Rows of a file from `start` on. */
export interface CsvBlock extends CsvTable {
  readonly start: number;
}

/** What is read of the columns of a table, once their names are there; labels may be empty. What it throws comes as it is. */
export type ColumnChoice = (
  names: readonly string[],
  header: boolean,
) => { readonly label: { readonly name: string; readonly holds: "names" | "numbers" } | null; readonly ignore: readonly string[] };

/** What other libraries call the options. */
const otherNames: OtherNames = {
  target: "label",
  labels: "label",
  separator: "delimiter",
  sep: "delimiter",
  naValues: "empty",
  drop: "ignore",
  exclude: "ignore",
};

/** What is done with a column. */
const role = { number: 0, label: 1, ignored: 2 } as const;

/** Reads rows into a growing matrix; what the whole-text and the streaming form share. */
class CsvReader {
  readonly rows: CsvRows;
  readonly #options: CsvOptions;
  #names: readonly string[] | null = null;
  /** Cells of a row; the label is one of them. */
  #width = 0;
  #labelAt = -1;
  #roles: Uint8Array = new Uint8Array(0);
  /** Columns that hold numbers. */
  #kept = 0;
  #named = false;
  #classes: Map<string, number> | null = null;
  #data: Float64Array = new Float64Array(0);
  #labels: Float64Array = new Float64Array(0);
  #count = 0;
  #given = 0;
  /** Set where it is said beforehand whether the label holds names. */
  #known = false;
  /** Whether labels may be empty, and then are NaN. */
  #gaps = false;
  readonly #choose: ColumnChoice | null;

  constructor(options: CsvOptions, choose: ColumnChoice | null = null) {
    checkOptionNames("csv", options, ["delimiter", "header", "label", "ignore", "empty", "blockRows"], '{ label: "y" }', otherNames);
    const { delimiter = ",", ignore = [], label } = options;
    if (delimiter.length !== 1 || delimiter === '"' || delimiter === "\n" || delimiter === "\r")
      throw new DomainError(`csv: the delimiter is ${JSON.stringify(delimiter)}; it must be one character, no quote and no line end`);
    if (!Array.isArray(ignore) || !ignore.every((name) => typeof name === "string"))
      throw new DomainError(`csv: ignore is ${kindText(ignore)}; it is a list of names: { ignore: ["id"] }`);
    if (label !== undefined && ignore.includes(label))
      throw new DomainError(`csv: ${JSON.stringify(label)} is the label, and in ignore; it is read, or it is left out`);
    this.rows = new CsvRows(delimiter.charCodeAt(0));
    this.#options = options;
    this.#choose = choose;
  }

  /** Takes names and classes from an earlier reading: there is no header. */
  resume(names: readonly string[], label: string | null, classes: readonly string[] | null): void {
    this.#known = true;
    this.#setColumns(names, label ?? undefined, this.#options.ignore ?? []);
    this.#classes = classes === null ? null : new Map(classes.map((name, i) => [name, i]));
  }

  /** Reads rows until there are `limit` or the text given so far is used up; true if there are `limit`. */
  read(limit: number): boolean {
    const { rows } = this;
    while (this.#count < limit) {
      if (!rows.next()) return false;
      if (this.#names !== null) this.#add();
      else if (!this.#begin()) this.#add();
    }
    return true;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes the rows read so far away. */
  take(): CsvBlock {
    if (this.#names === null) throw new ParseError("csv: the file is empty");
    if (this.#given + this.#count === 0) throw new ParseError("csv: the file has a header and no rows");
    const label: CsvLabel | null =
      this.#labelAt < 0
        ? null
        : {
            name: this.#names[this.#labelAt]!,
            values: this.#labels.slice(0, this.#count),
            classes: this.#classes === null ? null : [...this.#classes.keys()],
          };
    const block: CsvBlock = {
      columns: this.#names.filter((_, i) => this.#roles[i] === role.number),
      rows: this.#count,
      data: this.#data.slice(0, this.#count * this.#kept),
      label,
      start: this.#given,
    };
    this.#given += this.#count;
    this.#count = 0;
    return block;
  }

  /** Takes the first row: names or not; true if it was a header. */
  #begin(): boolean {
    const { rows } = this;
    const cells = Array.from({ length: rows.count }, (_, i) => rows.cell(i));
    const scratch = new Float64Array(1);
    const numbers = cells.filter((cell) => writeDecimal(cell, 0, cell.length, scratch, 0)).length;
    let header = this.#options.header;
    if (header === undefined) {
      if (numbers > 0 && numbers < cells.length)
        throw new ParseError(
          `csv: row ${rows.row} mixes numbers and text; say { header: true } if it holds names, { header: false } if it holds data`,
        );
      header = numbers === 0;
    }
    this.#named = header;
    const names = header ? cells.map((cell) => cell.trim()) : cells.map((_, i) => `column${i + 1}`);
    const seen = new Set<string>();
    names.forEach((name, i) => {
      if (seen.has(name))
        throw new ParseError(`csv: row ${rows.row}, column ${i + 1}: the name ${JSON.stringify(name)} is there twice; names must differ`);
      seen.add(name);
    });
    if (this.#choose !== null) {
      const { label, ignore } = this.#choose(names, header);
      this.#known = true;
      this.#gaps = true;
      if (label?.holds === "names") this.#classes = new Map();
      this.#setColumns(names, label?.name, ignore);
      return header;
    }
    const { label, ignore = [] } = this.#options;
    for (const [name, why] of [...(label === undefined ? [] : [[label, ""]]), ...ignore.map((one) => [one, " to ignore"])] as const)
      if (!seen.has(name!))
        throw new ParseError(
          `csv: there is no column ${JSON.stringify(name)}${why}; there are ${names.slice(0, 20).join(", ")}${adviceOn(names, header)}`,
        );
    this.#setColumns(names, label, ignore);
    return header;
  }

  #setColumns(names: readonly string[], label: string | undefined, ignore: readonly string[]): void {
    this.#names = names;
    this.#width = names.length;
    this.#labelAt = label === undefined ? -1 : names.indexOf(label);
    this.#roles = Uint8Array.from(names, (name, i) =>
      i === this.#labelAt ? role.label : ignore.includes(name) ? role.ignored : role.number,
    );
    this.#kept = this.#roles.filter((one) => one === role.number).length;
  }

  #add(): void {
    const { rows } = this;
    const width = this.#width;
    if (rows.count !== width) this.#ragged();
    const kept = this.#kept;
    const roles = this.#roles;
    let at = this.#count * kept;
    if (at + kept > this.#data.length) this.#data = grown(this.#data, at + kept);
    for (let i = 0; i < width; i++) {
      if (roles[i] === role.number) this.#number(i, this.#data, at++);
      else if (roles[i] === role.label) this.#addLabel(i);
    }
    this.#count++;
  }

  #number(i: number, out: Float64Array, at: number): void {
    const { rows } = this;
    if (writeDecimal(rows.text, rows.from[i]!, rows.to[i]!, out, at)) return;
    const cell = rows.cell(i);
    if (cell.trim() !== "") {
      const gap = this.#gaps ? "; where it is not known, leave the cell empty" : "";
      const advice = i === this.#labelAt ? gap : `; say { ignore: [${this.#texts()}] } to leave columns of text out`;
      throw new ParseError(`csv: ${this.#place(i)}: ${JSON.stringify(cell.slice(0, 40))} is not a number${advice}`);
    }
    if (this.#options.empty === undefined) throw new ParseError(`csv: ${this.#place(i)} is empty; say { empty: NaN } to allow it`);
    out[at] = this.#options.empty;
  }

  /** The names of all columns of numbers with text in this row, as code. */
  #texts(): string {
    const { rows } = this;
    const scratch = new Float64Array(1);
    const texts = this.#names!.filter(
      (_, i) =>
        this.#roles[i] === role.number && !writeDecimal(rows.text, rows.from[i]!, rows.to[i]!, scratch, 0) && rows.cell(i).trim() !== "",
    );
    return texts.map((name) => JSON.stringify(name)).join(", ");
  }

  #addLabel(i: number): void {
    const { rows } = this;
    const at = this.#count;
    if (at >= this.#labels.length) this.#labels = grown(this.#labels, at + 1);
    if (this.#gaps && rows.cell(i).trim() === "") {
      this.#labels[at] = Number.NaN;
      return;
    }
    const first = this.#given + at === 0 && !this.#known;
    if (first && !writeDecimal(rows.text, rows.from[i]!, rows.to[i]!, this.#labels, at) && rows.cell(i).trim() !== "")
      this.#classes = new Map();
    if (this.#classes === null) {
      this.#number(i, this.#labels, at);
      return;
    }
    const name = rows.cell(i).trim();
    if (name === "") throw new ParseError(`csv: ${this.#place(i)} is empty; every row needs a label`);
    const known = this.#classes.get(name);
    if (known === undefined) this.#classes.set(name, this.#classes.size);
    this.#labels[at] = known ?? this.#classes.size - 1;
  }

  #place(i: number): string {
    return `row ${this.rows.row}, column ${i + 1}${this.#named ? ` (${this.#names![i]})` : ""}`;
  }

  #ragged(): never {
    const { row, count } = this.rows;
    const width = this.#width;
    const what = count < width ? `${this.#place(count)} is missing` : `column ${width + 1} is one too many`;
    throw new ParseError(
      `csv: row ${row} has ${count} ${count === 1 ? "cell" : "cells"} and the first row has ${width}: ${what}; all rows must have one length`,
    );
  }
}

/** What may lie behind a name that is not there. */
export function adviceOn(names: readonly string[], header: boolean): string {
  if (!header) return "; the first row has numbers, so these are no names of the file";
  const [only = "", ...others] = names;
  const [delimiter] = /[;\t|]/.exec(only) ?? [];
  if (others.length > 0 || delimiter === undefined) return "";
  return `; there is no comma in the first row: if ${JSON.stringify(delimiter)} is between its cells, say { delimiter: ${JSON.stringify(delimiter)} }`;
}

function grown(data: Float64Array, length: number): Float64Array {
  const out = new Float64Array(Math.max(1024, length, data.length * 2));
  out.set(data);
  return out;
}

/** A path in the place of the text would be the header of a table without rows. */
function refusePath(who: string, text: string): void {
  if (text.length < 1000 && /^[^\r\n]+\.(csv|tsv|txt)$/i.test(text))
    throw new GraphError(
      `${who}: the text is a path, ${JSON.stringify(text)}; it is what is in the file, and by its path it is read by readCsv`,
    );
}

/**
 * Reads CSV text (RFC 4180) with numbers in every column but the label's and those that are ignored. Rows and columns in messages count from 1, the
 * header included; empty lines are left out.
 * @throws ParseError, with row and column, for a cell that is no number, a row of another length, an open quote, or an empty file
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
  if (typeof text !== "string")
    throw new GraphError(
      `parseCsv: the text is ${kindText(text)}; decode bytes: new TextDecoder().decode(bytes), and read a file by readCsv("table.csv")`,
    );
  refusePath("parseCsv", text);
  const reader = new CsvReader(options);
  reader.rows.push(text, true);
  reader.read(Infinity);
  const { start: _, ...table } = reader.take();
  return table;
}

/** What is known of a table from an earlier reading. */
export interface KnownTable {
  /** All columns in their order, the label among them. */
  readonly names: readonly string[];
  readonly label: string | null;
  readonly classes: readonly string[] | null;
}

/** Some rows of a table that is known, without a header; null for classes that it had not. @throws ParseError for rows that are none of it */
export function parseKnownRows(text: string, { names, label, classes }: KnownTable, options: CsvOptions): CsvTable | null {
  const reader = new CsvReader(options);
  reader.resume(names, label, classes);
  reader.rows.push(text, true);
  reader.read(Infinity);
  const { start: _, ...table } = reader.take();
  return table.label?.classes?.length === classes?.length ? table : null;
}

/**
 * Reads CSV in pieces (bytes in UTF-8, or text), for files larger than memory: blocks of up to `blockRows` rows (65536 unless said), each with its
 * own data. Label classes keep their numbers from block to block.
 * @throws as `parseCsv` does, when the block with the fault is asked for; ParseError for bytes that are not UTF-8
 */
export async function* csvBlocks(
  pieces: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  options: CsvOptions & { readonly blockRows?: number } = {},
): AsyncGenerator<CsvBlock, void, undefined> {
  const { blockRows = 65536 } = options;
  if (typeof pieces === "string") refusePath("csvBlocks", pieces);
  const some = pieces as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  if (typeof (some?.[Symbol.asyncIterator] ?? some?.[Symbol.iterator]) !== "function")
    throw new GraphError(
      `csvBlocks: the pieces are ${kindText(pieces)}; they are texts or Uint8Arrays, one after the other: csvBlocks([bytes])`,
    );
  yield* blocksBy(new CsvReader(options), pieces, blockRows);
}

/** The same, with columns that are chosen by their names when these are read. */
export function chosenBlocks(
  pieces: AsyncIterable<Uint8Array | string>,
  choose: ColumnChoice,
  blockRows: number,
): AsyncGenerator<CsvBlock, void, undefined> {
  return blocksBy(new CsvReader({}, choose), pieces, blockRows);
}

async function* blocksBy(
  reader: CsvReader,
  pieces: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  blockRows: number,
): AsyncGenerator<CsvBlock, void, undefined> {
  if (!Number.isInteger(blockRows) || blockRows < 1)
    throw new DomainError(`csv: blockRows is ${blockRows}; it must be a whole number, 1 or more`);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let given = 0;
  for await (const piece of pieces) {
    if (typeof piece !== "string" && !ArrayBuffer.isView(piece))
      throw new GraphError(`csvBlocks: a piece is ${kindText(piece)}; pieces are texts or Uint8Arrays: csvBlocks([bytes])`);
    const text = typeof piece === "string" ? piece : decode(decoder, piece);
    if (text === "") continue;
    reader.rows.push(text, false);
    while (reader.read(blockRows)) {
      given++;
      yield reader.take();
    }
  }
  reader.rows.push(decode(decoder, null), true);
  while (reader.read(blockRows)) {
    given++;
    yield reader.take();
  }
  if (given === 0 || reader.count > 0) yield reader.take();
}

function decode(decoder: TextDecoder, bytes: Uint8Array | null): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch (cause) {
    throw new ParseError("csv: the file is not UTF-8 text; save it as UTF-8", { cause });
  }
}
