import { GraphError } from "../ir/errors.ts";
import { kindText, listed } from "./given.ts";

/**
 * Which of these paths a list of patterns names. `*` stands for any characters, dots too, so `features.*` is everything inside `features` and
 * `*.w` every leaf called `w` that is inside something.
 * @throws GraphError for a pattern that names nothing: a misspelt one would train, or freeze, the wrong parameters without a word
 */
export function matched(patterns: readonly string[], paths: readonly string[], who: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const test = expression(pattern);
    const hits = paths.filter((path) => test.test(path));
    if (hits.length === 0)
      throw new GraphError(`${who}: ${pattern} names no parameter; * stands for any characters, and there are ${listed(paths)}`);
    for (const path of hits) found.add(path);
  }
  return found;
}

/** @throws GraphError for patterns that are no list of texts: the letters of a single text would each be one */
export function checkPatterns(patterns: unknown, name: string, who: string): void {
  const wrong = Array.isArray(patterns) ? patterns.find((pattern) => typeof pattern !== "string") : patterns;
  if (!Array.isArray(patterns) || wrong !== undefined)
    throw new GraphError(
      `${who}: ${name} is ${Array.isArray(patterns) ? "a list of other things" : kindText(wrong)}; it is a list of patterns: ${name}: ["features.*"]`,
    );
}

/** Whether one of the patterns names this path. */
export function names(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => expression(pattern).test(path));
}

function expression(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "su");
}
