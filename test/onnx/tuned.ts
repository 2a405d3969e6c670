import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { expect } from "vitest";
import { parseSafetensors } from "../../src/data/safetensors.ts";
import {
  compile,
  type Engine,
  evaluate,
  graph,
  reshape,
  softmaxCrossEntropy,
  type Tensor,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { adam, sgd } from "../../src/optim.ts";

interface Case {
  readonly optimiser: string;
  readonly options: { readonly lr: number; readonly momentum?: number };
  readonly steps: number;
  readonly losses: readonly number[];
  readonly trainable: Readonly<Record<string, { readonly parameter: string; readonly transposed: boolean }>>;
}

/** A file of a fine-tuning case. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
}

type Params = Record<string, Value>;

/** Trains a case as PyTorch did, in a compiled program; gives the losses and the model with its last weights. */
async function tuned(
  name: string,
  engine: Engine,
): Promise<{
  readonly told: Case;
  readonly data: Readonly<Record<string, Tensor>>;
  readonly losses: number[];
  readonly model: Awaited<ReturnType<typeof onnx.read<"input", "logits">>>;
}> {
  const told = JSON.parse(readFileSync(fixture(`${name}/case.json`), "utf8")) as Case;
  const data = parseSafetensors(new Uint8Array(readFileSync(fixture(`${name}/data.safetensors`)))).tensors;
  const model = await onnx.read(fixture(`${name}/model.onnx`), { inputs: ["input"], outputs: ["logits"] });
  const common = { rate: told.options.lr, only: [...model.trainable] };
  const optimizer = told.optimiser === "adam" ? adam(common) : sgd({ ...common, momentum: told.options.momentum ?? 0 });
  const state = { params: model.params, opt: optimizer.init(model.params) };
  const step = graph({ ...state, x: data["x/0"]!.type, y: data["y/0"]!.type }, ({ params, opt, x, y }) => {
    const { value, grad } = valueAndGrad((p: Params) => {
      const { logits } = model.apply(p, { input: x });
      return softmaxCrossEntropy(reshape(logits, { shape: [-1, logits.type.shape.at(-1)!] }), reshape(y, { shape: [-1] }));
    })(params as Params);
    return { loss: value, ...optimizer.update({ params: params as Params, grad, opt: opt as never }) };
  });
  const program = await compile(step as never, engine, { state } as never);
  const losses: number[] = [];
  for (let i = 0; i < told.steps; i++)
    losses.push(((await program.run({ x: data[`x/${i}`]!, y: data[`y/${i}`]! } as never)) as { loss: Tensor }).loss.data[0]!);
  return { told, data, losses, model: model.with(((await program.state.read()) as { params: Record<string, Tensor> }).params) };
}

/** Holds a case, trained on an engine, to PyTorch's losses and weights, and its file to the model's logits, in ONNX Runtime too. */
export async function expectTuned(name: string, engine: Engine): Promise<void> {
  const { told, data, losses, model } = await tuned(name, engine);
  losses.forEach((loss, i) => {
    expect(Math.abs(loss - told.losses[i]!), `step ${i}`).toBeLessThan(1e-4 * told.losses[i]!);
  });
  for (const p of model.trainable) {
    const { parameter, transposed } = told.trainable[model.initializers[p]!]!;
    const wanted = data[`final/${parameter}`]!;
    const [rows = 1, columns = 1] = model.params[p]!.type.shape;
    model.params[p]!.data.forEach((w, i) => {
      expect(Math.abs(w - wanted.data[transposed ? (i % columns) * rows + Math.floor(i / columns) : i]!)).toBeLessThan(1e-3);
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "chainrule-tuned-"));
  try {
    await onnx.save(join(folder, "tuned.onnx"), model);
    expect(readdirSync(folder)).toEqual(["tuned.onnx"]);
    const again = await onnx.read(join(folder, "tuned.onnx"), { inputs: ["input"], outputs: ["logits"] });
    expect(again.trainable).toEqual(model.trainable);
    const input = data["x/0"]!;
    const logits = evaluate(model.apply(model.params, { input }).logits);
    expect(evaluate(again.apply(again.params, { input }).logits)).toEqual(logits);
    // The file in ONNX Runtime itself, as somebody else would load it.
    const session = await ort.InferenceSession.create(join(folder, "tuned.onnx"));
    const [type, given] =
      input.type.dtype === "i32"
        ? (["int64", BigInt64Array.from(input.data, BigInt)] as const)
        : (["float32", input.data as Float32Array] as const);
    const theirs = await session.run({ input: new ort.Tensor(type, given as never, input.type.shape) });
    expect(theirs["logits"]!.dims).toEqual(logits.type.shape);
    logits.data.forEach((v, i) => {
      expect(Math.abs((theirs["logits"]!.data[i] as number) - v)).toBeLessThan(1e-4);
    });
    await session.release();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
