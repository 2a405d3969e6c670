import { ParseError } from "../errors.ts";

const deepest = 64;

/** A place in a text that is read once from left to right. */
export class Cursor {
  readonly text: string;
  at = 0;
  depth = 0;
  constructor(text: string) {
    this.text = text;
  }
  fail(message: string, from: number = this.at): never {
    const before = this.text.slice(0, from);
    const line = before.split("\n").length;
    const column = from - before.lastIndexOf("\n");
    throw new ParseError(`graph text, line ${line}, column ${column}: ${message}`, {
      span: { from, to: Math.min(this.text.length, from + 1) },
      source: this.text.slice(0, 1000),
    });
  }
  /** Skips blanks, line ends and comments (`#` to the end of the line). */
  blank(): void {
    const { text } = this;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c === 32 || c === 10 || c === 13 || c === 9) this.at++;
      else if (c === 35) {
        const end = text.indexOf("\n", this.at);
        this.at = end < 0 ? text.length : end;
      } else return;
    }
  }
  peek(): string {
    this.blank();
    return this.text[this.at] ?? "";
  }
  take(s: string): boolean {
    this.blank();
    if (!this.text.startsWith(s, this.at)) return false;
    this.at += s.length;
    return true;
  }
  /** A keyword, not the beginning of a longer word. */
  takeWord(s: string): boolean {
    this.blank();
    if (!this.text.startsWith(s, this.at) || /[\p{L}\p{N}_]/u.test(this.text[this.at + s.length] ?? "")) return false;
    this.at += s.length;
    return true;
  }
  expect(s: string): void {
    if (!this.take(s)) this.fail(`expected ${s}, found ${this.found()}`);
  }
  found(): string {
    this.blank();
    return this.at >= this.text.length ? "the end" : JSON.stringify(this.text.slice(this.at, this.at + 12));
  }
  match(pattern: RegExp, what: string): string {
    this.blank();
    pattern.lastIndex = this.at;
    const m = pattern.exec(this.text);
    if (m === null) this.fail(`expected ${what}, found ${this.found()}`);
    this.at = pattern.lastIndex;
    return m[0];
  }
  word(what: string): string {
    return this.match(/[\p{L}_][\p{L}\p{N}_.-]*/uy, what);
  }
  whole(what: string): number {
    return Number(this.match(/\d{1,9}(?!\d)/y, what));
  }
  number(): number {
    return Number(this.match(/-?(?:Infinity|NaN|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y, "a number"));
  }
  string(): string {
    const from = this.at;
    const text = this.match(/"(?:[^"\\\n]|\\.)*"/y, "a quoted name");
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.fail("this quoted text has a bad escape", from);
    }
  }
  /** Data as `writeLiteral` writes it; `special` reads what begins with `%` or `graph`. */
  literal(special: (c: Cursor) => unknown): unknown {
    if (++this.depth > deepest) this.fail(`data nested deeper than ${deepest}`);
    const value = this.inner(special);
    this.depth--;
    return value;
  }
  private inner(special: (c: Cursor) => unknown): unknown {
    const c = this.peek();
    if (c === "%" || this.text.startsWith("graph", this.at)) return special(this);
    if (c === '"') return this.string();
    if (c === "[") return this.list(special);
    if (c === "{") return this.record(special);
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (this.take("null")) return null;
    return this.number();
  }
  private list(special: (c: Cursor) => unknown): unknown[] {
    this.expect("[");
    const out: unknown[] = [];
    if (this.take("]")) return out;
    do out.push(this.literal(special));
    while (this.take(","));
    this.expect("]");
    return out;
  }
  private record(special: (c: Cursor) => unknown): Record<string, unknown> {
    this.expect("{");
    const out: Record<string, unknown> = {};
    if (this.take("}")) return out;
    do {
      const from = this.at;
      const key = this.peek() === '"' ? this.string() : this.word("a name");
      if (Object.hasOwn(out, key)) this.fail(`the name ${key} stands twice`, from);
      this.expect(":");
      Object.defineProperty(out, key, { value: this.literal(special), enumerable: true, configurable: true, writable: true });
    } while (this.take(","));
    this.expect("}");
    return out;
  }
}
