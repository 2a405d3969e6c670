import type { ParseError, Span } from "../ir/errors.ts";
import { clipped, parseErrorAt, positionOf } from "./caret.ts";
import type { Token } from "./lexer.ts";

/** Where the parser stands when a token does not fit. */
export interface Standpoint {
  readonly source: string;
  readonly token: Token;
  /** The innermost bracket that is open. */
  readonly open: Token | undefined;
  /** Where the last token that fitted ends: the caret stands here when the text or line just ends. */
  readonly end: number;
}

/** Whether an operand can begin with this token. */
export function startsOperand({ kind, value }: Token): boolean {
  if (kind === "symbol") return value === "(" || value === "[" || value === "-" || value === "+" || value === "√";
  return kind !== "line" && kind !== "end" && kind !== "power";
}

/** The error for a token that stands where an operand should, for instance after an operator. */
export function operandExpected(at: Standpoint, after: string): ParseError {
  const { source, token } = at;
  if (token.kind === "end" && at.open !== undefined && after === "") return neverClosed(at, `"${closing(at.open)}"`);
  const message = `expected an operand${after}, found ${shown(token)}`;
  return parseErrorAt(source, place(at), message + symbolAdvice(token, false));
}

/** The error for a token that stands where an expression could go on or end. `expected` lists what fits. */
export function continuationExpected(at: Standpoint, expected: string, missing: string): ParseError {
  const { source, token, open } = at;
  if (token.kind === "end" && open !== undefined) return neverClosed(at, expected);
  const message = `expected ${expected}, found ${shown(token)}`;
  if (token.kind === "symbol" && (token.value === ")" || token.value === "]")) {
    if (open === undefined)
      return parseErrorAt(
        source,
        token.span,
        `"${token.value}" closes nothing: there is no "${token.value === ")" ? "(" : "["}" before it`,
      );
    const { line, column } = positionOf(source, open.span.from);
    return parseErrorAt(source, token.span, `${message}; the "${open.value}" of line ${line}, column ${column} is still open`);
  }
  if (token.kind === "symbol" && token.value === "=")
    return parseErrorAt(
      source,
      token.span,
      'only a name at the start of a line or a keyword of a call can stand before "="; to compare, write ==',
    );
  return parseErrorAt(source, place(at), message + (startsOperand(token) ? `; ${missing}` : symbolAdvice(token, true)));
}

function neverClosed({ source, token, open }: Standpoint, expected: string): ParseError {
  return parseErrorAt(
    source,
    open?.span ?? token.span,
    `"${open?.value ?? ""}" is never closed: expected ${expected}, found ${token.value}`,
  );
}

/** What closes this bracket. */
function closing(open: Token): ")" | "]" {
  return open.value === "(" ? ")" : "]";
}

function place({ token, end }: Standpoint): Span {
  return token.kind === "end" || (token.kind === "line" && token.value !== ";") ? { from: end, to: end } : token.span;
}

function shown({ kind, value }: Token): string {
  if (kind === "hole") return "a hole";
  return kind === "end" || (kind === "line" && value !== ";") ? value : `"${clipped(value)}"`;
}

function symbolAdvice({ kind, value }: Token, afterValue: boolean): string {
  if (kind !== "symbol") return "";
  if (value === "=") return afterValue ? "" : "; to compare, write ==";
  if (value === ":") return '; ":" stands in an index, as in x[1:3]';
  if (value === ",") return '; "," separates the operands of a call or list';
  return "";
}
