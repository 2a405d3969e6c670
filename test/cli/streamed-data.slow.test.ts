import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { csvRows } from "../../src/data/csv-rows-source.ts";
import { serializeNpz } from "../../src/data/npz.ts";
import { serializeSafetensors } from "../../src/data/safetensors.ts";
import { f32, type Tensor, tensor } from "../../src/index.ts";
import { png } from "../data/make-image.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "streamed-data-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(at(name), content);
  return at(name);
};
const names = ["ant", "bee", "cicada, or cricket"];
const table = file(
  "table.csv",
  `a,"b, too",kind,c,d\r\n${Array.from({ length: 61 }, (_, i) => `${i % 7},${(i * i) % 11},"${names[(i * i) % 3]}",${i / 8},${-i}`).join("\r\n")}`,
);
const model = file(
  "model.onnx",
  modelBytes({
    inputs: [port("x", ["n", 4])],
    outputs: [port("logits", ["n", 3])],
    weights: [weight("w", [4, 3], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])],
    nodes: [node("MatMul", ["x", "w"], ["logits"])],
  }),
);
const pixels = file(
  "pixels.onnx",
  modelBytes({
    inputs: [port("x", ["n", 1, 2, 2])],
    outputs: [port("logits", ["n", 2])],
    weights: [weight("w", [4, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])],
    nodes: [node("Flatten", ["x"], ["flat"]), node("MatMul", ["flat", "w"], ["logits"])],
  }),
);
const kinds = tensor(Int32Array.from({ length: 61 }, (_, i) => (i * i) % 3));
const samples = {
  x: tensor(
    Float32Array.from({ length: 61 * 4 }, (_, i) => Math.sin(i)),
    f32(61, 4),
  ) as Tensor,
  y: kinds,
};
const tensors = file("rows.safetensors", serializeSafetensors(samples));
const arrays = file("rows.npz", await serializeNpz(samples));
const packed = file("packed.npz", await serializeNpz(samples, { compress: true }));
const photos = at("photos");
for (const [i, name] of ["dark", "light"].entries()) {
  mkdirSync(join(photos, name), { recursive: true });
  for (let k = 0; k < 9; k++)
    writeFileSync(
      join(photos, name, `${k}.png`),
      png(
        "grey",
        2,
        2,
        [k, 2 * k, 3 * k, 128 * i + k].map((v) => v % 256),
      ),
    );
}
let count = 0;
/** A run in this process; the bytes of what it wrote. */
async function tuned(args: readonly string[], ...more: readonly string[]): Promise<Uint8Array> {
  const out = at(`tuned${count++}.onnx`);
  const { code, err } = await cli(["finetune", ...args, "--engine", "reference", "--batch", "7", "--lr", "0.01", ...more, "-o", out]);
  expect(err).not.toContain("chainrule:");
  expect(code).toBe(0);
  return readFileSync(out);
}
async function trained(...more: readonly string[]): Promise<Uint8Array> {
  const out = at(`trained${count++}.safetensors`);
  const args = ["train", "--model", "mlp:4-3", "--data", table, "--target", "kind", "--engine", "reference", "--batch", "7"];
  const { code, err } = await cli([...args, ...more, "--out", out]);
  expect(err).not.toContain("chainrule:");
  expect(code).toBe(0);
  return readFileSync(out);
}

describe("data that is read batch by batch from its file gives, bit for bit, what data in memory gives", () => {
  test.each<[string, readonly string[]]>([
    ["a table", [model, "--data", table, "--target", "kind"]],
    ["safetensors", [model, "--data", tensors]],
    ["npz", [model, "--data", arrays]],
    ["compressed npz", [model, "--data", packed]],
    ["safetensors and another file to validate with", [model, "--data", tensors, "--validation", tensors]],
    ["a folder of images", [pixels, "--data", photos, "--mean", "0.5"]],
  ])("chainrule finetune: %s", async (_, args) => {
    const held = await tuned(args);
    if (args.some((word) => word.endsWith(".npz"))) expect(held).toEqual(await tuned([model, "--data", tensors]));
    expect(await tuned(args, "--memory", "0")).toEqual(held);
    const file = at(`${count}.ckpt`);
    await tuned(args, "--memory", "0", "--epochs", "1", "--checkpoint", file);
    expect(await tuned(args, "--memory", "0", "--checkpoint", file, "--resume")).toEqual(held);
  });

  test("chainrule train, resumed with the data held or not", async () => {
    const long = ["--epochs", "4"];
    const held = await trained(...long, "--checkpoint", at("held.ckpt"));
    expect(await trained(...long, "--memory", "0", "--checkpoint", at("streamed.ckpt"))).toEqual(held);
    for (const [name, first, second] of [
      ["a", "0", "0"],
      ["c", "1kB", "0B"],
    ] as const) {
      await trained("--epochs", "2", "--memory", first, "--checkpoint", at(`${name}.ckpt`));
      expect(await trained(...long, "--memory", second, "--checkpoint", at(`${name}.ckpt`), "--resume")).toEqual(held);
    }
  });

  test("and a table from standard input, which is kept in a file without a name, and trains alike", async () => {
    const kept = at("kept");
    mkdirSync(kept);
    vi.stubEnv("TMPDIR", kept);
    const out = at("piped.safetensors");
    const args = ["train", "--model", "mlp:4-3", "--data", "-", "--target", "kind", "--engine", "reference", "--batch", "7"];
    const { code } = await cli([...args, "--memory", "0", "--checkpoint", at("piped.ckpt"), "--out", out], {
      stdin: readFileSync(table, "utf8"),
    });
    expect(code).toBe(0);
    expect(readFileSync(out)).toEqual(Buffer.from(await trained("--checkpoint", at("unpiped.ckpt"))));
    expect(readdirSync(kept)).toEqual([]);
    const bad = await cli([...args, "--checkpoint", at("bad.ckpt")], { stdin: "a,kind\n1,2,3\n" });
    expect([bad.code, readdirSync(kept)]).toEqual([2, []]);
    vi.stubEnv("TMPDIR", at("nowhere"));
    const none = await cli([...args, "--checkpoint", at("none.ckpt")], { stdin: "a,kind\n1,2\n" });
    vi.unstubAllEnvs();
    expect(none.code).toBe(2);
    expect(none.err).toContain(
      `-: rows are read more than once, so what comes by a pipe is kept in a temporary file, and none can be written to ${at("nowhere")}: there is no such file or folder; name another folder in TMPDIR, or write the table to a file`,
    );
  });
});

test("what is no size of memory is refused", async () => {
  const args = ["train", "--model", "mlp:4-3", "--data", table, "--target", "kind", "--memory", "much"];
  expect((await cli(args)).err).toContain("--memory much is no size; write 64MB or 1.5GB");
});

test("a table whose classes have changed, in a file of the same size, is an error", async () => {
  const path = file("changing.csv", "a,of\n1,up\n2,in\n3,up\n4,in\n");
  const source = await csvRows(path, { label: "of", batch: 2 });
  writeFileSync(path, "a,of\n1,up\n2,on\n3,up\n4,in\n");
  await expect(
    (async () => {
      for await (const _ of source.pass(0));
    })(),
  ).rejects.toThrow(`${path}: csv: the file has changed since its rows were counted`);
});
