import { expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import { ChainruleError, tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const whole: Uint8Array = modelBytes({
  nodes: [
    node("MatMul", ["x", "w"], ["h"], {}, "/a/MatMul"),
    node("Reshape", ["h", "s"], ["r"]),
    node("Concat", ["r", "r"], ["y"], { axis: 0 }),
  ],
  weights: [weight("w", [2, 2], [1, 2, 3, 4]), wholes("s", [-1])],
  inputs: [port("x", ["n", 2])],
  outputs: [port("y", [8])],
});

/** Reads and applies; what is refused has to be refused by a lesson of ours. */
async function survives(bytes: Uint8Array): Promise<void> {
  try {
    const model = await onnx.read(bytes);
    model.apply(model.params, { x: tensor([[1, 2]], "f32") });
  } catch (error) {
    expect(error, [...bytes].join()).toBeInstanceOf(ChainruleError);
  }
}

test("every cut of a model, and thousands of damaged ones, are read or refused with a lesson", async () => {
  for (let length = 0; length < whole.length; length++) await survives(whole.subarray(0, length));
  const draw = drawsFrom(7);
  for (let k = 0; k < 2000; k++) {
    const bytes = whole.slice();
    const changes = draw.whole(1, 4);
    for (let i = 0; i < changes; i++) bytes[draw.whole(0, bytes.length - 1)] = [0, 255, 127, 128, draw.whole(0, 255)][draw.whole(0, 4)]!;
    await survives(bytes);
  }
});
