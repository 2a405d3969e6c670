import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataset, loader, serializeSafetensors } from "../../src/data.ts";
import { evaluate, f32, grad, mean, mul, square, sub, type Tensor, tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { sgd } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { runCli as cli } from "../cli/run-cli.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const folder = mkdtempSync(join(tmpdir(), "split-train-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows whose gate is open, x g > 0, are scaled by v: a choice that hangs on a weight that is trained, as the scale is. */
const bytes = modelBytes({
  nodes: [
    node("MatMul", ["x", "w"], ["h"], {}, "/MatMul"),
    node("MatMul", ["h", "g"], ["score"], {}, "/gate/MatMul"),
    node("Greater", ["score", "zero"], ["open"]),
    node("NonZero", ["open"], ["at"], {}, "/NonZero"),
    node("Squeeze", ["at", "first"], ["rows"]),
    node("Gather", ["h", "rows"], ["picked"]),
    node("Gather", ["score", "rows"], ["weights"]),
    node("Unsqueeze", ["weights", "last"], ["column"]),
    node("Mul", ["picked", "column"], ["weighed"]),
    node("Mul", ["weighed", "v"], ["scaled"]),
    node("Transpose", ["at"], ["places"]),
    node("ScatterND", ["h", "places", "scaled"], ["y"]),
  ],
  weights: [
    weight("w", [3, 2], [0.5, -0.3, 0.2, 0.8, -0.6, 0.1]),
    weight("g", [2], [1, -0.5]),
    weight("v", [2], [0.7, 1.3]),
    weight("zero", [], [0]),
    wholes("first", [0]),
    wholes("last", [1]),
  ],
  inputs: [port("x", ["batch", 3])],
  outputs: [port("y", ["batch", 2])],
});
const x = tensor(
  Float32Array.from({ length: 60 }, (_, i) => Math.sin(1.3 * i)),
  f32(20, 3),
);
const target = tensor(
  Float32Array.from({ length: 40 }, (_, i) => Math.cos(0.7 * i)),
  f32(20, 2),
);

describe("train binds what data decide before each step", () => {
  test("with the weights of that step, and takes the steps of gradients that are computed on concrete data", async () => {
    const model = await onnx.read(bytes, { inputs: ["x"], outputs: ["y"] });
    const only = [...model.trainable];
    const loss = (p: Record<string, Value>, at: Tensor | Value, to: Tensor | Value, bound?: Record<string, Value>): Value =>
      mean(square(sub(model.apply(p, { x: at }, bound).y, to)));
    const counts = new Set<number>();
    const training = train(
      {
        params: model.params as Record<string, Tensor>,
        bind: async ({ x }: { x: Tensor; target: Tensor }, params) => {
          const bound = model.bind({ x }, await params());
          counts.add(bound["at"]!.type.shape[1]!);
          return bound;
        },
        loss: (p: Record<string, Value>, b: { x: Value; target: Value }, { bound }) => loss(p, b.x, b.target, bound),
      },
      {
        data: loader(dataset({ x, target }), { batch: 5 }),
        validate: loader(dataset({ x, target }), { batch: 20 }),
        optimizer: sgd({ rate: 0.3, only }),
        engine: wasm(),
        epochs: 6,
        health: false,
      },
    );
    const losses: number[] = [];
    for await (const step of training) losses.push(step.loss);
    const { params, report } = await training.finish();
    let own = model.params as Record<string, Tensor>;
    for (const [i, got] of losses.entries()) {
      const from = 5 * (i % 4);
      const [at, to] = [
        tensor(x.data.slice(3 * from, 3 * from + 15), f32(5, 3)),
        tensor(target.data.slice(2 * from, 2 * from + 10), f32(5, 2)),
      ];
      expect(got).toBeCloseTo(evaluate(loss(own as never, at, to)).data[0]!, 5);
      const slopes = grad((p: Record<string, Value>) => loss(p, at, to))(own as never) as unknown as Record<string, Value>;
      own = Object.fromEntries(Object.entries(own).map(([k, t]) => [k, only.includes(k) ? evaluate(sub(t, mul(slopes[k]!, 0.3))) : t]));
    }
    for (const name of only)
      expect(Math.max(...Array.from(params[name]!.data, (v, i) => Math.abs(v - own[name]!.data[i]!)))).toBeLessThan(1e-4);
    expect(counts.size).toBeGreaterThan(2);
    expect(report.checkups.length).toBe(6);
  });

  test("but not on ranks, which have some rows of a batch each", async () => {
    const model = await onnx.read(bytes);
    const given = { params: model.params, bind: () => ({}), loss: (p: Record<string, Value>) => mean(p["w"]!) };
    expect(() =>
      train(given as never, {
        data: loader(dataset({ x }), { batch: 5 }),
        optimizer: sgd({ rate: 1 }),
        epochs: 1,
        distributed: {} as never,
      }),
    ).toThrow("train: bind tells what the data of a whole batch decide, and with distributed each rank has some of its rows");
  });
});

test("chainrule finetune trains a model that data split, whole and by adapters", async () => {
  const file = join(folder, "split.onnx");
  const rows = join(folder, "rows.safetensors");
  writeFileSync(file, bytes);
  writeFileSync(rows, serializeSafetensors({ x, target }));
  for (const extra of [[], ["--lora", "1"]]) {
    const out = join(folder, `tuned${extra.length}.onnx`);
    const words = [
      "finetune",
      file,
      "--data",
      rows,
      "--target",
      "target",
      "--lr",
      "0.05",
      "--batch",
      "6",
      "--epochs",
      "8",
      "-o",
      out,
      "--log",
      `${out}.jsonl`,
      ...extra,
    ];
    const { code, err } = await cli(words);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    const losses = readFileSync(`${out}.jsonl`, "utf8")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { loss: number }).loss);
    const [first, last] = [losses.slice(0, 3), losses.slice(-3)].map((few) => few.reduce((a, b) => a + b));
    expect(last!).toBeLessThan(first!);
    const [before, after] = [await onnx.read(file), await onnx.read(out)];
    expect(String(after.params["w"]!.data)).not.toBe(String(before.params["w"]!.data));
  }
});
