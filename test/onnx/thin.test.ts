import { expect, test } from "vitest";
import { type ModelMessage, modelShape, type TensorMessage } from "../../src/onnx/schema.ts";
import { thin } from "../../src/onnx/thin.ts";
import { readMessage } from "../../src/onnx/wire.ts";
import { modelBytes, node, port } from "./build-model.ts";

test("a large file is read at few places, each once: what says how it is made, and little behind each weight", async () => {
  const count = 30;
  const size = 2 ** 17;
  const raw = (name: string, length: number): TensorMessage => ({
    name,
    dims: [length / 4],
    data_type: 1,
    raw_data: new Uint8Array(length).fill(7),
  });
  const bytes = modelBytes({
    // Text enough for several windows that follow each other.
    nodes: Array.from({ length: 3000 }, (_, i) =>
      node("Neg", [i === 0 ? "w0" : `a node of some length ${i - 1}`], [`a node of some length ${i}`]),
    ),
    outputs: [port("a node of some length 2999")],
    weights: Array.from({ length: count }, (_, i) => [raw(`w${i}`, size), raw(`b${i}`, 8)]).flat(),
  });
  let reads = 0;
  let asked = 0;
  const { bytes: left, left: places } = await thin({
    size: bytes.length,
    read: async (from, to) => {
      reads++;
      asked += to - from;
      return bytes.slice(from, to);
    },
  });
  const [whole, part] = [readMessage(bytes, modelShape) as ModelMessage, readMessage(left, modelShape) as ModelMessage];
  expect(places.size).toBe(count);
  for (const [from, to] of places.values()) expect(bytes.subarray(from, to).every((byte) => byte === 7)).toBe(true);
  const plain = (model: ModelMessage): unknown => ({
    ...model,
    graph: {
      ...model.graph,
      initializer: model.graph!.initializer!.map((t) => ({ ...t, raw_data: t.name!.startsWith("w") ? [] : t.raw_data })),
    },
  });
  expect(plain(part)).toEqual(plain(whole));
  expect(left.length).toBeLessThan(bytes.length - count * size + 1000);
  // A read behind each weight, and a few of the nodes, of which what spans several is read once more.
  expect(reads).toBeLessThan(count + 12);
  expect(asked).toBeLessThan(count * 2 ** 14 + 4 * left.length);
});
