import { expect, test } from "vitest";
import { score } from "./score.ts";

test("of 6,000 graphs with a planted fault 98 % or more are named exactly, and at most 1 % of healthy twins raise an alarm", () => {
  const { graphs, exact, misses, alarms } = score(6000, 77777);
  const told = [...misses, ...alarms].map((m) => `${m.kind} (${m.origin}, seed ${m.seed}): ${m.what}`).join("\n");
  expect(exact / graphs, told).toBeGreaterThanOrEqual(0.98);
  expect(alarms.length / graphs, told).toBeLessThanOrEqual(0.01);
});
