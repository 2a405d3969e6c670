import type { Batches } from "../data/batches.ts";
import { type Cut, type Part, partsOf } from "../data/share.ts";
import { isFloat, type NumberArray } from "../ir/dtype.ts";
import { DomainError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves, rebuild } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import type { BatchForm, BatchForms } from "./batch-form.ts";
import { rowsOf } from "./signature.ts";

/** A batch with its place. */
export interface Fed {
  readonly batch: unknown;
  readonly rows: number;
  /** Rows of the whole batch, of which other ranks may have some. */
  readonly all: number;
  /** The place of the first of its rows in the whole batch. */
  readonly first: number;
  /** The pass over the data, and the place in it, both from 0. */
  readonly pass: number;
  readonly index: number;
  /** Names and types, where they were written down. */
  readonly form?: BatchForm;
  /** What its loss is a mean over, where the model says that it is not the rows: of this process's rows, and of the whole batch. */
  readonly counts?: Counts;
}

/** How much the loss of a rank's rows counts, and that of the whole batch. */
export interface Counts {
  readonly own: number;
  readonly all: number;
}

/** The same by rows, where the model says nothing else. */
export function countsOf({ counts, rows, all }: Fed): Counts {
  return counts ?? { own: rows, all };
}

/** Whose rows: one rank among so many. */
export interface Share {
  readonly rank: number;
  readonly size: number;
}

/** The batches of one pass from a place on, checked: each has rows, and in the first pass no number that is NaN or infinite. */
export class Feed {
  private readonly source: Batches<unknown>;
  private readonly name: string;
  private readonly pass: number;
  private index: number;
  private readonly checks: boolean;
  private readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;
  private readonly share: Share | null;
  private readonly forms: BatchForms;
  private readonly where = (): string => `batch ${this.index} of ${this.name}`;

  /** `share`: of each batch only this rank's rows, by its number among so many. */
  constructor(
    source: Batches<unknown>,
    name: string,
    pass: number,
    from: number,
    checks: boolean,
    spare: () => unknown,
    forms: BatchForms,
    share: Share | null = null,
  ) {
    this.source = source;
    this.name = name;
    this.pass = pass;
    this.index = from;
    this.checks = checks;
    this.forms = forms;
    this.share = share === null || share.size === 1 ? null : share;
    const batches = this.share === null ? source.pass(pass, from, spare) : partsIn(source, pass, from, cutFor(this.share), name);
    this.iterator = Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  }

  /** The next batch, or null at the end of the pass: at once where the source has it. @throws DomainError, ShapeError for data that cannot train anything */
  next(): Fed | null | Promise<Fed | null> {
    const taken = this.iterator.next();
    return taken instanceof Promise ? taken.then((result) => this.fed(result)) : this.fed(taken);
  }

  private fed({ done, value }: IteratorResult<unknown>): Fed | null {
    if (done === true) return null;
    if (this.share !== null) return this.shared(value as Part<unknown>, this.index++);
    const form = this.forms.of(value, this.where);
    const { rows } = form;
    const fed: Fed = { batch: value, rows, all: rows, first: 0, pass: this.pass, index: this.index++, form };
    if (this.checks) checkFinite(fed, this.source, this.name);
    return fed;
  }

  /** This rank's rows of a batch. Where there are fewer rows than ranks some have none: they have the first row in its place, which counts for nothing. */
  private shared({ batch, rows: all }: Part<unknown>, index: number): Fed {
    const { from: first, rows } = ownOf(all, this.share!.rank, this.share!.size);
    rowsOf(batch, `batch ${index} of ${this.name}`);
    const fed: Fed = { batch, rows, all, first, pass: this.pass, index };
    if (this.checks && fed.rows > 0) checkFinite(fed, this.source, this.name);
    return fed;
  }

  /** Ends the pass early: a source that reads a file closes it. */
  async close(): Promise<void> {
    await this.iterator.return?.(undefined);
  }
}

/** The rows of a rank: shares as even as they go, the first ranks having one more. */
export function ownOf(all: number, rank: number, size: number): { readonly from: number; readonly rows: number } {
  const start = (of: number): number => Math.floor(all / size) * of + Math.min(of, all % size);
  return { from: start(rank), rows: start(rank + 1) - start(rank) };
}

