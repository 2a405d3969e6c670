import { describe, expect, test } from "vitest";
import { evaluate, read } from "../../src/evaluate/evaluate.ts";
import { variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { infix, infixParts } from "../../src/notation/infix.ts";
import { add, concat, neg, sub } from "../../src/ops/index.ts";

const [x, y] = [variable(-2, "x"), variable(5, "y")];
const m = variable(
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  "m",
);

/** The value that the printed text gives. */
function reread(v: Value): Value {
  const { text, operands } = infixParts(v);
  return compileExpression(text, { variables: Object.keys(operands) })(operands);
}

function expectSame(v: Value): void {
  expect(evaluate(reread(v))).toEqual(evaluate(v));
}

describe("size", () => {
  const n = 100_000;
  const terms = process.env["CHAINRULE_FAST"] === "1" ? 20_000 : n;
  test("a chain of many nodes to the left prints flat and reads back", () => {
    let v: Value = x;
    for (let i = 0; i < terms; i++) v = add(v, i % 2 === 0 ? y : -1);
    expect(infix(v).split("\n")).toHaveLength(1);
    expect(read(reread(v))).toBe(read(v));
  });

  test("chains to the right, of calls and of signs print in lines that can be parsed", () => {
    let right: Value = x;
    let calls: Value = m;
    let signs: Value = x;
    for (let i = 0; i < n / 4; i++) {
      right = sub(y, right);
      signs = neg(signs);
      if (i % 5 === 0) calls = concat([calls], { axis: 0 });
    }
    for (const v of [right, calls, signs]) {
      expect(infix(v).split("\n").length).toBeGreaterThan(45);
      expectSame(v);
    }
  });
});
