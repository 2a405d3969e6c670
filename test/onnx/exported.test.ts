// What exporters write of transformers, in a few nodes each.
import { expect, test } from "vitest";
import { constant, evaluate, jit, square, sum, type Tensor, tensor, toArray, type Value, valueAndGrad } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const row = (...numbers: number[]): Tensor => tensor(numbers, "f32");

test("a Cast of what is beyond whole numbers of 32 and 64 bits gives the nearest of them, as the logarithm of distance 0 in T5 needs it", async () => {
  const cast = async (to: number, x: Tensor): Promise<readonly number[]> => {
    const bytes = modelBytes({ nodes: [node("Cast", ["x"], ["y"], { to })], inputs: [port("x", ["n"])], outputs: [port("y", ["n"], to)] });
    const { apply } = await onnx.read(bytes);
    const y = apply({}, { x })["y"]!;
    expect(evaluate(jit((x: Value) => apply({}, { x })["y"]!, wasm())(x))).toEqual(evaluate(y));
    return toArray(y) as readonly number[];
  };
  const beyond = row(Number.NEGATIVE_INFINITY, -1e30, -2.7, 2.7, 3e9, Number.POSITIVE_INFINITY);
  expect(await cast(7, beyond)).toEqual([-(2 ** 53), -(2 ** 53), -2, 2, 3e9, 2 ** 53]);
  expect(await cast(6, beyond)).toEqual([-(2 ** 31), -(2 ** 31), -2, 2, 2 ** 31 - 1, 2 ** 31 - 1]);
  await expect(cast(2, row(300))).rejects.toThrow("cast: element 0 is 300 and u8 holds whole numbers from 0 to 255");
  await expect(cast(7, row(Number.NaN))).rejects.toThrow("cast: element 0 is NaN");
});

test("rows of attention that are masked altogether get no weight, and no NaN comes back through what puts theirs aside", async () => {
  const nodes = [
    node("Add", ["w", "mask"], ["scores"]),
    node("Softmax", ["scores"], ["shares"], { axis: -1 }),
    node("IsNaN", ["shares"], ["empty"]),
    node("Where", ["empty", "zero", "shares"], ["y"]),
  ];
  const weights = [weight("w", [2, 3], [1, 2, 3, 1, 2, 3]), weight("zero", [], [0])];
  const bytes = modelBytes({ nodes, weights, inputs: [port("mask", [2, 3])], outputs: [port("y", [2, 3]), port("shares", [2, 3])] });
  const model = await onnx.read(bytes);
  const none = Number.NEGATIVE_INFINITY;
  const mask = tensor([[0, none, 0], [none, none, none]], "f32"); // biome-ignore format: a mask
  const out = evaluate(model.apply(model.params, { mask }));
  const [a, b] = [1 / (1 + Math.exp(2)), 1 / (1 + Math.exp(-2))];
  expect(Array.from(out["shares"]!.data).map(Number.isNaN)).toEqual([false, false, false, true, true, true]);
  const loss = (w: Value, m: Value): Value => sum(square(model.apply({ ...model.params, w }, { mask: m })["y"]!));
  const both = (w: Value, m: Value) => valueAndGrad((v: Value) => loss(v, m))(w);
  const w = model.params["w"]!;
  const slope = 2 * a * b * (a - b);
  for (const { value, grad } of [evaluate(valueAndGrad((v: Value) => loss(v, constant(mask)))(w)), evaluate(jit(both, wasm())(w, mask))]) {
    expect(value.data[0]).toBeCloseTo(a * a + b * b, 6);
    [slope, 0, -slope, 0, 0, 0].forEach((x, i) => {
      expect(grad.data[i]).toBeCloseTo(x, 6);
    });
  }
});

