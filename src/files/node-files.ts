import { EngineError } from "../ir/errors.ts";

/** What is known of a file or folder. */
export interface FileFacts {
  isFile(): boolean;
  isDirectory(): boolean;
  readonly size: number;
  readonly mode: number;
}

/** An open file: the part of Node's FileHandle that is used here. */
export interface OpenFile {
  stat(): Promise<FileFacts>;
  read(into: Uint8Array, offset: number, length: number, position: number | null): Promise<{ readonly bytesRead: number }>;
  writeFile(data: Uint8Array | string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The part of `node:fs/promises` that is used here. Declared by hand: the library compiles without Node's types, for it runs in pages too. */
export interface NodeFiles {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { readonly force: boolean }): Promise<void>;
  realpath(path: string): Promise<string>;
  stat(path: string): Promise<FileFacts>;
  readdir(path: string): Promise<string[]>;
  appendFile(path: string, text: string): Promise<void>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
}

/**
 * A module that is only there in Node. Bundlers for pages must not look for it, so they must not see its name: a constant would be put in its
 * place by the build, and a bundler then ends with an error over a package that nobody installed. An argument of a function stays one.
 */
export function importInNode(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}

/**
 * Node's files, or an error that says what to do in a page.
 * @throws EngineError where there are no files
 */
export async function nodeFiles(): Promise<NodeFiles> {
  try {
    return (await importInNode("node:fs/promises")) as NodeFiles;
  } catch (cause) {
    throw new EngineError("files by path need Node; in a page, fetch the bytes and use parseNpy, parseNpz, parseSafetensors or parseCsv", {
      cause,
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ELOOP: "its links go in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  EMFILE: "too many files are open",
};

/** Why Node could not do what it was asked, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return reasons[String(code)] ?? String(message ?? error);
}
