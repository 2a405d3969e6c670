import { expect, test } from "vitest";
import { verdicts } from "./verdicts.ts";

test.each(["particle", "saddle"])("%s gives GradBench's outputs to 1e-9, in all four orders", { timeout: 600_000 }, async (name) => {
  const found = await verdicts(name);
  expect(found.map((v) => [v.function, v.valid])).toEqual([
    ["rr", true],
    ["ff", true],
    ["fr", true],
    ["rf", true],
  ]);
});
