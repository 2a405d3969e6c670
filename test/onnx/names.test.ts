import { describe, expect, test } from "vitest";
import { recordOf } from "../../src/data/tensor-tree.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/data.ts";
import { lora } from "../../src/finetune.ts";
import { compile, f32, graph, reference, sum, type Tensor, tensor, toArray, type Value, valueAndGrad } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { modelBytes, node, port, weight } from "./build-model.ts";

/** What every object has under these names, and names that look like none. */
const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", " ", "\u200b", "\u00a0", "\u202e거꾸로", "e\u0301"];
const x = tensor([3, -4], "f32");

describe.each(names)("a model with the name %j", (name) => {
  test("for an input computes, and misses the input where it was not given", async () => {
    const nodes = [node("Mul", [name, "w"], ["a"], {}, name), node("Relu", ["a"], ["y"])];
    const bytes = modelBytes({ nodes, inputs: [port(name, [name])], weights: [weight("w", [2], [2, 3])] });
    const model = await onnx.read(bytes);
    expect(Object.keys(model.inputs)).toEqual([name]);
    expect(toArray(model.apply(model.params, { [name]: x })["y"]!)).toEqual([6, 0]);
    expect(model.bind({ [name]: x })).toEqual({});
    for (const use of [model.apply.bind(null, model.params), model.bind]) expect(() => use({})).toThrow(`onnx: input ${name} is missing`);
    const { unknown, memory, inputs } = await onnx.inspect(bytes, { dims: Object.fromEntries([[name, 2]]) });
    expect([unknown, Object.entries(memory!.dims), Object.keys(inputs)]).toEqual([null, [[name, 2]], [name]]);
    expect(Object.entries((await onnx.applicable(bytes)).inputs)).toEqual([[name, expect.objectContaining({ shape: [1] })]]);
    expect(Object.keys((await onnx.outline(bytes)).inputs)).toEqual([name]);
  });

  test("for a weight and an output is trained and written", async () => {
    const nodes = [node("MatMul", ["x", name], [`${name}!`])];
    const bytes = modelBytes({
      nodes,
      inputs: [port("x", [1, 2])],
      outputs: [port(`${name}!`, [1, 2])],
      weights: [weight(name, [2, 2], [1, 2, 3, 4])],
    });
    const model = await onnx.read(bytes);
    expect([Object.keys(model.params), model.trainable]).toEqual([[name], [name]]);
    expect(Object.entries(model.initializers)).toEqual([[name, name]]);
    const row = tensor([[1, 2]], "f32");
    const step = graph({ params: { [name]: f32(2, 2) }, x: f32(1, 2) }, ({ params, x: given }) =>
      valueAndGrad((p: Record<string, Value>) => sum(model.apply(p, { x: given })[`${name}!`]!))(params),
    );
    const ran = (await compile(step, reference())).run({ params: model.params, x: row } as never) as unknown as {
      readonly grad: Record<string, Tensor>;
    };
    expect(Object.entries(ran.grad).map(([n, t]) => [n, Array.from(t.data)])).toEqual([[name, [1, 1, 2, 2]]]);
    const other = model.with({ [name]: tensor([5, 6, 7, 8], f32(2, 2)) });
    const again = await onnx.read(onnx.write(other));
    expect(toArray(again.apply(again.params, { x: row })[`${name}!`]!)).toEqual([[19, 22]]);
    expect(() => model.apply({}, { x: row })).toThrow(`onnx: weight ${name} is missing`);
    expect((await onnx.inspect(bytes)).parameters.map((p) => [p.name, p.gradient])).toEqual([[name, true]]);
    const adapted = lora(model, { rank: 1, targets: ["*"] });
    expect(toArray(adapted.apply(adapted.params, { x: row })[`${name}!`]!)).toEqual([[7, 10]]);
    expect(() => adapted.apply({}, { x: row })).toThrow(/^lora: factor .* is missing/);
  });

  test("for an output of the graph, alone and beside others, is written and read", async () => {
    const nodes = [node("Neg", ["x"], [name]), node("Exp", [name], ["y"])];
    const model = await onnx.read(modelBytes({ nodes, outputs: [port(name), port("y")] }));
    const found = model.apply({}, { x });
    expect([Object.keys(found), toArray(found[name]!)]).toEqual([
      [name, "y"],
      [-3, 4],
    ]);
    const written = await onnx.read(onnx.write(graph({ [name]: f32(2) }, (given) => model.apply({}, { x: given[name]! }))));
    expect([Object.keys(written.inputs), Object.keys(written.outputs)]).toEqual([[name], [`out.${name}`, "y"]]);
    expect(toArray(written.apply({}, { [name]: x })[`out.${name}`]!)).toEqual([-3, 4]);
  });

  test("for an operator is unfolded where the model brings it along, and refused where not", async () => {
    const own = { name, domain: name, input: ["a", "b"], output: ["c"], node: [node("Mul", ["a", "b"], ["c"])] };
    const parts = { nodes: [node(name, ["x", "w"], ["y"], {}, "", name)], weights: [weight("w", [2], [2, 3])] };
    const opset_import = [{ domain: "", version: 18 }];
    const model = await onnx.read(modelBytes({ ...parts, functions: [{ ...own, opset_import }] }));
    expect(toArray(model.apply(model.params, { x })["y"]!)).toEqual([6, -12]);
    await expect(onnx.read(modelBytes(parts))).rejects.toThrow(`there is no operator ${name}.${name} here; export the model with`);
  });

  test("for a leaf of parameters is kept by safetensors", () => {
    const tree = { [name]: x };
    expect(Object.keys(recordOf(tree, "saveTensors"))).toEqual([name]);
    expect(Object.keys(parseSafetensors(serializeSafetensors(recordOf(tree, "saveTensors"))).tensors)).toEqual([name]);
  });
});
