import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as library from "../src/index.ts";
import { constant, evaluate, grad, type Nested, sum, tensor, toArray, type Value } from "../src/index.ts";
import { fixture, type StoredNumber } from "./reference/fixture.ts";

/*
 * docs/conventions.md is the test: a row is "| `op(arguments)` at name = value, ..., by name | value | first | second | why |". The operand named
 * by "by" is the variable; numbers and lists are f64, true and false are bool, a record in JSON is the attributes.
 */

interface Row {
  readonly text: string;
  readonly op: string;
  readonly args: readonly string[];
  readonly at: Readonly<Record<string, string>>;
  readonly by: string;
  readonly results: readonly Numbers[];
  readonly why: string;
}

/** A number or nested lists of them. */
type Numbers = number | readonly Numbers[];
/** The same as JSON holds it. */
type Stored = StoredNumber | readonly Stored[];

/** What PyTorch gives for a row; null where it has no rule. */
interface FromPyTorch {
  readonly case: string;
  readonly value: Stored;
  readonly first: Stored;
  readonly second: Stored | null;
}

const orders = ["value", "first", "second"] as const;

const page = readFileSync(new URL("../docs/conventions.md", import.meta.url), "utf8");
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

const rows: Row[] = page
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

function operand(text: string, row: Row, x: Value): unknown {
  if (text === row.by) return x;
  if (text.startsWith("{")) return JSON.parse(text);
  if (text === "true" || text === "false") return constant(tensor(text === "true"));
  const value = numbers(row.at[text] ?? text);
  // A number in the arguments is a literal, as a user writes it; a named one is a tensor.
  return text in row.at ? constant(value as Nested) : value;
}

const ops = library as unknown as Readonly<Record<string, (...args: unknown[]) => Value | { readonly values: Value }>>;

function flat(x: Numbers | Stored): number[] {
  return typeof x === "object" ? x.flatMap(flat) : [Number(x)];
}

/** A convention is a choice between different numbers; 1e-13 leaves room for rounding alone (logSumExp at 1000 has an ulp of 1e-13). */
function near(v: number, w: number): boolean {
  return Number.isFinite(w) ? Math.abs(v - w) <= 1e-13 * Math.max(1, Math.abs(w)) : Object.is(v, w);
}

function expectNear(actual: Nested, wanted: Numbers): void {
  const shapes = (x: unknown): unknown => (Array.isArray(x) ? x.map(shapes) : 0);
  expect(shapes(actual)).toEqual(shapes(wanted));
  const [got, want] = [flat(actual as Numbers), flat(wanted)];
  expect(got.filter((v, i) => !near(v, want[i]!))).toEqual([]);
}

describe("docs/conventions.md", () => {
  test("has its rows, each once", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(new Set(rows.map((row) => row.text)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row.text, row] as const))("%s", (_, row) => {
    const f = (x: Value): Value => {
      const result = ops[row.op]!(...row.args.map((arg) => operand(arg, row, x)));
      return "values" in result ? result.values : result;
    };
    const x = constant(numbers(row.at[row.by]!) as Nested);
    const first = grad((v: Value) => sum(f(v)));
    expectNear(toArray(evaluate(f(x))), row.results[0]!);
    expectNear(toArray(first(x)), row.results[1]!);
    expectNear(toArray(grad((v: Value) => sum(first(v)))(x)), row.results[2]!);
  });

  const { cases } = fixture<FromPyTorch>("conventions");

  test("has what PyTorch says of every row", () => {
    expect(cases.map((c) => c.case)).toEqual(rows.map((row) => row.text));
  });

  test.each(rows.map((row, i) => [row.text, row, cases[i]!] as const))(
    "PyTorch gives the numbers, or the page says which other: %s",
    (_, row, theirs) => {
      const said = [...row.why.matchAll(/PyTorch's (value|first|second) is (\[.*?\]|[-\w.]*\w)/g)].map(
        ([, part, number]) => `${part} ${number}`,
      );
      const differing = orders.flatMap((part, k) => {
        const stored = theirs[part];
        if (stored === null) return [];
        const [got, want] = [flat(row.results[k]!), flat(stored)];
        const same = got.length === want.length && got.every((v, i) => near(v, want[i]!));
        return same ? [] : [`${part} ${JSON.stringify(stored).replaceAll('"', "").replaceAll(",", ", ")}`];
      });
      expect(said).toEqual(differing);
      expect(row.why.includes("no second derivative")).toBe(theirs.second === null);
    },
  );
});
