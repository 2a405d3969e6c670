import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { CommandIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/data.ts";
import { loadAdapters } from "../../src/finetune.ts";
import { evaluate, f32, type Tensor, tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "finetune-slow-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(at(name), content);
  return at(name);
};
const mlp = fixture("mlp/model.onnx");
const told = parseSafetensors(new Uint8Array(readFileSync(fixture("mlp/data.safetensors")))).tensors;
const stacked = (prefix: string, count: number): Tensor => {
  const parts = Array.from({ length: count }, (_, i) => told[`${prefix}/${i}`]!);
  const [rows = 0, ...rest] = parts[0]!.type.shape;
  const data =
    parts[0]!.data instanceof Int32Array ? new Int32Array(count * parts[0]!.data.length) : new Float32Array(count * parts[0]!.data.length);
  parts.forEach((t, i) => {
    data.set(t.data as Float32Array, i * t.data.length);
  });
  return tensor(data as Float32Array, { kind: "type", dtype: parts[0]!.type.dtype, shape: [count * rows, ...rest] });
};
const [x, y] = [stacked("x", 4), stacked("y", 4)];
const rows = file("rows.safetensors", serializeSafetensors({ input: x, y }));
const tune = (...words: string[]) => cli(["finetune", mlp, "--data", rows, ...words]);

describe("chainrule finetune", () => {
  test("tunes a model on tensors by name, validates, and writes a model that is as it was read but for its weights", async () => {
    const out = at("tuned.onnx");
    const {
      code,
      out: said,
      err,
    } = await tune("-o", out, "--lr", "0.01", "--epochs", "30", "--log", at("a.jsonl"), "--curve", at("a.svg"));
    expect(code).toBe(0);
    const count = x.type.shape[0]!;
    expect(err).toContain(
      `training 3466 numbers in 6 weights of ${mlp}, which has 3466, on ${Math.round(count * 0.8)} rows, validating on`,
    );
    expect(err).toMatch(/epoch 30\/30 .*accuracy/);
    expect(said).toContain("Training: ");
    expect(said).toContain(`wrote ${out}, ${at("tuned.ckpt")}, ${at("a.jsonl")}, ${at("a.svg")}`);
    const losses = readFileSync(at("a.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { loss: number }).loss);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    const [before, after] = [await onnx.read(mlp), await onnx.read(out)];
    expect(Object.keys(after.params)).toEqual(Object.keys(before.params));
    expect(after.params["net.0.weight"]!.data).not.toEqual(before.params["net.0.weight"]!.data);
  });

  test("trains what the file has twice as one weight, unless --tie says that it is two", async () => {
    const gpt = fixture("tied/gpt2.onnx");
    const batches = parseSafetensors(new Uint8Array(readFileSync(fixture("tied/gpt2.safetensors")))).tensors;
    const data = file("tied.safetensors", serializeSafetensors({ ids: batches["x/0"]!, y: batches["y/0"]! }));
    const run = async (...words: string[]) => {
      const out = at(`tied-${words.length}.onnx`);
      const { code, err } = await cli([
        "finetune",
        gpt,
        "--data",
        data,
        "--validation",
        "0",
        "--epochs",
        "2",
        "--lr",
        "0.01",
        "-o",
        out,
        ...words,
      ]);
      expect(code, err).toBe(0);
      const { params } = await onnx.read(out, { tie: false });
      const [table, head] = [params["wte.weight"]!, params["lm_head.weight"]!];
      return { err, same: table.data.every((v, i) => v === head.data[(i % 16) * 29 + Math.floor(i / 16)]) };
    };
    const [one, two] = [await run(), await run("--tie", "none")];
    expect([one.err.includes("in 28 weights"), one.same]).toEqual([true, true]);
    expect([two.err.includes("in 29 weights"), two.same]).toEqual([true, false]);
    const refused = await cli(["finetune", gpt, "--data", data, "-o", at("t.onnx"), "--freeze", "lm_head.*"]);
    expect(refused.err).toContain("trainables: freeze: lm_head.weight is tied to wte.weight; name that one");
  });

  test("freezes by patterns, and chooses by them", async () => {
    for (const [words, frozen] of [
      [
        ["--freeze", "net.0.*,net.2.bias"],
        ["net.0.weight", "net.0.bias", "net.2.bias"],
      ],
      [
        ["--trainable", "net.4.*"],
        ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"],
      ],
    ] as const) {
      expect((await tune(...words, "-o", at("frozen.onnx"), "--epochs", "1", "--force")).code).toBe(0);
      const [before, after] = [await onnx.read(mlp), await onnx.read(at("frozen.onnx"))];
      const same = Object.keys(before.params).filter((name) => String(before.params[name]!.data) === String(after.params[name]!.data));
      expect(same).toEqual(frozen);
    }
  });

  test("trains adapters, writes the merged model and the factors alone", async () => {
    const words = [
      "--lora",
      "4",
      "--alpha",
      "8",
      "--targets",
      "net.0.weight,net.2.weight",
      "--trainable",
      "net.4.*",
      "--adapters",
      at("l.safetensors"),
    ];
    const { code, err } = await tune(...words, "-o", at("lora.onnx"), "--epochs", "20", "--validation", rows);
    expect(code).toBe(0);
    expect(err).toContain("numbers in 6 adapters and weights of");
    const model = await onnx.read(mlp, { inputs: ["input"], outputs: ["logits"] });
    const { adapted, params } = await loadAdapters(at("l.safetensors"), model);
    expect([adapted.rank, adapted.alpha]).toEqual([4, 8]);
    const merged = await onnx.read(at("lora.onnx"), { inputs: ["input"], outputs: ["logits"] });
    const one = evaluate(merged.apply(merged.params, { input: x }).logits).data;
    const other = evaluate(adapted.apply(params, { input: x }).logits).data;
    one.forEach((v, i) => {
      expect(Math.abs(v - other[i]!)).toBeLessThan(1e-3);
    });
    expect(merged.params["net.0.bias"]!.data).toEqual(model.params["net.0.bias"]!.data);
  });

  test("reads tables: the columns but the target are the input, in its shape", async () => {
    const digits = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));
    const conv = file(
      "conv.onnx",
      modelBytes({
        nodes: [
          node("Conv", ["image", "c.weight"], ["c"], { kernel_shape: [3, 3] }),
          node("Relu", ["c"], ["r"]),
          node("Flatten", ["r"], ["f"]),
          node("Gemm", ["f", "fc.weight", "fc.bias"], ["scores"], { transB: 1 }),
        ],
        weights: [
          weight(
            "c.weight",
            [4, 1, 3, 3],
            Array.from({ length: 36 }, (_, i) => Math.sin(i) / 50),
          ),
          weight(
            "fc.weight",
            [10, 144],
            Array.from({ length: 1440 }, (_, i) => Math.cos(i) / 50),
          ),
          weight("fc.bias", [10], new Array<number>(10).fill(0)),
        ],
        inputs: [port("image", ["n", 1, 8, 8])],
        outputs: [port("scores", ["n", 10])],
      }),
    );
    const { code, err } = await cli([
      "finetune",
      conv,
      "--data",
      digits,
      "--target",
      "label",
      "--lr",
      "0.01",
      "--epochs",
      "2",
      "-o",
      at("digits.onnx"),
    ]);
    expect(code).toBe(0);
    expect(Number(/epoch 2\/2 .*accuracy ([\d.]+)/.exec(err)?.[1])).toBeGreaterThan(0.85);
  });

  test.each([
    ["mse", "f32"],
    ["mae", "f32"],
    ["huber", "f32"],
    ["bce", "bool"],
  ] as const)("takes %s for numbers", async (loss, dtype) => {
    const model = file(
      `line.onnx`,
      modelBytes({
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        weights: [weight("w", [3, 1], [0.1, 0.2, 0.3])],
        inputs: [port("x", ["n", 3])],
        outputs: [port("y", ["n", 1])],
      }),
    );
    const inputs = tensor(
      Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      f32(20, 3),
    );
    const target = tensor(
      Float32Array.from({ length: 20 }, (_, i) => (dtype === "bool" ? i % 2 : i)),
      { kind: "type", dtype, shape: [20] },
    );
    const data = file("line.safetensors", serializeSafetensors({ x: inputs, target }));
    const { code, err } = await cli([
      "finetune",
      model,
      "--data",
      data,
      "--loss",
      loss,
      "--validation",
      "0",
      "-o",
      at(`line-${loss}.onnx`),
      "--epochs",
      "2",
    ]);
    expect([code, err]).toEqual([0, expect.stringContaining("epoch 2/2")]);
  });

  test("stopped by Ctrl-C it writes a checkpoint, and goes on bit for bit as the unbroken run", async () => {
    for (const extra of [[], ["--lora", "2"]]) {
      const name = extra.length > 0 ? "lora" : "full";
      const words = ["finetune", mlp, "--data", rows, "--lr", "0.01", "--epochs", "4", "--batch", "16", ...extra];
      expect((await cli([...words, "-o", at(`${name}-whole.onnx`)])).code).toBe(0);
      let err = "";
      let stop = (): void => undefined;
      const io: CommandIo = {
        write: () => undefined,
        writeError: (text) => {
          err += text;
          if (text.startsWith("epoch 2/")) stop();
        },
        isTerminal: { output: false, error: false },
        env: {},
        readBytes: () => (async function* () {})(),
        version: "1",
        onInterrupt: (then) => {
          stop = then;
          return () => undefined;
        },
      };
      const out = at(`${name}-broken.onnx`);
      expect(await run([...words, "-o", out], io)).toBe(130);
      expect(err).toContain(`the run is in ${at(`${name}-broken.ckpt`)}. Go on with\n  chainrule finetune ${mlp} --data ${rows}`);
      expect(err.trimEnd().endsWith("--resume")).toBe(true);
      expect(existsSync(out)).toBe(false);
      expect((await cli([...words, "-o", out])).err).toContain("is there already: --resume goes on from it");
      expect((await cli([...words, "-o", out, "--resume"])).code).toBe(0);
      expect(readFileSync(out)).toEqual(readFileSync(at(`${name}-whole.onnx`)));
      // Nothing but the run that was begun goes on from its checkpoint.
      const other = await cli([
        "finetune",
        mlp,
        "--data",
        rows,
        "-o",
        out,
        "--epochs",
        "5",
        "--batch",
        "16",
        "--lr",
        "0.02",
        "--optimizer",
        "sgd",
        ...extra,
        "--resume",
      ]);
      expect(other).toMatchObject({
        code: 2,
        err: expect.stringContaining("is of another run: --optimizer was adam, and is sgd here; --lr was 0.01, and is 0.02 here"),
      });
    }
    const changed = file("changed.onnx", onnx.write((await onnx.read(mlp)).with({ "net.0.bias": tensor(new Float32Array(32).fill(1)) })));
    const wrong = await cli([
      "finetune",
      changed,
      "--data",
      rows,
      "-o",
      at("full-broken.onnx"),
      "--lr",
      "0.01",
      "--epochs",
      "4",
      "--batch",
      "16",
      "--resume",
    ]);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("was written while tuning another model file") });
    const strange = file("strange.ckpt", readFileSync(rows));
    expect((await tune("-o", at("s.onnx"), "--checkpoint", strange, "--resume")).err).toContain(
      "the file has tensors and no state of a training",
    );
  });

  test("runs on the other engines too", async () => {
    for (const engine of ["reference", "onnxruntime"]) {
      const { code, err } = await tune("-o", at(`${engine}.onnx`), "--epochs", "2", "--engine", engine);
      expect([code, err]).toEqual([0, expect.stringContaining("epoch 2/2")]);
    }
    const [one, other] = await Promise.all(["reference", "onnxruntime"].map((name) => onnx.read(at(`${name}.onnx`))));
    for (const [name, { data }] of Object.entries(one!.params))
      data.forEach((v, i) => {
        expect(Math.abs(v - other!.params[name]!.data[i]!), name).toBeLessThan(1e-4);
      });
  });

  test("--json prints the report and the file", async () => {
    const { out } = await tune("-o", at("json.onnx"), "--epochs", "1", "--json");
    expect(JSON.parse(out)).toMatchObject({ epochs: 1, reason: "epochs", file: at("json.onnx") });
  });

  test("a model with a fixed batch takes batches of that size", async () => {
    const data = parseSafetensors(new Uint8Array(readFileSync(fixture("encoder/data.safetensors")))).tensors;
    const [a, b] = [data["x/0"]!, data["y/0"]!];
    const twice = (t: Tensor): Tensor =>
      tensor([...t.data, ...t.data], { ...t.type, shape: [2 * t.type.shape[0]!, ...t.type.shape.slice(1)] });
    const path = file("encoder.safetensors", serializeSafetensors({ input: twice(a), y: twice(b) }));
    const words = ["finetune", fixture("encoder/model.onnx"), "--data", path, "--validation", "0", "--epochs", "1", "-o", at("e.onnx")];
    expect((await cli(words)).code).toBe(0);
    expect((await cli([...words, "--force", "--batch", "4"])).err).toContain("--batch 4: the input input of");
    const { code, err } = await cli([...words.filter((word) => word !== "--validation" && word !== "0"), "--force", "--validation", "0.1"]);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /rows are held back to validate on, and .*model.onnx takes \d+ at a time, fixed at its export; give more rows or another --validation/,
      ),
    ]);
  });

  test("refuses files that are one file before anything is written", async () => {
    const before = readFileSync(rows);
    for (const words of [
      ["--adapters", rows, "--lora", "2"],
      ["--checkpoint", mlp, "--force"],
    ])
      expect((await tune("-o", at("apart.onnx"), ...words)).err).toContain("and one would be written over the other; name another file");
    expect(readFileSync(rows)).toEqual(before);
    // A file of its own to validate on may be the one that is trained on.
    expect((await tune("-o", at("same.onnx"), "--epochs", "1", "--validation", rows)).code).toBe(0);
  });
});
