import { describe, expect, test } from "vitest";
import { type Finding, mul, neg, relu, sin, square, type Value, variable, whyZero } from "../../src/index.ts";

const x = variable(-2, "x");

function zero(f: Value, of: Value, element?: number): Finding {
  const finding = whyZero(f, of, element === undefined ? {} : { element });
  expect(finding).not.toBeNull();
  return finding!;
}

describe("why", () => {
  test("a chain of 20,000 gates is no recursion", () => {
    let h: Value = x;
    for (let i = 0; i < 20_000; i++) h = i === 10_000 ? relu(neg(square(h))) : i % 2 ? mul(h, 1.0001) : sin(h);
    expect(zero(h, x)).toMatchObject({ cause: "reluOff" });
    expect(zero(h, x).path.length).toBeGreaterThan(20_000);
  });
});
