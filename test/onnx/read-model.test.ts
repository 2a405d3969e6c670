import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trainables } from "../../src/finetune.ts";
import { evaluate, f32, grad, graph, mapTree, sum, tensor, toArray, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import type { TensorMessage } from "../../src/onnx/schema.ts";
import { modelShape, type NodeMessage } from "../../src/onnx/schema.ts";
import { readMessage, writeMessage } from "../../src/onnx/wire.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const add = [node("Add", ["x", "w"], ["y"], {}, "/fc/Add")];
const w = weight("w", [2], [1, 2]);

describe("a model", () => {
  test("computes, is differentiated, and takes other weights", async () => {
    const model = await onnx.read(modelBytes({ nodes: [node("Mul", ["x", "w"], ["y"])], weights: [w] }), { inputs: ["x"], outputs: ["y"] });
    expect(model.trainable).toEqual(["w"]);
    const x = tensor([3, 4], "f32");
    expect(toArray(model.apply(model.params, { x }).y)).toEqual([3, 8]);
    const slope = grad((params: Record<string, Value>) => sum(model.apply(params, { x }).y))(mapTree(model.params, (v) => v));
    expect(toArray(slope["w"]!)).toEqual([3, 4]);
    const other = model.with({ w: tensor([5, 6], "f32") });
    expect(toArray(other.apply(other.params, { x }).y)).toEqual([15, 24]);
    expect(toArray(model.apply(model.params, { x }).y)).toEqual([3, 8]);
  });

  test("is a path, an address, bytes or a Blob, and of anything else it is said what was given", async () => {
    const bytes = modelBytes({ nodes: [node("Relu", ["x"], ["y"])], inputs: [port("x", [2])], outputs: [port("y", [2])] });
    const x = tensor(Float32Array.of(-1, 2));
    for (const source of [bytes, Buffer.from(bytes), bytes.slice().buffer, new Blob([bytes.slice()])]) {
      const model = await onnx.read(source);
      expect(toArray(model.apply(model.params, { x })["y"]!)).toEqual([0, 2]);
    }
    for (const [given, kind] of [
      [undefined, "missing"],
      [null, "null"],
      [3, "3"],
      [{ path: "model.onnx" }, "a record"],
    ] as const)
      for (const read of [onnx.read, onnx.inspect, onnx.outline])
        await expect(read(given as never)).rejects.toThrow(
          `onnx: the model is ${kind}; it is a path, an address, bytes or a Blob: onnx.read("model.onnx")`,
        );
  });

  test("is told apart from what stands in its place: a pointer of Git LFS, a page, an archive", async () => {
    for (const [begin, told] of [
      [
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        "but a pointer of Git LFS, which stands for the model in a clone",
      ],
      ["<!doctype html><title>404</title>", "but a page, as a server sends where there is no such file; look at the address"],
      [
        "PK\u0003\u0004archive/data.pkl",
        "but a zip archive, as checkpoints of PyTorch are; unpack it, or write the model by torch.onnx.export",
      ],
      ["\u001f\u008b\u0008\u0000", "but packed by gzip; unpack it"],
    ] as const) {
      const bytes = Uint8Array.from(begin, (c) => c.charCodeAt(0));
      await expect(onnx.read(bytes)).rejects.toThrow(`onnx: this is no ONNX model ${told}`);
      await expect(onnx.inspect(new Blob([bytes]))).rejects.toThrow(`onnx: this is no ONNX model ${told}`);
    }
  });

  test("is refused where its operator set aligns operands by attributes", async () => {
    const nodes = [node("Add", ["x", "w"], ["y"], { broadcast: 1, axis: 0 })];
    await expect(onnx.read(modelBytes({ nodes, inputs: [port("x", [2, 2])], weights: [w], opset: 6 }))).rejects.toThrow(
      "onnx: node with output y (Add) is of operator set 6, in which it takes its operands in another way; 7 is the oldest that is read: convert the model in Python, onnx.version_converter.convert_version(model, 18)",
    );
    await expect(onnx.read(modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], weights: [w], opset: 7 }))).resolves.toBeDefined();
    await expect(onnx.read(modelBytes({ nodes: [node("Relu", ["x"], ["y"])], opset: 6 }))).resolves.toBeDefined();
  });

  test("says which node an operand does not fit, as an error of the same kind", async () => {
    const bytes = modelBytes({
      nodes: [node("MatMul", ["x", "w"], ["h"], {}, "/fc1/MatMul"), node("MatMul", ["h", "w"], ["y"], {}, "/fc2/MatMul")],
      inputs: [port("x", ["n", "k"])],
      outputs: [port("y", ["n", 2])],
      weights: [weight("w", [3, 2], [1, 2, 3, 4, 5, 6])],
    });
    const model = await onnx.read(bytes);
    const told = expect.objectContaining({
      name: "ShapeError",
      code: "shape",
      message: "onnx: node /fc2/MatMul (MatMul): matmul: a is f32[4,2] and b is f32[3,2]; the inner sizes 2 and 3 must match",
    });
    let found: unknown;
    try {
      model.apply(model.params, { x: tensor(new Float32Array(12), f32(4, 3)) });
    } catch (error) {
      found = error;
    }
    expect(found).toEqual(told);
  });

  test("says of recurrent weights which one has another shape, as an LSTM with projections that PyTorch writes", async () => {
    const zeros = (name: string, ...shape: number[]) => weight(name, shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(0));
    const told = async (wanted: string, weights: readonly TensorMessage[], hidden: number, ...more: string[]) => {
      const bytes = modelBytes({
        nodes: [node("LSTM", ["x", "W", "R", "", "", ...more], ["y"], { hidden_size: hidden }, "node_lstm")],
        inputs: [port("x", [5, 3, 4])],
        outputs: [port("y", [5, 1, 3, hidden])],
        weights,
      });
      const model = await onnx.read(bytes);
      expect(() => model.apply(model.params, { x: tensor(new Float32Array(60), f32(5, 3, 4)) })).toThrow(
        `onnx: node node_lstm (LSTM): ${wanted}; ONNX has no projections: export it without proj_size`,
      );
    };
    const few = [zeros("W", 1, 24, 4), zeros("R", 1, 24, 3)];
    await told("R is f32[1,24,3], and for 4 inputs, 6 hidden units and 4 gates it is [1,24,6]", few, 6);
    // As PyTorch 2.13 writes one.
    const written = [zeros("W", 1, 12, 4), zeros("R", 1, 12, 3), zeros("h0", 1, 3, 3), zeros("c0", 1, 3, 6)];
    await told("initial_c is f32[1,3,6], and for 4 inputs, 3 hidden units and 4 gates it is [1,3,3]", written, 3, "h0", "c0");
  });

  test("serves any batch size from one file, and shapes that it computes become constants", async () => {
    const nodes = [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "zero"], ["n"]),
      node("Concat", ["n", "rest"], ["shape"], { axis: 0 }),
      node("Reshape", ["x", "shape"], ["y"]),
    ];
    const bytes = modelBytes({
      nodes,
      inputs: [port("x", ["n", 2, 3])],
      outputs: [port("y", ["n", 6])],
      weights: [wholes("zero", [0]), wholes("rest", [-1])],
    });
    const model = await onnx.read(bytes, { inputs: ["x"], outputs: ["y"] });
    expect(model.params).toEqual({});
    for (const n of [1, 5]) {
      const g = graph({ x: f32(n, 2, 3) }, ({ x }) => model.apply({}, { x }));
      expect(g.outputs.y.type.shape).toEqual([n, 6]);
    }
    const fixed = await onnx.read(bytes, { dims: { n: 4 } });
    expect(() => fixed.apply({}, { x: f32Zeros(5, 2, 3) })).toThrow("onnx: input x is f32[n,2,3] with n = 4; f32[5,2,3] was given");
  });

  test("unfolds functions, with their attributes and defaults", async () => {
    const inner = node("LeakyRelu", ["a"], ["b"]);
    const body: NodeMessage = { ...inner, attribute: [{ name: "alpha", ref_attr_name: "slope", type: 1 }] };
    const own = {
      name: "Leaky",
      domain: "mine",
      input: ["a"],
      output: ["b"],
      attribute: ["slope"],
      node: [body],
      opset_import: [{ domain: "", version: 18 }],
    };
    const call = node("Leaky", ["x"], ["y"], { slope: 0.5 }, "", "mine");
    const model = await onnx.read(modelBytes({ nodes: [call], functions: [own] }));
    expect(toArray(model.apply({}, { x: tensor([-2, 2], "f32") })["y"]!)).toEqual([-1, 2]);
  });

  test("keeps tied weights tied", async () => {
    const nodes = [node("Identity", ["w"], ["v"]), node("Mul", ["x", "w"], ["a"]), node("Mul", ["a", "v"], ["y"])];
    const model = await onnx.read(modelBytes({ nodes, weights: [w] }));
    const slope = grad((params: Record<string, Value>) => sum(model.apply(params, { x: tensor([1, 1], "f32") })["y"]!));
    expect(toArray(slope(mapTree(model.params, (v) => v))["w"]!)).toEqual([2, 4]);
    // In a file that was read it stays one, and in a graph of it too.
    const other = model.with({ w: tensor([5, 6], "f32") });
    for (const bytes of [onnx.write(other), onnx.write(graph({ x: f32(2) }, ({ x }) => other.apply(other.params, { x }) as never))]) {
      const again = await onnx.read(bytes);
      expect(Object.values(again.params).map((t) => toArray(t))).toEqual([[5, 6]]);
      expect(toArray(Object.values(again.apply(again.params, { x: tensor([1, 1], "f32") }))[0]!)).toEqual([25, 36]);
    }
  });

  test("reads weights that are also listed as inputs, and names those without a name by the node that uses them", async () => {
    const nodes = [
      node("MatMul", ["x", "onnx::MatMul_12"], ["h"], {}, "/net/net.0/MatMul"),
      node("Add", ["h", "net.0.bias"], ["y"], {}, "/net/net.0/Add"),
    ];
    const weights = [weight("onnx::MatMul_12", [2, 2], [1, 2, 3, 4]), weight("net.0.bias", [2], [0, 0])];
    const inputs = [port("x", [1, 2]), port("onnx::MatMul_12", [2, 2]), port("net.0.bias", [2])];
    const model = await onnx.read(modelBytes({ nodes, weights, inputs, outputs: [port("y", [1, 2])] }));
    expect(Object.keys(model.params)).toEqual(["net.0.weight", "net.0.bias"]);
    expect(model.initializers["net.0.weight"]).toBe("onnx::MatMul_12");
    expect(Object.keys(model.inputs)).toEqual(["x"]);
  });

  test("names single numbers without a name by what they do and where, after all weights that are some beyond doubt", async () => {
    // SigLIP's head as PyTorch's older exporter writes it, a scale of the attention that is a constant of the program, and a bias of that module.
    const nodes = [
      node("Mul", ["x", "onnx::Mul_3"], ["a"], {}, "/model/attn/Mul"),
      node("Add", ["a", "onnx::Add_4"], ["b"], {}, "/model/attn/Add"),
      node("Exp", ["onnx::Exp_520"], ["e"], {}, "/model/Exp"),
      node("Mul", ["b", "e"], ["c"], {}, "/model/Mul"),
      node("Add", ["c", "onnx::Add_521"], ["d"], {}, "/model/Add"),
      node("Add", ["d", "onnx::Add_7"], ["f"], {}, "/model/Add_1"),
      node("Mul", ["f", "val_9"], ["g"], {}, "mul"),
      node("Pow", ["g", "val_10"], ["y"], {}, "/model/Pow"),
    ];
    const weights = [
      weight("onnx::Mul_3", [], [0.35]),
      weight("onnx::Add_4", [2], [1, 2]),
      weight("onnx::Exp_520", [1], [2.3]),
      weight("onnx::Add_521", [1], [-10]),
      weight("onnx::Add_7", [2], [3, 4]),
      weight("val_9", [1], [2]),
      weight("val_10", [], [1]),
    ];
    const model = await onnx.read(modelBytes({ nodes, weights }));
    expect(Object.keys(model.params)).toEqual([
      "model.attn.scale",
      "model.attn.bias",
      "model.scale",
      "model.bias.2",
      "model.bias",
      "val_9",
      "val_10",
    ]);
    expect(model.trainable).toEqual(["model.attn.bias", "model.bias"]);
    // Those of a module are its weights; a single number is trained where it is named.
    expect(trainables(model, { only: ["model.attn.*"] })).toEqual(["model.attn.bias"]);
    expect(trainables(model, { only: ["*", "model.scale", "model.bias.2"] })).toEqual([
      "model.attn.bias",
      "model.scale",
      "model.bias.2",
      "model.bias",
    ]);
  });

  test("does not train statistics, masks and single numbers of the exporter unless told to", async () => {
    const nodes = [
      node("BatchNormalization", ["x", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["n"]),
      node("Mul", ["n", "val_3"], ["y"]),
    ];
    const vector = (name: string): TensorMessage => weight(name, [2], [1, 1]);
    const weights = [vector("bn.weight"), vector("bn.bias"), vector("bn.running_mean"), vector("bn.running_var"), weight("val_3", [], [2])];
    const model = await onnx.read(modelBytes({ nodes, weights, inputs: [port("x", [3, 2])] }));
    expect(model.trainable).toEqual(["bn.weight", "bn.bias"]);
    expect(Object.keys(model.params).length).toBe(5);
  });

  test("reads all encodings of numbers, and cuts the ends of the 64-bit range", async () => {
    const raw = new Uint8Array(new Float64Array([1.5]).buffer);
    const kinds: TensorMessage[] = [
      { data_type: 11, dims: [1], raw_data: raw },
      { data_type: 11, dims: [1], double_data: [1.5] },
      { data_type: 1, dims: [1], float_data: [1.5] },
      { data_type: 10, dims: [1], int32_data: [0x3e00] },
      { data_type: 16, dims: [1], int32_data: [0x3fc0] },
      { data_type: 16, dims: [1], raw_data: Uint8Array.from([0xc0, 0x3f]) },
    ];
    for (const t of kinds) {
      const bytes = modelBytes({ nodes: [node("Constant", [], ["y"], { value: t })], inputs: [] });
      expect(toArray((await onnx.read(bytes)).apply({}, {})["y"]!)).toEqual([1.5]);
    }
    const endless = { data_type: 7, dims: [2], raw_data: new Uint8Array(new BigInt64Array([2n ** 63n - 1n, -(2n ** 63n) + 1n]).buffer) };
    const ends = modelBytes({ nodes: [node("Constant", [], ["y"], { value: endless })], inputs: [] });
    expect(toArray((await onnx.read(ends)).apply({}, {})["y"]!)).toEqual([2 ** 53, -(2 ** 53)]);
    const beyond = { data_type: 7, dims: [1], raw_data: new Uint8Array(new BigInt64Array([2n ** 60n]).buffer) };
    const bad = await onnx.read(modelBytes({ nodes: [node("Constant", [], ["y"], { value: beyond })], inputs: [] }));
    expect(() => bad.apply({}, {})).toThrow("the 64-bit integer 1152921504606846976 is beyond 2^53");
  });

  test("says which data a shape hangs on, and takes it where it is there", async () => {
    const nodes = [node("NonZero", ["x"], ["y"])];
    const model = await onnx.read(modelBytes({ nodes, outputs: [port("y", [1, "n"], 7)] }));
    expect(toArray(model.apply({}, { x: tensor([0, 3], "f32") })["y"]!)).toEqual([[1]]);
    expect(() => graph({ x: f32(2) }, ({ x }) => model.apply({}, { x }))).toThrow(
      "depends on the data of an input, and a graph has static shapes",
    );
  });

  test("gives values from inside, and leaves dead nodes alone", async () => {
    const nodes = [node("Frobnicate", ["x"], ["z"]), node("Neg", ["x"], ["mid"]), node("Exp", ["mid"], ["y"])];
    const model = await onnx.read(modelBytes({ nodes }), { inputs: ["x"], outputs: ["mid"] });
    expect(toArray(model.apply({}, { x: tensor([1, 2], "f32") }).mid)).toEqual([-1, -2]);
  });

  test("reads nodes that stand in the wrong order", async () => {
    const model = await onnx.read(modelBytes({ nodes: [node("Exp", ["a"], ["y"]), node("Sub", ["x", "x"], ["a"])] }));
    expect(toArray(model.apply({}, { x: tensor([1, 2], "f32") })["y"]!)).toEqual([1, 1]);
  });

  test("takes whole numbers as i32 where the file has i64, and typed arrays where the shape is known", async () => {
    const model = await onnx.read(modelBytes({ nodes: [node("Gather", ["w", "x"], ["y"])], weights: [w], inputs: [port("x", [3], 7)] }));
    expect(toArray(model.apply(model.params, { x: new Int32Array([1, 0, 1]) })["y"]!)).toEqual([2, 1, 2]);
  });

  test("keeps what it does not know when a message is written again", () => {
    const bytes = Uint8Array.from([8, 9, 0x6a, 2, 104, 105, 18, 1, 112]); // version, an unknown field 13, producer
    const message = readMessage(bytes, modelShape);
    expect(message).toMatchObject({ ir_version: 9, producer_name: "p" });
    expect([...writeMessage(message, modelShape)].sort()).toEqual([...bytes].sort());
  });
});

