import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { layoutScene } from "../../src/draw/layout/layout-scene.ts";
import { crossingScenes } from "./crossing-scenes.ts";
import { countCrossings } from "./geometry.ts";

const { crossings }: { crossings: Record<string, number> } = JSON.parse(
  readFileSync(fileURLToPath(new URL("../fixtures/layout/elk-crossings.json", import.meta.url)), "utf8"),
);

test("wires cross at most 1.5 times as often as in ELK's layouts, and at most 1.15 times as often in the mean", () => {
  const scenes = crossingScenes();
  expect([...scenes.keys()].sort()).toEqual(Object.keys(crossings).sort());
  expect(scenes.size).toBeGreaterThan(80);
  const worse: string[] = [];
  let sum = 0;
  for (const [name, scene] of scenes) {
    const ours = countCrossings(scene, layoutScene(scene));
    const theirs = crossings[name]!;
    if (ours > 1.5 * theirs) worse.push(`${name}: ${ours} and ELK ${theirs}`);
    // One is added, because many have none.
    sum += Math.log((ours + 1) / (theirs + 1));
  }
  expect(worse).toEqual([]);
  expect(Math.exp(sum / scenes.size)).toBeLessThanOrEqual(1.15);
});
