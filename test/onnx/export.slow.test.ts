import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/data/safetensors.ts";
import {
  compile,
  evaluate,
  type Graph,
  graph,
  leaves,
  reference,
  reshape,
  softmaxCrossEntropy,
  type Tensor,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { f16ToNumber, numberToF16 } from "../../src/ir/half.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { adam } from "../../src/optim.ts";
import { type NodeCase, nodeCases, type OpenedCase, opened } from "./node-cases.ts";
import { fixture } from "./tuned.ts";

const arrays: Readonly<Record<string, (data: ArrayLike<number>) => unknown>> = {
  int64: (data) => BigInt64Array.from(Array.from(data), BigInt),
  uint64: (data) => BigUint64Array.from(Array.from(data), BigInt),
  float16: (data) => Uint16Array.from(data, numberToF16),
};
const types: Readonly<Record<string, string>> = { f32: "float32", f64: "float64", i64: "int64", u64: "uint64", i32: "int32", i16: "int16", i8: "int8", u32: "uint32", u16: "uint16", u8: "uint8", bool: "bool", f16: "float16" }; // biome-ignore format: a table

/** What the file of a graph gives in ONNX Runtime, by the names in the file: nothing of ours takes part but the bytes. */
async function inOrt(bytes: Uint8Array, given: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = session.inputNames.map((name) => {
    const { type, data } = given[name]!;
    const own = types[type.dtype]!;
    const held = (arrays[own]?.(data) ?? data) as Float32Array;
    const tensor = new ort.Tensor(own as "float32", held, type.shape);
    // Where there is a Float16Array (Node 24), ONNX Runtime 1.30 makes one of the bits, and its own native half then does not know it.
    if (own === "float16") Object.defineProperty(tensor, "data", { value: held });
    return [name, tensor] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, t]) => [
      name,
      Array.from(
        t.data as ArrayLike<number | bigint>,
        t.type === "float16" && t.data instanceof Uint16Array ? (bits) => f16ToNumber(Number(bits)) : Number,
      ),
    ]),
  );
}

/** Holds a graph's file in ONNX Runtime to the reference engine. */
async function expectAlike(g: Graph<unknown, unknown>, given: Readonly<Record<string, unknown>>, room: number): Promise<void> {
  const flat = Object.fromEntries(leaves(given).map(({ path, leaf }) => [path, leaf as Tensor]));
  const got = await inOrt(onnx.write(g), flat);
  const want = leaves((await compile(g, reference())).run(given as never)).map(({ path, leaf }) => [path, leaf as Tensor] as const);
  expect(Object.keys(got)).toEqual(want.map(([path]) => (path in flat ? `out.${path}` : path)));
  for (const [path, t] of want) {
    const theirs = got[path in flat ? `out.${path}` : path]!;
    t.data.forEach((v, i) => {
      if (!(Math.abs(theirs[i]! - v) <= room * Math.max(1, Math.abs(v)))) expect(theirs[i], `${path}[${i}]`).toBe(v);
    });
  }
}

describe.each(["mlp", "lenet", "encoder"])("%s", (name) => {
  test("its forward graph, its gradients and its whole training step run in ONNX Runtime from files", async () => {
    const { tensors: data } = parseSafetensors(new Uint8Array(readFileSync(fixture(`${name}/data.safetensors`))));
    const model = await onnx.read(fixture(`${name}/model.onnx`), { inputs: ["input"], outputs: ["logits"] });
    const [x, y] = [data["x/0"]!, data["y/0"]!];
    const { params } = model;
    type Params = Record<string, Value>;
    const loss = (p: Params, x: Value, y: Value): Value => {
      const { logits } = model.apply(p, { input: x });
      return softmaxCrossEntropy(reshape(logits, { shape: [-1, logits.type.shape.at(-1)!] }), reshape(y, { shape: [-1] }));
    };
    const types = { params, x: x.type, y: y.type };
    await expectAlike(
      graph({ params, x: x.type }, ({ params, x }) => model.apply(params as Params, { input: x })) as never,
      { params, x },
      1e-4,
    );
    await expectAlike(
      graph(types, ({ params, x, y }) => {
        const { value, grad } = valueAndGrad((p: Params) => loss(p, x, y))(params as Params);
        return { loss: value, grad };
      }) as never,
      { params, x, y },
      1e-4,
    );
    const optimizer = adam({ rate: 1e-3, only: [...model.trainable] });
    const opt = optimizer.init(params);
    const step = graph({ params, opt, x: x.type, y: y.type }, ({ params, opt, x, y }) => {
      const { value, grad } = valueAndGrad((p: Params) => loss(p, x, y))(params as Params);
      return { loss: value, ...optimizer.update({ params: params as Params, grad, opt: opt as never }) };
    });
    await expectAlike(step as never, { params, opt, x, y }, 1e-3);
  });
});

/** Cases that are not written and run as they are, each with its reason. One that passes has to be taken off. */
const notPassing: Readonly<Record<string, string>> = {};

/** Operands that are no data: what shapes are made of. */
const settings: readonly string[] = ["scales", "roi"];

/** The case with its whole numbers and settings known: what shapes are made of has to be. */
function graphOf({ model, inputs }: OpenedCase): Graph<unknown, unknown> {
  const free = Object.keys(inputs).filter((n) => isFloat(inputs[n]!.type.dtype) && inputs[n]!.data.length > 0 && !settings.includes(n));
  const constants = Object.fromEntries(Object.keys(inputs).flatMap((n) => (free.includes(n) ? [] : [[n, inputs[n]!]])));
  return graph(Object.fromEntries(free.map((n) => [n, inputs[n]!.type])), (given) =>
    model.apply(model.params, { ...constants, ...(given as Record<string, Value>) }),
  ) as never;
}

/** What is wrong with a case that was written and run; null when nothing is. */
async function wrong(c: NodeCase): Promise<string | null> {
  const o = await opened(c);
  const g = graphOf(o);
  const want = evaluate(o.model.apply(o.model.params, o.inputs)) as Record<string, Tensor>;
  const got = await inOrt(onnx.write(g), o.inputs);
  for (const { path } of leaves(g.outputs)) {
    const theirs = got[path in (g.inputs as object) ? `out.${path}` : path]!;
    for (const [i, v] of want[path]!.data.entries())
      if (!(Math.abs(theirs[i]! - v) <= 1e-3 * Math.max(1, Math.abs(v))) && !Object.is(theirs[i], v) && theirs[i] !== v)
        return `${path}[${i}] is ${theirs[i]}, not ${v}`;
  }
  return null;
}

describe("ONNX's backend node tests, read, written again and run in ONNX Runtime, give what they gave:", () => {
  const cases = nodeCases();
  test.each(cases.map((c) => [c.name, c] as const))("%s", async (name, c) => {
    const found = await wrong(c).catch((error: Error) => error.message);
    if (Object.hasOwn(notPassing, name)) expect(found, "it passes: take it off the list").not.toBeNull();
    else expect(found).toBeNull();
  });

  test("all 451 of them", () => {
    expect(cases.length).toBe(451);
    expect(Object.keys(notPassing).filter((name) => !cases.some((c) => c.name === name))).toEqual([]);
  });
});
