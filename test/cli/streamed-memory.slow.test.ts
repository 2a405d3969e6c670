// A process of its own trains on a file and says what array buffers it held at most. A planted fault, the same data held in memory, shows that it would be seen.
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serializeNpz } from "../../src/data/npz.ts";
import { f32, i32, tensor } from "../../src/index.ts";
import { png } from "../data/make-image.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "streamed-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
  writeFileSync(
    at("watch.mjs"),
    `let most = 0;
// Twice: buffers that the first collection found are freed beside the program, and the second waits for that.
const look = () => { gc(); gc(); most = Math.max(most, process.memoryUsage().arrayBuffers); };
setInterval(look, 250).unref();
process.on("exit", () => { process.stderr.write("held " + most + "\\n"); });`,
  );
});

/** Bytes of array buffers that a command held at most. */
function heldBy(args: readonly string[], piped: string | null = null): number {
  const watched = ["--expose-gc", "--import", at("watch.mjs"), join(root, "bin/chainrule.js")];
  execFileSync(process.execPath, [...watched, ...args, "--force"], {
    encoding: "utf8",
    stdio: [piped === null ? "ignore" : openSync(piped, "r"), "ignore", openSync(at("err"), "w")],
  });
  return Number(/held (\d+)/.exec(execFileSync("tail", ["-n", "1", at("err")], { encoding: "utf8" }))?.[1]);
}

function linear(name: string, row: readonly number[]): string {
  const width = row.reduce((n, size) => n * size, 1);
  const bytes = modelBytes({
    inputs: [port("x", ["n", ...row])],
    outputs: [port("logits", ["n", 2])],
    weights: [weight("w", [width, 2], new Array<number>(width * 2).fill(0.1))],
    nodes: [node("Flatten", ["x"], ["flat"]), node("MatMul", ["flat", "w"], ["logits"])],
  });
  writeFileSync(at(name), bytes);
  return at(name);
}

test("chainrule finetune holds a few batches of a safetensors file of 268 MB, its order and its labels", () => {
  const [rows, width] = [2 ** 16, 1024];
  const size = rows * width * 4;
  const header = new TextEncoder().encode(
    `{"x":{"dtype":"F32","shape":[${rows},${width}],"data_offsets":[0,${size}]},"y":{"dtype":"I32","shape":[${rows}],"data_offsets":[${size},${size + rows * 4}]}}`,
  );
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setUint32(0, header.length, true);
  head.set(header, 8);
  const file = openSync(at("rows.safetensors"), "w");
  writeSync(file, head);
  // With holes: zeros that take no room on the disk.
  ftruncateSync(file, head.length + size + rows * 4);
  closeSync(file);
  const args = ["finetune", linear("wide.onnx", [width]), "--data", at("rows.safetensors"), "--batch", "1024", "--epochs", "1"];
  expect(heldBy([...args, "-o", at("a.onnx")])).toBeLessThan(size / 4);
  expect(heldBy([...args, "--memory", "1GB", "-o", at("a.onnx")])).toBeGreaterThan(size);
}, 240_000);

test("chainrule finetune holds a few batches of a .npz file of 67 MB that is not compressed", async () => {
  const [rows, width] = [2 ** 14, 1024];
  const size = rows * width * 4;
  const arrays = { x: tensor(new Float32Array(rows * width), f32(rows, width)), y: tensor(new Int32Array(rows), i32(rows)) };
  writeFileSync(at("rows.npz"), await serializeNpz(arrays));
  const args = ["finetune", linear("flat.onnx", [width]), "--data", at("rows.npz"), "--batch", "256", "--epochs", "1", "-o", at("n.onnx")];
  const streamed = heldBy([...args, "--memory", "1MB"]);
  expect(streamed).toBeLessThan(size / 2);
  expect(heldBy(args)).toBeGreaterThan(size);
}, 240_000);

test("chainrule train holds a few batches of a table, of which the numbers take 33 MB", () => {
  // What a look finds of a stream is 5 to 10 MB, by the moment; the table is to be more than such chance.
  const rows = 2 ** 18;
  const file = openSync(at("rows.csv"), "w");
  writeSync(file, `${Array.from({ length: 32 }, (_, i) => `c${i}`).join()}\n`);
  const block = Array.from({ length: 1024 }, (_, i) => `${"0.25,".repeat(31)}${i % 2}\n`).join("");
  for (let i = 0; i < rows / 1024; i++) writeSync(file, block);
  closeSync(file);
  const args = ["train", "--model", "mlp:31-2", "--data", at("rows.csv"), "--target", "c31", "--batch", "4096", "--epochs", "1"];
  const streamed = heldBy([...args, "--memory", "1MB", "--checkpoint", at("c.ckpt")]);
  const held = heldBy([...args, "--checkpoint", at("c.ckpt")]);
  // What it holds of every row are 31 numbers of 4 bytes and a label of 4.
  expect(held - streamed).toBeGreaterThan(rows * 32 * 4 * 0.7);
  const piped = args.map((word) => (word === at("rows.csv") ? "-" : word));
  expect(held - heldBy([...piped, "--memory", "1MB", "--checkpoint", at("c.ckpt")], at("rows.csv"))).toBeGreaterThan(rows * 32 * 4 * 0.7);
}, 240_000);

test("chainrule finetune holds a few batches of a folder of images that decoded take 38 MB", () => {
  const side = 128;
  for (const [i, name] of ["dark", "light"].entries()) {
    mkdirSync(at(`photos/${name}`), { recursive: true });
    const image = png("grey", side, side, new Array<number>(side * side).fill(200 * i + 20));
    for (let k = 0; k < 290; k++) writeFileSync(at(`photos/${name}/${k}.png`), image);
  }
  const args = ["finetune", linear("pixels.onnx", [1, side, side]), "--data", at("photos"), "--batch", "8", "--epochs", "1"];
  const streamed = heldBy([...args, "--memory", "1MB", "-o", at("b.onnx")]);
  const held = heldBy([...args, "-o", at("b.onnx")]);
  expect(held - streamed).toBeGreaterThan(580 * side * side * 4 * 0.7);
}, 240_000);
