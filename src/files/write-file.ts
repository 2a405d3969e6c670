import { ChainruleError, DomainError } from "../ir/errors.ts";
import { type NodeFiles, nodeFiles, reasonOf } from "./node-files.ts";
import { checkPath } from "./open-file.ts";

/** What a file will hold; pieces are asked for one by one, while it is written. */
export type Content = Uint8Array | string | Iterable<Uint8Array>;

/** Pieces as they are written: small ones together. */
function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let room = new Uint8Array(2 ** 20);
  let used = 0;
  for (const piece of pieces) {
    if (used + piece.length > room.length && used > 0) {
      yield room.subarray(0, used);
      [room, used] = [new Uint8Array(room.length), 0];
    }
    if (piece.length > room.length) yield piece;
    else {
      room.set(piece, used);
      used += piece.length;
    }
  }
  if (used > 0) yield room.subarray(0, used);
}

/**
 * Writes a file whole or not at all: to a temporary name in the same folder, made durable, then renamed over `path`. What was at `path` stays as
 * it was until then, and keeps its permissions. Node only.
 * @throws DomainError when the file cannot be written; nothing is left behind
 */
export async function writeFileWhole(path: string, content: Content): Promise<void> {
  await writeFilesWhole([{ path, content }]);
}

/**
 * Whether a file could be written, found out before there is anything to write: a temporary file is made in its folder, as `writeFileWhole` does, and taken away.
 * @throws DomainError that says why not
 */
export async function checkWritable(path: string): Promise<void> {
  const files = await nodeFiles();
  const target = await files.realpath(path).catch(() => path);
  if ((await files.stat(target).catch(() => null))?.isDirectory()) throw new DomainError(`cannot write ${path}: it is a folder`);
  const name = temporaryOf(target);
  try {
    await (await files.open(name, "wx")).close();
  } catch (error) {
    throw new DomainError(`cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  } finally {
    await files.rm(name, { force: true }).catch(() => undefined);
  }
}

function temporaryOf(path: string): string {
  return `${path}.${Math.random().toString(36).slice(2, 10)}.tmp`;
}

/**
 * Writes files that belong together: all of them to temporary names first, then each is renamed to its own, in this order. So the one that speaks of the others stands last.
 * @throws DomainError when one cannot be written; nothing is left behind, and nothing renamed unless it was a rename that failed
 */
export async function writeFilesWhole(list: readonly { readonly path: string; readonly content: Content }[]): Promise<void> {
  const files = await nodeFiles();
  const written: { readonly name: string; readonly target: string }[] = [];
  let current = list[0]?.path ?? "";
  try {
    for (const { path, content } of list) {
      checkPath(path);
      current = path;
      if (typeof (content as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== "function")
        throw new DomainError(
          `cannot write ${path}: what it is to hold is ${String(content)}; it is a text, a Uint8Array, or several of these`,
        );
      const target = await files.realpath(path).catch(() => path); // a link stays a link
      const before = await files.stat(target).catch(() => null);
      if (before?.isDirectory()) throw new DomainError(`cannot write ${path}: it is a folder`);
      const name = temporaryOf(target);
      const file = await files.open(name, "wx", before === null ? 0o666 : before.mode & 0o777);
      written.push({ name, target });
      try {
        for (const piece of typeof content === "string" || content instanceof Uint8Array ? [content] : gathered(content))
          await file.writeFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    for (const [i, { name, target }] of written.entries()) {
      current = list[i]!.path;
      await files.rename(name, target);
    }
  } catch (error) {
    for (const { name } of written) await files.rm(name, { force: true }).catch(() => undefined);
    if (error instanceof ChainruleError) throw error;
    throw new DomainError(`cannot write ${current}: ${reasonOf(error)}`, { cause: error });
  }
  for (const { path } of list) await syncFolder(files, path);
}

/** Makes the rename durable where the system allows it; the file is whole either way. */
async function syncFolder(files: NodeFiles, path: string): Promise<void> {
  try {
    const folder = await files.open(path.replace(/[^/\\]*$/, "") || ".", "r");
    await folder.sync().finally(() => folder.close());
  } catch {
    // Some systems cannot open folders.
  }
}
