import { describe, expect, test } from "vitest";
import { ParseError } from "../../src/ir/errors.ts";
import { parseFormula } from "../../src/notation/parser.ts";

function errorOf(run: () => unknown): ParseError {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("parse errors", () => {
  test("the limit of size", () => {
    const { message } = errorOf(() => parseFormula("x+".repeat(600_000)));
    expect(message).toMatch(/^longer than 1,000,000 operands and operators \(the limit\); build so large a graph with functions \(line 1/);
  });
});
