import { describe, expect, test } from "vitest";
import { ParseError } from "../../src/index.ts";
import { parseFormula } from "../../src/notation/parser.ts";

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
  test.each(["(", "x+", "1", "a", " ", "x;", '"', "#"])("10 MB of %j are answered", (piece) => answer(repeated(piece, 10)));

  test.each([")", "-", "2^", "√", "[", "f(", "x[", "x ", "가", "\n", "x\n", "1,", "f(a=", ".", "²", "😀", "'", "a.", "x.T", "{"])(
    "1 MB of %j are answered",
    (piece) => answer(repeated(piece, 1)),
  );

  test("many operands, keywords, subscripts and an unclosed text are answered", () => {
    const keywords = Array.from({ length: 100_000 }, (_, i) => `k${i}=1`).join();
    for (const text of [
      `(${repeated("x+", 1)}`,
      `f(${repeated("x,", 1)}`,
      `x[${repeated("1,", 1)}`,
      `"${repeated("a", 1)}`,
      `f(${keywords}`,
    ])
      expect(() => parseFormula(text)).toThrow(ParseError);
  });
});
