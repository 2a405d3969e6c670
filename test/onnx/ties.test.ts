// Weights that a file has twice. What PyTorch makes of the small GPT-2 in five steps is from scripts/reference/onnx_tied.py.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/data.ts";
import { lora, trainables } from "../../src/finetune.ts";
import {
  compile,
  type Engine,
  evaluate,
  f32,
  graph,
  reference,
  reshape,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import type { NodeMessage } from "../../src/onnx/schema.ts";
import { onnx } from "../../src/onnx.ts";
import { onnxruntime } from "../../src/onnxruntime.ts";
import { sgd } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/tied/${name}`, import.meta.url));
type Params = Record<string, Value>;
type Options = NonNullable<Parameters<typeof onnx.read>[1]>;

/** Numbers like those of a trained weight. */
const drawn = (count: number, seed = 1): number[] => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed * 12.9 + i * 7.7)));
/** A matrix of rows and columns, transposed. */
const turned = (data: readonly number[], rows: number, columns: number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);

/** Rows of a table, through a matrix with the same numbers. */
const headed = (matrix: ReturnType<typeof weight>, table: ReturnType<typeof weight>, attributes?: { readonly transB: number }) => {
  const head =
    attributes === undefined
      ? node("MatMul", ["h", matrix.name!], ["y"], {}, "/head/MatMul")
      : node("Gemm", ["h", matrix.name!], ["y"], attributes, "/head/Gemm");
  return modelBytes({
    nodes: [node("Gather", [table.name!, "ids"], ["h"], {}, "/emb/Gather"), head],
    weights: [table, matrix],
    inputs: [port("ids", ["n"], 7)],
    outputs: [port("y", ["n", table.dims![0]!])],
  });
};
const numbers = drawn(20 * 4);
const table = weight("emb.weight", [20, 4], numbers);
const ids = tensor([3, 0, 19], "i32");

describe("a table and the matrix of a product with its numbers", () => {
  test.each([
    ["transposed, without a name", headed(weight("onnx::MatMul_9", [4, 20], turned(numbers, 20, 4)), table), "head.weight", true],
    ["transposed, with one", headed(weight("out.weight", [4, 20], turned(numbers, 20, 4)), table), "out.weight", true],
    ["as they stand", headed(weight("out.weight", [20, 4], numbers), table, { transB: 1 }), "out.weight", false],
  ] as const)("are one weight: %s", async (_, file, copy, transposed) => {
    const model = await onnx.read(file);
    expect([Object.keys(model.params), model.trainable, model.tied]).toEqual([["emb.weight"], ["emb.weight"], { [copy]: "emb.weight" }]);
    const apart = await onnx.read(file, { tie: false });
    expect([Object.keys(apart.params), apart.tied]).toEqual([["emb.weight", copy], {}]);
    expect(evaluate(model.apply(model.params, { ids })["y"]!)).toEqual(evaluate(apart.apply(apart.params, { ids })["y"]!));
    // The gradient is the sum of the two.
    const slopes = (m: typeof model): Record<string, Tensor> =>
      evaluate(valueAndGrad((p: Params) => softmaxCrossEntropy(m.apply(p, { ids })["y"]!, ids))(m.params as never).grad) as never;
    const [one, two] = [slopes(model)["emb.weight"]!, slopes(apart)];
    const other = transposed ? turned([...two[copy]!.data], 4, 20) : two[copy]!.data;
    one.data.forEach((x, i) => {
      expect(x).toBeCloseTo(two["emb.weight"]!.data[i]! + other[i]!, 6);
    });
    expect(await onnx.inspect(file)).toMatchObject({
      copies: [{ parameters: ["emb.weight", copy], transposed, tied: true }],
      tied: [{ parameter: "emb.weight", nodes: ["/emb/Gather", transposed ? "/head/MatMul" : "/head/Gemm"] }],
    });
  });

  test("are written to both places, which a runtime reads; what did not change is as it was", async () => {
    const file = headed(weight("onnx::MatMul_9", [4, 20], turned(numbers, 20, 4)), table);
    const model = await onnx.read(file);
    expect(onnx.write(model)).toEqual(file);
    const other = tensor(Float32Array.from(drawn(80, 2)), f32(20, 4));
    const bytes = onnx.write(model.with({ "emb.weight": other }));
    const session = await ort.InferenceSession.create(bytes);
    const theirs = await session.run({ ids: new ort.Tensor("int64", BigInt64Array.from([3n, 0n, 19n]), [3]) });
    const ours = evaluate(model.apply({ "emb.weight": other }, { ids })["y"]!);
    ours.data.forEach((x, i) => {
      expect(theirs["y"]!.data[i]).toBeCloseTo(x, 5);
    });
    const apart = await onnx.read(bytes, { tie: false });
    expect([...apart.params["head.weight"]!.data]).toEqual(turned([...other.data], 20, 4));
    expect((await onnx.read(bytes)).tied).toEqual({ "head.weight": "emb.weight" });
  });

  test("are two where a number differs, where they are few, or where they are bits that agree of themselves", async () => {
    const almost = [...turned(numbers, 20, 4)];
    almost[41]! += 1e-6;
    const bits = Array.from({ length: 80 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    for (const file of [
      headed(weight("head.weight", [4, 20], almost), table),
      headed(weight("head.weight", [4, 5], turned(drawn(20), 5, 4)), weight("emb.weight", [5, 4], drawn(20))),
      headed(weight("head.weight", [4, 20], turned(bits, 20, 4)), weight("emb.weight", [20, 4], bits)),
    ])
      expect((await onnx.read(file)).tied).toEqual({});
  });

  test("are what they are where two tables have the numbers of one matrix: it is open which of them is meant", async () => {
    const nodes = [
      node("Gather", ["emb.weight", "ids"], ["a"]),
      node("Gather", ["more.weight", "ids"], ["b"]),
      node("Add", ["a", "b"], ["h"]),
      node("MatMul", ["h", "head.weight"], ["y"]),
    ];
    const weights = [table, weight("more.weight", [20, 4], numbers), weight("head.weight", [4, 20], turned(numbers, 20, 4))];
    const file = modelBytes({ nodes, weights, inputs: [port("ids", ["n"], 7)], outputs: [port("y", ["n", 20])] });
    expect((await onnx.read(file)).tied).toEqual({});
    expect((await onnx.read(file, { tie: ["head.*"] })).tied).toEqual({ "head.weight": "emb.weight" });
  });

  test("cannot be named apart: every place where a weight is named says which it is", async () => {
    const model = await onnx.read(headed(weight("onnx::MatMul_9", [4, 20], turned(numbers, 20, 4)), table));
    const given = { ...model.params, "head.weight": model.params["emb.weight"]! };
    const lesson =
      "onnx: weight head.weight is tied to emb.weight, which stands for both; give that one, or read the model with { tie: false }";
    expect(() => model.apply(given, { ids })).toThrow(lesson);
    expect(() => model.with({ "head.weight": given["head.weight"]! })).toThrow(lesson);
    const told = "head.weight is tied to emb.weight; name that one, or read the model with { tie: false } (--tie none) and they are two";
    expect(() => trainables(model, { only: ["head.*"] })).toThrow(`trainables: only: ${told}`);
    expect(() => trainables(model, { freeze: ["head.*"] })).toThrow(`trainables: freeze: ${told}`);
    expect(() => lora(model, { rank: 1, targets: ["head.weight"] })).toThrow(`lora: targets: ${told}`);
    expect(trainables(model, { only: ["*"] })).toEqual(["emb.weight"]);
    // An adapter of the weight changes both its uses.
    const adapted = lora(model, { rank: 2, targets: ["emb.weight"] });
    const factors = {
      "emb.lora_A.weight": adapted.params["emb.lora_A.weight"]!,
      "emb.lora_B.weight": tensor(Float32Array.from(drawn(40, 3)), f32(20, 2)),
    };
    const merged = adapted.merge(factors);
    const [beside, inside] = [adapted.apply(factors, { ids })["y"]!, merged.apply(merged.params, { ids })["y"]!].map(
      (v) => evaluate(v).data,
    );
    inside!.forEach((x, i) => {
      expect(beside![i]).toBeCloseTo(x, 5);
    });
  });
});

describe("layers with equal numbers", () => {
  // What a copied module looks like before it is trained; PyTorch trains each by itself.
  const layers = (names: readonly string[], data = numbers.slice(0, 64)) => {
    const nodes: NodeMessage[] = names.map((name, i) =>
      node("MatMul", [i === 0 ? "x" : `h${i}`, name], [i === names.length - 1 ? "y" : `h${i + 1}`], {}, `/l${i}/MatMul`),
    );
    return modelBytes({
      nodes,
      weights: names.map((name) => weight(name, [8, 8], data)),
      inputs: [port("x", ["n", 8])],
      outputs: [port("y", ["n", 8])],
    });
  };
  const three = layers(["l0.weight", "l1.weight", "l2.weight"]);
  const read = async (options: Options) => {
    const { params, tied } = await onnx.read(three, options);
    return [Object.keys(params).length, tied];
  };

  test("stay apart unless tie says otherwise", async () => {
    expect(await read({})).toEqual([3, {}]);
    expect(await read({ tie: true })).toEqual([1, { "l1.weight": "l0.weight", "l2.weight": "l0.weight" }]);
    expect(await read({ tie: ["l2.*"] })).toEqual([2, { "l2.weight": "l0.weight" }]);
    expect(await read({ tie: ["l1.weight", "l2.weight"] })).toEqual([1, { "l1.weight": "l0.weight", "l2.weight": "l0.weight" }]);
    expect(await read({ tie: ["l0.weight"] })).toEqual([1, { "l1.weight": "l0.weight", "l2.weight": "l0.weight" }]);
    await expect(read({ tie: ["head.*"] })).rejects.toThrow(
      "onnx: tie: head.* names no weight that the file has twice; it has l0.weight, l1.weight, l2.weight",
    );
    await expect(read({ tie: ["l1.*"], outputs: ["h1"] })).rejects.toThrow("names no weight that the file has twice; it has none");
    await expect(read({ tie: "all" } as never)).rejects.toThrow(
      'onnx: tie is "all"; it is true, false, or a list of patterns: tie: ["lm_head.weight"]',
    );
    await expect(read({ tie: [1] } as never)).rejects.toThrow("onnx: tie is a list of other things; it is a list of patterns");
    const found = await onnx.inspect(three);
    expect(found.copies.map((c) => [...c.parameters, c.tied])).toEqual([
      ["l0.weight", "l1.weight", false],
      ["l0.weight", "l2.weight", false],
    ]);
    expect(found.text()).toContain(
      "l1.weight is l0.weight, written twice: training moves them apart, unless they are tied (--tie l1.weight)",
    );
    const tied = (await onnx.inspect(three, { tie: true })).text();
    expect(tied).toContain("l1.weight is l0.weight, written twice: they are one weight, and are written to both places");
    expect((await onnx.inspect(three, { tie: true })).text("ko")).toContain(
      "l1.weight는 l0.weight와 값이 같은 사본입니다. 하나의 가중치로 학습하고 두 곳에 모두 저장합니다",
    );
  });

  test("are one where the exporter says that they were moved from one", async () => {
    const value = "\n# inputs\np_w: PARAMETER target='layer.weight'\n";
    const from = (name: string) => ({
      ...port(name, [8, 8]),
      metadata_props: [{ key: "pkg.onnxscript.optimizer.folded_from", value: `['layer.weight', '${name}']` }],
    });
    const names = ["val_1", "val_7"];
    const nodes = [node("MatMul", ["x", "val_1"], ["h"], {}, "a"), node("MatMul", ["h", "val_7"], ["y"], {}, "b")];
    const metadata_props = [{ key: "pkg.torch.export.ExportedProgram.graph_signature", value }];
    const file = modelBytes({
      nodes,
      weights: names.map((name) => weight(name, [8, 8], numbers.slice(0, 64))),
      inputs: [port("x", ["n", 8])],
      outputs: [port("y", ["n", 8])],
      graph: { metadata_props, value_info: names.map(from) as never },
    });
    const model = await onnx.read(file);
    expect([Object.keys(model.params), model.tied]).toEqual([["layer.weight"], { "layer.weight.2": "layer.weight" }]);
  });

  test("with the same numbers in another shape are two", async () => {
    const nodes = [node("Gather", ["emb", "ids"], ["h"]), node("Reshape", ["other", "shape"], ["m"]), node("MatMul", ["h", "m"], ["y"])];
    const weights = [weight("emb", [16, 4], drawn(64)), weight("other", [8, 8], drawn(64)), wholes("shape", [4, 16])];
    const model = await onnx.read(modelBytes({ nodes, weights, inputs: [port("ids", ["n"], 7)], outputs: [port("y", ["n", 16])] }), {
      tie: true,
    });
    expect(model.tied).toEqual({});
  });
});

describe("GPT-2, whose table PyTorch writes a second time for the head", () => {
  const told = parseSafetensors(new Uint8Array(readFileSync(fixture("gpt2.safetensors")))).tensors;
  const trained = async (options: Options, engine: Engine = wasm()) => {
    const model = await onnx.read(fixture("gpt2.onnx"), { outputs: ["logits"], ...options });
    const optimizer = sgd({ rate: 0.1, momentum: 0.9, only: [...model.trainable] });
    const state = { params: model.params, opt: optimizer.init(model.params) };
    const step = graph({ ...state, x: told["x/0"]!.type, y: told["y/0"]!.type }, ({ params, opt, x, y }) => {
      const loss = (p: Params) =>
        softmaxCrossEntropy(reshape(model.apply(p, { ids: x })["logits"]!, { shape: [-1, 29] }), reshape(y, { shape: [-1] }));
      const { value, grad } = valueAndGrad(loss)(params as Params);
      return { loss: value, ...optimizer.update({ params: params as Params, grad, opt: opt as never }) };
    });
    const program = await compile(step as never, engine, { state } as never);
    const off: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { loss } = (await program.run({ x: told[`x/${i}`]!, y: told[`y/${i}`]! } as never)) as { loss: Tensor };
      off.push(Math.abs(loss.data[0]! - told["losses"]!.data[i]!));
    }
    return { off, model: model.with(((await program.state.read()) as { params: Record<string, Tensor> }).params) };
  };

  test.each([
    ["compiled", wasm()],
    ["interpreted", reference()],
    ["in ONNX Runtime", onnxruntime(ort as never)],
  ] as const)("is trained as PyTorch trains it, %s, and ONNX Runtime gives PyTorch's logits of the file", async (_, engine) => {
    const { off, model } = await trained({}, engine as Engine);
    expect(Math.max(...off)).toBeLessThan(1e-4);
    expect(model.tied).toEqual({ "lm_head.weight": "wte.weight" });
    for (const name of model.trainable) {
      const [own, wanted] = [model.params[name]!, told[`final/${name}`]!];
      const [rows = 1, columns = 1] = own.type.shape;
      // The exporter stores the matrices of products turned.
      const other = name !== model.initializers[name] ? turned([...wanted.data], columns, rows) : wanted.data;
      own.data.forEach((x, i) => {
        expect(Math.abs(x - other[i]!), `${name} ${i}`).toBeLessThan(1e-4);
      });
    }
    expect(model.trainable.length).toBe(Object.keys(told).filter((key) => key.startsWith("final/")).length);
    const session = await ort.InferenceSession.create(onnx.write(model));
    const ids = new ort.Tensor("int64", BigInt64Array.from(told["x/0"]!.data as Int32Array, BigInt), [4, 12]);
    const { logits } = (await session.run({ ids })) as unknown as { logits: { data: Float32Array } };
    expect(logits.data.length).toBe(told["logits"]!.data.length);
    logits.data.forEach((x, i) => {
      expect(Math.abs(x - told["logits"]!.data[i]!)).toBeLessThan(1e-3);
    });
  });

  test("is another model after the second step where it is read as two weights", async () => {
    const { off } = await trained({ tie: false });
    expect(off[0]).toBeLessThan(1e-4);
    expect(Math.max(...off)).toBeGreaterThan(0.01);
  });
});
