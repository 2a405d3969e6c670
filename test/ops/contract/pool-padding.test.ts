import { expect, test } from "vitest";
import { averagePool, evaluate, maxPool, tensor } from "../../../src/index.ts";

const x = tensor([[[3, 1, 2]]]);

test("padding on one side may be all of the window but one place", () => {
  expect([...evaluate(maxPool(x, { size: 3, stride: 1, padding: [[2, 0]] })).data]).toEqual([3, 3, 3]);
});

test("padding as long as the window is refused", () => {
  expect(() => maxPool(x, { size: 2, padding: [[2, 0]] })).toThrow(
    "maxPool: padding 2 and 0 on spatial axis 0 gives the window, which reaches over 2, nothing but padding; pad by less than 2",
  );
});

test("a window without a size is refused, as when it is called by another library's word", () => {
  const attrs = { kernel: 2 } as unknown as { size: number };
  expect(() => maxPool(x, attrs)).toThrow("maxPool: size is not given; it is how far a window reaches, {size: 2} say");
  expect(() => averagePool(x, attrs)).toThrow("averagePool: size is not given");
});
