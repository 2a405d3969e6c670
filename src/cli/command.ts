import type { Language } from "../explain/explain.ts";
import type { CommandIo } from "./io.ts";
import { UsageError } from "./usage-error.ts";

/** An option of a command: `--wrt x,y` takes a value, `--json` takes none. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help; absent for an option without one. */
  readonly value?: string;
  readonly about: string;
}

/** The options given, by name: true for those without a value. */
export type Options = ReadonlyMap<string, string | true>;

/** What a command was given: its arguments that are no options, and its options. */
export interface Given {
  readonly words: readonly string[];
  readonly options: Options;
}

/** One command of the program. */
export interface Command {
  readonly name: string;
  readonly usage: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  readonly details: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
  /** Does the work; gives the exit code. */
  readonly run: (given: Given, io: CommandIo) => Promise<number>;
}

export const jsonOption: OptionSpec = { name: "json", about: "print JSON instead of text" };
export const wrtOption: OptionSpec = {
  name: "wrt",
  value: "NAME,...",
  about: "the variables to differentiate by; all of floating point when left out",
};
export const langOption: OptionSpec = { name: "lang", value: "LANGUAGE", about: "en (when left out) or ko" };
export const helpOption: OptionSpec = { name: "help", short: "h", about: "print this help" };

/** The language of `--lang`. @throws UsageError for others */
export function languageIn(options: Options, command: string): Language {
  const given = options.get("lang") ?? "en";
  if (given === "en" || given === "ko") return given;
  throw new UsageError(`--lang ${String(given).slice(0, 40)} is not there; en and ko are`, command);
}
