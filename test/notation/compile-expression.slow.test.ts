import { describe, expect, test } from "vitest";
import { read } from "../../src/evaluate/evaluate.ts";
import { variable } from "../../src/ir/leaf.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";

describe("compileExpression", () => {
  test("a sum of 100,000 terms is worked out", () => {
    const f = compileExpression(Array.from({ length: 100_000 }, () => "x").join("+"));
    expect(read(f({ x: variable(0.5) }))).toBe(50_000);
  });
});
