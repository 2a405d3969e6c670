import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate, reference, tensor } from "chainrule";
import { afterAll, expect, test } from "vitest";
import { exportedAs, factsOf, graphOf } from "../../../studio/train/exported.ts";
import { defaultTrain } from "../../../studio/train/state.ts";
import { makeTrainer } from "../../../studio/train/trainer.ts";
import { nets } from "./nets.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
mkdirSync(`${root}out`, { recursive: true });
const folder = mkdtempSync(`${root}out/exports-`);
afterAll(() => rmSync(folder, { recursive: true }));

async function codes(format: "typescript" | "pytorch"): Promise<{ name: string; code: string; says: number[] }[]> {
  const digits = readFileSync(`${root}data/digits.csv`, "utf8");
  const found = [];
  for (const [name, part] of Object.entries(nets)) {
    const settings = { ...defaultTrain, ...part };
    const trainer = await makeTrainer(settings, reference(), { digits });
    trainer.step();
    const facts = factsOf(settings, trainer);
    const says = facts.sample.flatMap((row) => {
      const results = evaluate(graphOf(facts)({ x: tensor([[...row]], "f32") })) as Record<string, { data: Float32Array }>;
      return [...(results["probabilities"] ?? results["probability"] ?? results["output"]!).data];
    });
    found.push({ name, code: new TextDecoder().decode((await exportedAs(format, settings, trainer)).bytes), says });
  }
  return found;
}

test("the compiler accepts the TypeScript of every kind of net, strictly", async () => {
  for (const { name, code } of await codes("typescript")) writeFileSync(join(folder, `${name}.ts`), code);
  const paths = { chainrule: [`${root}src/index.ts`], "chainrule/*": [`${root}src/*.ts`] };
  const base = JSON.parse(readFileSync(`${root}tsconfig.base.json`, "utf8")) as { compilerOptions: object };
  const compilerOptions = {
    ...base.compilerOptions,
    noEmit: true,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: true,
    paths,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout, status } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test("PyTorch runs the code of every kind of net and says what the net says", async (context) => {
  const python = "/usr/bin/python3";
  if (!existsSync(python) || spawnSync(python, ["-c", "import torch"]).status !== 0) {
    console.log("left out: no PyTorch here");
    return context.skip();
  }
  const all = await codes("pytorch");
  all.forEach(({ name, code }) => {
    writeFileSync(join(folder, `${name}.py`), code);
  });
  for (const { name, says } of all) {
    const { stdout, stderr } = spawnSync(python, [join(folder, `${name}.py`)], { encoding: "utf8" });
    expect(stderr, name).toBe("");
    const said = (JSON.parse(stdout) as number[][]).flat();
    said.forEach((v, i) => {
      expect(Math.abs(v - says[i]!), name).toBeLessThan(1e-4 * Math.max(1, Math.abs(says[i]!)));
    });
  }
});
