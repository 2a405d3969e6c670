import { expect, test } from "vitest";
import { add, f64, input, mul, type Value } from "../../src/index.ts";
import { collect } from "../../src/ir/walk.ts";
import { simplify } from "../../src/passes/simplify.ts";

test("a chain of 100,000 sums and one of products are rewritten without a stack overflow", () => {
  let sum: Value = input(f64(), "s");
  let product: Value = input(f64(), "p");
  for (let i = 0; i < 100_000; i++) {
    sum = add(sum, input(f64(), `s${i}`));
    product = mul(product, 1.00001);
  }
  expect(collect([simplify(sum)]).length).toBeGreaterThan(100_000);
  expect(collect([simplify(mul(product, 0))])).toHaveLength(1);
});
