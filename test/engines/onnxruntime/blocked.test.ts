import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { blockSize } from "../../../src/engines/onnxruntime/block-size.ts";
import { leastPlaces } from "../../../src/engines/onnxruntime/blocked.ts";
import { exported } from "../../../src/engines/onnxruntime/export.ts";
import { runtimeOf } from "../../../src/engines/onnxruntime/ort.ts";
import { compile, conv, evaluate, f32, grad, graph, mul, random, relu, sum, type Tensor, type Value } from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { onnx } from "../../../src/onnx/onnx.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";

const options = { logSeverityLevel: 4, intraOpNumThreads: 1 };
const runtime = runtimeOf(ort as never);
const block = await blockSize(runtime, options);

type Attrs = Parameters<typeof conv>[3];

/** A convolution with a ReLU, and its gradients by everything. */
function step(x: readonly number[], k: readonly number[], attrs: Attrs) {
  return graph({ x: f32(...x), k: f32(...k), b: f32(k[0]!) }, (all) => {
    const loss = ({ x, k, b }: typeof all): Value => {
      const y = relu(conv(x, k, b, attrs));
      return sum(mul(y, y));
    };
    const slopes = grad((u: typeof all) => loss(u))(all);
    return { y: relu(conv(all.x, all.k, all.b, attrs)), dx: slopes.x, dk: slopes.k, db: slopes.b };
  });
}

/** Which of these a graph has, by the names that its nodes are given. */
function operatorsOf(g: { readonly inputs: unknown; readonly outputs: unknown }, channels: number, places = leastPlaces): string[] {
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const { bytes } = exported(values(g.inputs), values(g.outputs), "f64", { channels, places });
  const text = new TextDecoder("latin1").decode(bytes);
  return ["ReorderInput", "Conv", "ConvTranspose", "Relu"].filter((op) => new RegExp(`\\x1a\\x0${op.length.toString(16)}${op}`).test(text));
}

describe.skipIf(block === 0)("convolutions in blocks of channels", () => {
  for (const [name, x, k, attrs] of [
    ["plain", [2, 16, 25, 26], [32, 16, 3, 3], {}],
    ["padded, with another width", [1, 32, 31, 35], [16, 32, 3, 2], { padding: [[1, 1], [0, 1]] }],
    ["with steps", [4, 16, 33, 33], [16, 16, 3, 3], { stride: 2, padding: 1 }],
    ["spread out", [1, 16, 34, 35], [16, 16, 3, 3], { dilation: [2, 1], padding: 2 }],
    ["of more padding than the kernel reaches", [1, 16, 32, 33], [16, 16, 2, 2], { padding: 2 }],
  ] as [string, number[], number[], Attrs][]) // biome-ignore format: a table
    test(name, async () => {
      const g = step(x, k, attrs);
      const given = Object.fromEntries(
        Object.entries(g.inputs).map(([key, v], i) => [key, evaluate(random.normal(random.key(i + 3), v.type)) as Tensor]),
      );
      const program = await compile(g, onnxruntime(ort));
      const theirs = await program.run(given as never);
      const own = evaluate(g(given as never)) as unknown as Record<string, Tensor>;
      for (const key of ["y", "dx", "dk", "db"] as const) {
        const [a, b] = [Array.from(own[key]!.data), theirs[key].data];
        const most = Math.max(...a.map(Math.abs));
        for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!), `${key} ${i}`).toBeLessThan(2e-6 * most);
      }
      expect(operatorsOf(g, block)).toContain("ReorderInput");
    });

  test("a ReLU becomes part of the convolution that only it reads", () => {
    const [x, k] = [f32(1, 16, 34, 34), f32(16, 16, 3, 3)];
    const alone = graph({ x, k }, ({ x, k }) => ({ y: relu(conv(x, k)) }));
    const both = graph({ x, k }, ({ x, k }) => ({ y: relu(conv(x, k)), z: conv(x, k) }));
    expect(operatorsOf(alone, block)).not.toContain("Relu");
    expect(operatorsOf(both, block)).toContain("Relu");
  });
});

