// A process of its own reads every row of a file of 256 MB in batches of 1 MB and says what array buffers it held at most, and what the whole process took.
// A planted fault, batches that are kept, shows that it would be seen.
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "rows-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

const width = 1024;
const rows = 2 ** 16;
const size = rows * width * 4;
const mark = 4096;

/** A file with holes: every 4096th row begins with its number, and the rest are zeros, which take no room on the disk. */
function sparse(name: string, head: Uint8Array): string {
  const path = join(folder, name);
  const file = openSync(path, "w");
  writeSync(file, head);
  ftruncateSync(file, head.length + size);
  for (let row = 0; row < rows; row += mark)
    writeSync(file, new Uint8Array(Float32Array.of(row).buffer), 0, 4, head.length + row * width * 4);
  closeSync(file);
  return path;
}

function npy(): string {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`.padEnd(117);
  return sparse("x.npy", Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0, ...new TextEncoder().encode(`${dict}\n`)));
}

function safetensors(): string {
  const header = new TextEncoder().encode(`{"x":{"dtype":"F32","shape":[${rows},${width}],"data_offsets":[0,${size}]}}`);
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setUint32(0, header.length, true);
  head.set(header, 8);
  return sparse("x.safetensors", head);
}

function read(source: string, each = "", columns = width): { held: number; process: number; marks: number; rows: number } {
  const file = join(folder, "run.mjs");
  writeFileSync(
    file,
    `import { csvRows, npyRows, safetensorsRows } from "${root}dist/data.js";
const kept = (globalThis.kept = []);
const source = await ${source};
let held = 0, most = 0, rows = 0, marks = 0, batches = 0;
for await (const { x } of source.pass(0)) {
  ${each}
  for (let i = 0; i < x.type.shape[0]; i++) marks += x.data[i * ${columns}];
  rows += x.type.shape[0];
  // Not resourceUsage().maxRSS: Linux hands a child the largest size of its parent, here of the test runner.
  most = Math.max(most, process.memoryUsage.rss());
  // Twice: buffers that the first collection found are freed beside the program, and the second waits for that.
  if (++batches % 16 === 0) { gc(); gc(); held = Math.max(held, process.memoryUsage().arrayBuffers); }
}
console.log(JSON.stringify({ held, rows, marks, process: most }));`,
  );
  return JSON.parse(execFileSync(process.execPath, ["--expose-gc", file], { encoding: "utf8" })) as ReturnType<typeof read>;
}

const marks = (mark * (rows / mark) * (rows / mark - 1)) / 2;

test.each([
  ["npyRows", () => `npyRows({ x: ${JSON.stringify(npy())} }, { batch: 256, shuffle: 3 })`],
  ["safetensorsRows", () => `safetensorsRows(${JSON.stringify(safetensors())}, { x: "x" }, { batch: 256 })`],
])(
  "%s holds a few batches of a file of 256 MB, and all of it is read",
  (_, source) => {
    const found = read(source());
    expect(found).toMatchObject({ rows, marks });
    expect(found.held).toBeLessThan(size / 8);
    expect(found.process).toBeLessThan(size);
  },
  120_000,
);

test("csvRows holds a few batches of a file of 40 MB, and all of it is read", () => {
  const path = join(folder, "x.csv");
  const file = openSync(path, "w");
  const line = `${"0.25,".repeat(31)}0.25\n`;
  const block = line.repeat(1024);
  for (let i = 0; i < 256; i++) writeSync(file, block);
  closeSync(file);
  const found = read(`csvRows(${JSON.stringify(path)}, { batch: 256, header: false })`, "", 32);
  expect(found).toMatchObject({ rows: 2 ** 18, marks: 2 ** 18 / 4 });
  // The table would take 33 MB as f32; a batch takes 32 KB.
  expect(found.held).toBeLessThan(2 ** 23);
}, 120_000);

test("batches that are kept would be seen", () => {
  const found = read(`npyRows({ x: ${JSON.stringify(npy())} }, { batch: 256 })`, "if (rows < 16384) kept.push(x);");
  expect(found.held).toBeGreaterThan(size / 5);
}, 120_000);