function f32Zeros(...shape: number[]): ReturnType<typeof tensor> {
  return tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), f32(...shape));
}

describe("bad input", () => {
  const reading = (parts: Parameters<typeof modelBytes>[0], options = {}): Promise<unknown> => onnx.read(modelBytes(parts), options);

  test.each([
    [
      "an operator it does not know",
      { nodes: [node("Frobnicate", ["x"], ["y"], {}, "/a/Frobnicate")] },
      "node /a/Frobnicate (Frobnicate): there is no operator Frobnicate here",
    ],
    [
      "one of ONNX Runtime's own",
      { nodes: [node("Mul", ["x", "w"], ["h"]), node("FusedMatMul", ["h"], ["y"], {}, "n", "com.microsoft")], weights: [w] },
      "export the model anew and keep the file from before optimisation. Without it there is no y, and w behind it get no gradient",
    ],
    [
      "a circle",
      { nodes: [node("Add", ["x", "b"], ["a"]), node("Add", ["x", "a"], ["b"]), node("Neg", ["b"], ["y"])] },
      "a graph has no circles",
    ],
    ["one name twice", { nodes: [node("Neg", ["x"], ["y"]), node("Exp", ["x"], ["y"])] }, "writes y, which is written elsewhere too"],
    ["two weights of one name", { nodes: add, weights: [w, w] }, "two initialisers have one name: w"],
    ["two inputs of one name", { nodes: add, weights: [w], inputs: [port("x"), port("x")] }, "two inputs have one name: x"],
    ["an output that nothing makes", { nodes: [] }, "there is no output y; the model has y"],
    ["a newer operator set", { nodes: add, weights: [w], opset: 99 }, "the model is written in operator set 99; up to 28 is known"],
    [
      "sparse weights",
      { nodes: add, weights: [w], graph: { sparse_initializer: [{ values: { name: "s" } }] } },
      "initialiser s is sparse; re-export the model with dense weights",
    ],
    [
      "a sequence",
      { nodes: add, weights: [w], inputs: [{ name: "x", type: { sequence_type: {} } }] },
      "x is a sequence; inputs and outputs are dense tensors",
    ],
    ["4-bit integers", { nodes: add, weights: [{ name: "w", data_type: 22, dims: [2] }] }, "onnx: w has element type INT4"],
    ["text", { nodes: add, weights: [w], inputs: [port("x", [2], 8)] }, "onnx: x has element type STRING"],
    ["a negative size", { nodes: add, weights: [{ ...w, dims: [-1] }] }, "onnx: w has a size of -1 in [-1]"],
    ["too many elements", { nodes: add, weights: [{ ...w, dims: [2 ** 20, 2 ** 20] }] }, "claims 1099511627776 elements"],
    ["too few elements", { nodes: add, weights: [{ ...w, dims: [3] }] }, "onnx: w is f32[3], which has 3 elements, and lists 2"],
    [
      "raw data of another size",
      { nodes: add, weights: [{ name: "w", data_type: 1, dims: [2], raw_data: new Uint8Array(7) }] },
      "which takes 8 bytes, and has 7",
    ],
    ["segments", { nodes: add, weights: [{ ...w, segment: {} }] }, "onnx: w is stored in segments, which no exporter writes"],
  ] as const)("%s is refused", async (_, parts, message) => {
    await expect(reading(parts as Parameters<typeof modelBytes>[0])).rejects.toThrow(message);
  });

  test("names that are not the model's are refused", async () => {
    const parts = { nodes: add, weights: [w], inputs: [port("x", ["n"])] };
    await expect(reading(parts, { inputs: ["pixels"] })).rejects.toThrow("there is no input pixels; the model has x");
    await expect(reading(parts, { inputs: [] })).rejects.toThrow("the outputs need x too; inputs names none");
    await expect(reading(parts, { outputs: ["z"] })).rejects.toThrow("there is no output z; the model has y");
    await expect(reading(parts, { dims: { batch: 2 } })).rejects.toThrow(
      "dims has batch, and the inputs have no size of that name; they have n",
    );
    await expect(reading(parts, { dims: { n: -1 } })).rejects.toThrow("dims.n is -1; a size is a whole number");
  });

  test("data and weights that do not fit are refused", async () => {
    const model = await onnx.read(modelBytes({ nodes: add, weights: [w] }));
    const x = tensor([1, 2], "f32");
    expect(() => model.apply({}, { x })).toThrow("weight w is missing; give all of model.params");
    expect(() => model.apply({ ...model.params, v: x }, { x })).toThrow("there is no weight v; the model has w");
    expect(() => model.apply({ w: tensor([1], "f32") }, { x })).toThrow("weight w is f32[2]; f32[1] was given");
    expect(() => model.with({ w: tensor([1], "f32") })).toThrow("weight w is f32[2]; f32[1] was given");
    expect(() => model.apply(model.params, {})).toThrow("input x is missing");
    expect(() => model.apply(model.params, { x, z: x })).toThrow("there is no input z; the model has x");
    expect(() => model.apply(model.params, { x: tensor([1, 2]) })).toThrow('input x is f32[2]; f64[2] was given; write cast(..., "f32")');
    expect(() => model.apply(model.params, { x: new Float32Array(3) })).toThrow(
      "a typed array of 3 elements was given; give a Tensor with its shape",
    );
  });

  test("nodes that are wrong are named", async () => {
    const applying = async (nodes: readonly NodeMessage[], shape: readonly number[] = [2]): Promise<unknown> => {
      const model = await onnx.read(modelBytes({ nodes, inputs: [port("x", shape)] }));
      return model.apply({}, { x: f32Zeros(...shape) });
    };
    await expect(applying([node("Add", ["x", "nowhere"], ["y"])])).rejects.toThrow(
      "reads nowhere, which is neither an input, a weight nor the result",
    );
    await expect(applying([node("Add", ["x"], ["y"], {}, "a")])).rejects.toThrow("onnx: node a (Add): operand 1 is missing");
    await expect(applying([node("Softmax", ["x"], ["y"], { axis: 4 }, "s")])).rejects.toThrow(
      "node s (Softmax): axis 4 is out of range for rank 1",
    );
    await expect(applying([node("Elu", ["x"], ["y"], { alpha: "no" }, "e")])).rejects.toThrow("node e (Elu): attribute alpha is no number");
    await expect(applying([node("Relu", ["x"], ["z", "y"], {}, "r")])).rejects.toThrow("its result 1, y, is not supported");
  });

  test("functions that call themselves, or each other twice over, come to an end", async () => {
    const opset_import = [{ domain: "", version: 18 }];
    const own = (name: string, inner: NodeMessage[]) => ({ name, domain: "m", input: ["a"], output: ["b"], node: inner, opset_import });
    const again = own("F", [node("F", ["a"], ["b"], {}, "", "m")]);
    const endless = await onnx.read(modelBytes({ nodes: [node("F", ["x"], ["y"], {}, "", "m")], functions: [again] }));
    expect(() => endless.apply({}, { x: f32Zeros(2) })).toThrow("functions or graphs lie inside each other deeper than 64");
  });

  test.each([
    ["an empty file", new Uint8Array(), "the file is empty"],
    ["a text", new TextEncoder().encode("<!doctype html><title>404</title>"), "onnx: "],
    ["a message of another kind", Uint8Array.from([8, 1]), "this is no ONNX model: it has no graph"],
    ["a cut file", modelBytes({ nodes: add, weights: [w] }).subarray(0, 40), "the file is damaged or cut short"],
    ["a length beyond the file", Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]), "bytes are announced and"],
    [
      "a number without end",
      Uint8Array.from([8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
      "a number is longer than 64 bits",
    ],
    ["a name that is no text", Uint8Array.from([18, 1, 0xff]), "a name in ModelProto is not UTF-8"],
  ])("%s is refused", async (_, bytes, message) => {
    await expect(onnx.read(bytes)).rejects.toThrow(message);
  });

  test("a file of more than 2 GiB is refused before it is read", async () => {
    const huge = { __proto__: Blob.prototype, size: 3e9 } as unknown as Blob;
    Object.defineProperty(huge, "size", { value: 3e9 });
    await expect(onnx.read(huge)).rejects.toThrow("has 3000000000 bytes; a model file has less than 2 GiB");
  });
});

