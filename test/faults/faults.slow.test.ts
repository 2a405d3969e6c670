import { expect, test } from "vitest";
import { kinds } from "./planted.ts";
import { score } from "./score.ts";

test("of 300 graphs with a planted fault, gate, operand, cause and path are named exactly in 98 % or more, and at most 1 % of healthy twins raise an alarm", () => {
  const { graphs, exact, misses, alarms } = score(300, 1);
  const told = [...misses, ...alarms].map((m) => `${m.kind} (${m.origin}, seed ${m.seed}): ${m.what}`).join("\n");
  expect(exact / graphs, told).toBeGreaterThanOrEqual(0.98);
  expect(alarms.length / graphs, told).toBeLessThanOrEqual(0.01);
  expect(kinds.length).toBeGreaterThanOrEqual(30);
});
