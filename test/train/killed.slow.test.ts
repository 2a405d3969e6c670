// A process that writes checkpoints as fast as it can is killed at random moments: the file is always a whole checkpoint, never older than the last
// one that the process said it had written, and a run goes on from it.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/checkpoint.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "killed-"));
const file = join(folder, "run.ckpt");
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

const program = `
import { matmul, mean, reference, square, sub, tensor } from "${root}dist/index.js";
import { dataset, loader } from "${root}dist/data.js";
import { sgd } from "${root}dist/optim.js";
import { train } from "${root}dist/train.js";
const data = dataset({ x: tensor(new Float32Array(8).map((_, i) => i), "f32"), y: tensor(new Float32Array(8), "f32") });
const training = train(
  { params: { w: tensor(new Float32Array(20000), "f32") }, loss: (p, { x, y }) => mean(square(sub(mean(p.w), sub(x, y)))) },
  {
    data: loader(data, { batch: 2, shuffle: 1 }), optimizer: sgd({ rate: 1e-3, momentum: 0.9 }), engine: reference(), epochs: 1e9, health: false,
    checkpoint: { file: ${JSON.stringify(file)}, every: 1, resume: true },
    callbacks: [{ saved: (_, step) => void process.stdout.write(step + "\\n") }],
  },
);
await training.finish();
`;

/** Starts the program, waits for its first checkpoint, kills it \`after\` milliseconds later; the last step that it told of. */
function killed(after: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, "run.mjs")], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let fault = "";
    child.stderr.on("data", (text: Buffer) => (fault += text.toString()));
    child.stdout.on("data", (text: Buffer) => {
      if (out === "") setTimeout(() => child.kill("SIGKILL"), after);
      out += text.toString();
    });
    child.on("exit", (_, signal) => {
      if (signal === "SIGKILL") resolve(Number(out.slice(0, out.lastIndexOf("\n")).split("\n").at(-1)));
      else reject(new Error(fault));
    });
  });
}

test("killed at 50 random moments, it never loses a checkpoint", async () => {
  writeFileSync(join(folder, "run.mjs"), program);
  let before = 0;
  for (let round = 0; round < 50; round++) {
    const told = await killed((round * 7.31) % 20);
    expect(told).toBeGreaterThan(before);
    const { header, tensors } = await readCheckpoint(file);
    expect(header.step).toBeGreaterThanOrEqual(told);
    expect(tensors["step"]!.data[0]).toBe(header.step);
    before = header.step;
  }
  // At most the file of the last kill is left unfinished: each start clears the others away.
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp")).length).toBeLessThanOrEqual(1);
  expect(existsSync(file)).toBe(true);
}, 120_000);
