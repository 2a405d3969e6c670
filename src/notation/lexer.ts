import type { Span } from "../ir/errors.ts";
import { clipped, parseErrorAt } from "./caret.ts";
import { continuesName, isDigit, isSpace, startsName, superscriptOf, superscriptT } from "./characters.ts";
import { holeText, type SourceText } from "./source-text.ts";

export type TokenKind = "number" | "name" | "string" | "hole" | "power" | "symbol" | "line" | "end";

/** A word of the source. `value` is its canonical spelling; `number` the value of a number, a superscript power or a hole's index. */
export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  readonly number: number;
  readonly span: Span;
}

/** Symbols of two or three characters, longest first; `.T` and the dot stand apart. */
const long: readonly string[] = ["...", "**", "<=", ">=", "==", "!="];
const single = "+-*/@^()[],=<>:√";

/** Other spellings of the same symbol. */
const spellings: Readonly<Record<string, string>> = {
  "·": "*",
  "×": "*",
  "⋅": "*",
  "∗": "*",
  "−": "-",
  "÷": "/",
  "∕": "/",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "…": "...",
  "**": "^",
};

/** What to write instead of a character that is not in the notation. */
const advice: Readonly<Record<string, string>> = {
  "%": "the remainder is mod(x, y)",
  "!": "logical not is logicalNot(x); not equal is !=",
  "&": "logical and is logicalAnd(x, y)",
  "|": "the absolute value is abs(x), logical or is logicalOr(x, y)",
  "~": "logical not is logicalNot(x)",
  "'": 'texts stand in double quotes, as in mode="edge"; a transpose is x.T',
  "`": 'texts stand in double quotes, as in mode="edge"',
  "“": 'texts stand in double quotes, as in mode="edge"',
  "”": 'texts stand in double quotes, as in mode="edge"',
  "{": "group with ( ) and list with [ ]",
  "}": "group with ( ) and list with [ ]",
  "?": "choose with where(test, x, y)",
  $: `a hole of a template is \${x}, with braces`,
  "\\": "LaTeX is not read here: write sqrt(x), x / y, alpha",
  "∑": "a sum is sum(x)",
  "∏": "a product is prod(x)",
  "（": "use the ASCII ( )",
  "）": "use the ASCII ( )",
  "，": "use the ASCII comma",
  "–": "a minus is -",
  "—": "a minus is -",
};

/** Reads a source text token by token, so that a text of any size needs no list of tokens. Loops, never recursion or regular expressions over the whole. */
export class Lexer {
  readonly source: string;
  readonly #holes: readonly number[];
  #at = 0;
  #hole = 0;

  constructor(source: SourceText) {
    this.source = source.text;
    this.#holes = source.holes;
  }

  /** The next token; `end` again and again at the end. @throws ParseError at a character or number that is not in the notation. */
  next(): Token {
    this.#skip();
    const from = this.#at;
    if (from >= this.source.length) return this.#token("end", "the end of the text", from, from);
    if (from === this.#holes[this.#hole]) return this.#token("hole", holeText, from, from + holeText.length, this.#hole++);
    const code = this.source.charCodeAt(from);
    if (code === 10 || code === 59) return this.#line(from);
    if (isDigit(code) || (code === 46 && isDigit(this.source.charCodeAt(from + 1)))) return this.#number(from);
    if (code === 34) return this.#string(from);
    const character = this.#character(from);
    if (startsName(character)) return this.#name(from);
    if (superscriptOf(character) !== undefined) return this.#power(from);
    return this.#symbol(from, character);
  }

  #token(kind: TokenKind, value: string, from: number, to: number, number = 0): Token {
    this.#at = to;
    return { kind, value, number, span: { from, to } };
  }

