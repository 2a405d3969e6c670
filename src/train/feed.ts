import type { Batches } from "../data/batches.ts";
import { isFloat } from "../ir/dtype.ts";
import { DomainError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { rowsOf } from "./signature.ts";

/** A batch with its place. */
export interface Fed {
  readonly batch: unknown;
  readonly rows: number;
  /** The pass over the data, and the place in it, both from 0. */
  readonly pass: number;
  readonly index: number;
}

/** The batches of one pass from a place on, checked: each has rows, and in the first pass no number that is NaN or infinite. */
export class Feed {
  private readonly source: Batches<unknown>;
  private readonly name: string;
  private readonly pass: number;
  private index: number;
  private readonly checks: boolean;
  private readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;

  constructor(source: Batches<unknown>, name: string, pass: number, from: number, checks: boolean, spare: () => unknown) {
    this.source = source;
    this.name = name;
    this.pass = pass;
    this.index = from;
    this.checks = checks;
    const batches = source.pass(pass, from, spare);
    this.iterator = Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  }

  /** The next batch, or null at the end of the pass. @throws DomainError, ShapeError for data that cannot train anything */
  async next(): Promise<Fed | null> {
    const taken = this.iterator.next();
    const { done, value } = taken instanceof Promise ? await taken : taken;
    if (done === true) return null;
    const index = this.index++;
    const rows = rowsOf(value, `batch ${index} of ${this.name}`);
    const fed: Fed = { batch: value, rows, pass: this.pass, index };
    if (this.checks) checkFinite(fed, this.source, this.name);
    return fed;
  }

  /** Ends the pass early: a source that reads a file closes it. */
  async close(): Promise<void> {
    await this.iterator.return?.(undefined);
  }
}

/** @throws DomainError that names the row and the column of a number that is not finite */
function checkFinite(fed: Fed, source: Batches<unknown>, name: string): void {
  for (const { path, leaf } of leaves(fed.batch)) {
    const { type, data } = leaf as Tensor;
    if (!isFloat(type.dtype)) continue;
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += data[i]! * 0; // NaN as soon as one is not finite
    if (sum === 0) continue;
    const at = data.findIndex((x) => !Number.isFinite(x));
    const width = data.length / (type.shape[0] ?? 1);
    const column = type.shape.length < 2 ? "" : `, column ${placeText(at % width, type.shape.slice(1))}`;
    throw new DomainError(
      `train: ${name}: ${path || "the data"} (${typeText({ ...type, shape: [source.batch, ...type.shape.slice(1)] })} a batch) is ${data[at]} in ${rowText(fed, source, Math.floor(at / width))}${column}; leave such rows out or fill the gaps, or say { unchecked: true } if the loss can take it`,
    );
  }
}

/** Which row of the data a row of a batch is, counted from 0. */
export function rowText({ pass, index }: Fed, source: Batches<unknown>, row: number): string {
  const own = source.rows?.(pass, index)[row];
  return own === undefined ? `row ${row} of batch ${index}` : `row ${own}`;
}

/** `3`, or `[1,2]` where a row has several axes. */
function placeText(at: number, shape: readonly number[]): string {
  if (shape.length === 1) return String(at);
  const place: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(at % shape[axis]!);
    at = Math.floor(at / shape[axis]!);
  }
  return `[${place.join()}]`;
}
