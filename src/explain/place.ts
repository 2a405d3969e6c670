import type { Span } from "../ir/errors.ts";
import type { Node } from "../ir/node.ts";
import { caretPicture, positionOf } from "../notation/caret.ts";
import type { FindingWords } from "./words/finding-en.ts";

/** Where the user wrote a gate: a part of a formula, or a line of code (noted under `trace` only), and the scopes around it. */
export interface Place {
  readonly scope: string | null;
  /** The formula, and the part of it that the gate stands for. */
  readonly source: string | null;
  readonly span: Span | null;
  /** What `span` cuts out of `source`. */
  readonly text: string | null;
  /** `file:line:column`. */
  readonly line: string | null;
}

/** The place of a gate; a gate of a backward pass stands where its forward gate was written. */
export function placeOf(node: Node): Place {
  const own = node.where;
  const from = node.origin?.where ?? null;
  const where = from !== null && (from.span !== null || from.stack !== null) ? from : own;
  const span = where?.span ?? null;
  const source = where?.source ?? null;
  return {
    scope: where?.scope ?? own?.scope ?? null,
    source,
    span,
    text: span === null || source === null ? null : source.slice(span.from, span.to),
    line: where?.stack ?? null,
  };
}

/** The place as lines of text: the formula or the line of code with a caret under it; else how to get one. */
export function placeLines({ source, span, line, scope }: Place, words: FindingWords): string[] {
  const found: string[] = [];
  if (scope !== null) found.push(words.inScope(scope));
  if (source !== null && span !== null) {
    const { line: row, column } = positionOf(source, span.from);
    found.push(words.inFormula(row, column), ...caretPicture(source, span).split("\n"));
  }
  if (line !== null) found.push(words.atLine(line), ...codeLines(line));
  else if (span === null) found.push(words.noLine);
  return found;
}

interface Reader {
  readonly readFileSync: (path: string, encoding: "utf8") => string;
}

interface WithBuiltins {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

/** The line of code with a caret, where the file can be read: in Node, which hands out its file system without an import. */
function codeLines(at: string): string[] {
  const match = /^(\/[^\0]*|[A-Za-z]:[\\/][^\0]*):(\d+):(\d+)$/.exec(at);
  if (match === null) return [];
  try {
    const files = (globalThis as WithBuiltins).process?.getBuiltinModule?.("node:fs") as Reader | undefined;
    const text = files?.readFileSync(decodeURI(match[1]!), "utf8").split("\n")[Number(match[2]) - 1];
    if (text === undefined) return [];
    const from = Math.min(Number(match[3]) - 1, text.length);
    const word = /^[\p{L}\p{N}_$.]*/u.exec(text.slice(from))![0];
    return caretPicture(text, { from, to: from + Math.max(1, word.length) }).split("\n");
  } catch {
    return [];
  }
}
