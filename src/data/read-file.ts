import type { OpenFile } from "../files/node-files.ts";
import { checkPath, pieces, readWhole, withFile } from "../files/open-file.ts";
import { ParseError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f64 } from "../ir/type.ts";
import { type CsvOptions, csvBlocks } from "./csv.ts";
import { joinBlocks } from "./join-blocks.ts";
import { parseNpy } from "./npy.ts";
import { parseNpz } from "./npz.ts";
import { parseSafetensors } from "./safetensors.ts";

/**
 * Reads the tensors in a file by its extension: .npy and .csv give one tensor (CSV: f64[rows, columns]), .npz and .safetensors a record of them by
 * name. Node only.
 * @param options how a .csv file is written; its label column, if named, is left out
 * @throws ParseError, with the path, when the file is missing, unreadable, a folder, of an unknown extension, cut short or not what it says
 */
export async function readTensorFile(path: string, options: CsvOptions = {}): Promise<Tensor | Record<string, Tensor>> {
  checkPath(path);
  const extension = /\.([^./\\]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const read = Object.hasOwn(readers, extension) ? readers[extension] : undefined;
  if (read === undefined)
    throw new ParseError(
      `${path}: ${extension === "" ? "no extension" : `extension .${extension}`}; known are .npy .npz .safetensors .csv`,
    );
  return withFile(path, (file, size) => read(file, size, options));
}

type Reader = (file: OpenFile, size: number, options: CsvOptions) => Promise<Tensor | Record<string, Tensor>>;

const readers: Readonly<Record<string, Reader>> = {
  npy: async (file, size) => parseNpy(await readWhole(file, size)),
  npz: async (file, size) => parseNpz(await readWhole(file, size)),
  safetensors: async (file, size) => parseSafetensors(await readWhole(file, size)).tensors,
  csv: (file, _, options) => csvTensor(file, options),
};

async function csvTensor(file: OpenFile, options: CsvOptions): Promise<Tensor> {
  const { rows, columns, data } = await joinBlocks(csvBlocks(pieces(file), options));
  return hold(f64(rows, columns.length), data);
}
