// The minima that Moré, Garbow and Hillstrom give, from their standard starts, by each method.
import { describe, expect, test } from "vitest";
import { square, sum, tensor } from "../../src/index.ts";
import { leastSquares, minimize } from "../../src/optim.ts";
import { type Problem, problems } from "./problems.ts";

const isMinimum = ({ minima }: Problem, value: number): boolean => minima.some((m) => Math.abs(value - m) <= 1e-5 * m + 1e-11);
const rows = problems.map((p) => [p.name, p] as const);

describe("leastSquares", () => {
  test.each(rows)("%s", (_, problem) => {
    const { value, reason } = leastSquares(problem.residuals, tensor([...problem.start]));
    expect(isMinimum(problem, value), String(value)).toBe(true);
    expect(reason).not.toBe("limit");
  });
});

describe.each(["lbfgs", "newton"] as const)("minimize by %s", (method) => {
  // From its start Newton's model leads Biggs' function down a valley that has no end.
  test.each(rows.filter(([name]) => method !== "newton" || name !== "Biggs"))("%s", (_, problem) => {
    const { value, reason } = minimize((x) => sum(square(problem.residuals(x))), tensor([...problem.start]), { method });
    expect(isMinimum(problem, value), String(value)).toBe(true);
    expect(reason).not.toBe("limit");
  });
});
