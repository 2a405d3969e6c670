import { reasonOf } from "../files/node-files.ts";
import { ParseError } from "../ir/errors.ts";
import type { CommandIo } from "./io.ts";

/** More characters than this in one text are refused, so that no file fills the memory. */
export const longestText: number = 2 ** 28;

/** The lines of a file, without their ends, as they arrive. A line that is too long comes as null. @throws ParseError, with the path, when it cannot be read */
export async function* linesIn(path: string, io: CommandIo, longest: number = longestText): AsyncGenerator<string | null, void, undefined> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  const take = (): string | null => {
    const line = length > longest ? null : parts.join("");
    parts = [];
    length = 0;
    return line?.endsWith("\r") ? line.slice(0, -1) : line;
  };
  const add = (text: string): void => {
    length += text.length;
    if (length <= longest) parts.push(text);
    else parts = [];
  };
  for await (const bytes of readable(path, io)) {
    const text = decoder.decode(bytes, { stream: true });
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      add(text.slice(from, at));
      yield take();
      from = at + 1;
    }
    if (from < text.length) add(text.slice(from));
  }
  add(decoder.decode());
  if (length > 0) yield take();
}

/** The whole text of a file. @throws ParseError, with the path, when it cannot be read or is too long */
export async function textIn(path: string, io: CommandIo): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let length = 0;
  for await (const bytes of readable(path, io)) {
    length += bytes.length;
    if (length > longestText) throw new ParseError(`${path}: it is longer than ${longestText} bytes (the limit)`);
    parts.push(decoder.decode(bytes, { stream: true }));
  }
  return parts.join("") + decoder.decode();
}

async function* readable(path: string, io: CommandIo): AsyncGenerator<Uint8Array, void, undefined> {
  const shown = path === "-" ? "standard input" : path;
  if (path === "") throw new ParseError("a path is missing after @");
  try {
    yield* io.readBytes(path);
  } catch (cause) {
    throw new ParseError(`${shown}: cannot read it: ${reasonOf(cause)}`, { cause });
  }
}
