import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as library from "../src/index.ts";
import { constant, evaluate, grad, type Nested, sum, tensor, toArray, type Value } from "../src/index.ts";

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
  readonly results: readonly (number | readonly number[])[];
}

const page = readFileSync(new URL("../docs/conventions.md", import.meta.url), "utf8");
const form = /^`(?<op>\w+)\((?<args>.*)\)` at (?<at>.*), by (?<by>\w+)$/;

/** Splits at commas that are outside of brackets. */
function parts(text: string): string[] {
  return text.split(/,\s*(?![^[{]*[\]}])/).map((part) => part.trim());
}

function numbers(text: string): number | readonly number[] {
  const list = /^\[(.*)\]$/.exec(text);
  if (list) return list[1]!.split(",").map((x) => numbers(x.trim()) as number);
  const x = Number(text);
  if (Number.isNaN(x) && text !== "NaN") throw new Error(`"${text}" is no number`);
  if (text === "") throw new Error("a cell is empty");
  return x;
}

const rows: Row[] = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => {
    const [text, value, first, second] = line
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

const ops = library as unknown as Readonly<Record<string, (...args: unknown[]) => Value>>;

/** A convention is a choice between different numbers; 1e-13 leaves room for rounding alone (logSumExp at 1000 has an ulp of 1e-13). */
function expectNear(actual: Nested, wanted: number | readonly number[]): void {
  const [got, want] = [[actual].flat() as number[], [wanted].flat()];
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    const w = want[i]!;
    if (Number.isFinite(w)) expect(Math.abs(v - w)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(w)));
    else expect(v).toBe(w);
  });
}

describe("docs/conventions.md", () => {
  test("has its rows, each once", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(new Set(rows.map((row) => row.text)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row.text, row] as const))("%s", (_, row) => {
    const f = (x: Value): Value => ops[row.op]!(...row.args.map((arg) => operand(arg, row, x)));
    const x = constant(numbers(row.at[row.by]!) as Nested);
    const first = grad((v: Value) => sum(f(v)));
    expectNear(toArray(evaluate(f(x))), row.results[0]!);
    expectNear(toArray(first(x)), row.results[1]!);
    expectNear(toArray(grad((v: Value) => sum(first(v)))(x)), row.results[2]!);
  });
});
