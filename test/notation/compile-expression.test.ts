import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/grad.ts";
import { read, toArray } from "../../src/evaluate/evaluate.ts";
import { ChainruleError, type ErrorCode } from "../../src/ir/errors.ts";
import { input, variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f64 } from "../../src/ir/type.ts";
import { checkNames } from "../../src/notation/check-names.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { infix } from "../../src/notation/infix.ts";
import { parseFormula } from "../../src/notation/parser.ts";
import { printExpression } from "../../src/notation/print-expression.ts";
import { mul, unary } from "../../src/ops/index.ts";
import { someExpression } from "./expressions.ts";

function failure(run: () => unknown): [ErrorCode, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof ChainruleError) return [error.code, error.message];
    throw error;
  }
  throw new Error("no error");
}

describe("compileExpression", () => {
  test("variables come in the order of their first appearance; constants, lines and words are none", () => {
    const { variables } = compileExpression("a = y * pi + x\nb = a * y\nsum(b * [z, x], axis=0) + e + inf");
    expect(variables).toEqual(["y", "x", "z"]);
  });

  test("is a function of its variables", () => {
    const f = compileExpression("(x + y) * z");
    const [x, y, z] = [variable(-2), variable(5), variable(-4)];
    const value = f({ x, y, z });
    expect(read(value)).toBe(-12);
    const { dx } = gradients(value, { dx: x });
    expect(read(dx)).toBe(-4);
    expect(read(f({ x: 1, y: 2, z: 3 }))).toBe(9);
    expect(infix(f({ x: input(f64(), "x"), y: input(f64(), "y"), z: 2 }))).toBe("(x + y) * 2");
  });

  test("a variable with the name of a constant wins where it is said to be there", () => {
    expect(compileExpression("e * x").variables).toEqual(["x"]);
    const f = compileExpression("e * x + true", { variables: ["x", "e", "true"] });
    expect(f.variables).toEqual(["e", "x", "true"]);
    expect(read(f({ e: 3, x: 2, true: 10 }))).toBe(16);
    expect(read(compileExpression("e = 5; e")({}))).toBe(5);
  });

  test("composed and decomposed names are one", () => {
    expect(compileExpression(`${"가".normalize("NFD")} + 가`).variables).toEqual(["가"]);
  });

  test("names of variables with dots", () => {
    expect(toArray(compileExpression("fc1.w.T", { variables: ["fc1.w"] })({ "fc1.w": tensor([[1, 2]]) }))).toEqual([[1], [2]]);
  });

  test("names of objects' own properties are no variables", () => {
    expect(failure(() => compileExpression("toString + constructor")({}))).toEqual([
      "parse",
      expect.stringMatching(/^toString has no value; give it one: toString=\.\.\./),
    ]);
    expect(failure(() => compileExpression("toString(1)"))[1]).toMatch(/^unknown function "toString"/);
    expect(failure(() => compileExpression("constructor(x)"))[1]).toMatch(/^unknown function "constructor"/);
  });

  test("outside ops are called by the name they are given with", () => {
    const cube = unary("acme.cube", { f: (x) => x ** 3, d: ({ x }) => mul(3, mul(x, x)) });
    const f = compileExpression("acme.cube(x) + cube(2)", { functions: { "acme.cube": cube, cube } });
    expect(read(f({ x: variable(3) }))).toBe(35);
    expect(infix(f({ x: variable(3, "x") }))).toBe("acme.cube(x) + 8");
  });

  test.each<[string, () => unknown, ErrorCode, RegExp]>([
    [
      "a missing value",
      () => compileExpression("x + wide * x")({ x: 1 }),
      "parse",
      /^wide has no value; give it one: wide=\.\.\. \(line 1, column 5\)\n {2}x \+ wide \* x\n {6}\^{4}$/,
    ],
    [
      "a value for no variable",
      () => compileExpression("x + 1")({ x: 1, abc: 2 }),
      "graph",
      /^the expression has no variable abc; it has x$/,
    ],
    [
      "a mistyped value",
      () => compileExpression("weight + 1")({ wieght: 2 }),
      "graph",
      /^the expression has no variable wieght; did you mean weight\?$/,
    ],
    ["a value for nothing", () => compileExpression("1")({ x: 2 }), "graph", /^the expression has no variable x; it has no variables$/],
    [
      "an unknown variable",
      () => compileExpression("wieght", { variables: ["weight", "b"] }),
      "parse",
      /^unknown name "wieght"; did you mean weight\?/,
    ],
    [
      "an unlike variable",
      () => compileExpression("q", { variables: ["weight", "b"] }),
      "parse",
      /^unknown name "q"; there are weight, b \(/,
    ],
    ["no variables", () => compileExpression("q", { variables: [] }), "parse", /^unknown name "q"; there are no variables/],
    [
      "many variables",
      () => compileExpression("q", { variables: [..."abcdfghij"] }),
      "parse",
      /^unknown name "q"; there are a, b, c, d, f, g, h, i, …/,
    ],
    [
      "a line with a variable's name",
      () => compileExpression("x = 1", { variables: ["x"] }),
      "parse",
      /^"x" is a variable already; give this value another name/,
    ],
    [
      "a variable called",
      () => compileExpression("x (y)", { variables: ["x", "y"] }),
      "parse",
      /^"x" is a variable, not a function; to multiply, write x \* \(\.\.\.\)/,
    ],
    ["a method", () => compileExpression("x.sum()"), "parse", /^unknown function "x\.sum"; there are no methods: write sum\(x\)/],
    ["a mistyped function", () => compileExpression("Sum(x)"), "parse", /^unknown function "Sum"; did you mean sum\?/],
    ["an unlike function", () => compileExpression("qqqqqq(x)"), "parse", /^unknown function "qqqqqq" \(line/],
    [
      "a function without a call",
      () => compileExpression("sum * 2", { variables: [] }),
      "parse",
      /^"sum" is a function; call it: sum\(\.\.\.\)/,
    ],
    [
      "a dtype as a value",
      () => compileExpression("f32 * 2", { variables: [] }),
      "parse",
      /^"f32" is a dtype; it stands in cast\(x, f32\)/,
    ],
    ["None as a value", () => compileExpression("None * 2")({}), "graph", /^None stands where a value is wanted/],
  ])("%s", (_, run, code, message) => {
    expect(failure(run)).toEqual([code, expect.stringMatching(message)]);
  });

  test("names known from elsewhere", () => {
    const functions = new Set(["log", "asin", "sum"]);
    const unknown = (text: string): string => failure(() => checkNames(parseFormula(text), { variables: "any", functions }))[1];
    expect(unknown("ln(x)")).toMatch(/^unknown function "ln"; did you mean log\?/);
    expect(unknown("arcsin(x)")).toMatch(/^unknown function "arcsin"; did you mean asin\?/);
  });

  test("any expression is worked out or refused with an error of ours that says where", () => {
    let good = 0;
    fc.assert(
      fc.property(someExpression, (expression) => {
        const source = printExpression(expression).replaceAll(/\bf\(/g, "sum(").replaceAll("owner.op(", "concat(");
        try {
          const f = compileExpression(source);
          const operands: Record<string, Value> = {};
          for (const [i, name] of f.variables.entries())
            operands[name] = variable(
              tensor([
                [i, 1, 2],
                [3, 4, 5],
              ]),
              name,
            );
          f(operands);
          good++;
        } catch (error) {
          if (!(error instanceof ChainruleError) || error.code === "internal") throw error;
          expect(error.span, error.message).toBeDefined();
        }
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 400 : 2000, seed: 10 },
    );
    expect(good).toBeGreaterThan(100);
  });
});
