import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSafetensors, serializeSafetensors } from "../../src/data.ts";
import { tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";
import { alone, ensureBuilt, launcherPath, mpirun } from "./launch.ts";

const folder = mkdtempSync(join(tmpdir(), "finetune-ranks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(ensureBuilt);
const at = (name: string): string => join(folder, name);
const bin = fileURLToPath(new URL("../../bin/chainrule.js", import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
const there = launcherPath("openmpi") !== null;

const told = parseSafetensors(new Uint8Array(readFileSync(fixture("mlp/data.safetensors")))).tensors;
const rows = at("rows.safetensors");
writeFileSync(rows, serializeSafetensors({ input: told["x/0"]!, y: told["y/0"]! }));
const mlp = fixture("mlp/model.onnx");
const tune = (out: string, ...words: string[]): string[] => [
  ...[bin, "finetune", mlp, "--data", rows, "-o", at(out), "--lr", "0.01", "--optimizer", "sgd", "--batch", "7"],
  ...words,
];
const weightsOf = async (file: string): Promise<number[]> => Object.values((await onnx.read(at(file))).params).flatMap((t) => [...t.data]);
const furthest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe.skipIf(!there)("chainrule finetune --mpi", () => {
  test("writes the model of one process, shared out or not, and goes on from a checkpoint on another number of ranks", async () => {
    const whole = alone(tune("one.onnx", "--epochs", "4"));
    expect(whole.code, whole.err).toBe(0);
    const wanted = await weightsOf("one.onnx");
    expect(
      furthest(
        wanted,
        Object.values((await onnx.read(mlp)).params).flatMap((t) => [...t.data]),
      ),
    ).toBeGreaterThan(1e-3);
    const three = await mpirun("openmpi", 3, tune("three.onnx", "--mpi", "--shard", "--epochs", "4", "--log", at("three.jsonl")));
    expect(three.code, three.err).toBe(0);
    // Rank 0 alone tells, trains on all rows, and writes.
    expect(three.err.match(/training 3466 numbers in 6 weights/g)).toHaveLength(1);
    expect(three.out.match(/^wrote /gm)).toHaveLength(1);
    expect(furthest(await weightsOf("three.onnx"), wanted)).toBeLessThan(1e-5);
    const steps = readFileSync(at("three.jsonl"), "utf8").trim().split("\n").length;
    const some = await mpirun("openmpi", 2, tune("on.onnx", "--mpi", "--epochs", "2"));
    expect(some.code, some.err).toBe(0);
    const on = await mpirun("openmpi", 3, tune("on.onnx", "--mpi", "--epochs", "4", "--resume", "--json"));
    expect(on.code, on.err).toBe(0);
    expect((JSON.parse(on.out) as { steps: number }).steps).toBe(steps);
    expect(furthest(await weightsOf("on.onnx"), wanted)).toBeLessThan(1e-5);
  });

  test("weighs the ranks, and the parts of --accumulate, by the labels that are not left out", async () => {
    const labels = told["y/0"]!;
    // The first half of the rows has its labels, of the others one in five.
    const some = Int32Array.from(labels.data, (label, i) => (i < labels.data.length / 2 || i % 5 === 0 ? label : -1));
    writeFileSync(at("some.safetensors"), serializeSafetensors({ input: told["x/0"]!, y: tensor(some) }));
    const run = (out: string, batch: string, ...words: string[]): string[] => [
      ...[bin, "finetune", mlp, "--data", at("some.safetensors"), "-o", at(`${out}.onnx`), "--lr", "0.1", "--optimizer", "sgd"],
      ...["--batch", batch, "--epochs", "4", "--validation", rows, "--log", at(`${out}.jsonl`), ...words],
    ];
    const losses = (out: string): number[] =>
      readFileSync(at(`${out}.jsonl`), "utf8")
        .trim()
        .split("\n")
        .flatMap((line) => {
          const { loss, accuracy, validation } = JSON.parse(line) as Record<"loss" | "accuracy", number> & {
            readonly validation?: { readonly loss: number; readonly accuracy: number };
          };
          return [loss, accuracy, validation?.loss ?? 0, validation?.accuracy ?? 0];
        });
    const one = alone(run("n1", "12"));
    expect(one.code, one.err).toBe(0);
    const wanted = await weightsOf("n1.onnx");
    for (const more of [[], ["--shard"]]) {
      const three = await mpirun("openmpi", 3, run("n3", "12", "--mpi", "--force", ...more));
      expect(three.code, three.err).toBe(0);
      expect(furthest(await weightsOf("n3.onnx"), wanted)).toBeLessThan(1e-5);
      expect(furthest(losses("n3"), losses("n1"))).toBeLessThan(1e-5);
    }
    expect(alone(run("n6", "6", "--accumulate", "2")).code).toBe(0);
    expect(furthest(await weightsOf("n6.onnx"), wanted)).toBeLessThan(1e-5);
    const both = await mpirun("openmpi", 2, run("n2", "6", "--accumulate", "2", "--mpi"));
    expect(both.code, both.err).toBe(0);
    expect(furthest(await weightsOf("n2.onnx"), wanted)).toBeLessThan(1e-5);
    expect(furthest(losses("n2"), losses("n6"))).toBeLessThan(1e-5);
  });

  test("trains adapters, which rank 0 writes", async () => {
    const more = ["--lora", "2", "--epochs", "2"];
    expect(alone(tune("l1.onnx", ...more, "--adapters", at("l1.safetensors"))).code).toBe(0);
    const two = await mpirun("openmpi", 2, tune("l2.onnx", "--mpi", ...more, "--adapters", at("l2.safetensors")));
    expect(two.code, two.err).toBe(0);
    expect(furthest(await weightsOf("l2.onnx"), await weightsOf("l1.onnx"))).toBeLessThan(1e-5);
    const [a, b] = ["l1", "l2"].map((name) => parseSafetensors(new Uint8Array(readFileSync(at(`${name}.safetensors`)))).tensors);
    expect(Object.keys(b!)).toEqual(Object.keys(a!));
  });

  test("refuses on all ranks, in one message, what cannot be shared out", async () => {
    writeFileSync(
      at("fixed.onnx"),
      modelBytes({
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        weights: [weight("w", [2, 1], [1, 2])],
        inputs: [port("x", [4, 2])],
        outputs: [port("y", [4, 1])],
      }),
    );
    const data = {
      x: tensor(new Float32Array(16), { kind: "type", dtype: "f32", shape: [8, 2] }),
      t: tensor(new Float32Array(8), { kind: "type", dtype: "f32", shape: [8, 1] }),
    };
    writeFileSync(at("fixed.safetensors"), serializeSafetensors(data));
    const tuned = [bin, "finetune", at("fixed.onnx"), "--data", at("fixed.safetensors"), "-o", at("f.onnx"), "--mpi"];
    const fixed = await mpirun("openmpi", 2, tuned);
    expect(fixed.code).toBe(2);
    expect(fixed.err).toContain("--mpi shares the rows of a batch out, and");
    expect(fixed.err).toContain("takes 4 at a time, fixed at its export; export it with a free size, or train it in one process");
    expect(fixed.err.match(/--mpi shares/g)).toHaveLength(1);
    const one = alone([...tuned, "--validation", "0.5"]);
    expect([one.code, one.err]).toEqual([
      0,
      expect.stringContaining("--mpi: there is one rank; for more start it by the launcher: mpirun -np 4 chainrule finetune --mpi ..."),
    ]);
    const piped = alone([bin, "finetune", mlp, "--data", "-", "--target", "y", "-o", at("p.onnx"), "--mpi"]);
    expect([piped.code, piped.err]).toEqual([
      2,
      expect.stringContaining("--data - with --mpi: a launcher hands standard input to rank 0 alone; write the data to a file"),
    ]);
  });
});
