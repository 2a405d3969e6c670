import type { OptionSpec, Options } from "./command.ts";
import { UsageError } from "./usage-error.ts";

const formats = ["json", "markdown", "latex"] as const;

/** The options of commands that can write for a page or a paper. */
export const formatOptions: readonly OptionSpec[] = [
  { name: "markdown", about: "print Markdown tables instead of text" },
  { name: "latex", about: "print LaTeX instead of text" },
];

/** The format that was asked for. @throws UsageError for two */
export function formatIn(options: Options, command: string): (typeof formats)[number] | "text" {
  const given = formats.filter((name) => options.has(name));
  if (given.length > 1) throw new UsageError(`--${given[0]} and --${given[1]} do not go together; choose one`, command);
  return given[0] ?? "text";
}

/** The flat index of `--element`, null when it is not given. @throws UsageError for what is no whole number */
export function elementIn(options: Options, command: string): number | null {
  return wholeIn(options, "element", command);
}

/** The whole number, 0 or more, of an option; null when it is not given. @throws UsageError for anything else */
export function wholeIn(options: Options, name: string, command: string): number | null {
  const given = options.get(name);
  if (given === undefined) return null;
  if (!/^\d{1,9}$/.test(String(given)))
    throw new UsageError(`--${name} is ${String(given).slice(0, 40)}; it is a whole number, 0 or more`, command);
  return Number(given);
}
