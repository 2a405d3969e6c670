import { allocate, type NumberArray } from "../ir/dtype.ts";
import { DomainError, GraphError, ShapeError } from "../ir/errors.ts";
import { isTensor, isValue } from "../ir/leaf.ts";
import type { Shape } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { checkOptionNames, isRecord, kindText } from "../notation/given.ts";
import { checksumOf, standingRows } from "./checksum.ts";
import { rowOrder, rowsFrom } from "./row-order.ts";
import { shares } from "./shares.ts";

/** Rows from one place: `B` is what some of them together look like, a record of tensors with the rows along axis 0. */
export interface Dataset<B> {
  /** How many rows. */
  readonly size: number;
  /**
   * These rows in this order; a row may come twice. `into` is an earlier result that nobody needs any more: where it has the right size, the rows are
   * written into its memory, which saves the time of making new.
   * @throws DomainError for a row that is not there
   */
  at(rows: Int32Array, into?: B): B;
  /** Every row, in order. */
  all(): B;
  /** Tells this data from other data of the same form, by some of its rows where there are many: what a checkpoint remembers of it. */
  checksum?(): string;
  /**
   * Two parts, the first with `share` of the rows. With a `seed` rows are drawn at random, the same ones for the same seed; without one the first
   * rows are the first part. `stratify` names a column, such as the labels, each of whose values is shared out alike.
   * @throws DomainError for a share that is not between 0 and 1; ShapeError for a `stratify` column with more than one number a row
   */
  split(share: number, options?: { readonly seed?: number; readonly stratify?: keyof B }): readonly [Dataset<B>, Dataset<B>];
}

/** Columns of a data set by name. */
export interface Columns {
  readonly [column: string]: Tensor;
}

/**
 * A data set in memory, of columns that have as many rows (axis 0) as each other.
 * @throws ShapeError for no columns, scalars, and columns of different lengths
 */
export function dataset<const C extends Columns>(columns: C): Dataset<{ readonly [K in keyof C]: Tensor }> {
  if (!isRecord(columns))
    throw new GraphError(
      `dataset: the columns are ${kindText(columns)}; they are a record of tensors: dataset({ x: tensor(rows), y: tensor(labels) })`,
    );
  const entries = Object.entries(columns);
  for (const [name, column] of entries)
    if (!isTensor(column)) {
      const texts = Array.isArray(column) && typeof column[0] === "string";
      throw new GraphError(
        `dataset: ${name} is ${kindText(column)}; a column is a tensor: ${isValue(column) ? "evaluate" : "tensor"}(${texts ? `${name}.map((name) => classes.indexOf(name)), "i32"` : name})`,
      );
    }
  const [first] = entries;
  if (first === undefined) throw new ShapeError("dataset: there are no columns; give a record of tensors: dataset({ x, y })");
  for (const [name, { type }] of entries) {
    if (type.shape.length === 0) throw new ShapeError(`dataset: ${name} is ${typeText(type)}, a scalar; rows are axis 0 of each column`);
    if (type.shape[0] !== first[1].type.shape[0])
      throw new ShapeError(
        `dataset: ${first[0]} is ${typeText(first[1].type)} and ${name} is ${typeText(type)}; columns have one row each for every sample`,
      );
  }
  const size = first[1].type.shape[0]!;
  return part(columns, rowsFrom(0, size), true) as Dataset<{ readonly [K in keyof C]: Tensor }>;
}

/** Some of a list of rows that are known to be there, from one of its places up to another, as `at` gives them. Nobody keeps the list. */
export type Gather<B> = (rows: Int32Array, from: number, to: number, into?: B) => B;

/** Kept aside: a data set may be copied into another one, `{ ...data, at }`, whose rows are others. */
const gathers: WeakMap<object, unknown> = /* @__PURE__ */ new WeakMap();

/** How rows of a data set in memory are taken without looking whether they are there; null for data sets that somebody else made. */
export function gatherOf<B>(data: Dataset<B>): Gather<B> | null {
  return (gathers.get(data) as Gather<B> | undefined) ?? null;
}

/** Some rows of the columns, or all in their order, as a data set of their own; nothing is copied until rows are asked for. */
function part(columns: Columns, places: Int32Array, all = false): Dataset<Columns> {
  const size = places.length;
  const take = taker(columns);
  // Where the rows of a batch stand: batches have one size, and nobody keeps this.
  let stands = new Int32Array(0);
  const gather: Gather<Columns> = (rows, from, to, into) => {
    if (all) return take(rows, from, to, into);
    const count = to - from;
    if (stands.length !== count) stands = new Int32Array(count);
    for (let i = 0; i < count; i++) stands[i] = places[rows[from + i]!]!;
    return take(stands, 0, count, into);
  };
  const made: Dataset<Columns> = {
    size,
    at: (rows, into) => {
      for (let i = 0; i < rows.length; i++)
        if (!isRow(rows[i]!, size)) throw new DomainError(`dataset: there is no row ${rows[i]}; rows go from 0 to ${size - 1}`);
      return gather(rows instanceof Int32Array ? rows : Int32Array.from(rows), 0, rows.length, into);
    },
    all: () => take(places, 0, size),
    checksum: () => {
      const standing = standingRows(size, rowBytesOf(columns)).map((row) => places[row]!);
      return checksumOf(take(standing, 0, standing.length));
    },
    split: (share, options = {}) => {
      checkOptionNames("split", options, ["seed", "stratify"], 'split(0.8, { seed: 0, stratify: "y" })', { shuffle: "seed" });
      const { seed, stratify } = options;
      if (typeof share !== "number" || !(share >= 0 && share <= 1))
        throw new DomainError(`split: the share is ${kindText(share)}; it is a number from 0 to 1, such as 0.8`);
      const order = seed === undefined ? places : rowOrder(seed, size).map((i) => places[i]!);
      const values = stratify === undefined ? null : column(columns, String(stratify));
      const parts = shares(order, share, values);
      return [part(columns, parts[0]), part(columns, parts[1])];
    },
  };
  gathers.set(made, gather);
  return made;
}

