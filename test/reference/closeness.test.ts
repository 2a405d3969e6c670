import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { worstError } from "./closeness.ts";

test("worstError is relative to each element, or to the floor below it", () => {
  expect(worstError(tensor([1.5, 100]), tensor([1, 100]), 0.1)).toBe(0.5);
  expect(worstError(tensor([1e-9]), tensor([2e-9]), 1)).toBeCloseTo(1e-9, 20);
});

test("worstError has no patience with another dtype, shape, sign of infinity, or a NaN on one side", () => {
  expect(worstError(tensor([1], "f32"), tensor([1]), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(worstError(tensor([[1]]), tensor([1]), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(worstError(tensor([Number.POSITIVE_INFINITY]), tensor([Number.NEGATIVE_INFINITY]), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(worstError(tensor([Number.NaN]), tensor([1]), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(worstError(tensor([1]), tensor([Number.NaN]), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(worstError(tensor([Number.NaN]), tensor([Number.NaN]), 1)).toBe(0);
});
