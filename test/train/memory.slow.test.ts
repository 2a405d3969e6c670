// Memory over 10,000 steps, in a process of its own that may call the garbage collector: heap, array buffers and the engine's memory stay where they
// are after the first thousand. A planted leak of 4 KB a step shows that it would be seen.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memory-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

const program = (leak: string): string => `
import { f32, random, evaluate, relu, softmaxCrossEntropy, tensor } from "${root}dist/index.js";
import { dataset, loader } from "${root}dist/data.js";
import { linear } from "${root}dist/nn.js";
import { adam } from "${root}dist/optim.js";
import { accuracy, train } from "${root}dist/train.js";
import { wasm } from "${root}dist/wasm.js";
const key = random.key(0), engine = wasm(), probe = engine.tensor(f32(1));
const params = { a: linear.init(random.fold(key, "a"), 16, 32), b: linear.init(random.fold(key, "b"), 32, 4) };
const data = dataset({ x: evaluate(random.normal(key, f32(100, 16))), y: tensor(Int32Array.from({ length: 100 }, (_, i) => i % 4)) });
const training = train({ params, loss: (p, { x, y }) => { const z = linear(p.b, relu(linear(p.a, x))); return { loss: softmaxCrossEntropy(z, y), accuracy: accuracy(z, y) }; } },
  { data: loader(data, { batch: 16, shuffle: 0 }), validate: loader(data, { batch: 32 }), optimizer: adam({ rate: 1e-4 }), engine, epochs: 1e9, steps: 11000, health: false });
const kept = (globalThis.kept = []); // a local one that nobody reads at the end may be collected
const measure = async () => {
  for (let i = 0; i < 4; i++) { gc(); await new Promise((done) => setImmediate(done)); }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers, engine: probe.data.buffer.byteLength };
};
let first;
for await (const { step, outputs } of training) {
  ${leak}
  if (step === 1000) first = await measure();
}
const last = await measure();
console.log(JSON.stringify(Object.fromEntries(Object.keys(first).map((k) => [k, last[k] - first[k]]))));
`;

function grown(leak = ""): { heap: number; buffers: number; engine: number } {
  const file = join(folder, "run.mjs");
  writeFileSync(file, program(leak));
  return JSON.parse(execFileSync(process.execPath, ["--expose-gc", file], { encoding: "utf8" })) as {
    heap: number;
    buffers: number;
    engine: number;
  };
}

test("memory is flat over 10,000 steps", () => {
  const { heap, buffers, engine } = grown();
  expect(engine).toBe(0);
  // The curve grows to its 2048 points, and checkups by one an epoch, of which there are 1429.
  expect(heap).toBeLessThan(1.5e6);
  expect(buffers).toBeLessThan(1e5);
}, 120_000);

test("a leak of 4 KB a step would be seen, in the heap, in buffers and in the engine", () => {
  // All three in one run, which takes as long as the one without: each counts its own memory, 40 MB of the heap and of buffers.
  const leaks = ["new Array(512).fill(outputs)", "new Float32Array(1024)", "engine.tensor(f32(1024))"];
  const { heap, buffers, engine } = grown(`kept.push(${leaks.join()});`);
  expect(heap).toBeGreaterThan(3e7);
  expect(buffers).toBeGreaterThan(3e7);
  expect(engine).toBeGreaterThan(0);
}, 120_000);