function rowBytesOf(columns: Columns): number {
  return Object.values(columns).reduce((sum, { data, type }) => sum + data.byteLength / Math.max(1, type.shape[0]!), 0);
}

function column(columns: Columns, name: string): Tensor["data"] {
  const found = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (found === undefined) throw new DomainError(`split: there is no column ${name}; there are ${Object.keys(columns).join(", ")}`);
  if (found.data.length !== found.type.shape[0])
    throw new ShapeError(`split: ${name} is ${typeText(found.type)}; stratify takes a column with one number a row, such as the labels`);
  return found.data;
}

/** Whether a data set of so many rows has one of this number. */
function isRow(row: number, size: number): boolean {
  return row >>> 0 === row && row < size;
}

/** Rows of so many elements and more are copied as blocks, which takes a while to begin. */
const wide = 16;

/** Rows of columns, into an earlier result where that fits. */
function taker(columns: Columns): (places: Int32Array, from: number, to: number, into?: Columns) => Columns {
  const parts = Object.entries(columns).map(([name, column]) => {
    const rows = column.type.shape[0]!;
    return { name, column, width: rows === 0 ? 0 : column.data.length / rows };
  });
  const seen: Words = new WeakMap();
  return (places, from, to, into) => {
    const count = to - from;
    const taken = new Array<Tensor>(parts.length);
    let same = into !== undefined && countOf(into) === parts.length;
    for (let i = 0; i < parts.length; i++) {
      const { name, column, width } = parts[i]!;
      const { type, data } = column;
      const old = into?.[name];
      const free = old !== undefined && old.type.dtype === type.dtype ? old.data : null;
      const fits = free !== null && free !== data && free.length === count * width;
      const out = fits ? free : allocate(type.dtype, count * width);
      copyRows(data, out, places, from, to, width, seen);
      // The tensor itself: it may be memory of an engine, which then need not copy it.
      if (fits && hasRows(old!.type.shape, count, type.shape)) taken[i] = old!;
      else {
        taken[i] = hold({ ...type, shape: [count, ...type.shape.slice(1)] }, out);
        same = false;
      }
    }
    return same ? into! : Object.fromEntries(parts.map(({ name }, i) => [name, taken[i]!]));
  };
}

function countOf(record: object): number {
  let count = 0;
  for (const _ in record) count++;
  return count;
}

/** Whether a shape is that of so many rows of a column. */
function hasRows(shape: Shape, rows: number, column: Shape): boolean {
  if (shape.length !== column.length || shape[0] !== rows) return false;
  for (let axis = 1; axis < shape.length; axis++) if (shape[axis] !== column[axis]) return false;
  return true;
}

/** The bits of arrays with elements of four bytes, seen as whole numbers; kept as long as the arrays themselves. */
type Words = WeakMap<NumberArray, Int32Array>;

function wordsOf(data: NumberArray, seen: Words): Int32Array {
  let words = seen.get(data);
  if (words === undefined) seen.set(data, (words = new Int32Array(data.buffer as ArrayBuffer, data.byteOffset, data.length)));
  return words;
}

/**
 * Copies rows, those that stand in `places` from one place up to another. Narrow ones go element by element, elements of four bytes, which most are, as whole numbers
 * whatever they are: a loop over arrays of one kind takes a third of the time of one over several.
 */
function copyRows(data: NumberArray, out: NumberArray, places: Int32Array, from: number, to: number, width: number, seen: Words): void {
  if (width >= wide)
    for (let i = from; i < to; i++) out.set(data.subarray(places[i]! * width, (places[i]! + 1) * width), (i - from) * width);
  else if (data.BYTES_PER_ELEMENT === 4) copyWords(wordsOf(data, seen), wordsOf(out, seen), places, from, to, width);
  else
    for (let i = from, at = 0; i < to; i++) {
      const first = places[i]! * width;
      for (let j = 0; j < width; j++) out[at++] = data[first + j]!;
    }
}

function copyWords(data: Int32Array, out: Int32Array, places: Int32Array, from: number, to: number, width: number): void {
  let at = 0;
  if (width === 1) for (let i = from; i < to; i++) out[at++] = data[places[i]!]!;
  else if (width === 2)
    for (let i = from; i < to; i++) {
      const first = 2 * places[i]!;
      out[at++] = data[first]!;
      out[at++] = data[first + 1]!;
    }
  else
    for (let i = from; i < to; i++) {
      const first = places[i]! * width;
      for (let j = 0; j < width; j++) out[at++] = data[first + j]!;
    }
}
