import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { draw } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { modelPicture } from "../../src/onnx/sample.ts";
import type { TensorMessage } from "../../src/onnx/schema.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}/model.onnx`, import.meta.url));
const filled = (name: string, dims: readonly number[], x = 0): TensorMessage =>
  weight(
    name,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => x + i / 7),
  );

describe("inspect", () => {
  test("tells what PyTorch wrote: sets of operators, ports, parameters, operators and the memory of a step", async () => {
    const found = await onnx.inspect(fixture("lenet"));
    expect(found).toMatchObject({
      producer: "pytorch 2.13.0",
      opsets: { "ai.onnx": 17 },
      inputs: { input: { dtype: "f32", shape: ["batch", 1, 28, 28] } },
      outputs: { logits: { dtype: "f32", shape: ["batch", 10] } },
      unsupported: [],
      noGradient: [],
      unknown: null,
      deadNodes: 0,
    });
    expect(found.operators.slice(0, 3)).toEqual([
      { operator: "Relu", count: 4 },
      { operator: "Gemm", count: 3 },
      { operator: "Conv", count: 2 },
    ]);
    expect(found.parameters.length).toBe(10);
    expect(found.parameters.every((p) => p.trainable && p.gradient === true)).toBe(true);
    expect(found.parameters[2]).toMatchObject({ name: "c2.weight", dtype: "f32", shape: [16, 6, 5, 5], fixedBy: null });
    const { memory } = found;
    expect(memory).toMatchObject({ dims: { batch: 1 }, weights: 61706 * 4, gradients: 61706 * 4 });
    expect(memory!.backward).toBeGreaterThan(memory!.gradients);
    // Activations grow with the batch; weights do not.
    const large = (await onnx.inspect(fixture("lenet"), { dims: { batch: 64 } })).memory!;
    expect(large.weights).toBe(memory!.weights);
    expect(large.kept).toBeGreaterThan(20 * (memory!.kept - 120 * 400 * 4));
    expect(found.text()).toContain("c2.weight  f32[16,6,5,5]  yes      yes");
    expect(found.text()).toContain("every trained parameter gets one");
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({ producer: "pytorch 2.13.0", memory: { dims: { batch: 1 } } });
  });

  test("passes gradients by what is quantised and dequantised, and stops them where it stays whole", async () => {
    const parts = {
      inputs: [port("x", ["n", 2])],
      outputs: [port("y", ["n", 2])],
      weights: [weight("w", [2, 2], [1, 2, 3, 4]), weight("s", [], [0.5])],
    };
    const quantised = [node("MatMul", ["x", "w"], ["h"]), node("QuantizeLinear", ["h", "s"], ["q"], {}, "/Q")];
    const pair = [...quantised, node("DequantizeLinear", ["q", "s"], ["y"])];
    const passed = await onnx.inspect(modelBytes({ ...parts, nodes: pair }));
    expect(passed.noGradient).toEqual([]);
    expect(passed.parameters.map(({ name, gradient }) => [name, gradient])).toEqual([["w", true]]);
    const stopped = await onnx.inspect(modelBytes({ ...parts, nodes: [...quantised, node("Cast", ["q"], ["y"], { to: 1 })] }));
    expect(stopped.noGradient).toMatchObject([{ node: "/Q", operator: "QuantizeLinear", blocks: ["w"] }]);
    expect(stopped.parameters.map(({ gradient }) => gradient)).toEqual([false]);
    const out = { ...parts, outputs: [port("q", ["n", 2], 2)] };
    const both = [...quantised, node("DequantizeLinear", ["q", "s"], ["y"])];
    expect((await onnx.inspect(modelBytes({ ...out, nodes: both }))).parameters.map(({ gradient }) => gradient)).toEqual([false]);
    expect(
      (await onnx.inspect(modelBytes({ ...out, outputs: [...out.outputs, port("y", ["n", 2])], nodes: both }))).parameters.map(
        ({ gradient }) => gradient,
      ),
    ).toEqual([true]);
  });

  test("names the nodes that no gradient passes, and the parameters that this blocks", async () => {
    // y = round(x * a) * b + x * c, and c is also seen by an ArgMax
    const nodes = [
      node("Mul", ["x", "a"], ["h"], {}, "/enc/Mul"),
      node("Round", ["h"], ["r"], {}, "/enc/Round"),
      node("Mul", ["r", "b"], ["p"], {}, "/dec/Mul"),
      node("Mul", ["x", "c"], ["q"], {}, "/side/Mul"),
      node("ArgMax", ["q"], ["k"], { axis: 0, keepdims: 0 }, "/side/ArgMax"),
      node("Cast", ["k"], ["m"], { to: 1 }, "/side/Cast"),
      node("Add", ["p", "q"], ["s"], {}, "/Add"),
      node("Add", ["s", "m"], ["y"], {}, "/Add_1"),
      node("Exp", ["x"], ["unused"]),
    ];
    const found = await onnx.inspect(modelBytes({ nodes, weights: [filled("a", [2]), filled("b", [2]), filled("c", [2])] }));
    expect(found.parameters.map((p) => [p.name, p.gradient])).toEqual([
      ["a", false],
      ["b", true],
      ["c", true],
    ]);
    expect(found.noGradient).toEqual([
      { node: "/enc/Round", operator: "Round", behind: 1, blocks: ["a"] },
      { node: "/side/ArgMax", operator: "ArgMax", behind: 1, blocks: [] },
    ]);
    expect(found.deadNodes).toBe(1);
    const text = found.text();
    expect(text).toContain("1 trained parameter of 3 gets none: a");
    expect(text).toContain("none passes through /enc/Round (Round), which blocks a");
    expect(text).toContain("none passes through /side/ArgMax (ArgMax); the 1 parameter behind it gets its another way");
    expect(text).toContain("8 nodes, and 1 node that no output needs");
    const korean = found.text("ko");
    expect(korean).toContain("노드 8개, 어느 출력에도 필요 없는 노드 1개");
    expect(korean).toContain("학습하는 매개변수 3개 중 1개에는 기울기가 도착하지 않습니다: a");
    expect(korean).toContain("/enc/Round (Round)에서 기울기가 끊깁니다. 막힌 매개변수: a");
    expect(korean).toContain("/side/ArgMax (ArgMax)에서 기울기가 끊기지만, 그 앞의 매개변수 1개는");
  });

  test("does not take what an operator is made of for a stop: Clip compares, and its gradient passes", async () => {
    const nodes = [
      node("Mul", ["x", "a"], ["h"]),
      node("Clip", ["h", "low", "high"], ["c"]),
      node("Softmax", ["c"], ["s"], { axis: -1 }),
      node("Shape", ["s"], ["n"]),
      node("Reshape", ["s", "n"], ["y"]),
    ];
    const weights = [filled("a", [2]), weight("low", [], [0]), weight("high", [], [6])];
    const found = await onnx.inspect(modelBytes({ nodes, weights }));
    expect(found.noGradient).toEqual([]);
    expect(found.parameters.map((p) => p.gradient)).toEqual([true]);
    expect(found.constants).toEqual({ count: 2, bytes: 8 });
  });

  test("tells operators that are not supported, what to do and what they block, instead of refusing the file", async () => {
    const nodes = [node("Mul", ["x", "w"], ["h"], {}, "/fc/Mul"), node("FusedMatMul", ["h", "v"], ["y"], {}, "/fc/Fused", "com.microsoft")];
    const found = await onnx.inspect(modelBytes({ nodes, weights: [filled("w", [2]), filled("v", [2])] }));
    expect(found.unsupported).toMatchObject([{ node: "/fc/Fused", operator: "com.microsoft.FusedMatMul", blocks: ["w", "v"] }]);
    expect(found.memory).toBe(null);
    expect(found.parameters.map((p) => p.gradient)).toEqual([null, null]);
    const text = found.text();
    expect(text).toContain("there is no operator com.microsoft.FusedMatMul here; it is an operator of ONNX Runtime's own");
    expect(text).toContain("blocks w, v");
    expect(text).toContain("not known: the model has operators that are not supported");
    const korean = found.text("ko");
    expect(korean).toContain("지원하지 않는 연산\n  node /fc/Fused");
    expect(korean).toContain("    막힌 매개변수: w, v\n");
    expect(korean).toContain("알 수 없습니다: 지원하지 않는 연산이 있습니다");
  });

  test("finds folded batch normalisations, tied weights and copies of what was tied", async () => {
    const nodes = [
      node("Conv", ["x", "onnx::Conv_12", "onnx::Conv_13"], ["c"], {}, "/features/conv1/Conv"),
      node("Conv", ["c", "conv2.weight", "conv2.bias"], ["d"], {}, "/features/conv2/Conv"),
      node("Flatten", ["d"], ["f"]),
      node("MatMul", ["f", "emb"], ["h"], {}, "/emb/MatMul"),
      node("Identity", ["emb"], ["again"]),
      node("MatMul", ["h", "again"], ["i"], {}, "/emb_1/MatMul"),
      node("MatMul", ["i", "turned"], ["y"], {}, "/head/MatMul"),
    ];
    const emb = filled("emb", [4, 4], 1);
    const turned = weight(
      "turned",
      [4, 4],
      Array.from({ length: 16 }, (_, i) => emb.float_data![(i % 4) * 4 + Math.floor(i / 4)]!),
    );
    const weights = [
      filled("onnx::Conv_12", [4, 1, 1, 1]),
      filled("onnx::Conv_13", [4]),
      filled("conv2.weight", [4, 4, 1, 1]),
      filled("conv2.bias", [4]),
      emb,
      turned,
    ];
    const found = await onnx.inspect(modelBytes({ nodes, weights, inputs: [port("x", ["n", 1, 1, 1])], outputs: [port("y", ["n", 4])] }));
    expect(found.folded).toEqual([{ node: "/features/conv1/Conv", operator: "Conv" }]);
    expect(found.tied).toEqual([{ parameter: "emb", nodes: ["/emb/MatMul", "/emb_1/MatMul"] }]);
    expect(found.copies).toEqual([{ parameters: ["emb", "turned"], transposed: true, tied: false }]);
    const text = found.text();
    expect(text).toContain("1 convolution with a batch normalisation in its weight and bias");
    expect(text).toContain("emb is used by 2 nodes: /emb/MatMul, /emb_1/MatMul");
    expect(text).toContain("turned is emb transposed, written twice: training moves them apart, unless they are tied (--tie turned)");
    expect(text).toContain("features.conv1.weight (onnx::Conv_12)");
    const korean = found.text("ko");
    expect(korean).toContain("합성곱 1개의 가중치와 편향에 배치 정규화가 합쳐져 있으며");
    expect(korean).toContain("emb를 노드 2개가 씁니다: /emb/MatMul, /emb_1/MatMul");
    expect(korean).toContain("turned는 emb의 전치와 값이 같은 사본입니다. 묶지 않으면(--tie turned) 학습하면서 서로 달라집니다");
  });

  test("finds batch normalisations that the newer exporter folded, which keeps the names of weights", async () => {
    const nodes = [
      node("Conv", ["x", "conv1.weight", "conv1.weight_bias"], ["c"], {}, "node_conv2d"),
      node("Conv", ["c", "conv2.weight", "conv2.bias"], ["d"], {}, "node_conv2d_1"),
      node("Flatten", ["d"], ["f"]),
      node("Gemm", ["f", "fc.weight", "fc.weight_bias"], ["y"], { transB: 1 }, "node_linear"),
    ];
    const weights = [
      filled("conv1.weight", [4, 1, 1, 1]),
      filled("conv1.weight_bias", [4]),
      filled("conv2.weight", [4, 4, 1, 1]),
      filled("conv2.bias", [4]),
      filled("fc.weight", [4, 4]),
      filled("fc.weight_bias", [4]),
    ];
    const found = await onnx.inspect(modelBytes({ nodes, weights, inputs: [port("x", ["n", 1, 1, 1])], outputs: [port("y", ["n", 4])] }));
    expect(found.folded.map(({ node }) => node)).toEqual(["node_conv2d", "node_linear"]);
  });

  test("names the nodes that hang on data and the inputs it comes from, and still finds the gradients", async () => {
    const nodes = [
      node("NonZero", ["mask"], ["at"], {}, "/pick/NonZero"),
      node("Transpose", ["at"], ["places"]),
      node("GatherND", ["w", "places"], ["picked"]),
      node("ReduceSum", ["picked"], ["s"], { keepdims: 0 }),
      node("Mul", ["x", "s"], ["y"]),
    ];
    const found = await onnx.inspect(modelBytes({ nodes, weights: [filled("w", [3])], inputs: [port("x", [2]), port("mask", [3], 9)] }));
    expect(found.dataDependent).toEqual([
      {
        node: "/pick/NonZero",
        operator: "NonZero",
        needs: "which elements of its operand are not 0",
        inputs: ["mask"],
        weights: [],
        bound: "places",
      },
    ]);
    expect(found.host).toEqual([{ node: "/pick/NonZero", operator: "NonZero" }]);
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({ host: found.host, dataDependent: found.dataDependent });
    expect(found.parameters.map((p) => p.gradient)).toEqual([true]);
    expect(found.text()).toContain(
      "/pick/NonZero (NonZero) needs which elements of its operand are not 0, from the data of mask: bound as a tensor of places",
    );
    expect(found.text()).toContain("model.bind(inputs) computes 1 node of 5 on the host for it");
    expect(found.text("ko")).toContain("(출처: 데이터 mask). 위치를 담은 텐서로 묶습니다");
    expect(found.text("ko")).toContain("노드 5개 중 1개를 호스트에서 계산합니다");
  });

  test("says why sizes that do not fit leave gradients unknown", async () => {
    const nodes = [node("Reshape", ["x", "s"], ["h"]), node("Mul", ["h", "w"], ["y"])];
    const bytes = modelBytes({
      nodes,
      weights: [wholes("s", [7, 11]), filled("w", [11])],
      inputs: [port("x", ["n", "m"])],
      outputs: [port("y", [7, 11])],
    });
    const found = await onnx.inspect(bytes);
    expect(found.unknown).toContain("reshape");
    expect(found.memory).toBe(null);
    expect((await onnx.inspect(bytes, { dims: { n: 7, m: 11 } })).unknown).toBe(null);
    const open = { name: "x", type: { tensor_type: { elem_type: 1 } } };
    expect((await onnx.inspect(modelBytes({ nodes: [node("Exp", ["x"], ["y"])], inputs: [open] }))).unknown).toContain(
      "the file does not say how many axes the input x has",
    );
  });
});