test("what PyTorch's newer exporter computed is named after the weight that it was computed from, and not trained where it was computed from none", async () => {
  const made: Readonly<Record<string, readonly string[] | null>> = {
    "l.weight": null,
    val_3: ["bi.weight", "val_1"],
    mul_1: ["wn.weight.original0", "wn.weight.original1"],
    val_9: ["l.weight", "val_2"],
    embedding_1: ["arange", "add", "wpe.weight"],
    logit: ["scale"],
    exp_1: ["c.weight", "neg"],
    exp: ["arange", "neg"],
    beta_cast: ["beta"],
    unsqueeze_31: ["arange", "rotary.freq"],
    lifted: null,
  };
  const targets = {
    PARAMETER: ["l.weight", "bi.weight", "wn.weight.original0", "wn.weight.original1", "scale", "c.weight", "wpe.weight"],
    BUFFER: ["rotary.freq"],
    CONSTANT_TENSOR: ["lifted"],
  };
  const signature = Object.entries(targets).flatMap(([kind, names]) => names.map((name) => `p: ${kind} target='${name}'`));
  const parametersWith = async (lines: readonly string[]): Promise<unknown[]> => {
    const bytes = modelBytes({
      nodes: [node("Sum", ["x", ...Object.keys(made)], ["y"], {}, "/head/Sum")],
      weights: Object.keys(made).map((name) =>
        name === "logit" || name === "beta_cast" ? weight(name, [], [2]) : weight(name, [2, 2], [1, 2, 3, 4]),
      ),
      inputs: [port("x", [2, 2])],
      outputs: [port("y", [2, 2])],
      graph: {
        metadata_props: [{ key: "pkg.torch.export.ExportedProgram.graph_signature", value: lines.join("\n") }],
        value_info: Object.entries(made).flatMap(([name, from]) =>
          from === null
            ? []
            : [{ ...port(name), metadata_props: [{ key: "pkg.onnxscript.optimizer.folded_from", value: `['${from.join("', '")}']` }] }],
        ),
      },
    });
    const found = await onnx.inspect(bytes);
    expect(onnx.write(await onnx.read(bytes))).toEqual(bytes);
    return found.parameters.map((p) => [p.initializer, p.name, p.fixedBy]);
  };
  expect(await parametersWith(signature)).toEqual([
    ["l.weight", "l.weight", null],
    ["val_3", "bi.weight", null],
    ["mul_1", "head.weight", null],
    ["val_9", "head.weight.2", null],
    ["embedding_1", "wpe.weight", null],
    ["logit", "head.weight.3", null],
    ["exp_1", "head.weight.4", null],
    ["exp", "head.weight.5", "constant"],
    ["beta_cast", "beta_cast", "single number"],
    ["unsqueeze_31", "head.weight.6", "buffer"],
    ["lifted", "lifted", "constant"],
  ]);
  // A signature that knows none of the names, as after they were changed, is not believed.
  expect(await parametersWith(["p: PARAMETER target='other'"])).toContainEqual(["exp", "exp", null]);
});

test("a scale of one number in a list counts for all of a bias, as ONNX Runtime's quantiser writes it", async () => {
  const nodes = [node("DequantizeLinear", ["b", "scale", "zero"], ["bias"]), node("Add", ["x", "bias"], ["y"])];
  const weights = [
    { name: "b", dims: [3], data_type: 6, int32_data: [5, -10, 15] },
    weight("scale", [1], [0.5]),
    { name: "zero", dims: [], data_type: 6, int32_data: [1] },
  ];
  const model = await onnx.read(modelBytes({ nodes, weights, inputs: [port("x", [3])], outputs: [port("y", [3])] }));
  expect(toArray(model.apply(model.params, { x: row(0, 1, 2) })["y"]!)).toEqual([2, -4.5, 9]);
});

test("the operators of scikit-learn's exporter are refused with what to export instead", async () => {
  const nodes = [node("LinearClassifier", ["x"], ["label", "y"], {}, "", "ai.onnx.ml")];
  await expect(onnx.read(modelBytes({ nodes }))).rejects.toThrow(
    "there is no operator ai.onnx.ml.LinearClassifier here; it is an operator of classical machine learning, which this reader does not have: export a linear model or a net as products and sums of its coefficients",
  );
});

test("STFT takes a real signal without an axis for parts, as PyTorch's older exporter writes it", async () => {
  const spectrum = async (shape: readonly number[]): Promise<readonly number[]> => {
    const nodes = [node("STFT", ["x", "step", "window"], ["y"])];
    const weights = [wholes("step", [2]), weight("window", [4], [1, 2, 2, 1])];
    const model = await onnx.read(modelBytes({ nodes, weights, inputs: [port("x", shape)], outputs: [port("y", [1, 3, 3, 2])] }));
    const x = tensor(
      Float32Array.from({ length: 8 }, (_, i) => Math.sin(i)),
      { kind: "type", dtype: "f32", shape },
    );
    return Array.from(evaluate(model.apply(model.params, { x }))["y"]!.data);
  };
  expect(await spectrum([1, 8])).toEqual(await spectrum([1, 8, 1]));
});

test("tables of angles and of distances are not trained, whatever they are called", async () => {
  const angles = (halves: boolean): number[] =>
    Array.from({ length: 6 * 4 }, (_, i) => {
      const [at, column] = [Math.floor(i / 4), i % 4];
      const [pair, second] = halves ? [column % 2, column >= 2] : [column >> 1, column % 2 === 1];
      return (second ? Math.cos : Math.sin)(at / 100 ** pair);
    });
  const padded = [0, 0, 0, 0, ...angles(true).slice(4)];
  const learned = angles(true).map((x, i) => (i === 9 ? x + 0.3 : x));
  const tables = { halves: angles(true), woven: angles(false), padded, learned, "attn.relative_coords_table": learned.map((x) => 2 * x) };
  const names = Object.keys(tables);
  const nodes = [node("Sum", ["x", ...names], ["y"])];
  const weights = Object.entries(tables).map(([name, numbers]) => weight(name, [6, 4], numbers));
  const found = await onnx.inspect(modelBytes({ nodes, weights, inputs: [port("x", [6, 4])], outputs: [port("y", [6, 4])] }));
  expect(found.parameters.map((p) => [p.name, p.fixedBy])).toEqual([
    ["halves", "angles"],
    ["woven", "angles"],
    ["padded", "angles"],
    ["learned", null],
    ["attn.relative_coords_table", "name"],
  ]);
  expect(found.text()).toMatch(/halves .* no: angles/);
  expect(found.text("ko")).toMatch(/halves .* 안 함: 각도표/);
});
