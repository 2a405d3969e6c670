import { DomainError } from "../ir/errors.ts";
import { type NodeFiles, nodeFiles, reasonOf } from "./node-files.ts";

/**
 * Writes a file whole or not at all: to a temporary name in the same folder, made durable, then renamed over `path`. What was at `path` stays as
 * it was until then, and keeps its permissions. Node only.
 * @throws DomainError when the file cannot be written; nothing is left behind
 */
export async function writeFileWhole(path: string, content: Uint8Array | string): Promise<void> {
  const files = await nodeFiles();
  let temporary: string | null = null;
  try {
    const target = await files.realpath(path).catch(() => path); // a link stays a link
    const before = await files.stat(target).catch(() => null);
    if (before?.isDirectory()) throw new DomainError(`cannot write ${path}: it is a folder`);
    const name = `${target}.${Math.random().toString(36).slice(2, 10)}.tmp`;
    const file = await files.open(name, "wx", before === null ? 0o666 : before.mode & 0o777);
    temporary = name;
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(name, target);
  } catch (error) {
    if (temporary !== null) await files.rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof DomainError) throw error;
    throw new DomainError(`cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
  await syncFolder(files, path);
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