describe("data in other files", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "chainrule-onnx-"));
    mkdirSync(join(folder, "model/data"), { recursive: true });
    writeFileSync(join(folder, "secret.bin"), new Uint8Array(8));
    writeFileSync(join(folder, "model/data/w.bin"), new Uint8Array(new Float32Array([9, 1, 2]).buffer));
    symlinkSync(join(folder, "secret.bin"), join(folder, "model/link.bin"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const external = (entries: Readonly<Record<string, string>>): TensorMessage => ({
    name: "w",
    dims: [2],
    data_type: 1,
    data_location: 1,
    external_data: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });
  const from = async (entries: Readonly<Record<string, string>>): Promise<unknown> => {
    const path = join(folder, "model/m.onnx");
    writeFileSync(path, modelBytes({ nodes: add, weights: [external(entries)] }));
    const model = await onnx.read(path);
    return toArray(model.params["w"]!);
  };

  test("are read where they are named", async () => {
    expect(await from({ location: "data/w.bin", offset: "4", length: "8" })).toEqual([1, 2]);
    expect(await from({ location: "./data/w.bin", offset: "4" })).toEqual([1, 2]);
  });

  test("are handed over where there is no folder", async () => {
    const bytes = modelBytes({ nodes: add, weights: [external({ location: "w.bin" })] });
    await expect(onnx.read(bytes)).rejects.toThrow(
      'the data of w is in the file w.bin; hand it over: onnx.read(bytes, { external: { "w.bin": more } })',
    );
    const more = new Uint8Array(new Float32Array([1, 2]).buffer);
    expect(toArray((await onnx.read(bytes, { external: { "w.bin": more } })).params["w"]!)).toEqual([1, 2]);
    expect(
      toArray((await onnx.read(new Blob([bytes as Uint8Array<ArrayBuffer>]), { external: { "w.bin": new Blob([more]) } })).params["w"]!),
    ).toEqual([1, 2]);
  });

  test.each([
    [{ location: "../secret.bin" }, "a model may only name files inside its own folder"],
    [{ location: "data/../../secret.bin" }, "a model may only name files inside its own folder"],
    [{ location: "/etc/passwd" }, "a model may only name files inside its own folder"],
    [{ location: "C:\\secret" }, "a model may only name files inside its own folder"],
    [{ location: "link.bin" }, "a link that leads out of the model's folder"],
    [{ location: "none.bin" }, "there is no such file beside the model"],
    [{ location: "data" }, "it is a folder, not a file"],
    [{ location: "data/w.bin", offset: "4", length: "12" }, "w is at bytes 4 to 16 of data/w.bin, which has 12"],
    [{ location: "data/w.bin", offset: "-1" }, "has offset -1; it is a whole number of bytes"],
    [{}, "the data of w is in another file, and its name is missing"],
  ])("%j is refused", async (entries, message) => {
    await expect(from(entries)).rejects.toThrow(message);
  });
});

test("the whole public face is one object", async () => {
  expect(Object.keys(onnx)).toContain("read");
  expect(evaluate((await onnx.read(modelBytes({ nodes: [node("Neg", ["x"], ["y"])] }))).apply({}, { x: f32Zeros(2) }))).toBeDefined();
});
