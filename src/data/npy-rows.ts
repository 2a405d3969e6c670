import { byteSize, readElements } from "../files/element-bytes.ts";
import type { OpenFile } from "../files/node-files.ts";
import { withFile } from "../files/open-file.ts";
import { DomainError, ParseError, ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { type NpyLayout, npyLayout } from "./npy.ts";
import { rowOrder } from "./row-order.ts";

/** How rows are read. */
export interface NpyRowsOptions {
  readonly batch: number;
  /** As in `loader`: pass n of a seed is always the same order, the one that `loader` has. */
  readonly shuffle?: number;
  readonly last?: "drop" | "smaller";
}

const longestHeader = 2 ** 16;

interface Column {
  readonly name: string;
  readonly path: string;
  readonly layout: NpyLayout;
  readonly rowBytes: number;
}

/**
 * Batches of rows straight from .npy files, for data larger than memory: of each file only the rows of a batch are read. The names of `files` are those
 * of the batch: `npyRows({ x: "x.npy", y: "y.npy" }, { batch: 64, shuffle: 0 })`. Node only.
 * @throws ParseError, with the path, for files that cannot be read, are cut short, or column-major; ShapeError for files without rows or with different
 *   numbers of them; DomainError for a batch that is no whole number
 */
export async function npyRows<const F extends { readonly [name: string]: string }>(
  files: F,
  { batch, shuffle, last = "smaller" }: NpyRowsOptions,
): Promise<Batches<{ readonly [K in keyof F]: Tensor }>> {
  if (!Number.isInteger(batch) || batch < 1) throw new DomainError(`npyRows: batch is ${batch}; it is a whole number, 1 or more`);
  const columns: Column[] = [];
  for (const [name, path] of Object.entries(files)) columns.push(await columnOf(name, path));
  const [first] = columns;
  if (first === undefined) throw new ShapeError("npyRows: there are no files; give a record of paths: npyRows({ x: ... }, ...)");
  const rows = first.layout.type.shape[0]!;
  for (const { path, layout } of columns)
    if (layout.type.shape[0] !== rows)
      throw new ShapeError(
        `npyRows: ${first.path} is ${typeText(first.layout.type)} and ${path} ${typeText(layout.type)}; they have one row each for every sample`,
      );
  const length = last === "drop" ? Math.floor(rows / batch) : Math.ceil(rows / batch);
  const orderOf = (n: number): Int32Array =>
    shuffle === undefined ? Int32Array.from({ length: rows }, (_, i) => i) : rowOrder(shuffle, rows, n);
  return {
    batch,
    length,
    order: { rows, batch, shuffle: shuffle ?? null, last },
    rows: (n, i) => orderOf(n).slice(i * batch, (i + 1) * batch),
    pass: async function* (n, from = 0) {
      const order = orderOf(n);
      for (let i = from; i < length; i++) {
        const places = order.subarray(i * batch, (i + 1) * batch);
        const read = await Promise.all(columns.map((column) => rowsIn(column, places)));
        yield Object.fromEntries(columns.map(({ name }, j) => [name, read[j]!])) as { readonly [K in keyof F]: Tensor };
      }
    },
  };
}

async function columnOf(name: string, path: string): Promise<Column> {
  return withFile(path, async (file, size) => {
    const head = new Uint8Array(Math.min(size, longestHeader));
    await fill(file, head, 0);
    const layout = npyLayout(head);
    const { type, start, columns } = layout;
    if (columns) throw new ParseError("npy: the array is column-major, so its rows are not in one place; save np.ascontiguousarray(array)");
    if (type.shape.length === 0) throw new ShapeError(`npyRows: ${path} is ${typeText(type)}, a scalar; rows are axis 0`);
    const rowBytes = sizeOf(type.shape.slice(1)) * byteSize(type.dtype);
    if (size !== start + rowBytes * type.shape[0]!)
      throw new ParseError(
        `npy: ${typeText(type)} takes ${rowBytes * type.shape[0]!} bytes and the file has ${size - start} after its header`,
      );
    return { name, path, layout, rowBytes };
  });
}

async function fill(file: OpenFile, into: Uint8Array, position: number): Promise<void> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new ParseError("the file has become shorter while it was read");
    at += bytesRead;
  }
}

/** Some rows of a file; rows that follow each other are read at once. */
function rowsIn({ path, layout, rowBytes }: Column, places: Int32Array): Promise<Tensor> {
  return withFile(path, async (file) => {
    const bytes = new Uint8Array(places.length * rowBytes);
    for (let i = 0; i < places.length; ) {
      let n = 1;
      while (i + n < places.length && places[i + n] === places[i]! + n) n++;
      await fill(file, bytes.subarray(i * rowBytes, (i + n) * rowBytes), layout.start + places[i]! * rowBytes);
      i += n;
    }
    const type = { ...layout.type, shape: [places.length, ...layout.type.shape.slice(1)] };
    return hold(type, readElements(type.dtype, bytes, layout.order, "npy"));
  });
}