test.skipIf(block === 0)("what comes out of blocks goes into the next convolution as it is", async () => {
  const [x, k, l] = [f32(1, 16, 36, 36), f32(32, 16, 3, 3), f32(16, 32, 2, 2)];
  const g = graph({ x, k, l }, ({ x, k, l }) => {
    const y = relu(conv(x, k));
    return { y, z: conv(y, l) };
  });
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const { bytes } = exported(values(g.inputs), values(g.outputs), "f64", { channels: block, places: leastPlaces });
  const text = new TextDecoder("latin1").decode(bytes);
  expect(["ReorderInput", "ReorderOutput"].map((op) => text.split(`"${String.fromCharCode(op.length)}${op}`).length - 1)).toEqual([1, 2]);
  const given = Object.fromEntries([x, k, l].map((t, i) => ["xkl"[i]!, evaluate(random.normal(random.key(i), t)) as Tensor]));
  const program = await compile(g, onnxruntime(ort));
  const theirs = await program.run(given as never);
  const own = evaluate(g(given as never)) as unknown as Record<string, Tensor>;
  for (const key of ["y", "z"] as const) {
    const [a, b] = [Array.from(own[key]!.data), theirs[key].data];
    const most = Math.max(...a.map(Math.abs));
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!), `${key} ${i}`).toBeLessThan(2e-6 * most);
  }
});

test.runIf(process.arch === "x64")("processors like this one have blocks", () => {
  expect([8, 16]).toContain(block);
});

test("kernels that are constants are left to ONNX Runtime", () => {
  const kernel = evaluate(random.normal(random.key(1), f32(16, 16, 3, 3)));
  const fixed = graph({ x: f32(1, 16, 34, 34) }, ({ x }) => ({ y: conv(x, kernel) }));
  expect(operatorsOf(fixed, 16)).toEqual(["Conv"]);
});

test("files that are saved, few channels, few places and kernels of one element have none", async () => {
  const g = step([2, 16, 9, 8], [32, 16, 3, 3], {});
  const { operators } = await onnx.inspect(onnx.write(g));
  expect(operators.map(({ operator }) => operator)).not.toContain("ReorderInput");
  for (const [x, k] of [
    [
      [2, 3, 9, 8],
      [32, 3, 3, 3],
    ],
    [
      [2, 16, 9, 8],
      [10, 16, 3, 3],
    ],
    [
      [2, 16, 9, 8],
      [16, 16, 1, 1],
    ],
    [
      [2, 16, 9],
      [16, 16, 3],
    ],
  ])
    expect(operatorsOf(step(x!, k!, {}), 16, 0), String(k)).not.toContain("ReorderInput");
  expect(operatorsOf(g, 16, 0)).toContain("ReorderInput");
  expect(operatorsOf(g, 16)).not.toContain("ReorderInput");
});

test("an ONNX Runtime without blocks, or with others than it was asked for, runs convolutions as it does", async () => {
  const refusing = {
    ...ort,
    env: ort.env,
    Tensor: ort.Tensor,
    InferenceSession: {
      create: (bytes: Uint8Array, more: object) =>
        new TextDecoder("latin1").decode(bytes).includes("nchwc")
          ? Promise.reject(new Error("com.microsoft.nchwc is not a registered domain"))
          : ort.InferenceSession.create(bytes, more),
    },
  };
  expect(await blockSize(runtimeOf(refusing as never), options)).toBe(0);
  const wrong = {
    ...runtime,
    open: async (bytes: Uint8Array, more: object) => {
      const session = await runtime.open(bytes, more);
      return { ...session, run: async (feeds: never, fetches: never) => {
        const told = await session.run(feeds, fetches);
        for (const { data } of Object.values(told)) data.reverse();
        return told;
      }, release: () => session.release() }; // biome-ignore format: short
    },
  };
  expect(await blockSize(wrong, options)).toBe(0);
  const g = step([1, 16, 34, 34], [16, 16, 3, 3], {});
  const program = await compile(g, onnxruntime(refusing));
  const y = await program.run({
    x: new Float32Array(16 * 34 * 34).fill(1),
    k: new Float32Array(2304).fill(1),
    b: new Float32Array(16),
  } as never);
  expect(y.y.data[0]).toBe(144);
});
