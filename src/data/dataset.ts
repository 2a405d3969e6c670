import { allocate } from "../ir/dtype.ts";
import { DomainError, ShapeError } from "../ir/errors.ts";
import { sameShape } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { checksumOf, standingRows } from "./checksum.ts";
import { rowOrder } from "./row-order.ts";
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
  const entries = Object.entries(columns);
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
  return part(
    columns,
    Int32Array.from({ length: size }, (_, i) => i),
  ) as Dataset<{ readonly [K in keyof C]: Tensor }>;
}

/** Some rows of the columns as a data set of their own; nothing is copied until rows are asked for. */
function part(columns: Columns, places: Int32Array): Dataset<Columns> {
  const size = places.length;
  return {
    size,
    at: (rows, into) => {
      const from = new Int32Array(rows.length);
      for (let i = 0; i < rows.length; i++) {
        const place = places[rows[i]!];
        if (place === undefined) throw new DomainError(`dataset: there is no row ${rows[i]}; rows go from 0 to ${size - 1}`);
        from[i] = place;
      }
      return take(columns, from, into);
    },
    all: () => take(columns, places),
    checksum: () =>
      checksumOf(
        take(
          columns,
          standingRows(size, rowBytesOf(columns)).map((row) => places[row]!),
        ),
      ),
    split: (share, { seed, stratify } = {}) => {
      if (!(share >= 0 && share <= 1)) throw new DomainError(`split: the share is ${share}; it is a number from 0 to 1, such as 0.8`);
      const order = seed === undefined ? places : rowOrder(seed, size).map((i) => places[i]!);
      const values = stratify === undefined ? null : column(columns, String(stratify));
      const parts = shares(order, share, values);
      return [part(columns, parts[0]), part(columns, parts[1])];
    },
  };
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

function take(columns: Columns, places: Int32Array, into?: Columns): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { type, data }]) => {
      const shape = [places.length, ...type.shape.slice(1)];
      const width = type.shape[0] === 0 ? 0 : data.length / type.shape[0]!;
      const old = into?.[name];
      const free = old !== undefined && old.type.dtype === type.dtype ? old.data : null;
      const fits = free !== null && free !== data && free.length === places.length * width;
      const out = fits ? free : allocate(type.dtype, places.length * width);
      if (width < 16)
        for (let i = 0; i < places.length; i++) {
          const from = places[i]! * width;
          for (let j = 0; j < width; j++) out[i * width + j] = data[from + j]!;
        }
      else for (let i = 0; i < places.length; i++) out.set(data.subarray(places[i]! * width, (places[i]! + 1) * width), i * width);
      // The tensor itself: it may be memory of an engine, which then need not copy it.
      if (fits && sameShape(old!.type.shape, shape)) return [name, old!];
      return [name, hold({ ...type, shape }, out)];
    }),
  );
}
