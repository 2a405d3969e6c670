import { withFile } from "../files/open-file.ts";
import { ParseError, ShapeError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { npyLayout } from "./npy.ts";
import { checkRows, type RowsInFile, type RowsOptions, readAt, rowBytes, rowsInFiles } from "./rows-in-files.ts";

const longestHeader = 2 ** 16;

/**
 * Batches of rows straight from .npy files, for data larger than memory: of each file only the rows of a batch are read. The names of `files` are those
 * of the batch: `npyRows({ x: "x.npy", y: "y.npy" }, { batch: 64, shuffle: 0 })`. Node only.
 * @throws ParseError, with the path, for files that cannot be read, are cut short, or column-major; ShapeError for files without rows or with different
 *   numbers of them; DomainError for a batch that is no whole number
 */
export async function npyRows<const F extends { readonly [name: string]: string }>(
  files: F,
  options: RowsOptions,
): Promise<Batches<{ readonly [K in keyof F]: Tensor }>> {
  checkRows("npyRows", options);
  const columns: (readonly [string, RowsInFile])[] = [];
  for (const [name, path] of Object.entries(files)) columns.push([name, await columnOf(path)]);
  if (columns.length === 0) throw new ShapeError("npyRows: there are no files; give a record of paths: npyRows({ x: ... }, ...)");
  return (await rowsInFiles("npyRows", columns, options)) as Batches<{ readonly [K in keyof F]: Tensor }>;
}

async function columnOf(path: string): Promise<RowsInFile> {
  return withFile(path, async (file, size) => {
    const head = new Uint8Array(Math.min(size, longestHeader));
    await readAt(file, head, 0);
    const { type, start, order, columns } = npyLayout(head);
    if (columns) throw new ParseError("npy: the array is column-major, so its rows are not in one place; save np.ascontiguousarray(array)");
    const bytes = rowBytes(type) * (type.shape[0] ?? 1);
    if (size !== start + bytes)
      throw new ParseError(`npy: ${typeText(type)} takes ${bytes} bytes and the file has ${size - start} after its header`);
    return { path, label: path, format: "npy", type, order, start };
  });
}
