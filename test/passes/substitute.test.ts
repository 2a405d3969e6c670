import { describe, expect, test } from "vitest";
import { add, constant, GraphError, gradients, mul, read, split, substitute, sum, type Value, variable } from "../../src/index.ts";
import { checkGradients } from "../../src/testing.ts";

describe("a value in a graph is replaced by another", () => {
  const x = variable(-2, "x");
  const y = variable(5, "y");
  const q = add(x, y);
  const f = mul(mul(q, q), x);

  test("a leaf, a value on the way, and the end itself", () => {
    expect(read(f)).toBe(-18);
    expect(read(substitute(f, x, variable(1, "x")))).toBe(36);
    expect(read(substitute(f, q, variable(10, "q")))).toBe(-200);
    expect(read(substitute(f, f, constant(7)))).toBe(7);
    expect(substitute(f, variable(0, "other"), constant(1))).toBe(f);
    expect(read(f)).toBe(-18);
  });

  test("its gradient inside the graph is what differences say", () => {
    expect(read(gradients(f, { q }).q)).toBe(-12);
    expect(checkGradients((v: Value) => substitute(f, q, v), 3).passed).toBe(true);
  });

  test("gates with several results are built again too", () => {
    const v = variable([1, 2, 3, 4], "v");
    const [a, b] = split(v, { parts: 2 });
    const g = sum(mul(a!, b!));
    expect(read(substitute(g, v, variable([2, 2, 2, 2], "w")))).toBe(8);
  });

  test("a hundred thousand gates", () => {
    let deep: Value = x;
    for (let i = 0; i < 100_000; i++) deep = add(deep, y);
    expect(read(substitute(deep, y, constant(0)))).toBe(-2);
  });

  test("one use of a value, whose derivative is what its branch contributes", () => {
    const squared = mul(x, x);
    const g = add(squared, mul(3, x));
    const uses = (node: Value, operand: number): { node: Value["node"]; operand: number }[] => [{ node: node.node, operand }];
    expect(read(substitute(g, x, constant(10), uses(squared, 0)))).toBe(-26);
    expect(read(gradients(substitute(g, x, x, uses(squared, 1)), { x }).x)).toBe(-1);
    for (const operand of [0, 1]) {
      const report = checkGradients((v: Value) => substitute(g, x, v, uses(squared, operand)), -2, { order: 1 });
      expect(report.rows.map(({ analytic, verdict }) => [analytic, verdict])).toEqual([[-2, "pass"]]);
    }
    const both = checkGradients((v: Value) => substitute(g, x, v, [...uses(squared, 0), ...uses(squared, 1)]), -2, { order: 1 });
    expect(both.rows[0]!.analytic).toBe(-4);
    expect(substitute(x, x, y, [])).toBe(x);
  });

  test("a use that is none is refused", () => {
    expect(() => substitute(f, q, constant(1), [{ node: f.node, operand: 1 }])).toThrow(
      "substitute: operand 1 of mul is not add; a use is { node, operand } with node.operands[operand] === x",
    );
  });

  test("another type, and what is no Value, are refused", () => {
    expect(() => substitute(f, q, constant([1, 2]))).toThrow(GraphError);
    expect(() => substitute(f, q, constant([1, 2]))).toThrow("and what takes its place is f64[2]; give the same type");
    expect(() => substitute(f, q, 3 as never)).toThrow("substitute: by is no Value; write substitute(f, x, by) with the Values themselves");
  });
});
