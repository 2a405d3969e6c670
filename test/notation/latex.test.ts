import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { named, variable } from "../../src/ir/leaf.ts";
import { latex, latexOfExpression, latexOfStatements } from "../../src/notation/latex.ts";
import { escaped, latexName } from "../../src/notation/latex-name.ts";
import { parseFormula } from "../../src/notation/parser.ts";
import { add, mul } from "../../src/ops/index.ts";
import { someExpression } from "./expressions.ts";

function set(text: string): string {
  return latexOfStatements(parseFormula(text).statements);
}

describe("latex of expressions", () => {
  test.each([
    ["(x + y) * z", "\\left(x + y\\right) \\cdot z"],
    ["a / (b + 1)", "\\frac{a}{b + 1}"],
    ["a / b * c", "\\frac{a}{b} \\cdot c"],
    ["c * (a / b)", "c \\cdot \\frac{a}{b}"],
    ["(a / b)^2", "\\left(\\frac{a}{b}\\right)^{2}"],
    ["x^2 + 2^-x", "x^{2} + 2^{-x}"],
    ["x^y^z", "x^{y^{z}}"],
    ["(x^y)^z", "\\left(x^{y}\\right)^{z}"],
    ["(-x)^2 - -y", "\\left(-x\\right)^{2} - -y"],
    ["-(x * y)", "-\\left(x \\cdot y\\right)"],
    ["2 * x", "2 \\, x"],
    ["2 * 3", "2 \\cdot 3"],
    ["2 * 3^x", "2 \\cdot 3^{x}"],
    ["2 * x^2 * sin(y)", "2 \\, x^{2} \\cdot \\sin\\left(y\\right)"],
    ["x * 2", "x \\cdot 2"],
    ["x @ w.T + b", "x \\, w^{\\top} + b"],
    ["(x + y).T^2", "\\left(\\left(x + y\\right)^{\\top}\\right)^{2}"],
    ["sqrt(x^2 + 1)", "\\sqrt{x^{2} + 1}"],
    ["exp(-x)^2", "\\left(e^{-x}\\right)^{2}"],
    ["1 / (1 + exp(-x))", "\\frac{1}{1 + e^{-x}}"],
    ["sigmoid(x) * tanh(y)", "\\sigma\\left(x\\right) \\cdot \\tanh\\left(y\\right)"],
    ["square(x + 1)", "\\left(x + 1\\right)^{2}"],
    ["reciprocal(x) + rsqrt(y)", "\\frac{1}{x} + \\frac{1}{\\sqrt{y}}"],
    [
      "abs(x) + floor(y) + ceil(z) + norm(w)",
      "\\left|x\\right| + \\left\\lfloor y\\right\\rfloor + \\left\\lceil z\\right\\rceil + \\left\\lVert w\\right\\rVert",
    ],
    ["max(x, 0)", "\\max\\left(x, 0\\right)"],
    ["lgamma(x)", "\\ln\\Gamma\\left(x\\right)"],
    ["softmax(x)", "\\operatorname{softmax}\\left(x\\right)"],
    [
      "sum(x, axis=[0, 1], keepDims=true)",
      "\\operatorname{sum}_{\\mathrm{axis}=\\left[0, 1\\right], \\mathrm{keepDims}=\\mathrm{true}}\\left(x\\right)",
    ],
    ["norm(x, ord=1)", "\\operatorname{norm}_{\\mathrm{ord}=1}\\left(x\\right)"],
    ["cross(a, b) + dot(a, b + c)", "\\left(a \\times b\\right) + \\left(a \\cdot \\left(b + c\\right)\\right)"],
    ["where(x > 0, x, 0)", "\\begin{cases} x & \\text{if } x > 0 \\\\ 0 & \\text{otherwise} \\end{cases}"],
    ["x <= y", "x \\le y"],
    ["(x != y) == (y >= z)", "\\left(x \\ne y\\right) = \\left(y \\ge z\\right)"],
    ["x[1:, -1, ..., None, ::2]", "x\\left[1:, -1, \\ldots, \\mathrm{None}, ::2\\right]"],
    ["1.5e-7 * x", "1.5 \\cdot 10^{-7} \\cdot x"],
    ["(1e30)^2", "\\left(10^{30}\\right)^{2}"],
    ["inf + nan + pi", "\\infty + \\mathrm{NaN} + \\pi"],
    ['f("a_b", [1, 2])', "\\operatorname{f}\\left(\\text{a\\_b}, \\left[1, 2\\right]\\right)"],
    ["a = x * x\na + a", "\\begin{aligned}\na &= x \\cdot x \\\\\n&a + a\n\\end{aligned}"],
  ])("%s", (text, expected) => {
    expect(set(text)).toBe(expected);
  });

  test.each([
    ["x", "x"],
    ["θ", "\\theta"],
    ["theta", "\\theta"],
    ["w₀", "w_{0}"],
    ["w_12", "w_{12}"],
    ["x1", "x_{1}"],
    ["theta_k", "\\theta_{k}"],
    ["x_max", "x_{\\mathrm{max}}"],
    ["x'", "x'"],
    ["f″", "f''"],
    ["α₁₂′", "\\alpha_{12}'"],
    ["loss", "\\mathrm{loss}"],
    ["learning_rate", "\\mathrm{learning}_{\\mathrm{rate}}"],
    ["a_b_c", "\\mathrm{a\\_b\\_c}"],
    ["가중치", "\\text{가중치}"],
    ["∂L", "\\partial L"],
    ["∇f", "\\nabla f"],
    ["fc1.w", "\\mathtt{fc1.w}"],
    ["_", "\\mathrm{\\_}"],
  ])("the name %s", (name, expected) => {
    expect(latexName(name)).toBe(expected);
  });

  test("characters of LaTeX's own are escaped", () => {
    expect(escaped("a_b{c}\\$%#&^~")).toBe("a\\_b\\{c\\}\\textbackslash{}\\$\\%\\#\\&\\^{}\\~{}");
  });

  test("braces, brackets and environments balance, and nothing has two superscripts", () => {
    fc.assert(
      fc.property(someExpression, (expression) => {
        const text = latexOfExpression(expression);
        let depth = 0;
        for (const [token] of text.matchAll(/\\[{}]|[{}]/g)) {
          if (token === "{") depth++;
          else if (token === "}") depth--;
          expect(depth).toBeGreaterThanOrEqual(0);
        }
        expect(depth).toBe(0);
        const count = (piece: RegExp): number => [...text.matchAll(piece)].length;
        expect(count(/\\left(?![a-z])/g)).toBe(count(/\\right(?![a-z])/g));
        expect(hasTwoSuperscripts(text)).toBe(false);
      }),
      { numRuns: 500, seed: 9 },
    );
  });
});

/** Whether a group `^{...}` is followed at once by another. */
function hasTwoSuperscripts(text: string): boolean {
  for (let at = text.indexOf("^{"); at >= 0; at = text.indexOf("^{", at + 1)) {
    let depth = 0;
    let end = at + 1;
    do {
      if (text[end] === "\\") end++;
      else if (text[end] === "{") depth++;
      else if (text[end] === "}") depth--;
      end++;
    } while (depth > 0 && end < text.length);
    if (text[end] === "^") return true;
  }
  return false;
}

describe("latex of values", () => {
  test("a graph", () => {
    const [x, w] = [variable(1, "x_1"), variable(2, "w₀")];
    expect(latex(mul(add(x, w), 2))).toBe("\\left(x_{1} + w_{0}\\right) \\cdot 2");
    const q = named(add(mul(x, w), mul(w, add(x, 1))), "q");
    expect(latex(mul(q, q))).toBe(
      "\\begin{aligned}\nq &= x_{1} \\cdot w_{0} + w_{0} \\cdot \\left(x_{1} + 1\\right) \\\\\n&q \\cdot q\n\\end{aligned}",
    );
  });
});
