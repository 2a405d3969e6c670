import { ParseError } from "../ir/errors.ts";

/** A longer row is taken for a quote that was left open. */
const longestRow = 2 ** 27;

const lf = 10;
const cr = 13;
const quote = 34;

/**
 * Splits CSV text, given in pieces, into rows of cells (RFC 4180; LF, CRLF or CR end a row; empty lines are left out). After `next()` the cells of
 * the row are `text[from[i], to[i])`; cells that had doubled quotes in them are in `unquoted`. Offsets are reused from row to row, so that reading
 * makes no objects for plain cells.
 */
export class CsvRows {
  text = "";
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly unquoted: Map<number, string> = new Map();
  /** Cells in the row. */
  count = 0;
  /** The row's number in the file, from 1. */
  row = 0;
  /** Where the next row begins in `text`. */
  #at = 0;
  #last = false;
  #start = true;
  /** Set when `text` holds no further whole row, until there is more of it. */
  #used = false;
  /** Pieces kept until there is twice the text that held no whole row: so that a row over many pieces is not read again for each. */
  #waiting: string[] = [];
  #waitingLength = 0;
  readonly #delimiter: number;

  constructor(delimiter: number) {
    this.#delimiter = delimiter;
  }

  /** Gives the next piece of text; `last` says that no other follows. */
  push(piece: string, last: boolean): void {
    if (this.#start && piece.length > 0) {
      this.#start = false;
      if (piece.charCodeAt(0) === 0xfeff) piece = piece.slice(1);
    }
    this.#waiting.push(piece);
    this.#waitingLength += piece.length;
    this.#last = last;
    const left = this.text.length - this.#at;
    if (!last && this.#waitingLength < left) return;
    if (left > longestRow)
      throw new ParseError(`csv: row ${this.row + 1} is longer than ${longestRow} characters; is a quote left open, or is this no text?`);
    this.text = this.text.slice(this.#at) + this.#waiting.join("");
    this.#at = 0;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#used = false;
  }

  /** Reads the next row; false when the text given so far holds no whole one. */
  next(): boolean {
    if (this.#used) return false;
    this.#used = !this.#read();
    return !this.#used;
  }

  #read(): boolean {
    const { text } = this;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c !== lf && c !== cr) break;
      const end = this.#lineEnd(this.#at);
      if (end < 0) return false;
      this.#at = end;
      this.row++;
    }
    if (this.#at >= text.length) return false;
    const end = this.#cells(this.#at);
    if (end < 0) return false;
    this.#at = end;
    this.row++;
    return true;
  }

  /** Past the line end at `i`, or -1 where the rest of it may be in the next piece. */
  #lineEnd(i: number): number {
    if (this.text.charCodeAt(i) === lf) return i + 1;
    if (i + 1 === this.text.length && !this.#last) return -1;
    return this.text.charCodeAt(i + 1) === lf ? i + 2 : i + 1;
  }

  /** Reads cells from `i` to the end of the row and returns the place after it; -1 where the row is not whole. */
  #cells(i: number): number {
    const { text, from, to } = this;
    const length = text.length;
    const delimiter = this.#delimiter;
    this.count = 0;
    this.unquoted.clear();
    for (;;) {
      const index = this.count;
      if (text.charCodeAt(i) === quote && i < length) {
        const end = this.#quoted(i + 1, index);
        if (end < 0) return -1;
        i = end + 1;
      } else {
        from[index] = i;
        let c = -1;
        for (; i < length; i++) {
          c = text.charCodeAt(i);
          if (c === delimiter || c === lf || c === cr) break;
          if (c === quote) this.#fail(index, "has a quote inside; put the whole cell in quotes and write the quote twice");
        }
        to[index] = i;
      }
      this.count++;
      if (i >= length) return this.#last ? length : -1;
      const c = text.charCodeAt(i);
      if (c === lf || c === cr) return this.#lineEnd(i);
      if (c !== delimiter) this.#fail(index, "goes on after its closing quote; put the whole cell in quotes");
      i++;
    }
  }

  /** Reads a quoted cell whose text begins at `start`; the place of its closing quote, or -1. */
  #quoted(start: number, index: number): number {
    const { text } = this;
    let doubled = false;
    for (let i = start; ; i += 2) {
      i = text.indexOf('"', i);
      if (i < 0) {
        if (this.#last) this.#fail(index, "opens a quote that is never closed");
        return -1;
      }
      if (text.charCodeAt(i + 1) === quote) {
        doubled = true;
        continue;
      }
      this.from[index] = start;
      this.to[index] = i;
      if (doubled) this.unquoted.set(index, text.slice(start, i).replaceAll('""', '"'));
      return i;
    }
  }

  #fail(index: number, what: string): never {
    throw new ParseError(`csv: row ${this.row + 1}, column ${index + 1} ${what}`);
  }

  /** The text of a cell of the row read last. */
  cell(index: number): string {
    return this.unquoted.get(index) ?? this.text.slice(this.from[index], this.to[index]);
  }
}
