// Loops that would not end run for as long as they may.
import { expect, test } from "vitest";
import { evaluate, grad, jit, sum, tensor, toArray, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import type { GraphMessage } from "../../src/onnx/schema.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, weight } from "./build-model.ts";

const scalar = (name: string, element: number): ReturnType<typeof port> => port(name, [], element);

/** x := x * w until an element is above 50; what each round gives is collected, with `grows` in a state that gets longer. */
function until(grows: boolean): Uint8Array {
  const body = {
    name: "body",
    node: [
      node("Mul", ["s", "w"], ["t"]),
      node("ReduceMax", ["t"], ["top"], { keepdims: 0 }),
      node("Greater", ["top", "limit"], ["over"]),
      node("Not", ["over"], ["next"]),
      ...(grows ? [node("Concat", ["all", "t"], ["more"], { axis: 0 })] : []),
    ],
    input: [scalar("i", 7), scalar("going", 9), port("s"), ...(grows ? [port("all", ["k"])] : [])],
    output: [scalar("next", 9), port("t"), grows ? port("more", ["k"]) : port("t")],
  } as unknown as GraphMessage;
  return modelBytes({
    nodes: [node("Loop", ["", "", "x", ...(grows ? ["x"] : [])], ["last", "y"], { body: { graph: body } }, "again")],
    weights: [weight("w", [2], [2, 2]), weight("limit", [], [50])],
    outputs: [port("last"), port("y", ["k", 2])],
  });
}

test.each([false, true])(
  "a loop that ends by its test, growing %s, is as long as data tell, with its gradient, and is stopped where NaN never ends it",
  async (grows) => {
    const model = await onnx.read(until(grows));
    const x = tensor([1, 2], "f32");
    const bound = model.bind({ x });
    const got = evaluate(model.apply(model.params, { x }, bound));
    expect(toArray(got["last"]!)).toEqual([32, 64]);
    expect(got["y"]!.type.shape).toEqual(grows ? [12] : [5, 2]);
    const step = jit(
      (v: Value, b: Record<string, Value>) => grad((at: Value) => sum(model.apply(model.params, { x: at }, b)["y"]!))(v),
      wasm(),
    );
    // Each round doubles; the state that grows begins with x itself.
    expect(toArray(step(x, bound as never))).toEqual(grows ? [63, 63] : [62, 62]);
    expect(() => model.bind({ x: tensor([Number.NaN, 1], "f32") })).toThrow(
      grows
        ? "node again (Loop): its test still holds after 10000 rounds, the most of a loop that is written down round by round"
        : "node again (Loop): its test still holds after 99999 rounds",
    );
  },
  60_000,
);
