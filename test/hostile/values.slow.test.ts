import { expect, test } from "vitest";
import { constant, evaluate, stack, type Value } from "../../src/index.ts";

test("a list of 300,000 operands is no more than a list of two", () => {
  expect(evaluate(stack(new Array<Value>(300_000).fill(constant(1)))).data.length).toBe(300_000);
});