  #character(at: number): string {
    const code = this.source.codePointAt(at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  /** Skips spaces and comments. Holes inside a comment are passed over with it. */
  #skip(): void {
    const { source } = this;
    for (;;) {
      while (this.#at < source.length && isSpace(source.charCodeAt(this.#at))) this.#at++;
      if (source.charCodeAt(this.#at) !== 35) return;
      const newline = source.indexOf("\n", this.#at);
      this.#at = newline < 0 ? source.length : newline;
      while ((this.#holes[this.#hole] ?? Infinity) < this.#at) this.#hole++;
    }
  }

  #line(from: number): Token {
    return this.#token("line", this.source.charCodeAt(from) === 59 ? ";" : "the end of the line", from, from + 1);
  }

  #digits(at: number): number {
    let end = at;
    while (isDigit(this.source.charCodeAt(end))) end++;
    return end;
  }

  #number(from: number): Token {
    const { source } = this;
    let end = this.#digits(from);
    if (source.charCodeAt(end) === 46 && source.charCodeAt(end + 1) !== 46 && !this.#isTranspose(end)) end = this.#digits(end + 1);
    if (source.charCodeAt(end) === 101 || source.charCodeAt(end) === 69) {
      const sign = source.charCodeAt(end + 1);
      const digits = end + (sign === 43 || sign === 45 ? 2 : 1);
      if (isDigit(source.charCodeAt(digits))) end = this.#digits(digits);
    }
    const text = source.slice(from, end);
    const value = Number(text);
    if (end < source.length && end !== this.#holes[this.#hole] && startsName(this.#character(end))) {
      const word = source.slice(end, this.#endOfName(end));
      const rest =
        word.startsWith("_") || (text === "0" && /^[xXbBoO][0-9a-fA-F]+$/.test(word))
          ? "numbers are decimal, as in 12, 0.5 or 1e-3"
          : `to multiply, write ${clipped(text)} * ${clipped(word)}`;
      throw parseErrorAt(source, { from, to: end + word.length }, `"${clipped(text + word)}" is not a number; ${rest}`);
    }
    if (!Number.isFinite(value))
      throw parseErrorAt(
        source,
        { from, to: end },
        `${clipped(text)} is too large for a number (the largest is 1.7976931348623157e308); write inf for infinity`,
      );
    return this.#token("number", text, from, end, value);
  }

  #endOfName(at: number): number {
    let end = at;
    while (end < this.source.length && this.#holes[this.#hole] !== end) {
      const character = this.#character(end);
      if (!continuesName(character)) break;
      end += character.length;
    }
    return end;
  }

  /** A name with its path: `w₀`, `fc1.w`, `blocks.0.w`; a last `.T` is the transpose and not part of it. */
  #name(from: number): Token {
    const { source } = this;
    let end = this.#endOfName(from);
    while (source.charCodeAt(end) === 46 && !this.#isTranspose(end)) {
      const first = source.charCodeAt(end + 1);
      const part = first === 39 || first === 0x2032 || first === 0x2033 ? end + 1 : this.#endOfName(end + 1);
      if (part === end + 1) break;
      end = part;
    }
    return this.#token("name", source.slice(from, end).normalize("NFC"), from, end);
  }

  /** Whether `.T` and no longer word stands here. */
  #isTranspose(at: number): boolean {
    return this.source.charCodeAt(at + 1) === 84 && this.#endOfName(at + 1) === at + 2;
  }

  #string(from: number): Token {
    const { source } = this;
    const close = source.indexOf('"', from + 1);
    const newline = source.indexOf("\n", from + 1);
    const end = close < 0 || (newline >= 0 && newline < close) ? -1 : close;
    if (end < 0) throw parseErrorAt(source, { from, to: from + 1 }, 'this text is never closed: expected a second " on the same line');
    const hole = this.#holes[this.#hole];
    if (hole !== undefined && hole < end)
      throw parseErrorAt(
        source,
        { from: hole, to: hole + holeText.length },
        "a hole cannot stand inside a quoted text; write the attribute's word itself",
      );
    return this.#token("string", source.slice(from + 1, end), from, end + 1);
  }

  /** Superscripts: `²`, `⁻¹`. */
  #power(from: number): Token {
    let end = from;
    let digits = "";
    for (;;) {
      const digit = superscriptOf(this.source.charAt(end));
      if (digit === undefined || digits.length > 16) break;
      digits += digit;
      end++;
    }
    if (digits.length > 16 || !/^[+-]?\d+$/.test(digits))
      throw parseErrorAt(
        this.source,
        { from, to: end },
        `"${clipped(this.source.slice(from, end))}" is not a power; write x^(...) for anything but a whole number`,
      );
    return this.#token("power", digits, from, end, Number(digits));
  }

  #symbol(from: number, character: string): Token {
    const { source } = this;
    for (const symbol of long)
      if (source.startsWith(symbol, from)) return this.#token("symbol", spellings[symbol] ?? symbol, from, from + symbol.length);
    if (character === superscriptT) return this.#token("symbol", ".T", from, from + 1);
    if (character === ".")
      return this.#isTranspose(from) ? this.#token("symbol", ".T", from, from + 2) : this.#token("symbol", ".", from, from + 1);
    if (character === "∞") return this.#token("name", "inf", from, from + 1);
    if (single.includes(character)) return this.#token("symbol", character, from, from + 1);
    const spelling = Object.hasOwn(spellings, character) ? spellings[character] : undefined;
    if (spelling !== undefined) return this.#token("symbol", spelling, from, from + character.length);
    const shown = /^[\p{C}\p{Z}\p{M}]$/u.test(character)
      ? `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
      : JSON.stringify(character);
    const hint = Object.hasOwn(advice, character) ? `; ${advice[character]}` : "";
    throw parseErrorAt(source, { from, to: from + character.length }, `unknown character ${shown}${hint}`);
  }
}
