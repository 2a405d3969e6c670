import { expect, test } from "vitest";
import { add, constant, grad, greater, less, mul, read, sin, type Value, whileLoop } from "../../src/index.ts";

test("many rounds go backward in stretches", () => {
  const f = (x: Value) =>
    whileLoop(
      (c) => less(c.n, 5000),
      (c) => ({ n: add(c.n, 1), x: add(c.x, mul(1e-4, sin(c.x))) }),
      { n: constant(0, "i32"), x },
    ).x;
  const h = 1e-6;
  const slope = (read(f(constant(0.5 + h))) - read(f(constant(0.5 - h)))) / (2 * h);
  expect(read(grad(f)(0.5))).toBeCloseTo(slope, 8);
  const byLimit = (x: Value) =>
    whileLoop(
      (c) => less(c, 3),
      (c) => mul(c, 1.01),
      x,
      { limit: 3_000_000 },
    );
  expect(read(grad(byLimit)(1))).toBeCloseTo(1.01 ** 111, 10);
});

test("a loop that never ends is stopped after a million rounds where no limit is said", () => {
  const forever = whileLoop(
    (x) => greater(x, 0),
    (x) => add(x, 1),
    1,
  );
  expect(() => read(forever)).toThrow("whileLoop: the test still holds after 1000000 rounds");
});
