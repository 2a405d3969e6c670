// What PyTorch 2.13's newer exporter writes, with PyTorch's numbers for two batch sizes: scripts/reference/onnx_exporters.py makes it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/data.ts";
import {
  draw,
  evaluate,
  f32,
  graph,
  jit,
  reshape,
  softmaxCrossEntropy,
  type Tensor,
  transpose,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, weight } from "./build-model.ts";
import { untar } from "./node-cases.ts";

const files = untar(gunzipSync(readFileSync(fileURLToPath(new URL("../fixtures/onnx/exporters.tar.gz", import.meta.url)))));

/** How many of PyTorch's gradients are found under PyTorch's names; the others belong to weights that the exporter folded or packed. */
const families: readonly { readonly name: string; readonly trained: number; readonly own: number; readonly made: readonly string[] }[] = [
  { name: "unet", trained: 14, own: 14, made: [] },
  { name: "vit", trained: 32, own: 32, made: [] },
  { name: "bert", trained: 41, own: 40, made: [] },
  { name: "gpt2", trained: 28, own: 28, made: ["lm_head.weight"] },
  { name: "llama", trained: 21, own: 21, made: [] },
  { name: "lstm", trained: 9, own: 3, made: ["lstm.B", "lstm.B.2", "lstm.R", "lstm.R.2", "lstm.W", "lstm.W.2"] },
];

type Params = Record<string, Value>;

function most(a: Tensor, b: Tensor): number {
  expect(a.type.shape).toEqual(b.type.shape);
  return Array.from(a.data).reduce((m, x, i) => Math.max(m, Math.abs(x - b.data[i]!)), 0);
}

/** Whether two gradients are one, the second turned where the exporter stored the weight the other way. */
function same(own: Tensor, wanted: Tensor, turned: boolean): boolean {
  const [rows = 1, columns = 1] = own.type.shape;
  return (
    own.data.length === wanted.data.length &&
    Array.from(own.data).every((x, i) => {
      const at = turned ? (i % columns) * rows + Math.floor(i / columns) : i;
      return Math.abs(x - wanted.data[at]!) < 1e-4;
    })
  );
}

describe.each(families)("$name of the newer exporter", ({ name, trained, own, made }) => {
  const bytes = files.get(`${name}-new.onnx`)!;
  const told = parseSafetensors(files.get(`${name}.safetensors`)!).tensors;
  const under = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(told).flatMap(([key, t]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), t]] : [])));

  test("has PyTorch's logits for two batch sizes through one loaded model, and its gradients", async () => {
    const model = await onnx.read(bytes, { outputs: ["logits"] });
    const [first, second] = [under("x/"), under("more/")];
    expect([Object.values(first)[0]!.type.shape[0], Object.values(second)[0]!.type.shape[0]]).toEqual([3, 5]);
    expect(most(evaluate(model.apply(model.params, first).logits), told["logits"]!)).toBeLessThan(1e-4);
    expect(most(evaluate(model.apply(model.params, second).logits), told["more"]!)).toBeLessThan(1e-4);
    const loss = (params: Params): Value => {
      const { logits } = model.apply(params, first);
      const last = name === "unet" ? transpose(logits, { axes: [0, 2, 3, 1] }) : logits;
      return softmaxCrossEntropy(reshape(last, { shape: [-1, last.type.shape.at(-1)!] }), reshape(told["y"]!, { shape: [-1] }));
    };
    const step = jit((params: Params) => valueAndGrad(loss)(params), wasm());
    const { value, grad } = step(model.params as never) as unknown as { value: Tensor; grad: Record<string, Tensor> };
    expect(Math.abs(value.data[0]! - told["loss"]!.data[0]!)).toBeLessThan(1e-4);
    const agreed = Object.entries(under("grad/")).filter(([key, wanted]) => {
      // A tied table has one of its two names in PyTorch's list, and the other in the file.
      const found = grad[name === "gpt2" && key === "wte.weight" ? "lm_head.weight" : key];
      return found !== undefined && (same(found, wanted, false) || (wanted.type.shape.length === 2 && same(found, wanted, true)));
    });
    expect([model.trainable.length, agreed.length]).toEqual([trained, own]);
  });

  test("has weights called as in PyTorch, by the modules that the file tells of", async () => {
    const model = await onnx.read(bytes, { outputs: ["logits"] });
    expect(model.trainable.filter((key) => !Object.hasOwn(told, `grad/${key}`)).sort()).toEqual(made);
  });
});

test("tables of angles and single numbers of the newer exporter are not trained", async () => {
  const { parameters } = await onnx.inspect(files.get("llama-new.onnx")!);
  expect(parameters.filter((p) => p.fixedBy === "name").map((p) => p.name)).toEqual(["cos", "sin"]);
  expect(parameters.filter((p) => p.fixedBy !== "name" && !p.trainable).every((p) => p.fixedBy === "single number")).toBe(true);
  const unet = await onnx.inspect(files.get("unet-new.onnx")!);
  expect(unet.parameters.filter((p) => !p.trainable).map((p) => [p.initializer, p.fixedBy])).toEqual([
    ["val_8", "single number"],
    ["val_11", "single number"],
  ]);
});

test("buffers that the exporter's signature names, and masks by their numbers, are not trained", async () => {
  const value = "\n# inputs\np_w: PARAMETER target='w'\nb_table: BUFFER target='table' persistent=True\n";
  const { parameters } = await onnx.inspect(
    modelBytes({
      nodes: [node("Mul", ["x", "w"], ["a"]), node("Add", ["a", "table"], ["b"]), node("Add", ["b", "unsqueeze_4"], ["y"])],
      weights: [weight("w", [2], [1, 2]), weight("table", [2], [3, 4]), weight("unsqueeze_4", [2], [0, -3.4e38])],
      graph: { metadata_props: [{ key: "pkg.torch.export.ExportedProgram.graph_signature", value }] },
    }),
  );
  expect(parameters.map((p) => [p.name, p.fixedBy])).toEqual([
    ["w", null],
    ["table", "buffer"],
    ["unsqueeze_4", "mask"],
  ]);
});

test("modules of a hostile file are cut where they lie too deep, and are text wherever they are shown", async () => {
  const evil = "<script>alert(1)</script>";
  const scopes = (value: string) => ({ metadata_props: [{ key: "pkg.torch.onnx.name_scopes", value }] });
  const deep = { ...node("Relu", ["x"], ["h"]), ...scopes(`[${"'a', ".repeat(100_000)}'relu']`) };
  const named = { ...node("Mul", ["h", "val_1"], ["y"]), ...scopes(`['', '${evil}', 'mul']`) };
  const file = modelBytes({ nodes: [deep, named], weights: [weight("val_1", [2], [1, 2])] });
  const model = await onnx.read(file);
  expect(Object.keys(model.params)).toEqual([`${evil}.weight`]);
  const g = graph({ x: f32(2) }, ({ x }) => model.apply(model.params, { x }) as Record<string, Value>);
  const svg = draw(g as never, { format: "svg", depth: "all" as never });
  expect(svg).not.toContain("<script>alert");
  expect(svg).toContain("&lt;script&gt;alert(1)");
});
