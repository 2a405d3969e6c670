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
import { onnx } from "../../src/onnx/onnx.ts";
import { adam } from "../../src/optim.ts";
import { nodeCases, type OpenedCase, opened } from "./node-cases.ts";
import { fixture } from "./tuned.ts";

const arrays: Readonly<Record<string, (data: ArrayLike<number>) => unknown>> = {
  int64: (data) => BigInt64Array.from(Array.from(data), BigInt),
  uint64: (data) => BigUint64Array.from(Array.from(data), BigInt),
};
const types: Readonly<Record<string, string>> = { f32: "float32", f64: "float64", i64: "int64", u64: "uint64", i32: "int32", i16: "int16", i8: "int8", u32: "uint32", u16: "uint16", u8: "uint8", bool: "bool" }; // biome-ignore format: a table

/** What the file of a graph gives in ONNX Runtime, by the names in the file: nothing of ours takes part but the bytes. */
async function inOrt(bytes: Uint8Array, given: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = session.inputNames.map((name) => {
    const { type, data } = given[name]!;
    const own = types[type.dtype]!;
    return [name, new ort.Tensor(own as "float32", (arrays[own]?.(data) ?? data) as Float32Array, type.shape)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, Array.from(t.data as ArrayLike<number | bigint>, Number)]));
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

/** Cases that our writer, or ONNX Runtime's kernels, do not do; each with a reason that the error has to give. */
const excused = /cannot be written|Could not find an implementation|has static shapes|a key that|is of no type|Type 'tensor/;

/** The case with its whole numbers known: what shapes are made of has to be. */
function graphOf({ model, inputs }: OpenedCase): Graph<unknown, unknown> {
  const free = Object.keys(inputs).filter((n) => inputs[n]!.type.dtype.startsWith("f") && inputs[n]!.data.length > 0);
  const constants = Object.fromEntries(Object.keys(inputs).flatMap((n) => (free.includes(n) ? [] : [[n, inputs[n]!]])));
  return graph(Object.fromEntries(free.map((n) => [n, inputs[n]!.type])), (given) =>
    model.apply(model.params, { ...constants, ...(given as Record<string, Value>) }),
  ) as never;
}

test("ONNX's backend node tests, read, written again and run in ONNX Runtime, give what they gave", async () => {
  const apart: string[] = [];
  let [run, left] = [0, 0];
  for (const c of nodeCases()) {
    const o = await opened(c);
    if (/bernoulli|dropout|random/.test(c.name) || Object.values(o.inputs).some((t) => types[t.type.dtype] === undefined)) continue;
    try {
      const g = graphOf(o);
      const outputs = leaves(g.outputs);
      if (outputs.some(({ leaf }) => types[(leaf as Value).type.dtype] === undefined)) continue;
      const want = evaluate(o.model.apply(o.model.params, o.inputs)) as Record<string, Tensor>;
      const got = await inOrt(onnx.write(g), o.inputs);
      run++;
      for (const { path } of outputs)
        want[path]!.data.forEach((v, i) => {
          const theirs = got[path in g.inputs ? `out.${path}` : path]![i]!;
          if (!(Math.abs(theirs - v) <= 1e-3 * Math.max(1, Math.abs(v))) && !Object.is(theirs, v) && theirs !== v)
            apart.push(`${c.name} ${path}[${i}]: ${theirs}, not ${v}`);
        });
    } catch (error) {
      left++;
      if (!excused.test((error as Error).message)) apart.push(`${c.name}: ${(error as Error).message.slice(0, 200)}`);
    }
  }
  expect(apart).toEqual([]);
  expect(run).toBeGreaterThan(350);
  expect(left).toBeLessThan(60);
});
