import { expect, test } from "vitest";
import { line, shown } from "../../../studio/code/shown.ts";

class Point {
  readonly x = 1;
}

test.each([
  ["a text", "a text"],
  [["a", 1n, Number.NaN, -0, undefined, null, true], '["a", 1n, NaN, -0, undefined, null, true]'],
  [new Float64Array([1, Number.NaN, Number.POSITIVE_INFINITY]), "Float64Array [1, NaN, Infinity]"],
  [{ a: { b: [1] }, "b c": 2, 무게: 3 }, '{a: {b: [1]}, "b c": 2, 무게: 3}'],
  [new Point(), "Point {x: 1}"],
  [new Map([["a", new Set([1])]]), 'Map {"a" → Set {1}}'],
  [new TypeError("no"), "TypeError: no"],
  [Symbol("s"), "Symbol(s)"],
  [Object.create(null), "{}"],
  [function named() {}, "ƒ named"],
])("a value is shown as it is: %#", (value, text) => {
  expect(shown(value)).toBe(text);
});

test("what is long, deep, or inside itself is said in short", () => {
  const ring: Record<string, unknown> = { a: 1 };
  ring["me"] = ring;
  expect(shown(ring)).toBe("{a: 1, me: [itself]}");
  expect(shown([ring["a"], ring["a"]])).toBe("[1, 1]");
  expect(shown(new Array(1000).fill(0))).toMatch(/^\[(0, ){100}… 900 more\]$/);
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  expect(shown(deep)).toBe("[[[[[[[…]]]]]]]");
  const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => "x".repeat(100)));
  expect(shown(wide).length).toBeLessThan(25_000);
  expect(shown({ text: "x".repeat(1_000_000) }).length).toBeLessThan(25_000);
});

test("what throws when it is looked at is shown all the same", () => {
  expect(
    shown({
      get a(): number {
        throw new Error("no");
      },
    }),
  ).toBe("[object Object]");
});

test("the caller shows what it knows", () => {
  expect(shown({ node: 3 }, (value) => ("node" in value ? [value.node] : null))).toBe("[3]");
});

test.each([
  [["a", 1, [2]], "a 1 [2]"],
  [["%s is %d, %i of %o%%", "x", "3", 2.7, { a: 1 }, "more"], "x is 3, 2 of {a: 1}% more"],
  [["%cred", "color: red"], "red"],
  [["100%", 5], "100% 5"],
  [["%s"], "%s"],
  [[], ""],
  [["%s and %s", 1], "1 and %s"],
])("a line of the console: %j", (given, text) => {
  expect(line(given)).toBe(text);
});
