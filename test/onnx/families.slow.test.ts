// Small models with the topology of well-known ones, as PyTorch exports them: scripts/reference/onnx_families.py makes them, with what PyTorch computes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/data.ts";
import { lora } from "../../src/finetune.ts";
import { evaluate, jit, mapTree, reshape, softmaxCrossEntropy, type Tensor, transpose, type Value, valueAndGrad } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { wasm } from "../../src/wasm.ts";

const fixture = (file: string): string => fileURLToPath(new URL(`../fixtures/onnx/families/${file}`, import.meta.url));

interface Family {
  readonly name: string;
  /** How many weights are trained, and how many of them are PyTorch's own, or turned, and so have its gradients. */
  readonly weights: number;
  readonly compared: number;
}

const families: readonly Family[] = [
  { name: "resnet", weights: 47, compared: 47 },
  { name: "resnet-folded", weights: 32, compared: 2 },
  { name: "mobilenet", weights: 31, compared: 31 },
  { name: "unet", weights: 14, compared: 14 },
  { name: "gpt2", weights: 28, compared: 28 },
  { name: "bert", weights: 41, compared: 41 },
  { name: "vit", weights: 32, compared: 32 },
  { name: "lstm", weights: 9, compared: 3 },
];

type Params = Record<string, Value>;

function most(a: Tensor, b: Tensor): number {
  return Array.from(a.data).reduce((m, x, i) => Math.max(m, Math.abs(x - b.data[i]!)), 0);
}

describe.each(families)("$name", ({ name, weights, compared }) => {
  const bytes = new Uint8Array(readFileSync(fixture(`${name}.onnx`)));
  const told = parseSafetensors(new Uint8Array(readFileSync(fixture(`${name}.safetensors`)))).tensors;
  const inputs = Object.fromEntries(Object.entries(told).flatMap(([key, t]) => (key.startsWith("x/") ? [[key.slice(2), t]] : [])));
  const lossOf = (logits: Value) => {
    const axis = name === "unet" ? 1 : logits.type.shape.length - 1;
    const last = name === "unet" ? transpose(logits, { axes: [0, 2, 3, 1] }) : logits;
    return softmaxCrossEntropy(reshape(last, { shape: [-1, logits.type.shape[axis]!] }), reshape(told["y"]!, { shape: [-1] }));
  };

  test("has PyTorch's logits, loss and gradients, interpreted and compiled, and goes back into a file that ONNX Runtime runs alike", async () => {
    const model = await onnx.read(bytes, { outputs: ["logits"] });
    const logits = told["logits"]!;
    expect(most(evaluate(model.apply(model.params, inputs).logits), logits)).toBeLessThan(1e-4);
    const step = (p: Params) => valueAndGrad((at: Params) => lossOf(model.apply(at, inputs).logits))(p);
    const compiled = jit(step as never, wasm()) as unknown as (p: unknown) => { value: Tensor; grad: Record<string, Tensor> };
    const interpreted = evaluate(step(mapTree(model.params, (v) => v) as Params)) as { value: Tensor; grad: Record<string, Tensor> };
    const facts = await onnx.inspect(bytes);
    let found = 0;
    for (const { value, grad } of [interpreted, compiled(model.params)]) {
      expect(Math.abs(value.data[0]! - told["loss"]!.data[0]!)).toBeLessThan(1e-4);
      found = 0;
      for (const key of model.trainable) {
        const wanted = told[`grad/${key}`];
        const own = grad[key]!;
        // Nothing of PyTorch's is what a convolution is with a batch normalisation in it.
        if (wanted === undefined || (facts.folded.length > 0 && !key.startsWith("fc."))) continue;
        found++;
        const turned =
          String(wanted.type.shape) !== String(own.type.shape) || (key !== model.initializers[key] && wanted.type.shape.length === 2);
        const [rows = 1, columns = 1] = own.type.shape;
        own.data.forEach((x, i) => {
          const at = turned ? (i % columns) * rows + Math.floor(i / columns) : i;
          expect(Math.abs(x - wanted.data[at]!), `${key} ${i}`).toBeLessThan(1e-4);
        });
      }
    }
    expect([model.trainable.length, found]).toEqual([weights, compared]);
    const session = await ort.InferenceSession.create(onnx.write(model.with(model.params)));
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([key, t]) => [
        key,
        t.type.dtype === "i32"
          ? new ort.Tensor(
              "int64",
              BigInt64Array.from(t.data as Int32Array, (v) => BigInt(v)),
              [...t.type.shape],
            )
          : new ort.Tensor("float32", t.data as Float32Array, [...t.type.shape]),
      ]),
    );
    const { logits: theirs } = (await session.run(feeds)) as unknown as { logits: { data: Float32Array } };
    expect(most({ ...logits, data: theirs.data }, logits)).toBeLessThan(1e-4);
  });

  test("is inspected without a question left, and takes adapters", async () => {
    const facts = await onnx.inspect(bytes);
    expect(facts).toMatchObject({ unknown: null, unsupported: [], noGradient: [], dataDependent: [] });
    // Its table is the head too, and the exporter writes it twice.
    expect(facts.tied).toEqual(name === "gpt2" ? [{ parameter: "wte.weight", nodes: ["/wte/Gather", "/lm_head/MatMul"] }] : []);
    expect(facts.parameters.filter((p) => p.trainable && p.gradient !== true)).toEqual([]);
    expect(facts.copies).toEqual(name === "gpt2" ? [{ parameters: ["wte.weight", "lm_head.weight"], transposed: true, tied: true }] : []);
    expect(facts.folded.length).toBe(name === "resnet-folded" ? 15 : 0);
    expect(facts.memory!.backward).toBeGreaterThan(facts.memory!.forward);
    const model = await onnx.read(bytes, { outputs: ["logits"] });
    const adapted = lora(model, { rank: 2 });
    expect(evaluate(adapted.apply(adapted.params, inputs as never).logits).data).toEqual(
      evaluate(model.apply(model.params, inputs).logits).data,
    );
  });
});
