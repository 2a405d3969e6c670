import { expect, test } from "vitest";
import { add, explain, type Value, variable } from "../../src/index.ts";

test("a chain of 100,000 gates is explained without a stack overflow", () => {
  const x = variable(1, "x");
  let y: Value = x;
  for (let i = 0; i < 100_000; i++) y = add(y, 1);
  const e = explain(y);
  expect(e.steps).toHaveLength(200_001);
  expect(e.json().gradients).toEqual({ x: 1 });
});
