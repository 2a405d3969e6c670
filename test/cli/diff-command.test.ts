import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "diff-"));
afterAll(() => rmSync(folder, { recursive: true }));
const dump = (name: string): string => fileURLToPath(new URL(`../fixtures/diff/${name}.npz`, import.meta.url));
const net = (name: string): string[] => [
  "diff",
  "h = x @ w1 + b1; a = tanh(h); s = a @ w2; loss = mean((s - y)^2)",
  ...["x", "w1", "b1", "w2", "y"].map((leaf) => `${leaf}=@${dump(name)}:${leaf}`),
];

test("diff compares with a dump of PyTorch, and names the rule that deviates", async () => {
  const good = await runCli([...net("torch-f32"), "--dump", dump("torch-f32")]);
  expect([good.code, good.err]).toEqual([0, ""]);
  expect(good.out).toContain("all 18 tensors agree within 256 units");
  const wrong = await runCli([...net("torch-f64"), "--dump", dump("torch-wrong")]);
  expect(wrong.code).toBe(1);
  expect(wrong.out).toContain("made by the backward rule of tanh (a), whose own gradient agrees");
  expect((await runCli([...net("torch-f64"), "--dump", dump("torch-wrong"), "--lang", "ko", "--markdown"])).out).toContain(
    "| 단계 | 이름 |",
  );
});

test("diff --save writes a run that --dump reads, in both formats", async () => {
  for (const extension of ["npz", "safetensors"]) {
    const path = join(folder, `run.${extension}`);
    expect((await runCli([...net("torch-f64"), "--save", path])).out).toBe(`wrote ${path}\n`);
    const again = await runCli([...net("torch-f64"), "--dump", path, "--ulps", "0", "--json"]);
    const made = JSON.parse(again.out) as Record<string, unknown>;
    expect([again.code, Object.keys(made)]).toEqual([0, ["expression", "agrees", "firstValue", "firstGradient", "rows", "unmatched"]]);
  }
  expect(JSON.parse((await runCli([...net("torch-f64"), "--save", join(folder, "j.npz"), "--json"])).out)).toHaveProperty("file");
});

test("diff --against another dtype counts in its units", async () => {
  expect((await runCli(["diff", "sum(exp(x))", "x=[1,2,3]", "--against", "f32"])).code).toBe(0);
  const lost = await runCli(["diff", "sum((x + 1e8) - 1e8)", "x=[0.1,0.2]", "--against", "f32"]);
  expect(lost.code).toBe(1);
  expect(lost.out).toContain("going forward");
});

test.each([
  [[], "diff needs another run: --dump FILE, --against f32, or --save FILE"],
  [["--dump", "a.npz", "--against", "f32"], "--dump and --against do not go together"],
  [["--dump", "/none/there.npz"], "there is no such file"],
  [["--against", "f8"], "--against f8 is not there; f32, f16 and bf16 are"],
  [["--save", "run.txt"], "run.txt: a dump is written as .npz or .safetensors"],
  [["--against", "f32", "--ulps", "few"], "--ulps few is no number from 0 up"],
  [["--against", "f32", "--names", "w"], '--names: "w" is no pair; write w=layer1.weight'],
  [["--against", "f32", "--json", "--markdown"], "--json and --markdown do not go together"],
] as const)("%j is one clear error", async (words, message) => {
  const { code, out, err } = await runCli(["diff", "sum(x^2)", "x=[1,2]", ...words]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
