// A disk of one megabyte that becomes full while a run writes its checkpoints and its log there. It is a file system of its own in a namespace of its own,
// so the test is left out where the system lets nobody make one.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "full-disk-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

const mount = `mount -t tmpfs -o size=1m none ${folder}`;
const possible = spawnSync("unshare", ["-rm", "sh", "-c", mount]).status === 0;

const program = `
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { mean, mul, reference, square, sub, tensor } from "${root}dist/index.js";
import { dataset, loader } from "${root}dist/data.js";
import { sgd } from "${root}dist/optim.js";
import { jsonLog, readCheckpoint, train } from "${root}dist/train.js";
const file = "${folder}/run.ckpt";
const rows = dataset({ x: tensor(Float32Array.from({ length: 8 }, (_, i) => i)) });
const told = { saved: [], errors: [] };
const training = train(
  { params: { w: tensor(new Float32Array(60000)) }, loss: (p, { x }) => mean(square(sub(mul(mean(p.w), x), x))) },
  {
    data: loader(rows, { batch: 2, shuffle: 1 }), optimizer: sgd({ rate: 0.1 }), engine: reference(), epochs: 4, health: false,
    checkpoint: { file, every: 1, resume: true },
    callbacks: [jsonLog("${folder}/run.jsonl"), { saved: (_, step) => {
      told.saved.push(step);
      if (step === 3) for (let i = 0; i < 400; i++) try { writeFileSync("${folder}/filler" + i, new Uint8Array(4096)); } catch { break; }
    } }],
  },
);
await training.finish().catch((error) => told.errors.push(error.name + " " + error.message));
told.left = readdirSync("${folder}").filter((name) => !name.startsWith("filler"));
told.whole = (await readCheckpoint(file)).header.step;
for (const name of readdirSync("${folder}")) if (name.startsWith("filler")) rmSync("${folder}/" + name);
told.report = (await training.finish()).report.steps;
told.last = (await readCheckpoint(file)).header.step;
console.log(JSON.stringify(told));
`;

test.runIf(possible)(
  "on a full disk the run stops with the reason, the last checkpoint is whole, nothing half-written is left, and it goes on when there is room",
  () => {
    const file = join(tmpdir(), `full-disk-${process.pid}.mjs`);
    writeFileSync(file, program);
    try {
      const out = execFileSync("unshare", ["-rm", "sh", "-c", `${mount} && exec ${process.execPath} ${file}`], { encoding: "utf8" });
      const told = JSON.parse(out) as Record<string, unknown>;
      expect(told["errors"]).toEqual([`DomainError cannot write ${folder}/run.ckpt: the disk is full`]);
      expect(told["left"]).toEqual(["run.ckpt", "run.jsonl"]);
      expect(told["whole"]).toBe(3);
      expect(told["report"]).toBe(16);
      expect(told["last"]).toBe(16);
    } finally {
      rmSync(file);
    }
  },
  60_000,
);
