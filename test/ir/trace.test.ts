import { expect, test } from "vitest";
import { add, expr, f64, graph, mul, scope, softmax, tensor, trace, type Value, variable } from "../../src/index.ts";
import { userLine } from "../../src/ir/trace.ts";

const here = /[\\/]test[\\/]ir[\\/]trace\.test\.ts:(\d+):(\d+)$/;

test("outside of trace a node notes no line, inside it the line that built it", () => {
  const x = variable(2, "x");
  expect(mul(x, 2).node.where).toBeNull();
  const y = trace(() => mul(x, 3));
  expect(y.node.where?.stack).toMatch(here);
  expect(mul(x, 4).node.where).toBeNull();
});

test("what a library function builds of many ops carries the line of its caller", () => {
  const [p, line] = trace((): [Value, string] => [softmax(variable([1, 2, 3], "z")), new Error().stack!.split("\n")[1]!]);
  const wanted = /trace\.test\.ts:(\d+)/.exec(line)![1];
  const met = [p.node, ...p.node.operands.map((v) => v!.node)];
  for (const node of met) expect(here.exec(node.where!.stack!)?.[1]).toBe(wanted);
  expect(p.node.where!.scope).toBe("softmax");
});

test("spans of formulas and scopes stand beside the line", () => {
  const x = variable(2, "x");
  const y = trace(() => scope("loss", () => expr`sin(${x}) + 1`));
  expect(y.node.where).toMatchObject({ scope: "loss", source: "sin(${…}) + 1", span: { from: 0, to: 13 } });
  expect(y.node.where!.stack).toMatch(here);
});

test("a traced graph keeps its lines when it is called", () => {
  const g = trace(() => graph({ x: f64() }, ({ x }) => ({ y: add(x, 1) })));
  const stack = (g.outputs as { y: Value }).y.node.where!.stack;
  expect(stack).toMatch(here);
  expect(g({ x: 3 }).y.node.where!.stack).toBe(stack);
});

test("a promise is refused, and tracing ends even when the function throws", () => {
  expect(() => trace(async () => 1)).toThrow("trace: the function returned a promise; await before, and build inside");
  expect(() => trace(() => mul(tensor([1, 2]), tensor([1, 2, 3])))).toThrow("mul: x is f64[2]");
  expect(mul(2, 3).node.where).toBeNull();
});

test.each([
  [
    "V8",
    "Error\n    at callerLine (file:///lib/src/ir/trace.ts:1:2)\n    at new Node (file:///lib/src/ir/node.ts:3:4)\n    at loss (file:///home/me/train.js:12:7)",
    "/home/me/train.js:12:7",
  ],
  [
    "V8 without a name",
    "Error\n    at file:///lib/src/ir/trace.ts:1:2\n    at file:///home/my files/train.js:12:7",
    "/home/my files/train.js:12:7",
  ],
  [
    "Firefox",
    "callerLine@https://cdn.example/lib/src/ir/trace.js:1:2\nloss@https://example.org/app.js:5:6\n",
    "https://cdn.example/lib/src/ir/trace.js:1:2",
  ],
  ["Safari", "loss@file:///home/me/train.js:12:7\nglobal code@file:///home/me/train.js:20:1", "/home/me/train.js:12:7"],
  ["Windows", "Error\n    at loss (C:\\me\\train.js:12:7)", "C:\\me\\train.js:12:7"],
  ["our own alone", "Error\n    at callerLine (file:///lib/src/ir/trace.ts:1:2)\n    at node:internal/main:1:1", null],
])("the user's line in a stack of %s", (_, stack, wanted) => {
  expect(userLine(stack, "/lib/src/")).toBe(wanted);
});

test("no line is guessed where the library cannot tell its own code", () => {
  expect(userLine("Error\n    at loss (file:///home/me/train.js:12:7)", null)).toBeNull();
});
