import { expect, test } from "vitest";
import { constant, grad, read } from "../../src/index.ts";
import { path } from "./particle-path.ts";

test("derivatives through a host loop with derivatives inside agree with differences", () => {
  const d = read(grad(path)(0.1));
  const h = 1e-5;
  const numeric = (read(path(constant(0.1 + h))) - read(path(constant(0.1 - h)))) / (2 * h);
  expect(Math.abs(d - numeric)).toBeLessThan(1e-5 * Math.max(1, Math.abs(numeric)));
  expect(read(grad(path, { mode: "forward" })(0.1))).toBeCloseTo(d, 8);
});
