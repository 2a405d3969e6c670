import { describe, expect, test } from "vitest";
import { evaluate, f32, grad, mapTree, mul, sum, tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import type { NodeMessage } from "../../src/onnx/schema.ts";
import { attribute, modelBytes, node, port, weight, wholes } from "./build-model.ts";

const scalar = (name: string, at: number) => ({ name, dims: [], data_type: 7, int64_data: [at] });
const read = (nodes: readonly NodeMessage[], weights: Parameters<typeof modelBytes>[0]["weights"] = []) =>
  onnx.read(modelBytes({ nodes, inputs: [port("x", [5, 2])], outputs: [port("y", ["a", "b"])], weights: [...weights!] }));
const x = tensor(
  Float32Array.from({ length: 10 }, (_, i) => i),
  f32(5, 2),
);
const result = async (...given: Parameters<typeof read>) => {
  const model = await read(...given);
  return evaluate(model.apply(model.params, { x })["y"]!);
};

describe("sequences whose length is known are unfolded", () => {
  test("cut in pieces, chosen, put in, taken out and joined again, with gradients", async () => {
    const nodes = [
      node("SplitToSequence", ["x", "two"], ["s"]),
      node("SequenceAt", ["s", "first"], ["a"]),
      node("Mul", ["a", "w"], ["b"]),
      node("SequenceInsert", ["s", "b", "last"], ["t"]),
      node("SequenceErase", ["t", "first"], ["u"]),
      node("Identity", ["u"], ["v"]),
      node("ConcatFromSequence", ["v"], ["y"], { axis: 0 }),
    ];
    const weights = [scalar("two", 2), scalar("first", 0), scalar("last", -1), weight("w", [2], [10, 100])];
    // Pieces of rows 0-1, 2-3 and 4; the product of the first before the last one, the first taken out.
    const y = await result(nodes, weights);
    expect(y.type.shape).toEqual([5, 2]);
    expect([...y.data]).toEqual([4, 5, 6, 7, 0, 100, 20, 300, 8, 9]);
    const model = await read(nodes, weights);
    const slope = grad((p: Record<string, Value>) => sum(model.apply(p, { x })["y"]!))(mapTree(model.params, (v) => v));
    expect([...evaluate(slope["w"]!).data]).toEqual([2, 4]);
    const found = await onnx.inspect(modelBytes({ nodes, inputs: [port("x", [5, 2])], outputs: [port("y", ["a", "b"])], weights }));
    expect(found.parameters.map(({ name, gradient }) => [name, gradient])).toEqual([["w", true]]);
    expect(found.unsupported).toEqual([]);
  });

  test("made of tensors, counted, stacked along a new axis; sizes of pieces may be a list", async () => {
    const stacked = [
      node("SplitToSequence", ["x"], ["s"], { keepdims: 0 }),
      node("SequenceLength", ["s"], ["n"]),
      node("Cast", ["n"], ["f"], { to: 1 }),
      node("SequenceAt", ["s", "n1"], ["r"]),
      node("Mul", ["r", "f"], ["rf"]),
      node("SequenceConstruct", ["rf", "r"], ["t"]),
      node("ConcatFromSequence", ["t"], ["y"], { axis: 1, new_axis: 1 }),
    ];
    const y = await result(stacked, [scalar("n1", 3)]);
    expect([y.type.shape, ...y.data]).toEqual([[2, 2], 30, 6, 35, 7]);
    const listed = [
      node("SplitToSequence", ["x", "sizes"], ["s"]),
      node("SequenceErase", ["s"], ["t"]),
      node("SequenceEmpty", [], ["e"]),
      node("SequenceAt", ["t", "zero"], ["a"]),
      node("SequenceInsert", ["e", "a"], ["u"]),
      node("ConcatFromSequence", ["u"], ["y"], { axis: -1 }),
    ];
    expect([...(await result(listed, [wholes("sizes", [1, 4]), scalar("zero", 0)])).data]).toEqual([0, 1]);
  });

  test.each<[string, readonly NodeMessage[], Parameters<typeof read>[1], string]>([
    [
      "as an operand of others",
      [node("SequenceConstruct", ["x"], ["s"]), node("Relu", ["s"], ["y"])],
      [],
      "takes s, a sequence; sequences are unfolded here",
    ],
    ["as an output", [node("SequenceConstruct", ["x"], ["y"])], [], "onnx: output y is a sequence; read a tensor of it"],
    [
      "a place that is not there",
      [node("SequenceConstruct", ["x"], ["s"]), node("SequenceAt", ["s", "i"], ["y"])],
      [scalar("i", 1)],
      "there is no place 1 in a sequence of 1",
    ],
    [
      "a tensor in its place",
      [node("SequenceAt", ["x", "i"], ["y"])],
      [scalar("i", 0)],
      "its first operand is a tensor, and a sequence is wanted",
    ],
    [
      "nothing to join",
      [node("SequenceEmpty", [], ["s"]), node("ConcatFromSequence", ["s"], ["y"], { axis: 0 })],
      [],
      "the sequence is empty, and nothing says what its tensors would be",
    ],
    [
      "pieces of no size",
      [node("SplitToSequence", ["x", "i"], ["s"]), node("SequenceAt", ["s", "i"], ["y"])],
      [scalar("i", 0)],
      "pieces of 0 along an axis of 5",
    ],
    [
      "pieces that do not fit",
      [node("SplitToSequence", ["x", "p"], ["s"]), node("SequenceAt", ["s", "i"], ["y"])],
      [wholes("p", [2, 2]), scalar("i", 0)],
      "pieces of 2, 2 do not make an axis of 5",
    ],
  ])("%s is refused", async (_, nodes, weights, message) => {
    await expect(result(nodes, weights)).rejects.toThrow(message);
  });

  test("a branch that gives one is refused", async () => {
    const branch = { graph: { name: "then", node: [node("SequenceConstruct", ["x"], ["q"])], output: [{ name: "q" }] } };
    const nodes = [
      { ...node("If", ["c"], ["s"]), attribute: [attribute("then_branch", branch), attribute("else_branch", branch)] },
      node("SequenceAt", ["s", "i"], ["y"]),
    ];
    const c = { name: "c", dims: [], data_type: 9, raw_data: Uint8Array.of(1) };
    await expect(result(nodes, [c, scalar("i", 0)])).rejects.toThrow("inside a node gives q, a sequence, which is not read");
  });
});

test("pieces of a sequence pass their gradients like slices do", async () => {
  const model = await read(
    [node("Mul", ["x", "w"], ["z"]), node("SplitToSequence", ["z", "two"], ["s"]), node("SequenceAt", ["s", "two"], ["y"])],
    [scalar("two", 2), weight("w", [5, 2], new Array<number>(10).fill(1))],
  );
  const slope = grad((p: Record<string, Value>) => sum(mul(model.apply(p, { x })["y"]!, 3)))(mapTree(model.params, (v) => v));
  expect([...evaluate(slope["w"]!).data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 24, 27]);
});
