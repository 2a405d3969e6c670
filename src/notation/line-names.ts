import type { Span } from "../ir/errors.ts";
import { clipped, parseErrorAt, positionOf } from "./caret.ts";
import type { Name } from "./expression.ts";

/** Words that can never be given to a value. `pi` and `e` can. */
const reserved: ReadonlySet<string> = /* @__PURE__ */ new Set(["true", "false", "inf", "nan", "None"]);

/** Keeps which names a text has used and which its lines have given, so that every name means one thing from the first line to the last. */
export class LineNames {
  readonly #source: string;
  readonly #used: Map<string, Span> = new Map();
  readonly #given: Map<string, Span> = new Map();

  constructor(source: string) {
    this.#source = source;
  }

  use(name: string, span: Span): void {
    if (!this.#used.has(name)) this.#used.set(name, span);
  }

  /** @throws ParseError if a line may not take this name. */
  give({ name, span }: Name): void {
    const shown = `"${clipped(name)}"`;
    if (reserved.has(name)) throw parseErrorAt(this.#source, span, `${shown} is reserved; give this value another name`);
    if (name.includes("."))
      throw parseErrorAt(
        this.#source,
        span,
        `${shown} has a dot; the name of a line has none: write ${clipped(name.replaceAll(".", "_"))}`,
      );
    const before = this.#given.get(name);
    if (before !== undefined) {
      const { line } = positionOf(this.#source, before.from);
      throw parseErrorAt(this.#source, span, `${shown} already has a value (line ${line}); give this one another name`);
    }
    const use = this.#used.get(name);
    if (use !== undefined) {
      const { line, column } = positionOf(this.#source, use.from);
      throw parseErrorAt(
        this.#source,
        span,
        `${shown} is already used at line ${line}, column ${column}, before it gets this value; give this value another name`,
      );
    }
    this.#given.set(name, span);
  }
}
