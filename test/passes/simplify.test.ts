import { type Arbitrary, assert, constantFrom, double, letrec, oneof, property, record, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/grad.ts";
import { evaluate, read } from "../../src/evaluate/evaluate.ts";
import { graph } from "../../src/ir/graph.ts";
import { input, variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f32, f64, i32 } from "../../src/ir/type.ts";
import { collect } from "../../src/ir/walk.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { infix } from "../../src/notation/infix.ts";
import { add, mul, sub } from "../../src/ops/index.ts";
import { simplify } from "../../src/passes/simplify.ts";

function inputsOf(text: string): { readonly f: Value; readonly names: Record<string, Value> } {
  const compiled = compileExpression(text);
  const names = Object.fromEntries(compiled.variables.map((name) => [name, input(f64(), name)]));
  return { f: compiled(names), names };
}

function simple(text: string): string {
  return infix(simplify(inputsOf(text).f));
}

/** d text / d name, simplified. */
function slope(text: string, name: string): string {
  const { f, names } = inputsOf(text);
  return infix(simplify(gradients(f, { d: names[name]! }).d));
}

describe("simplify writes", () => {
  test.each([
    ["x * 1", "x"],
    ["x + 0", "x"],
    ["0 * x + y", "y"],
    ["x - x + y", "y"],
    ["x / x", "1"],
    ["--x", "x"],
    ["-(x - y)", "y - x"],
    ["-x + y", "y - x"],
    ["x * x", "x^2"],
    ["x^2 * x^3 / x", "x^4"],
    ["(x^2)^3", "x^6"],
    ["x + x", "2 * x"],
    ["2 * x * 3 * y", "6 * x * y"],
    ["x / 3 + x / 6", "x / 2"],
    ["a / b / b", "a / b^2"],
    ["a / (b / c)", "a * c / b"],
    ["sqrt(x) * sqrt(x)", "x"],
    ["(x^2)^0.5", "sqrt(x^2)"],
    ["3 * (x + y) - 2 * (x + y)", "x + y"],
    ["sin(x) * sin(x)", "sin(x)^2"],
    ["log(2 + 6) * x", "2.0794415416798357 * x"],
    ["x / 0", "x / 0"],
    ["x * inf", "x * inf"],
    ["x * 1e200 * 1e200", "1e+200 * x * 1e+200"],
    ["x * 1e308 + x * 1e308", "1e+308 * x + 1e+308 * x"],
    ["(1e200 * x)^2", "(1e+200 * x)^2"],
    ["0 / x^2", "0"],
    ["where(x < y, x, x)", "x"],
  ])("%s as %s", (text, wanted) => {
    expect(simple(text)).toBe(wanted);
  });

  test.each([
    ["x^3", "x", "3 * x^2"],
    ["(x + y) * z", "z", "x + y"],
    ["x^2 * sin(x)", "x", "x^2 * cos(x) + 2 * x * sin(x)"],
    ["sin(x) * cos(x)", "x", "cos(x)^2 - sin(x)^2"],
    ["(1 - x)^2 + 100 * (y - x^2)^2", "x", "-400 * x * (y - x^2) - 2 * (1 - x)"],
    ["x / y", "y", "-x / y^2"],
    ["tanh(x)", "x", "1 - tanh(x)^2"],
    ["x^y", "x", "y * x^(y - 1)"],
    ["x^y", "y", "x^y * log(x)"],
    ["1 / (1 + exp(-x))", "x", "exp(-x) / (1 + exp(-x))^2"],
    ["y", "y", "1"],
  ])("the derivative of %s by %s as %s", (text, name, wanted) => {
    expect(slope(text, name)).toBe(wanted);
  });

  test("a user's own guard as it is: only those of pow's backward rule go", () => {
    expect(simple("where(logicalAnd(x == 0, y == 0), 5, y)")).toBe("where(logicalAnd(x == 0, y == 0), 5, y)");
  });

  test("the shape of a result, when what has it cancels", () => {
    const v = variable(tensor([1, 2, 3]), "v");
    const s = variable(4, "s");
    const short = simplify(add(sub(v, v), s));
    expect(short.type.shape).toEqual([3]);
    expect([...evaluate(short).data]).toEqual([4, 4, 4]);
  });

  test("each dtype in itself, and leaves whole numbers alone", () => {
    const x = input(f32(), "x");
    expect(simplify(mul(add(x, x), 3)).type).toEqual(f32());
    const n = input(i32(), "n");
    expect(infix(simplify(sub(n, n)))).toBe("n - n");
  });

  test("a tree leaf by leaf, with shared parts shared", () => {
    const { f } = inputsOf("sin(x) + sin(x)");
    const { a, b } = simplify({ a: f, b: [mul(f, 2)] });
    expect(infix(a)).toBe("2 * sin(x)");
    expect(infix(b[0]!)).toBe("4 * sin(x)");
    expect(collect([a, b[0]!]).filter(({ op }) => op.name === "sin")).toHaveLength(1);
  });

  test("graphs called as one node too", () => {
    const g = graph({ x: f64() }, ({ x }) => mul(x, 1));
    expect(read(simplify(g({ x: 3 })))).toBe(3);
  });
});

const names = ["x", "y", "z"] as const;

const { formula }: { formula: Arbitrary<string> } = letrec<{ formula: string }>((tie) => ({
  formula: oneof(
    { maxDepth: 5, depthIdentifier: "formula" },
    constantFrom(...names),
    constantFrom("0", "1", "2", "3", "0.5", "-1"),
    tuple(tie("formula"), constantFrom("+", "-", "*", "/"), tie("formula")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tuple(tie("formula"), constantFrom("2", "3", "-1", "-2", "0.5", "1", "0")).map(([a, n]) => `(${a})^${n}`),
    tuple(constantFrom("sin", "exp", "tanh", "sqrt", "square", "reciprocal", "rsqrt", "-", "abs", "sigmoid"), tie("formula")).map(
      ([f, a]) => `${f}(${a})`,
    ),
  ),
}));

describe("the simplified formula gives the same numbers", () => {
  const point = record({
    x: double({ min: 0.2, max: 3, noNaN: true }),
    y: double({ min: -2, max: -0.3, noNaN: true }),
    z: double({ min: 0.5, max: 2, noNaN: true }),
  });

  /** Compares where the original is finite and well conditioned: the same formula at 1e-9 beside must be near. */
  function same(build: (at: Record<string, Value>) => Value, at: Record<(typeof names)[number], number>): void {
    const valuesAt = (shift: number): Record<string, Value> =>
      Object.fromEntries(names.map((name) => [name, variable(at[name] * (1 + shift), name)]));
    const original = build(valuesAt(0));
    const wanted = read(original);
    const near = read(build(valuesAt(1e-9)));
    if (!Number.isFinite(wanted) || !(Math.abs(wanted - near) < 1e-5 * (1 + Math.abs(wanted))) || Math.abs(wanted) > 1e8) return;
    const found = read(simplify(original));
    expect(Math.abs(found - wanted), `${infix(original)} => ${infix(simplify(original))}`).toBeLessThan(1e-4 * (1 + Math.abs(wanted)));
  }

  test("for random formulas", () => {
    assert(
      property(formula, point, (text, at) => {
        const compiled = compileExpression(text, { variables: [...names] });
        same((v) => compiled(v), at);
      }),
      { seed: 7, numRuns: process.env["CHAINRULE_FAST"] === "1" ? 200 : 1000 },
    );
  });

  test("for their derivatives", () => {
    assert(
      property(formula, point, constantFrom(...names), (text, at, name) => {
        const compiled = compileExpression(text, { variables: [...names] });
        same((v) => gradients(compiled(v), { d: v[name]! }).d, at);
      }),
      { seed: 8, numRuns: process.env["CHAINRULE_FAST"] === "1" ? 120 : 600 },
    );
  });
});
