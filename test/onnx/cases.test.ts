import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../src/autodiff/grad.ts";
import { parseSafetensors } from "../../src/data/safetensors.ts";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import { compile, type Engine, graph, mapTree, reference, reshape, softmaxCrossEntropy, type Tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { onnxruntime } from "../../src/onnxruntime.ts";

/** A fine-tuning case: what PyTorch 2.13 got from the model that one of its exporters wrote. */
interface Case {
  readonly losses: readonly number[];
  readonly trainable: Readonly<Record<string, { readonly parameter: string; readonly transposed: boolean }>>;
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
}

function caseOf(name: string): { readonly told: Case; readonly data: Readonly<Record<string, Tensor>> } {
  const told = JSON.parse(readFileSync(fixture(`${name}/case.json`), "utf8")) as Case;
  return { told, data: parseSafetensors(new Uint8Array(readFileSync(fixture(`${name}/data.safetensors`)))).tensors };
}

/** The largest difference of a tensor from PyTorch's, which may be the transpose. */
function farthest(got: Tensor, wanted: Tensor, transposed: boolean): number {
  const [rows = 1, columns = 1] = got.type.shape;
  let most = 0;
  got.data.forEach((x, i) => {
    const at = transposed ? (i % columns) * rows + Math.floor(i / columns) : i;
    most = Math.max(most, Math.abs(x - wanted.data[at]!));
  });
  return most;
}

const engines: readonly (readonly [string, () => Engine])[] = [
  ["reference", reference],
  ["wasm", wasm],
  ["onnxruntime", () => onnxruntime(ort)],
];

describe.each(["mlp", "lenet", "encoder"])("%s, from the file that PyTorch wrote", (name) => {
  test.each(engines)("has PyTorch's logits, loss and first gradients on the %s engine", async (_, engine) => {
    const { told, data } = caseOf(name);
    const model = await onnx.read(fixture(`${name}/model.onnx`), { inputs: ["input"], outputs: ["logits"] });
    const x = data["x/0"]!;
    const y = data["y/0"]!;
    type Params = Record<string, Value>;
    const step = graph({ params: mapTree(model.params, (v) => v), x: x.type, y: y.type }, ({ params, x, y }) => {
      const { value, grad } = valueAndGrad((p: Params) => {
        const { logits } = model.apply(p, { input: x });
        const classes = logits.type.shape.at(-1)!;
        const loss = softmaxCrossEntropy(reshape(logits, { shape: [-1, classes] }), reshape(y, { shape: [-1] }));
        return { loss, logits };
      })(params as Params);
      return { loss: value.loss, logits: value.logits, grad };
    });
    const got = (await (await compile(step, engine())).run({ params: model.params, x, y } as never)) as {
      readonly loss: Tensor;
      readonly logits: Tensor;
      readonly grad: Readonly<Record<string, Tensor>>;
    };
    expect(farthest(got.logits, data["logits/0"]!, false)).toBeLessThan(1e-4);
    expect(Math.abs(got.loss.data[0]! - told.losses[0]!)).toBeLessThan(1e-4 * told.losses[0]!);
    expect(Object.keys(told.trainable).sort()).toEqual(model.trainable.map((p) => model.initializers[p]!).sort());
    for (const parameter of model.trainable) {
      const { parameter: theirs, transposed } = told.trainable[model.initializers[parameter]!]!;
      expect(farthest(got.grad[parameter]!, data[`grad/${theirs}`]!, transposed), parameter).toBeLessThan(1e-4);
      expect(parameter).toBe(theirs);
    }
  });
});
