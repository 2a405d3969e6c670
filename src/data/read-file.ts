import { ParseError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f64 } from "../ir/type.ts";
import { type CsvOptions, csvBlocks } from "./csv.ts";
import { nodeFiles, type OpenFile, reasonOf } from "./node-files.ts";
import { parseNpy } from "./npy.ts";
import { parseNpz } from "./npz.ts";
import { parseSafetensors } from "./safetensors.ts";

const pieceSize = 2 ** 20;

/**
 * Reads the tensors in a file by its extension: .npy and .csv give one tensor (CSV: f64[rows, columns]), .npz and .safetensors a record of them by
 * name. Node only.
 * @param options how a .csv file is written; its label column, if named, is left out
 * @throws ParseError, with the path, when the file is missing, unreadable, a folder, of an unknown extension, cut short or not what it says
 */
export async function readTensorFile(path: string, options: CsvOptions = {}): Promise<Tensor | Record<string, Tensor>> {
  const extension = /\.([^./\\]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const read = Object.hasOwn(readers, extension) ? readers[extension] : undefined;
  if (read === undefined)
    throw new ParseError(
      `${path}: ${extension === "" ? "no extension" : `extension .${extension}`}; known are .npy .npz .safetensors .csv`,
    );
  try {
    return await withFile(path, (file, size) => read(file, size, options));
  } catch (error) {
    if (error instanceof ParseError) throw new ParseError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

type Reader = (file: OpenFile, size: number, options: CsvOptions) => Promise<Tensor | Record<string, Tensor>>;

const readers: Readonly<Record<string, Reader>> = {
  npy: async (file, size) => parseNpy(await readWhole(file, size)),
  npz: async (file, size) => parseNpz(await readWhole(file, size)),
  safetensors: async (file, size) => parseSafetensors(await readWhole(file, size)).tensors,
  csv: (file, _, options) => readCsv(file, options),
};

async function withFile<T>(path: string, use: (file: OpenFile, size: number) => Promise<T>): Promise<T> {
  const files = await nodeFiles();
  let file: OpenFile;
  try {
    const kind = await files.stat(path);
    // Asked before it is opened: opening a pipe would wait for its other end.
    if (!kind.isFile()) throw new ParseError(kind.isDirectory() ? "it is a folder, not a file" : "it is no ordinary file");
    file = await files.open(path, "r");
  } catch (cause) {
    if (cause instanceof ParseError) throw cause;
    throw new ParseError(`cannot read it: ${reasonOf(cause)}`, { cause });
  }
  try {
    return await use(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** Reads up to `into.length` bytes; fewer only at the end of the file. */
async function fill(file: OpenFile, into: Uint8Array): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const length = Math.min(into.length - at, 2 ** 30);
    const { bytesRead } = await file.read(into, at, length, null).catch((cause: unknown) => {
      throw new ParseError(`cannot read it: ${reasonOf(cause)}`, { cause });
    });
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

async function readWhole(file: OpenFile, size: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(size);
  } catch (cause) {
    throw new ParseError(`its ${size} bytes do not fit memory`, { cause });
  }
  return bytes.subarray(0, await fill(file, bytes));
}

async function* pieces(file: OpenFile): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new Uint8Array(pieceSize);
  for (let length = await fill(file, piece); length > 0; length = await fill(file, piece)) yield piece.subarray(0, length);
}

async function readCsv(file: OpenFile, options: CsvOptions): Promise<Tensor> {
  const blocks: Float64Array[] = [];
  let rows = 0;
  let width = 0;
  for await (const block of csvBlocks(pieces(file), options)) {
    blocks.push(block.data);
    rows += block.rows;
    width = block.columns.length;
  }
  const data = new Float64Array(rows * width);
  let at = 0;
  for (const block of blocks) {
    data.set(block, at);
    at += block.length;
  }
  return hold(f64(rows, width), data);
}
