import { expect, test } from "vitest";
import { drawProfile, type TimedStep } from "../../src/index.ts";

const step = (measured: number, ...reads: number[]): TimedStep => ({
  kind: "loop",
  ops: ["add", "mul"],
  shape: "[4]",
  reads,
  bytes: 64,
  operations: 8,
  predicted: 0.001,
  measured,
});

test("each step is a box with its share of the time, coloured by it, and a wire leads to who reads it", () => {
  const svg = drawProfile({ steps: [step(1), step(3, 0), step(0, 0, 1)] });
  expect(svg).toContain("3 steps, 4.000 ms");
  expect(svg).toContain("step 1, loop add mul [4]: 3 ms, 75.0% of the time; at least 0.001 ms for 8 operations and 64 bytes");
  expect([...svg.matchAll(/class="cr-heat" fill-opacity="([\d.]+)"/g)].map(([, x]) => Number(x))).toEqual([0.18, 0.55, 0]);
  expect(svg.match(/data-wire=/g)?.length).toBe(3);
});

test("of many steps the longest have boxes, and neighbours among the others share one", () => {
  const steps = [step(0.1), step(0.2, 0), step(5, 1), step(0.3, 2), step(0.1, 0, 3), step(2, 4)];
  const svg = drawProfile({ steps }, { most: 2 });
  expect(svg.match(/data-item=/g)?.length).toBe(4);
  expect(svg.match(/2 short steps/g)?.length).toBeGreaterThan(1);
  expect(drawProfile({ steps }, { most: 2, language: "ko", theme: "dark", direction: "right" })).toContain("짧은 단계 2개");
  expect(drawProfile({ steps: Array.from({ length: 2000 }, (_, i) => step(i % 7, ...(i > 0 ? [i - 1] : []))) }).length).toBeLessThan(
    200_000,
  );
});

test("a profile without steps, and without time, is drawn too", () => {
  expect(drawProfile({ steps: [] })).toContain("0 steps, 0.000 ms");
  expect(drawProfile({ steps: [step(0)] })).toContain("0%");
});

test("a number of boxes that is none is refused", () => {
  for (const most of [0, 1.5, Number.NaN])
    expect(() => drawProfile({ steps: [] }, { most })).toThrow(`drawProfile: most is ${most}; it is a whole number, 1 or more`);
});