test("a picture of a model has each of its nodes in the scopes of its path, those of one module together", async () => {
  const nodes = [
    node("Exp", ["x"], ["a"], {}, "/enc/enc.0/Exp"),
    node("Neg", ["a"], ["b"], {}, "/enc/enc.0/Neg"),
    node("Neg", ["b"], ["y"], {}, "/enc/enc.1/Neg"),
  ];
  const { graph, nodes: names } = await modelPicture(modelBytes({ nodes }));
  expect(names).toEqual(["enc/enc.0/Exp", "enc/enc.0/Neg", "enc/enc.1/Neg"]);
  expect(draw(graph as never, { depth: 0, format: "text" })).toMatch(/enc/);
  const picture = draw(graph as never, { depth: 2, closed: [...names], format: "mermaid" });
  expect(picture.match(/subgraph/g)?.length).toBe(3);
});

test("tells at what sizes a model can be applied, of a file or of a model that was read", async () => {
  const path = fileURLToPath(new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url));
  const found = await onnx.applicable(path);
  expect(found.inputs["input"]).toMatchObject({ dtype: "f32", shape: [1, 64] });
  expect(found.dims).toEqual({ batch: 1 });
  expect(found.nodes).toContain("net/net.0/Gemm");
  expect(await onnx.applicable(await onnx.read(path))).toEqual(found);
});
