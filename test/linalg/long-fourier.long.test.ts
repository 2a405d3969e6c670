import { expect, test } from "vitest";
import type { Value } from "../../src/index.ts";
import { fourier } from "../../src/linalg/fourier.ts";
import { answers, apart, matrices, numbers } from "./compiled.ts";

// Of as many places as passes take, and of a prime.
test.each([2 ** 22, 2 ** 21 + 17])("compiled, the transform of %i places is the reference's", async (n) => {
  const operands = [1, 2].map((seed) => matrices(numbers(n, seed), n));
  const { got, want, left } = await answers(operands, (x: Value, y: Value) => {
    const { re, im } = fourier(x, y, { axis: 0, inverse: false });
    return { re, im };
  });
  expect(left).toBe(0);
  for (const i of [0, 1]) expect(apart(got[i]!, want[i]!)).toBeLessThan(1e-14);
});
