import type { Nested, Value } from "../src/index.ts";
import * as library from "../src/index.ts";
import { constant, evaluate, grad, sum, tensor, toArray, variable } from "../src/index.ts";
import type { StoredNumber } from "./reference/fixture.ts";

/*
 * docs/conventions.md is the test: a row is "| `op(arguments)` at name = value, ..., by name | value | first | second | why |". The operand named
 * by "by" is the variable; numbers and lists are f64, true and false are bool, a record in JSON is the attributes.
 */

/** A row of the table, read. */
export interface Row {
  readonly text: string;
  readonly op: string;
  readonly args: readonly string[];
  readonly at: Readonly<Record<string, string>>;
  readonly by: string;
  readonly results: readonly Numbers[];
  readonly why: string;
}

/** A number or nested lists of them. */
export type Numbers = number | readonly Numbers[];
/** The same as JSON holds it. */
export type Stored = StoredNumber | readonly Stored[];

const form = /^`(?<op>\w+)\((?<args>.*)\)` at (?<at>.*), by (?<by>\w+)$/;

/** Splits at commas that are outside of brackets. */
function parts(text: string): string[] {
  return text.split(/,\s*(?![^[{]*[\]}])/).map((part) => part.trim());
}

function numbers(text: string): Numbers {
  const read = (x: unknown): Numbers => (Array.isArray(x) ? x.map(read) : Number(x));
  const json = text.replace(/-?Infinity|NaN/g, '"$&"');
  if (!/^(\[.*\]|"?-?[\w.+-]+"?)$/.test(json)) throw new Error(`"${text}" is no number`);
  return read(JSON.parse(json));
}

/** The rows of the page. */
export function conventionRows(page: string): Row[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [text, value, first, second, why] = line
        .slice(1)
        .split("|")
        .map((cell) => cell.trim());
      const found = form.exec(text!)?.groups;
      if (!found) throw new Error(`no case: ${text}`);
      const at = Object.fromEntries(parts(found["at"]!).map((pair) => pair.split("=").map((side) => side.trim()) as [string, string]));
      return {
        text: text!,
        op: found["op"]!,
        args: parts(found["args"]!),
        at,
        by: found["by"]!,
        results: [value!, first!, second!].map(numbers),
        why: why!,
      };
    });
}

function operand(text: string, row: Row, x: Value): unknown {
  if (text === row.by) return x;
  if (text.startsWith("{")) return JSON.parse(text);
  if (text === "true" || text === "false") return constant(tensor(text === "true"));
  const value = numbers(row.at[text] ?? text);
  // A number in the arguments is a literal, as a user writes it; a named one is no literal to any rule.
  return text in row.at ? variable(value as Nested) : value;
}

const ops = library as unknown as Readonly<Record<string, (...args: unknown[]) => Value | { readonly values: Value }>>;

/** All numbers of nested lists. */
export function flat(x: Numbers | Stored): number[] {
  return typeof x === "object" ? x.flatMap(flat) : [Number(x)];
}

/** A convention is a choice between different numbers; 1e-13 leaves room for rounding alone (logSumExp at 1000 has an ulp of 1e-13). */
export function near(v: number, w: number): boolean {
  return Number.isFinite(w) ? Math.abs(v - w) <= 1e-13 * Math.max(1, Math.abs(w)) : Object.is(v, w);
}

/** What the library gives for a row: value, first and second derivative. */
export function numbersFor(row: Row): readonly Nested[] {
  const f = (x: Value): Value => {
    const result = ops[row.op]!(...row.args.map((arg) => operand(arg, row, x)));
    return "values" in result ? result.values : result;
  };
  const x = constant(numbers(row.at[row.by]!) as Nested);
  const first = grad((v: Value) => sum(f(v)));
  return [f(x), first(x), grad((v: Value) => sum(first(v)))(x)].map((v) => toArray(evaluate(v)));
}

/** Whether numbers have the same nesting, and differ by rounding alone. */
export function agree(got: Nested, want: Numbers): boolean {
  const shape = (x: unknown): unknown => (Array.isArray(x) ? x.map(shape) : 0);
  const [a, b] = [flat(got as Numbers), flat(want)];
  return JSON.stringify(shape(got)) === JSON.stringify(shape(want)) && a.every((v, i) => near(v, b[i]!));
}
