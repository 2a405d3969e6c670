import { execFileSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const example = (name: string): Promise<Record<string, unknown>> =>
  import(/* @vite-ignore */ pathToFileURL(`${root}examples/${name}.js`).href) as Promise<Record<string, unknown>>;

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

test("moons are parted, and the map shows them", async () => {
  const { learnMoons, map } = (await example("moons")) as {
    learnMoons(seed: number, epochs: number): Promise<{ accuracy: number }>;
    map(learnt: unknown, columns: number, lines: number): string;
  };
  const learnt = await learnMoons(1, 40);
  expect(learnt.accuracy).toBeGreaterThan(0.98);
  const lines = map(learnt, 40, 10).split("\n");
  expect(lines.map((line) => line.length)).toEqual(new Array(10).fill(40));
  // The middle of the upper moon, and the middle of the lower one.
  expect(lines[2]![15]).toBe(" ");
  expect(lines[8]![25]).toBe("@");
});
