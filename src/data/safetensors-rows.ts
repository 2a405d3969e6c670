import { withFile } from "../files/open-file.ts";
import { ParseError, ShapeError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { checkRows, type RowsInFile, type RowsOptions, readAt, rowsInFiles } from "./rows-in-files.ts";
import { headerEnd, safetensorsLayout } from "./safetensors.ts";

/**
 * Batches of rows straight from tensors of one safetensors file, for data larger than memory: its header is read at once, and of the tensors only the rows
 * of a batch. `tensors` says which tensor of the file each part of a batch is:
 * `safetensorsRows("train.safetensors", { x: "images", y: "labels" }, { batch: 64, shuffle: 0 })`. Node only.
 * @throws ParseError, with the path, for a file that cannot be read, is no safetensors file, is cut short, or has no tensor of that name; ShapeError for
 *   tensors without rows or with different numbers of them; DomainError for a batch that is no whole number
 */
export async function safetensorsRows<const F extends { readonly [name: string]: string }>(
  path: string,
  tensors: F,
  options: RowsOptions,
): Promise<Batches<{ readonly [K in keyof F]: Tensor }>> {
  checkRows("safetensorsRows", options);
  const wanted = Object.entries(tensors);
  if (wanted.length === 0)
    throw new ShapeError('safetensorsRows: no tensor is named; say which ones: safetensorsRows(path, { x: "images" }, ...)');
  const found = await safetensorsColumns(path);
  const rows = wanted.map(([name, own]): readonly [string, RowsInFile] => {
    const column = found.get(own);
    if (column === undefined) {
      const known = [...found.keys()];
      throw new ParseError(
        `${path}: safetensors: there is no tensor ${JSON.stringify(own)} in the file; it has ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", ..." : ""}`,
      );
    }
    return [name, column];
  });
  return (await rowsInFiles("safetensorsRows", rows, options)) as Batches<{ readonly [K in keyof F]: Tensor }>;
}

/** Where the tensors of a safetensors file lie, by name. @throws ParseError, with the path, for a file that cannot be read or is none */
export async function safetensorsColumns(path: string): Promise<ReadonlyMap<string, RowsInFile>> {
  return withFile(path, async (file, size) => {
    const length = new Uint8Array(Math.min(size, 8));
    await readAt(file, length, 0);
    const head = new Uint8Array(headerEnd(length, size));
    await readAt(file, head, 0);
    const { entries, start } = safetensorsLayout(head, size);
    return new Map(
      entries.map((entry): [string, RowsInFile] => {
        const type = tensorType(entry.dtype, entry.shape);
        return [
          entry.name,
          { path, label: `${entry.name} of ${path}`, format: "safetensors", type, order: "little", start: start + entry.from },
        ];
      }),
    );
  });
}
