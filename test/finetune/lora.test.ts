import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { dataset, loader, parseSafetensors, saveTensors, serializeSafetensors } from "../../src/data.ts";
import { loadAdapters, lora, saveAdapters } from "../../src/finetune.ts";
import {
  evaluate,
  f32,
  grad,
  graph,
  mean,
  random,
  softmaxCrossEntropy,
  square,
  type Tensor,
  tensor,
  toArray,
  type Value,
} from "../../src/index.ts";
import { nodesOf } from "../../src/ir/graph.ts";
import { onnx } from "../../src/onnx.ts";
import { adam } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";

const folder = mkdtempSync(join(tmpdir(), "lora-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
const draw = (name: string, shape: readonly number[]): Tensor => evaluate(random.normal(random.fold(random.key(3), name), f32(...shape)));
const filled = (name: string, dims: readonly number[]) => weight(name, dims, [...draw(name, dims).data]);

/** One model with every way of taking a weight: a convolution, both kinds of Gemm, a MatMul, and a table that is looked up and multiplied. */
const bytes = modelBytes({
  nodes: [
    node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], { strides: [2, 2], pads: [1, 1, 1, 1], kernel_shape: [3, 3] }, "/conv/Conv"),
    node("Relu", ["c"], ["r"]),
    node("Flatten", ["r"], ["f"]),
    node("Gemm", ["f", "fc1.weight", "fc1.bias"], ["g"], { transB: 1, alpha: 0.5 }, "/fc1/Gemm"),
    node("Tanh", ["g"], ["t"]),
    node("Gemm", ["t", "fc2.weight"], ["h"], {}, "/fc2/Gemm"),
    node("MatMul", ["h", "proj.weight"], ["p"], {}, "/proj/MatMul"),
    node("Gather", ["emb.weight", "ids"], ["e"], {}, "/emb/Gather"),
    node("Add", ["p", "e"], ["y"]),
  ],
  weights: [
    filled("conv.weight", [4, 2, 3, 3]),
    filled("conv.bias", [4]),
    filled("fc1.weight", [6, 16]),
    filled("fc1.bias", [6]),
    filled("fc2.weight", [6, 5]),
    filled("proj.weight", [5, 3]),
    filled("emb.weight", [7, 3]),
  ],
  inputs: [port("x", ["n", 2, 4, 4]), port("ids", ["n"], 7)],
  outputs: [port("y", ["n", 3])],
});
const inputs = { x: draw("x", [5, 2, 4, 4]), ids: tensor([0, 3, 6, 3, 1], "i32") };
const everywhere = { rank: 2, alpha: 3, targets: ["conv.weight", "fc*.weight", "proj.weight", "emb.weight"] };
const open = () => onnx.read(bytes, { inputs: ["x", "ids"], outputs: ["y"] });
/** Factors that are not zero. */
const moved = (params: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(params).map(([name, t]) => [name, draw(name, t.type.shape)]));

