import { execFileSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

// Seconds of work; a busy machine may make minutes of it.
test.each([
  ["mlp", 0.97],
  ["convnet", 0.98],
])(
  "%s reads %f of held-out digits or more, as the mean over seeds 0 to 4",
  async (name, least) => {
    const { accuracy } = (await import(/* @vite-ignore */ pathToFileURL(`${root}examples/digits-net.js`).href)) as {
      accuracy(name: string, seed: number): Promise<number>;
    };
    let total = 0;
    for (let seed = 0; seed < 5; seed++) total += await accuracy(name, seed);
    expect(total / 5).toBeGreaterThanOrEqual(least);
  },
  300_000,
);
