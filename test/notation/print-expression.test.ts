import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isName } from "../../src/notation/characters.ts";
import { parseFormula } from "../../src/notation/parser.ts";
import { printExpression, printStatements } from "../../src/notation/print-expression.ts";
import { bare, someExpression, someName } from "./expressions.ts";

function reprinted(text: string): string {
  return printStatements(parseFormula(text).statements);
}

describe("printExpression", () => {
  test("any expression printed and parsed again is the same expression", () => {
    fc.assert(
      fc.property(someExpression, (expression) => {
        const [statement] = parseFormula(printExpression(expression)).statements;
        expect(bare(statement!.value)).toEqual(bare(expression));
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 400 : 2000, seed: 1 },
    );
  });

  test("parentheses are the fewest: taking away any pair changes the meaning or the syntax", () => {
    fc.assert(
      fc.property(someExpression, (expression) => {
        const text = printExpression(expression);
        for (const [from, to] of groups(text)) {
          const less = text.slice(0, from) + text.slice(from + 1, to) + text.slice(to + 1);
          let same = false;
          try {
            const parsed = parseFormula(less).statements;
            same = parsed.length === 1 && JSON.stringify(bare(parsed[0]!.value)) === JSON.stringify(bare(expression));
          } catch {
            same = false;
          }
          expect(same, `${text}  =  ${less}`).toBe(false);
        }
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test.each([
    ["((x + y)) * z", "(x + y) * z"],
    ["x - (y - z)", "x - (y - z)"],
    ["(x - y) - z", "x - y - z"],
    ["x / (y * z)", "x / (y * z)"],
    ["-(x ^ 2)", "-x^2"],
    ["(-x)^2", "(-x)^2"],
    ["-(x * y)", "-(x * y)"],
    ["(-x) * y", "-x * y"],
    ["x^(y^z)", "x^y^z"],
    ["(x^y)^z", "(x^y)^z"],
    ["2^(-x)", "2^-x"],
    ["x - -y", "x - -y"],
    ["(a < b) == c", "(a < b) == c"],
    ["(x @ w).T[0]", "(x @ w).T[0]"],
    ["x² + y⁻¹", "x^2 + y^-1"],
    ["√(x + 1) · 2", "sqrt(x + 1) * 2"],
    ["2.T", "2.T"],
    ["1e21 + 1e-7 + 0.10", "1e+21 + 1e-7 + 0.1"],
    ["sum(x, axis=[0,-1], keepDims=true)", "sum(x, axis=[0, -1], keepDims=true)"],
    ["x[1:, -1, ::2, None, ..., a:b:c]", "x[1:, -1, ::2, None, ..., a:b:c]"],
    ["x[:, 1::]", "x[:, 1:]"],
    ["a = x*x;\n\n# squares\nb = a+a # twice\nb", "a = x * x\nb = a + a\nb"],
    ['pad(x, mode="edge")', 'pad(x, mode="edge")'],
  ])("%s -> %s", (text, printed) => {
    expect(reprinted(text)).toBe(printed);
    expect(reprinted(printed)).toBe(printed);
  });

  test("every generated name is one name for the lexer, and isName knows it", () => {
    fc.assert(
      fc.property(someName, (name) => {
        expect(isName(name)).toBe(true);
        expect(parseFormula(name).nodes).toEqual([{ kind: "name", name, span: { from: 0, to: name.length } }]);
      }),
      { seed: 3 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "T", ".", "1", "'", "가", "₀", "²", " ", "ᅡ", "_", "ᵀ"), maxLength: 5 }),
        (text) => {
          let one = false;
          try {
            const [node] = parseFormula(text).nodes;
            one = node?.kind === "name" && node.name === text && node.span.to === text.length;
          } catch {
            one = false;
          }
          expect(isName(text), text).toBe(one);
        },
      ),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 400 : 2000, seed: 6 },
    );
    for (const bad of ["", "1x", "x y", "x.T", "x.", ".x", "x²", "a-b", "a/b", "x.'", "ᄒ".concat("ᅡ")])
      expect(isName(bad), bad).toBe(false);
  });
});

/** The pairs of grouping parentheses (not those of calls). */
function groups(text: string): [number, number][] {
  const open: number[] = [];
  const pairs: [number, number][] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') i = text.indexOf('"', i + 1);
    else if (text[i] === "(") open.push(i);
    else if (text[i] === ")") {
      const from = open.pop()!;
      if (from === 0 || !/[\p{L}\p{M}\p{N}_'″]/u.test(text[from - 1]!)) pairs.push([from, i]);
    }
  }
  return pairs;
}
