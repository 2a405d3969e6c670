import { GraphError, ParseError } from "../ir/errors.ts";
import { nodeFiles, type OpenFile, reasonOf } from "./node-files.ts";

const pieceSize: number = 2 ** 20;

/** Opens a file, lets `use` read it, and closes it again, whatever happens. @throws ParseError, with the path, for what cannot be read and for what `use` finds wrong */
export async function withFile<T>(path: string, use: (file: OpenFile, size: number) => Promise<T>): Promise<T> {
  try {
    return await open(path, use);
  } catch (error) {
    // Its cause alone: hosts print causes below an error, and this one would be told twice.
    if (error instanceof ParseError) throw new ParseError(`${path}: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

async function open<T>(path: string, use: (file: OpenFile, size: number) => Promise<T>): Promise<T> {
  const file = await opened(path);
  try {
    return await use(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** @throws GraphError for what is no path: who has no types is told what was given, not what Node makes of it */
export function checkPath(path: unknown): void {
  if (typeof path === "string" || path instanceof URL) return;
  const bytes = ArrayBuffer.isView(path) || path instanceof ArrayBuffer;
  const given =
    path === undefined ? "missing" : bytes ? "a typed array" : path === null || typeof path !== "object" ? String(path) : "a record";
  throw new GraphError(
    `the path is ${given}; it is a text, as "table.csv"${bytes ? "; bytes are for parseNpy, parseNpz and the like" : ""}`,
  );
}

async function opened(path: string): Promise<OpenFile> {
  checkPath(path);
  const files = await nodeFiles();
  try {
    const kind = await files.stat(path);
    // Asked before it is opened: opening a pipe would wait for its other end.
    if (!kind.isFile()) throw new ParseError(kind.isDirectory() ? "it is a folder, not a file" : "it is no ordinary file");
    return await files.open(path, "r");
  } catch (cause) {
    if (cause instanceof ParseError) throw cause;
    throw new ParseError(`cannot read it: ${reasonOf(cause)}`, { cause });
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

/** All bytes of a file. @throws ParseError when they do not fit memory */
export async function readWhole(file: OpenFile, size: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(size);
  } catch (cause) {
    throw new ParseError(`its ${size} bytes do not fit memory`, { cause });
  }
  return bytes.subarray(0, await fill(file, bytes));
}

/** The bytes of a file, a piece at a time; each is gone when the next is asked for. */
export async function* pieces(file: OpenFile): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new Uint8Array(pieceSize);
  for (let length = await fill(file, piece); length > 0; length = await fill(file, piece)) yield piece.subarray(0, length);
}

/** The bytes of a file by its path, a piece at a time; it is closed after the last one, and when nobody wants more. @throws ParseError, without the path */
export async function* piecesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await opened(path);
  try {
    yield* pieces(file);
  } finally {
    await file.close();
  }
}
