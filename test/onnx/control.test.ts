import { describe, expect, test } from "vitest";
import { bool, compile, evaluate, f32, grad, graph, reference, sum, tensor, toArray, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import type { GraphMessage } from "../../src/onnx/schema.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const scalar = (name: string, element: number): ReturnType<typeof port> => port(name, [], element);
const x = tensor([1, 2], "f32");

/** A loop of x := x * w, with what it holds after each round collected. */
function loop(test: "steady" | "until"): GraphMessage {
  const nodes = [
    node("Mul", ["s", "w"], ["t"]),
    ...(test === "steady"
      ? [node("Identity", ["going"], ["next"])]
      : [node("ReduceMax", ["t"], ["top"], { keepdims: 0 }), node("Less", ["top", "limit"], ["next"])]),
  ];
  return {
    node: nodes,
    name: "body",
    input: [scalar("i", 7), scalar("going", 9), port("s")],
    output: [scalar("next", 9), port("t"), ...(test === "steady" ? [port("t")] : [])],
  } as GraphMessage;
}

function looping(rounds: number | null, test: "steady" | "until"): Uint8Array {
  const weights = [
    weight("w", [2], [2, 3]),
    weight("limit", [], [50]),
    ...(rounds === null ? [] : [{ name: "n", dims: [], data_type: 7, int64_data: [rounds] }]),
  ];
  const nodes = [
    node("Loop", [rounds === null ? "" : "n", "", "x"], test === "steady" ? ["y", "all"] : ["y"], { body: { graph: loop(test) } }, "again"),
  ];
  return modelBytes({ nodes, weights, outputs: test === "steady" ? [port("y"), port("all", ["n", 2])] : [port("y")] });
}

describe("Loop", () => {
  test.each([3, 100])("of %i rounds is unrolled or one loop in the graph, with the same results and gradients", async (rounds) => {
    const model = await onnx.read(looping(rounds, "steady"));
    const half = tensor([0.5, 0.99], "f32");
    const out = evaluate(model.apply({ ...model.params, w: half }, { x }));
    expect(out["y"]!.data[0]).toBeCloseTo(0.5 ** rounds, 6);
    expect(out["all"]!.type.shape).toEqual([rounds, 2]);
    const slope = grad((w: Value) => sum(model.apply({ ...model.params, w }, { x })["y"]!))(half);
    expect(evaluate(slope).data[1]).toBeCloseTo(2 * rounds * 0.99 ** (rounds - 1), 3);
  });

  test("that ends by its test runs in the graph, and is differentiated", async () => {
    const model = await onnx.read(looping(null, "until"));
    const g = graph({ x: f32(2) }, ({ x }) => model.apply(model.params, { x }) as { y: Value });
    const got = (await compile(g, reference())).run({ x: [1, 2] });
    expect(toArray(got.y)).toEqual([8, 54]);
    expect(toArray(model.apply(model.params, { x })["y"]!)).toEqual([8, 54]);
    const slope = grad((x: Value) => sum(model.apply(model.params, { x })["y"]!))(x);
    expect(toArray(slope)).toEqual([8, 27]);
  });

  test("says what it cannot know", async () => {
    const model = await onnx.read(looping(null, "steady"));
    expect(() => model.apply(model.params, { x })).toThrow("node again (Loop): it has no end");
    const wrong = { ...loop("steady"), input: [scalar("i", 7), scalar("going", 9)] } as GraphMessage;
    const bytes = modelBytes({ nodes: [node("Loop", ["n", "", "x"], ["y"], { body: { graph: wrong } })], weights: [wholes("n", [2])] });
    const bad = await onnx.read(bytes);
    expect(() => bad.apply(bad.params, { x })).toThrow("onnx: graph body inside a node has 2 inputs and is given 3");
    const empty = modelBytes({
      nodes: [node("Loop", ["n", "", "x"], ["y"], { body: { graph: { ...loop("steady"), node: [] } } })],
      weights: [wholes("n", [2])],
    });
    const none = await onnx.read(empty);
    expect(() => none.apply(none.params, { x })).toThrow("onnx: graph body inside a node has no value for its output next");
  });
});

describe("If", () => {
  const branchOf = (op: string): GraphMessage => ({ node: [node(op, ["x"], ["b"])], name: op, output: [port("b")] }) as GraphMessage;
  const bytes = modelBytes({
    nodes: [node("If", ["test"], ["y"], { then_branch: { graph: branchOf("Neg") }, else_branch: { graph: branchOf("Exp") } })],
    inputs: [port("x"), scalar("test", 9)],
  });

  test("takes the branch that is known, and writes both down where it is not", async () => {
    const model = await onnx.read(bytes);
    expect(toArray(model.apply({}, { x, test: tensor(true) })["y"]!)).toEqual([-1, -2]);
    const g = graph({ x: f32(2), test: bool() }, (given) => model.apply({}, given) as { y: Value });
    const program = await compile(g, reference());
    expect(toArray(program.run({ x: [1, 2], test: true }).y)).toEqual([-1, -2]);
    expect(program.run({ x: [0, 0], test: false }).y.data[0]).toBe(1);
  });
});

describe("quantisation", () => {
  test("lets gradients straight through, inside the range", async () => {
    const nodes = [node("QuantizeLinear", ["x", "s"], ["q"]), node("DequantizeLinear", ["q", "s"], ["y"])];
    const model = await onnx.read(modelBytes({ nodes, weights: [weight("s", [], [0.5])] }));
    expect(model.params).toEqual({});
    const at = tensor([1.2, 200], "f32");
    expect(toArray(model.apply({}, { x: at })["y"]!)).toEqual([1, 127.5]);
    expect(toArray(grad((x: Value) => sum(model.apply({}, { x })["y"]!))(at))).toEqual([1, 0]);
  });
});

describe("gradients that must not be lost", () => {
  test("bounds of Clip and values of Pad that are inputs get theirs", async () => {
    const clipped = await onnx.read(modelBytes({ nodes: [node("Clip", ["x", "low"], ["y"])], inputs: [port("x"), port("low", [])] }));
    expect(toArray(grad((low: Value) => sum(clipped.apply({}, { x, low })["y"]!))(tensor(1.5, "f32")))).toBe(1);
    const padded = await onnx.read(
      modelBytes({
        nodes: [node("Pad", ["x", "pads", "v"], ["y"])],
        weights: [wholes("pads", [1, 2])],
        inputs: [port("x"), port("v", [])],
      }),
    );
    expect(toArray(padded.apply({}, { x, v: tensor(7, "f32") })["y"]!)).toEqual([7, 1, 2, 7, 7]);
    expect(toArray(grad((v: Value) => sum(padded.apply({}, { x, v })["y"]!))(tensor(7, "f32")))).toBe(3);
  });
});
