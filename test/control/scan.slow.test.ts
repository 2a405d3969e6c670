import { expect, test } from "vitest";
import { add, grad, mul, read, scan, type Value } from "../../src/index.ts";

test("a hundred thousand steps run, forward and backward", () => {
  const f = (w: Value) => scan((c) => ({ carry: add(mul(c, w), 0.1) }), 0.5, null, { length: 100_000 }).carry;
  expect(read(grad(f)(0.9))).toBeCloseTo(10, 8);
});
