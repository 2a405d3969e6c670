import { describe, expect, test } from "vitest";
import { ParseError } from "../../src/index.ts";
import type { Expression } from "../../src/notation/expression.ts";
import { parseFormula } from "../../src/notation/parser.ts";
import { printExpression } from "../../src/notation/print-expression.ts";

describe("texts of megabytes", () => {
  const repeated = (piece: string, megabytes: number): string => piece.repeat(Math.ceil((megabytes * 2 ** 20) / piece.length));
  const answer = (text: string): void => {
    try {
      parseFormula(text);
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError);
      expect((error as ParseError).message.length).toBeLessThan(1000);
    }
  };
  test.each(["(", "x+", "1", "a", " ", "x;", '"', "#"])("3 MB of %j are answered", (piece) => answer(repeated(piece, 3)));

  test.each([")", "-", "2^", "√", "[", "f(", "x[", "x ", "가", "\n", "x\n", "1,", "f(a=", ".", "²", "😀", "'", "a.", "x.T", "{"])(
    "1 MB of %j are answered",
    (piece) => answer(repeated(piece, 1)),
  );

  test("many operands, keywords, subscripts and an unclosed text are answered", () => {
    const keywords = Array.from({ length: 100_000 }, (_, i) => `k${i}=1`).join();
    for (const text of [
      `(${repeated("x+", 0.3)}`,
      `f(${repeated("x,", 0.3)}`,
      `x[${repeated("1,", 0.3)}`,
      `"${repeated("a", 0.3)}`,
      `f(${keywords}`,
    ])
      expect(() => parseFormula(text)).toThrow(ParseError);
  });
});

function parsed(text: string): Expression {
  const { statements } = parseFormula(text);
  expect(statements).toHaveLength(1);
  return statements[0]!.value;
}

describe("size", () => {
  test("a sum of 100,000 terms parses and prints", () => {
    const text = Array.from({ length: 100_000 }, () => "x").join(" + ");
    const { statements, nodes } = parseFormula(text);
    expect(nodes).toHaveLength(199_999);
    expect(printExpression(statements[0]!.value)).toBe(text);
  });

  test("100,000 lines, operands, indices and transposes parse", () => {
    const n = 100_000;
    expect(parseFormula(`${Array.from({ length: n }, (_, i) => `a${i} = ${i}`).join("\n")}\na7`).statements).toHaveLength(n + 1);
    expect(parseFormula(`f(${"x,".repeat(n)})`).nodes).toHaveLength(n + 1);
    expect(printExpression(parsed(`x${"[0]".repeat(n)}`))).toHaveLength(3 * n + 1);
    expect(printExpression(parsed(`x${".T".repeat(n)}`))).toHaveLength(2 * n + 1);
  });
});
