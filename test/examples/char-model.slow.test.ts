import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
interface Learnt {
  readonly losses: readonly number[];
  goOn(prompt: string, length: number): string;
}

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

async function learn(name: string, text: string, steps: number): Promise<Learnt> {
  const example = (await import(/* @vite-ignore */ pathToFileURL(`${root}examples/char-model.js`).href)) as {
    learn(name: string, text: string, steps: number): Promise<Learnt>;
  };
  return example.learn(name, text, steps);
}

const sonnet = readFileSync(`${root}data/sonnets.txt`, "utf8").split("\n\n")[0]!;
const quatrain = sonnet.split("\n").slice(0, 4).join("\n");

// Seconds of work; a busy machine may make minutes of it.
test.each([
  ["gpt", 250],
  ["lstm", 150],
  ["rnn", 150],
])(
  "%s learns four lines by heart",
  async (name, steps) => {
    const { losses, goOn } = await learn(name, quatrain, steps);
    expect(losses[0]!).toBeGreaterThan(3);
    expect(losses.at(-1)!).toBeLessThan(0.4);
    expect(goOn(quatrain.slice(0, 40), 120)).toBe(quatrain.slice(0, 120));
  },
  300_000,
);
