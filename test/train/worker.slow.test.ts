// As a user has it: the built package, and an engine in a worker that finds its own file.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "worker-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

const program = `
import { matmul, mean, square, sub, tensor } from "${root}dist/index.js";
import { dataset, loader } from "${root}dist/data.js";
import { sgd } from "${root}dist/optim.js";
import { train } from "${root}dist/train.js";
import { wasm } from "${root}dist/wasm.js";
const rows = dataset({ x: tensor([[1], [2], [3]], "f32"), y: tensor([[2], [4], [6]], "f32") });
const data = loader(rows, { batch: 2, shuffle: 0 });
const run = (engine) => train(
  { params: { w: tensor([[0]], "f32") }, loss: (p, { x, y }) => mean(square(sub(matmul(x, p.w), y))) },
  { data, validate: data, optimizer: sgd({ rate: 0.05 }), engine, epochs: 20 },
).finish();
const [here, there] = [await run(wasm()), await run(wasm({ worker: true }))];
console.log(JSON.stringify([...here.params.w.data, ...there.params.w.data, there.report.steps]));
`;

test("train() in a worker gives what it gives in the thread of the caller", () => {
  writeFileSync(join(folder, "run.mjs"), program);
  const out = execFileSync(process.execPath, [join(folder, "run.mjs")], { encoding: "utf8" });
  const [here, there, steps] = JSON.parse(out) as [number, number, number];
  expect(here).toBeCloseTo(2, 2);
  expect(there).toBe(here);
  expect(steps).toBe(40);
}, 60_000);
