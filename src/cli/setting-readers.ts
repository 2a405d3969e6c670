import type { OptionSpec } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** Options by name: texts from a command line, anything JSON has from a configuration. */
export type Given = Readonly<Record<string, unknown>>;

/** What reads settings by name and kind. All of them throw UsageError for what is no such setting. */
export interface SettingReaders {
  /** Null where it is left out. */
  text(name: string): string | null;
  needed(name: string, example: string): string;
  number(name: string, fallback: number, rule: (x: number) => boolean, what: string): number;
  /** A whole number from 1 on. */
  count(name: string, fallback: number): number;
  /** Bytes: 64kB, 1.5GB. */
  size(name: string, fallback: number): number;
  flag(name: string): boolean;
  /** Names with commas between them, or a list of a configuration. */
  names(name: string): readonly string[];
  choice<T extends string>(name: string, all: readonly T[], fallback: T): T;
  /** A path with this ending. */
  file(name: string, ending: RegExp, example: string): string | null;
}

const units: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Readers of the settings of a command. */
export function settingReaders(given: Given, command: string): SettingReaders {
  const refuse = (message: string): never => {
    throw new UsageError(message, command);
  };
  const text = (name: string): string | null => {
    const value = given[name];
    if (value === undefined || value === null) return null;
    return typeof value === "string" && value !== "" ? value : refuse(`--${name} ${shown(value)} is no text`);
  };
  const needed = (name: string, example: string): string => text(name) ?? refuse(`--${name} is missing: --${name} ${example}`);
  const number = (name: string, fallback: number, rule: (x: number) => boolean, what: string): number => {
    const value = given[name];
    if (value === undefined || value === null) return fallback;
    const x = typeof value === "string" ? Number(value) : value;
    return typeof x === "number" && value !== "" && rule(x) ? x : refuse(`--${name} ${shown(value)} is no ${what}`);
  };
  const count = (name: string, fallback: number): number =>
    number(name, fallback, (x) => Number.isInteger(x) && x >= 1, "whole number of 1 or more");
  const size = (name: string, fallback: number): number => {
    const value = given[name];
    if (value === undefined || value === null) return fallback;
    const [, digits, unit] = /^(\d+(?:\.\d+)?)([kMGT]?)B?$/.exec(String(value)) ?? [];
    return digits === undefined ? refuse(`--${name} ${shown(value)} is no size; write 64MB or 1.5GB`) : Number(digits) * units[unit!]!;
  };
  const flag = (name: string): boolean => {
    const value = given[name] ?? false;
    return typeof value === "boolean" ? value : refuse(`--${name} ${shown(value)} is neither true nor false`);
  };
  const names = (name: string): readonly string[] => {
    const value = given[name] ?? [];
    const all = typeof value === "string" ? value.split(",").map((one) => one.trim()) : value;
    return Array.isArray(all) && all.every((one) => typeof one === "string") && (value === all || !all.includes(""))
      ? all
      : refuse(`--${name} ${shown(value)}: write names with commas between them`);
  };
  const choice = <T extends string>(name: string, all: readonly T[], fallback: T): T => {
    const value = text(name) ?? fallback;
    return all.find((one) => one === value) ?? refuse(`--${name} ${shown(value)} is not there; there are ${all.join(", ")}`);
  };
  const file = (name: string, ending: RegExp, example: string): string | null => {
    const path = text(name);
    return path === null || ending.test(path) ? path : refuse(`--${name} ${shown(path)}: name the file ${example}`);
  };
  return { text, needed, number, count, size, flag, names, choice, file };
}

/** What help says of `--ignore`. */
export const ignoreOption: OptionSpec = {
  name: "ignore",
  value: "COLUMN,...",
  about: "columns of the table that are left out: ids, names and other text",
};

/** The columns that are left out. @throws UsageError where the target is among them */
export function ignoredColumns({ names, text }: SettingReaders, command: string): readonly string[] {
  const ignored = names("ignore");
  const target = text("target");
  if (target !== null && ignored.includes(target))
    throw new UsageError(`--ignore ${target}: it is what --target names, and to be predicted; leave it out of --ignore`, command);
  return ignored;
}

/** A setting in a message. */
function shown(value: unknown): string {
  return String(typeof value === "string" ? value : JSON.stringify(value)).slice(0, 40);
}
