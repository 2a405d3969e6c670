import { ParseError } from "../ir/errors.ts";

/** A literal of Python as found in .npy headers: text, whole number, truth value, None, tuple or list, or dict (as a Map). */
export type PythonLiteral = string | number | boolean | null | readonly PythonLiteral[] | ReadonlyMap<string, PythonLiteral>;

const deepest = 32;
const token = /\s*(?:([()[\]{},:])|(-?\d+)L?|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(True|False|None)\b)/y;
const words: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

class LiteralReader {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }

  fail(wanted: string): never {
    const found = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 20)) : "the end";
    throw new ParseError(`npy: the header needs ${wanted} at character ${this.at} and has ${found}`, { source: this.text });
  }

  /** The next token, or null where there is none. */
  match(): RegExpExecArray | null {
    token.lastIndex = this.at;
    return token.exec(this.text);
  }

  /** Takes the mark if it comes next. */
  take(mark: string): boolean {
    const found = this.match();
    if (found?.[1] !== mark) return false;
    this.at += found[0].length;
    return true;
  }

  value(depth: number): PythonLiteral {
    if (depth > deepest) this.fail(`lists nested no deeper than ${deepest}`);
    const found = this.match();
    if (found === null) this.fail("a value");
    const [all, mark, digits, single, double, word] = found;
    if (mark !== undefined && mark !== "(" && mark !== "[" && mark !== "{") this.fail("a value");
    this.at += all.length;
    if (digits !== undefined) return Number(digits);
    if (word !== undefined) return words[word]!;
    const quoted = single ?? double;
    if (quoted !== undefined) return quoted.replace(/\\(.)/g, "$1");
    return mark === "{" ? this.dict(depth) : this.list(mark === "(" ? ")" : "]", depth);
  }

  list(close: string, depth: number): readonly PythonLiteral[] {
    const items: PythonLiteral[] = [];
    while (!this.take(close)) {
      items.push(this.value(depth + 1));
      if (this.take(",")) continue;
      if (!this.take(close)) this.fail(`, or ${close}`);
      break;
    }
    return items;
  }

  dict(depth: number): ReadonlyMap<string, PythonLiteral> {
    const entries = new Map<string, PythonLiteral>();
    while (!this.take("}")) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") this.fail("a key in quotes");
      if (entries.has(key)) this.fail(`each key once (${key} is there twice)`);
      if (!this.take(":")) this.fail(":");
      entries.set(key, this.value(depth + 1));
      if (this.take(",")) continue;
      if (!this.take("}")) this.fail(", or }");
      break;
    }
    return entries;
  }
}

/**
 * Reads the one Python literal that a .npy header is.
 * @throws ParseError with the character where it stops being one
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  const reader = new LiteralReader(text);
  const value = reader.value(0);
  if (text.slice(reader.at).trim() !== "") reader.fail("nothing more");
  return value;
}
