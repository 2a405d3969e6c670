import { describe, expect, test } from "vitest";
import { evaluate, f32, grad, graph, mapTree, mul, sum, tensor, type Value } from "../../src/index.ts";
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

  const graphOf = (nodes: readonly NodeMessage[], inputs: readonly string[], outputs: readonly string[], extra = {}) => ({
    graph: { name: "inner", node: nodes, input: inputs.map((name) => ({ name })), output: outputs.map((name) => ({ name })), ...extra },
  });
  const flag = (name: string, on: number) => ({ name, dims: [], data_type: 9, raw_data: Uint8Array.of(on) });
  const chosen = (test: string) => [
    {
      ...node("If", [test], ["s"]),
      attribute: [
        attribute("then_branch", graphOf([node("SequenceConstruct", ["x"], ["q"])], [], ["q"])),
        attribute("else_branch", graphOf([node("Neg", ["x"], ["m"]), node("SequenceConstruct", ["m"], ["q"])], [], ["q"])),
      ],
    },
    node("SequenceAt", ["s", "i"], ["y"]),
  ];

  test("a known branch may give one, and one that data choose is refused where no answer is there", async () => {
    for (const on of [0, 1]) expect((await result(chosen("c"), [flag("c", on), scalar("i", 0)])).data[9]).toBe(on === 1 ? 9 : -9);
    const some = [node("ReduceMax", ["x"], ["top"], { keepdims: 0 }), node("Cast", ["top"], ["c"], { to: 9 }), ...chosen("c")];
    const g = (await read(some, [scalar("i", 0)])) as { apply: (p: object, d: { x: unknown }) => Record<string, Value> };
    expect(() => graph({ x: f32(5, 2) }, ({ x: given }) => g.apply({}, { x: given })["y"]!)).toThrow(
      "inside a node gives q, a sequence, which is read of a known branch",
    );
  });

  const rounds = (test: string, inner: readonly NodeMessage[], outs: readonly string[] = []) => [
    node("SequenceConstruct", ["x"], ["s0"]),
    {
      ...node("Loop", ["n", test, "s0"], ["s", ...outs.map((_, k) => `out${k}`)]),
      attribute: [attribute("body", graphOf(inner, ["k", "go", "t0"], ["go2", "t", ...outs]))],
    },
    node("ConcatFromSequence", ["s"], ["y"], { axis: 0 }),
  ];
  const grow = [node("SequenceAt", ["t0", "last"], ["a"]), node("Mul", ["a", "w"], ["b"]), node("SequenceInsert", ["t0", "b"], ["t"])];
  const w = weight("w", [2], [2, 3]);

  test("a loop may carry one through known rounds, with gradients, and ends by a test that can be read", async () => {
    const model = await read(rounds("yes", [...grow, node("Identity", ["go"], ["go2"])]), [
      scalar("n", 2),
      flag("yes", 1),
      scalar("last", -1),
      w,
    ]);
    const y = evaluate(model.apply(model.params, { x })["y"]!);
    expect([y.type.shape, ...y.data.subarray(10, 12), ...y.data.subarray(28)]).toEqual([[15, 2], 0, 3, 32, 81]);
    const slope = grad((p: Record<string, Value>) => sum(model.apply(p, { x })["y"]!))(mapTree(model.params, (v) => v));
    expect([...evaluate(slope["w"]!).data]).toEqual([20 + 2 * 2 * 20, 25 + 2 * 3 * 25]);
    const until = [...grow, node("SequenceLength", ["t"], ["c"]), node("Less", ["c", "three"], ["go2"])];
    const ended = await result(rounds("yes", until), [scalar("n", 50), flag("yes", 1), scalar("last", -1), scalar("three", 3), w]);
    expect(ended.type.shape).toEqual([15, 2]);
    expect((await result(rounds("no", until), [scalar("n", 50), flag("no", 0), scalar("last", -1), scalar("three", 3), w])).data).toEqual(
      x.data,
    );
  });

  test.each([
    ["rounds that hang on data", "tested", grow, [], 2, "it carries a sequence, and how many rounds it makes hangs on data"],
    [
      "more rounds than are written down",
      "yes",
      [...grow, node("Identity", ["go"], ["go2"])],
      [],
      20_000,
      "it carries a sequence through 20000 rounds; 10000 such",
    ],
    [
      "collected sequences",
      "yes",
      [...grow, node("Identity", ["go"], ["go2"]), node("Identity", ["t"], ["u"])],
      ["u"],
      2,
      "it collects u, a sequence, of each round",
    ],
  ] as const)("a loop with %s is refused", async (_, test, inner, outs, n, message) => {
    const nodes = rounds(test === "tested" ? "c" : test, test === "tested" ? [...inner, node("Identity", ["go"], ["go2"])] : inner, outs);
    const before = test === "tested" ? [node("ReduceMax", ["x"], ["top"], { keepdims: 0 }), node("Cast", ["top"], ["c"], { to: 9 })] : [];
    const model = await read([...before, ...nodes], [scalar("n", n), flag("yes", 1), scalar("last", -1), w]);
    expect(() => graph({ x: f32(5, 2) }, ({ x: given }) => model.apply(model.params, { x: given })["y"]!)).toThrow(message);
  });

  test("a graph is mapped over one, and over several of one length", async () => {
    const map = (operands: readonly string[]) => [
      node("SplitToSequence", ["x", "two"], ["s"]),
      node("SequenceErase", ["s"], ["short"]),
      {
        ...node("SequenceMap", operands, ["t", "u"]),
        attribute: [attribute("body", graphOf([node("Mul", ["p", "q"], ["r"]), node("Neg", ["p"], ["m"])], ["p", "q"], ["r", "m"]))],
      },
      node("ConcatFromSequence", ["t"], ["a"], { axis: 0 }),
      node("ConcatFromSequence", ["u"], ["b"], { axis: 0 }),
      node("Sub", ["a", "b"], ["y"]),
    ];
    const squares = await result(map(["s", "s"]), [scalar("two", 2)]);
    expect([...squares.data]).toEqual([...x.data].map((v) => v * v + v));
    expect([...(await result(map(["s", "w"]), [scalar("two", 2), w])).data].slice(8)).toEqual([8 * 2 + 8, 9 * 3 + 9]);
    await expect(result(map(["s", "short"]), [scalar("two", 2)])).rejects.toThrow(
      "operand 1 is a sequence of 2, and the first one is of 3",
    );
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
