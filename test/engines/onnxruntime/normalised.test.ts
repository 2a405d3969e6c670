import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { exported } from "../../../src/engines/onnxruntime/export.ts";
import { mayNormalise, normalised, normalisesRight } from "../../../src/engines/onnxruntime/normalised.ts";
import { type OrtTensor, runtimeOf } from "../../../src/engines/onnxruntime/ort.ts";
import { add, compile, div, evaluate, f32, graph, layerNormalization, mul, sqrt, square, sub, sum, type Tensor, tensor, type Value, valueAndGrad } from "../../../src/index.ts"; // biome-ignore format: names
import { leaves } from "../../../src/ir/tree.ts";
import { type ModelMessage, modelShape } from "../../../src/onnx/schema.ts";
import { readMessage } from "../../../src/onnx/wire.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";

const [rows, n] = [240, 50];
const runtime = runtimeOf(ort);
type Norm = (x: Value, g: Value, h: Value) => Value;

const mean = (v: Value, count = n): Value => div(sum(v, { axis: -1, keepDims: true }), count);
const norm: Norm = (x, g, h) => {
  const centred = sub(x, mean(x));
  return add(mul(div(centred, sqrt(add(mean(mul(centred, centred)), 1e-5))), g), h);
};

/** The gradients of a normalisation and what it gives, the operators that they are written in, and their numbers here and there. */
async function both(f: Norm, x: Tensor) {
  const types = { x: f32(4, 60, n), g: f32(n), h: f32(n) };
  const g = graph(types, (given) => valueAndGrad((p: typeof given) => sum(square(f(p.x, p.g, p.h))))(given));
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const { bytes } = exported(values(g.inputs), values(g.outputs), "f64", undefined, normalised);
  const { graph: written } = readMessage(bytes, modelShape) as ModelMessage;
  const line = (pace: number): Tensor => tensor(Float32Array.from({ length: n }, (_, i) => Math.cos(pace * i)), f32(n)); // biome-ignore format: short
  const given = { x, g: line(1.1), h: line(0.3) };
  const program = await compile(g, onnxruntime(ort));
  const numbers = (tree: unknown): number[][] => leaves(tree).map(({ leaf }) => Array.from((leaf as Tensor).data));
  const theirs = numbers(await program.run(given as never));
  program.dispose();
  return { operators: written!.node!.map(({ op_type }) => op_type!), theirs, own: numbers(evaluate(g(given as never) as never)) };
}

function filled(at: (row: number, i: number) => number): Tensor {
  return tensor(
    Float32Array.from({ length: rows * n }, (_, i) => at(Math.floor(i / n), i)),
    f32(4, 60, n),
  );
}

test.each([
  ["written out", norm],
  ["as layerNormalization", (x: Value, g: Value, h: Value) => layerNormalization(x, g, h)],
])("rows brought to mean 0 and variance 1, %s, are one operator, in gradients too, and the same numbers", async (_, norm) => {
  const { operators, theirs, own } = await both(
    norm,
    filled((row, i) => (row === 4 ? 3 : Math.sin(1.7 * i) + (row === 5 ? 100 : 0))),
  );
  expect(operators.filter((op) => op === "LayerNormalization")).toHaveLength(1);
  expect(operators).not.toContain("Sqrt");
  theirs.forEach((list, k) => {
    const scale = Math.max(1, ...own[k]!.map(Math.abs));
    list.forEach((v, i) => {
      expect(Math.abs(v - own[k]![i]!), `${k} ${i}`).toBeLessThanOrEqual(1e-4 * scale);
    });
  });
});

test("rows that are no numbers, or infinite, are none in what comes out, and others beside them are", async () => {
  const x = filled((row, i) => (i % n !== 3 ? Math.sin(1.7 * i) : row === 1 ? Number.NaN : row === 2 ? Number.POSITIVE_INFINITY : 0.5));
  const { theirs, own } = await both(norm, x);
  expect(theirs.map((list) => list.map(Number.isFinite))).toEqual(own.map((list) => list.map(Number.isFinite)));
});

test("what is not quite such a normalisation stays as it is", async () => {
  const others: Norm[] = [
    (x, g, h) => add(mul(div(sub(x, mean(x)), sqrt(add(mean(square(x)), 1e-5))), g), h),
    (x, g, h) => add(mul(div(sub(x, mean(x)), sqrt(add(mean(square(sub(x, mean(x))), n - 1), 1e-5))), g), h),
    (x, g, h) => add(mul(div(sub(x, mean(x, 7)), sqrt(add(mean(square(sub(x, mean(x, 7)))), 1e-5))), g), h),
    (x, g, h) => add(mul(div(sub(x, mean(x)), sqrt(add(mean(square(sub(x, mean(x)))), g))), g), h),
  ];
  for (const f of others) {
    const { operators } = await both(
      f,
      filled((_, i) => Math.sin(1.7 * i)),
    );
    expect(operators).not.toContain("LayerNormalization");
  }
});

test("the operator is taken where its numbers are right, rows far from 0 included", async () => {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 4 };
  expect(await normalisesRight(runtime, options)).toBe(true);
  const wrong = (spoil: (t: OrtTensor) => void) => ({
    ...runtime,
    open: async (model: Uint8Array, o: object) => {
      const session = await runtime.open(model, o);
      return {
        release: () => session.release(),
        run: async (...given: Parameters<typeof session.run>) => {
          const results = await session.run(...given);
          Object.values(results).forEach(spoil);
          return results;
        },
      };
    },
  });
  expect(await normalisesRight(wrong((t) => (t.data[49]! += 0.1)), options)).toBe(false); // biome-ignore format: short
  expect(await normalisesRight({ ...runtime, open: () => Promise.reject(new Error("none")) }, options)).toBe(false);
  const x = leaves(graph({ x: f32(2, n) }, ({ x }) => ({ y: sqrt(x) })).outputs)[0]!.leaf as Value;
  expect(mayNormalise([x])).toBe(false);
  expect(mayNormalise([sqrt(sum(x, { axis: -1, keepDims: true }))])).toBe(true);
});
