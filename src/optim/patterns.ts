import { GraphError } from "../ir/errors.ts";

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

/** Whether one of the patterns names this path. */
export function names(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => expression(pattern).test(path));
}

function expression(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "su");
}

const most = 12;

/** Names for a message: the first few, and how many more there are. */
export function listed(all: readonly string[]): string {
  const shown = all.slice(0, most).map((name) => name || "a single value");
  return all.length > most ? `${shown.join(", ")} and ${all.length - most} more` : shown.join(", ");
}
