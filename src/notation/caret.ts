import { ParseError, type Span } from "../ir/errors.ts";

/** A place in a text as people count: lines and columns from 1, columns in characters (code points). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The line and column of a UTF-16 offset. */
export function positionOf(source: string, offset: number): Position {
  const at = Math.min(offset, source.length);
  let line = 1;
  let start = 0;
  for (let next = source.indexOf("\n"); next >= 0 && next < at; next = source.indexOf("\n", start)) {
    line++;
    start = next + 1;
  }
  let column = 1;
  for (let i = start; i < at; i++) if (!isLowSurrogate(source.charCodeAt(i))) column++;
  return { line, column };
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

const before = 60;
const after = 40;

/**
 * The line of the fault with `^` under it, each indented by two spaces:
 * ```
 *   (x + y * z
 *   ^
 * ```
 * Long lines are cut around the fault; Hangul and other wide characters take two columns, so the caret stands right in a terminal.
 */
export function caretPicture(source: string, span: Span): string {
  const from = Math.min(span.from, source.length);
  const lineStart = from === 0 ? 0 : source.lastIndexOf("\n", from - 1) + 1;
  const newline = source.indexOf("\n", from);
  const lineEnd = newline < 0 ? source.length : newline;
  const to = Math.max(from, Math.min(span.to, lineEnd));
  let start = lineStart;
  let lead = "";
  if (from - lineStart > before) {
    start = from - before;
    if (isLowSurrogate(source.charCodeAt(start))) start++;
    lead = "…";
  }
  let end = lineEnd;
  let tail = "";
  if (lineEnd - from > after) {
    end = from + after;
    if (isLowSurrogate(source.charCodeAt(end))) end++;
    tail = "…";
  }
  const marked = source.slice(from, Math.min(to, end));
  const line = source.slice(start, end).replaceAll("\r", " ");
  return `  ${lead}${line}${tail}\n  ${lead === "" ? "" : " "}${blank(source.slice(start, from))}${"^".repeat(Math.max(1, width(marked)))}`;
}

/** As much empty space as the text takes on a terminal; tabs stay tabs. */
function blank(text: string): string {
  let out = "";
  for (const character of text) out += character === "\t" ? "\t" : " ".repeat(width(character));
  return out;
}

const combining = /^[\p{M}\p{Cf}]$/u;

function width(text: string): number {
  let n = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x300) n++;
    else if (!combining.test(character)) n += isWide(code) ? 2 : 1;
  }
  return n;
}

/** The wide ranges of Unicode Standard Annex 11 that turn up in names: Hangul, Kana, Han, full-width forms, emoji. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** A ParseError whose message ends with the place and the picture: `expected ")" ... (line 1, column 5)`. */
export function parseErrorAt(source: string, span: Span, message: string): ParseError {
  const { line, column } = positionOf(source, span.from);
  return new ParseError(`${message} (line ${line}, column ${column})\n${caretPicture(source, span)}`, { span, source });
}

/** A word of the source as it stands in a message: cut when long. */
export function clipped(text: string): string {
  return text.length > 40 ? `${text.slice(0, 30)}…` : text;
}