/** The same for a source: the first row where there is none. */
function cutFor({ rank, size }: Share): Cut {
  return (all) => {
    const { from, rows } = ownOf(all, rank, size);
    return rows > 0 ? [from, from + rows] : [0, Math.min(1, all)];
  };
}

/** The batches of a pass, the rows of one rank of each: read alone where the source can do that, else cut out of the whole. */
function partsIn(source: Batches<unknown>, pass: number, from: number, cut: Cut, name: string): Iterable<unknown> | AsyncIterable<unknown> {
  const parts = partsOf(source);
  if (parts !== null) return parts(pass, from, cut);
  return (async function* () {
    let index = from;
    for await (const batch of source.pass(pass, from)) {
      const rows = rowsOf(batch, `batch ${index++} of ${name}`);
      yield { batch: rebuild(batch, (leaf) => rowsFrom(leaf as Tensor, ...cut(rows))), rows };
    }
  })();
}

/** Some rows of a tensor, where they lie. */
function rowsFrom(x: Tensor, from: number, to: number): Tensor {
  const [rows, ...rest] = x.type.shape;
  if (rows === undefined) return x;
  const width = sizeOf(rest);
  return hold({ ...x.type, shape: [to - from, ...rest] }, x.data.subarray(from * width, to * width));
}

/** Whether every number is finite: 0 times one that is not is NaN, and stays it in a sum. Four sums, because each addition waits for the one before. */
function isAllFinite(data: NumberArray): boolean {
  const whole = data.length - (data.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * 0;
    b += data[i + 1]! * 0;
    c += data[i + 2]! * 0;
    d += data[i + 3]! * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * 0;
  return a + b + c + d === 0;
}

/** A number of the data that is not finite, and where it stands, for those who tell it in other words than those of `train`. */
export class NotFiniteData extends DomainError {
  readonly value: number;
  /** Where its tensor is in a batch, as `x`. */
  readonly path: string;
  /** As `row 3`. */
  readonly row: string;
  /** Within a row; null for one number a row. */
  readonly column: string | null;
  /** `data` or `validate`. */
  readonly part: string;
  constructor(message: string, { value, path, row, column, part }: Pick<NotFiniteData, "value" | "path" | "row" | "column" | "part">) {
    super(message);
    this.name = "DomainError";
    this.value = value;
    this.path = path;
    this.row = row;
    this.column = column;
    this.part = part;
  }
}

/** @throws DomainError that names the row and the column of a number that is not finite */
function checkFinite(fed: Fed, source: Batches<unknown>, name: string): void {
  for (const { path, leaf } of leaves(fed.batch)) {
    const { type, data } = leaf as Tensor;
    if (!isFloat(type.dtype)) continue;
    if (isAllFinite(data)) continue;
    const at = data.findIndex((x) => !Number.isFinite(x));
    const width = data.length / (type.shape[0] ?? 1);
    const column = type.shape.length < 2 ? null : placeText(at % width, type.shape.slice(1));
    const row = rowText(fed, source, Math.floor(at / width));
    throw new NotFiniteData(
      `train: ${name}: ${path || "the data"} (${typeText({ ...type, shape: [source.batch, ...type.shape.slice(1)] })} a batch) is ${data[at]} in ${row}${column === null ? "" : `, column ${column}`}; leave such rows out or fill the gaps, or say { unchecked: true } if the loss can take it`,
      { value: data[at]!, path, row, column, part: name },
    );
  }
}

/** Which row of the data a row of a batch is, counted from 0. */
export function rowText({ pass, index, first }: Fed, source: Batches<unknown>, row: number): string {
  const own = source.rows?.(pass, index)[first + row];
  return own === undefined ? `row ${first + row} of batch ${index}` : `row ${own}`;
}

/** `3`, or `[1,2]` where a row has several axes. */
export function placeText(at: number, shape: readonly number[]): string {
  if (shape.length === 1) return String(at);
  const place: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(at % shape[axis]!);
    at = Math.floor(at / shape[axis]!);
  }
  return `[${place.join()}]`;
}
