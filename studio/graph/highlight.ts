/** A word of a formula with its colour. */
export interface Word {
  readonly text: string;
  readonly from: number;
  readonly kind: "number" | "function" | "name" | "line" | "comment" | "other";
}

const words = /#[^\n]*|[\p{L}_][\p{L}\p{M}\p{N}_.]*|\d[\d.]*(?:e[+-]?\d+)?|\s+|./gsu;

/** Cuts a formula into words for colouring; it need not be one that can be read. */
export function wordsOf(text: string): Word[] {
  const found: Word[] = [];
  for (const match of text.matchAll(words)) {
    const word = match[0];
    const from = match.index;
    const rest = text.slice(from + word.length);
    const kind: Word["kind"] = word.startsWith("#")
      ? "comment"
      : /^\d/.test(word)
        ? "number"
        : /^[\p{L}_]/u.test(word)
          ? /^\s*\(/.test(rest)
            ? "function"
            : /^\s*=(?!=)/.test(rest) && /(^|[\n;])\s*$/.test(text.slice(0, from))
              ? "line"
              : "name"
          : "other";
    found.push({ text: word, from, kind });
  }
  return found;
}
