import { noAttrs } from "../ir/node.ts";

const deepest = 32;

/**
 * Attributes as a text that tells them apart from all others, null where they hold what no text tells: functions, graphs among them, and
 * objects that are neither records nor lists.
 */
export function attributesKey(attrs: object): string | null {
  return keyOf(attrs, 0);
}

function keyOf(x: unknown, depth: number): string | null {
  if (typeof x === "string") return JSON.stringify(x);
  if (typeof x === "number") return Object.is(x, -0) ? "-0" : String(x);
  if (x === undefined || x === null || typeof x === "boolean") return String(x);
  if (typeof x !== "object" || depth > deepest) return null;
  const list = Array.isArray(x);
  if (!list && Object.getPrototypeOf(x) !== Object.prototype) return null;
  const parts: string[] = [];
  for (const [key, value] of Object.entries(x)) {
    const part = keyOf(value, depth + 1);
    if (part === null) return null;
    parts.push(list ? part : `${JSON.stringify(key)}:${part}`);
  }
  return list ? `[${parts.join()}]` : `{${parts.join()}}`;
}

/** Numbers that tell objects, texts and attributes apart. */
export class Numbers {
  readonly #objects = new WeakMap<object, number>();
  readonly #texts = new Map<string, number>();
  #last = 0;

  /** The number of an object: `first` gives it when it is first asked for. */
  of<T extends object>(thing: T, first: (thing: T) => number = this.fresh): number {
    let n = this.#objects.get(thing);
    if (n === undefined) this.#objects.set(thing, (n = first(thing)));
    return n;
  }

  ofText(text: string): number {
    let n = this.#texts.get(text);
    if (n === undefined) this.#texts.set(text, (n = this.fresh()));
    return n;
  }

  /** Attributes by what they hold; those that no text tells by `other`. 0 for none. */
  ofAttributes(attrs: object, other: (attrs: object) => number = this.fresh): number {
    if (attrs === noAttrs) return 0;
    return this.of(attrs, () => {
      const text = attributesKey(attrs);
      return text === null ? other(attrs) : this.ofText(`{${text}`);
    });
  }

  readonly fresh = (): number => ++this.#last;
}

/** A hash that takes one more whole number in. */
export function mixed(hash: number, x: number): number {
  const h = Math.imul(hash ^ x, 0x9e3779b1);
  return h ^ (h >>> 15);
}
