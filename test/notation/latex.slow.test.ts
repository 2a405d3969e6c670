import { describe, expect, test } from "vitest";
import { variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import { latex } from "../../src/notation/latex.ts";
import { add } from "../../src/ops/index.ts";

describe("latex of values", () => {
  test("a chain of 100,000 nodes", () => {
    const x = variable(1, "x");
    let v: Value = x;
    for (let i = 0; i < 100_000; i++) v = add(v, x);
    expect(latex(v)).toHaveLength(400_001);
  });
});
