import { evaluate } from "../../evaluate/evaluate.ts";
import { constant, input } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { type TensorType, tensorType } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { conv, convInput, relu } from "../../ops/index.ts";
import { fitsBlocks, leastPlaces } from "./blocked.ts";
import { type Exported, exported } from "./export.ts";
import type { Runtime } from "./ort.ts";

const sizes = [16, 8, 4];

/** Whether a graph has a convolution that blocks of channels could be good for. */
export function mayUseBlocks(outputs: readonly Value[]): boolean {
  const some = { channels: Math.min(...sizes), places: leastPlaces };
  return collect(outputs).some((node) => (node.op.name === "conv" || node.op.name === "convInput") && fitsBlocks(node, some));
}

function wave(type: TensorType, pace: number): Tensor {
  const size = type.shape.reduce((n, s) => n * s, 1);
  return hold(
    type,
    Float32Array.from({ length: size }, (_, i) => Math.sin(pace * i + 1)),
  );
}

/**
 * How many channels stand beside each other in ONNX Runtime's own layout of images on this machine, 0 where it has none: it is the largest with which small convolutions come out right,
 * forward and back. What it does not say itself, and no document promises, is tried.
 */
export async function blockSize(runtime: Runtime, options: object): Promise<number> {
  for (const block of sizes) if (await isRight(runtime, options, block)) return block;
  return 0;
}

async function isRight(runtime: Runtime, options: object, block: number): Promise<boolean> {
  const [outs, inner] = [2 * block, 3 * block];
  const tensors = [
    wave(tensorType("f32", [1, inner, 5, 4]), 1.3),
    wave(tensorType("f32", [outs, inner, 2, 3]), 2.1),
    wave(tensorType("f32", [outs]), 0.7),
    wave(tensorType("f32", [1, outs, 6, 4]), 1.9),
  ];
  const windows = { stride: [1, 1], padding: [[1, 1], [1, 1]] as const, dilation: [1, 1], groups: 1 }; // biome-ignore format: pairs
  const made = ([x, k, b, dy]: readonly Value[]): Value[] => [
    relu(conv(x!, k!, b!, windows as never)),
    convInput(dy!, k!, { ...windows, size: [5, 4] } as never),
  ];
  const inputs = tensors.map(({ type }, i) => input(type, `t${i}`));
  const { bytes, inputs: names, outputs }: Exported = exported(inputs, made(inputs), "f64", { channels: block, places: 0 });
  try {
    const session = await runtime.open(bytes, options);
    const feeds = Object.fromEntries(names.map((name, i) => [name, runtime.tensor("f32", tensors[i]!.data, tensors[i]!.type.shape)]));
    const results = await session.run(feeds, Object.fromEntries(outputs.map((name) => [name, null])));
    await session.release();
    const wanted = made(tensors.map((t) => constant(t))).map((v) => evaluate(v));
    return wanted.every(({ data }, i) => data.every((x, j) => Math.abs(x - results[outputs[i]!]!.data[j]!) <= 1e-3 * inner));
  } catch {
    return false;
  }
}