describe("lora", () => {
  test("begins as the model, and merged into its weights gives what the adapted model gives, whatever uses the weight", async () => {
    const model = await open();
    const adapted = lora(model, everywhere);
    const before = evaluate(model.apply(model.params, inputs).y).data;
    expect(evaluate(adapted.apply(adapted.params, inputs).y).data).toEqual(before);
    const params = moved(adapted.params);
    const after = evaluate(adapted.apply(params, inputs).y).data;
    const merged = adapted.merge(params);
    const alike = evaluate(merged.apply(merged.params, inputs).y).data;
    let most = 0;
    after.forEach((x, i) => {
      expect(x).toBeCloseTo(alike[i]!, 3);
      most = Math.max(most, Math.abs(x - before[i]!));
    });
    expect(most).toBeGreaterThan(0.5);
    // Every adapter does something of its own.
    for (const name of adapted.targets)
      expect(
        evaluate(
          lora(model, { ...everywhere, targets: [name] }).merge(moved(lora(model, { ...everywhere, targets: [name] }).params)).params[
            name
          ]!,
        ).data,
      ).not.toEqual(model.params[name]!.data);
    expect(merged.params["conv.bias"]).toBe(model.params["conv.bias"]);
    const again = await onnx.read(onnx.write(merged), { inputs: ["x", "ids"], outputs: ["y"] });
    expect(evaluate(again.apply(again.params, inputs).y).data).toEqual(alike);
  });

  test("takes the matrices of products when no targets are named, and convolutions where there are none", async () => {
    const model = await open();
    const adapted = lora(model, { rank: 2 });
    expect(adapted.targets).toEqual(["fc1.weight", "fc2.weight", "proj.weight"]);
    expect(Object.entries(adapted.params).map(([name, { type }]) => [name, type.shape])).toEqual([
      ["fc1.lora_A.weight", [2, 16]],
      ["fc1.lora_B.weight", [6, 2]],
      ["fc2.lora_A.weight", [2, 6]],
      ["fc2.lora_B.weight", [5, 2]],
      ["proj.lora_A.weight", [2, 5]],
      ["proj.lora_B.weight", [3, 2]],
    ]);
    expect([adapted.rank, adapted.alpha]).toEqual([2, 2]);
    const convs = await onnx.read(
      modelBytes({
        nodes: [node("Conv", ["x", "c.weight"], ["y"])],
        weights: [filled("c.weight", [2, 2, 1, 1])],
        inputs: [port("x", [1, 2, 4, 4])],
      }),
    );
    expect(lora(convs, { rank: 1 }).targets).toEqual(["c.weight"]);
    expect(Object.keys(lora(model, { rank: 1, targets: ["fc1.weight"], also: ["*.bias"] }).params)).toEqual([
      "conv.bias",
      "fc1.bias",
      "fc1.lora_A.weight",
      "fc1.lora_B.weight",
    ]);
  });

  test("makes no gradient of the size of a weight", async () => {
    const model = await open();
    const adapted = lora(model, { rank: 1, targets: ["fc1.weight"] });
    const types = Object.fromEntries(Object.entries(adapted.params).map(([name, { type }]) => [name, type]));
    const g = graph({ params: types }, ({ params }) =>
      grad((p: Record<string, Value>) => mean(square(adapted.apply(p, inputs).y)))(params as never),
    );
    const sizes = nodesOf(g)
      .filter((n) => n.operands.some((v) => v !== null && v.node.keeper !== null))
      .map((n) => n.type.shape.join());
    expect(sizes).not.toContain("6,16");
    expect(sizes).not.toContain("16,6");
  });

  test("learns with train, by the factors alone, and the factors go through a file", async () => {
    const told = parseSafetensors(new Uint8Array(readFileSync(fixture("mlp/data.safetensors")))).tensors;
    const model = await onnx.read(fixture("mlp/model.onnx"), { inputs: ["input"], outputs: ["logits"] });
    const adapted = lora(model, { rank: 4, also: ["net.4.*"], targets: ["net.0.weight", "net.2.weight"] });
    const training = train(
      {
        params: adapted.params,
        loss: (p: Record<string, Value>, { x, y }: { x: Value; y: Value }) => softmaxCrossEntropy(adapted.apply(p, { input: x }).logits, y),
      },
      {
        data: loader(dataset({ x: told["x/0"]!, y: told["y/0"]! }), { batch: 32 }),
        optimizer: adam({ rate: 0.02 }),
        engine: wasm(),
        epochs: 60,
        health: false,
      },
    );
    const losses: number[] = [];
    for await (const { loss } of training) losses.push(loss);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    const { params } = await training.finish();
    expect(Object.keys(params).filter((name) => name.includes("lora")).length).toBe(4);
    await saveAdapters(at("a.safetensors"), adapted, params as Record<string, Tensor>);
    const { adapted: back, params: read } = await loadAdapters(at("a.safetensors"), model);
    expect([back.rank, back.alpha, back.targets]).toEqual([4, 4, ["net.0.weight", "net.2.weight"]]);
    const input = told["x/0"]!;
    expect(evaluate(back.apply(read, { input }).logits).data).toEqual(evaluate(adapted.apply(params as never, { input }).logits).data);
    const merged = back.merge(read);
    expect(merged.params["net.0.bias"]).toBe(model.params["net.0.bias"]);
    expect(merged.params["net.4.weight"]!.data).not.toEqual(model.params["net.4.weight"]!.data);
    const one = evaluate(merged.apply(merged.params, { input }).logits).data;
    const other = evaluate(back.apply(read, { input }).logits).data;
    one.forEach((x, i) => {
      expect(Math.abs(x - other[i]!)).toBeLessThan(1e-4);
    });
  });

  test("the same seed draws the same factors", async () => {
    const model = await open();
    const first = (seed: number) => toArray(lora(model, { rank: 1, seed }).params["fc1.lora_A.weight"]!);
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  test("refuses what cannot be adapted, and factors that are not its own", async () => {
    const model = await open();
    expect(() => lora(model, { rank: 0 })).toThrow("lora: rank is 0; it is a whole number, 1 or more");
    expect(() => lora(model, { rank: 1, alpha: -1 })).toThrow("lora: alpha is -1; it is a number above 0");
    expect(() => lora(model, { rank: 4, targets: ["proj.weight"] })).toThrow(
      "lora: rank 4 is larger than proj.weight, f32[5,3], has room for; it is 3 at most, and much smaller in use",
    );
    expect(() => lora(model, { rank: 1, targets: ["conv.bias"] })).toThrow(
      "lora: conv.bias is f32[4]; an adapter is a product of two matrices",
    );
    expect(() => lora(model, { rank: 1, targets: ["head.*"] })).toThrow("lora: targets: head.* names no parameter");
    expect(() => lora({ ...model }, { rank: 1 })).toThrow("lora: this is no model that onnx.read gave");
    const bare = await onnx.read(modelBytes({ nodes: [node("Mul", ["x", "w"], ["y"])], weights: [filled("w", [2])] }));
    expect(() => lora(bare, { rank: 1 })).toThrow(
      "lora: the model has no product and no convolution whose weight is trained; name weights in targets: w",
    );
    const adapted = lora(model, { rank: 1, targets: ["fc2.weight"] });
    expect(() => adapted.apply({}, inputs)).toThrow("lora: factor fc2.lora_A.weight is missing; give all of params");
    expect(() => adapted.merge({ ...adapted.params, w: draw("w", [1]) })).toThrow(
      "lora: there is no factor w; there are fc2.lora_A.weight",
    );
    expect(() => adapted.apply({ ...adapted.params, "fc2.lora_A.weight": draw("w", [2, 2]) }, inputs)).toThrow(
      "lora: factor fc2.lora_A.weight is f32[1,6]; f32[2,2] was given",
    );
    const named = modelBytes({
      nodes: [node("MatMul", ["x", "w.weight"], ["h"]), node("MatMul", ["h", "w.lora_A.weight"], ["y"])],
      weights: [filled("w.weight", [2, 2]), filled("w.lora_A.weight", [2, 2])],
      inputs: [port("x", [1, 2])],
    });
    const twice = await onnx.read(named);
    expect(() => lora(twice, { rank: 1, targets: ["w.weight"] })).toThrow(
      "the adapter of w.weight would be called w.lora_A.weight, and there is one of that name; merge the adapters first",
    );
  });

  test("a file that is no adapter, or one of another model, is refused", async () => {
    const model = await open();
    await saveTensors(at("plain.safetensors"), model.params);
    await expect(loadAdapters(at("plain.safetensors"), model)).rejects.toThrow("it does not say that its tensors are adapters");
    const adapted = lora(model, { rank: 1, targets: ["fc2.weight"] });
    await expect(saveAdapters(at("b.safetensors"), adapted, {})).rejects.toThrow("is missing");
    const write = (settings: string) => {
      writeFileSync(at("b.safetensors"), serializeSafetensors({ ...adapted.params }, { "chainrule.lora": settings }));
      return loadAdapters(at("b.safetensors"), model);
    };
    await expect(write("{")).rejects.toThrow("it does not say that its tensors are adapters");
    await expect(write('{"rank":1,"alpha":1,"targets":["other.weight"]}')).rejects.toThrow(
      "its adapters are those of another model: there is no weight other.weight here",
    );
    await expect(write('{"rank":2,"alpha":1,"targets":["fc2.weight"]}')).rejects.toThrow(
      "fc2.lora_A.weight: f32[1,6] there, f32[2,6] here",
    );
  });
});
