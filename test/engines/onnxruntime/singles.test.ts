import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { exported } from "../../../src/engines/onnxruntime/export.ts";
import {
  add,
  cast,
  compile,
  conv,
  f16,
  f32,
  f64,
  graph,
  i32,
  i64,
  matmul,
  mul,
  random,
  reference,
  scan,
  softmaxCrossEntropy,
  sum,
  tensor,
  type Value,
  valueAndGrad,
} from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";
import { adam, adamW, cosine, nadam, sgd } from "../../../src/optim.ts";

const engine = onnxruntime(ort, { f64: "f32" });
const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);

describe("f64 computed in f32", () => {
  test("gives convolutions in f64, of which ONNX Runtime has none, 7 digits", async () => {
    const g = graph({ x: f64(1, 2, 5, 5), k: f64(3, 2, 3, 3) }, ({ x, k }) => {
      const { value, grad } = valueAndGrad((k: Value) => sum(mul(conv(x, k), conv(x, k))))(k);
      return { value, grad };
    });
    await expect(compile(g, onnxruntime(ort))).rejects.toThrow('onnxruntime(ort, { f64: "f32" }) computes all f64 in f32');
    const given = {
      x: Float64Array.from({ length: 50 }, (_, i) => Math.sin(i) / 3),
      k: Float64Array.from({ length: 54 }, (_, i) => Math.cos(i) / 7),
    };
    const [got, want] = [await (await compile(g, engine)).run(given), (await compile(g, reference())).run(given)];
    expect(got.value.data).toBeInstanceOf(Float64Array);
    expect(got.value.data[0]).toBeCloseTo(want.value.data[0]!, 4);
    got.grad.data.forEach((v, i) => {
      expect(v).toBeCloseTo(want.grad.data[i]!, 4);
    });
  });

  test.each([
    ["adam", adam({ rate: 1e-2 })],
    ["adamW with a schedule", adamW({ rate: cosine({ from: 1e-2, steps: 50 }) })],
    ["nadam", nadam({ rate: 1e-2 })],
    ["sgd with clipping", sgd({ rate: 1e-2, momentum: 0.9, clipNorm: 1 })],
  ] as const)("leaves a step of %s as it is", async (_, optimizer) => {
    const params = {
      w: tensor(
        Float32Array.from({ length: 6 }, (_, i) => Math.sin(i)),
        f32(2, 3),
      ),
    };
    const state = { params, opt: optimizer.init(params) };
    const step = graph({ ...state, x: f32(4, 2), y: i32(4) }, ({ params, opt, x, y }) => {
      const { value, grad } = valueAndGrad((p: { w: Value }) => softmaxCrossEntropy(matmul(x, p.w), y))(params as never);
      return { loss: value, ...optimizer.update({ params, grad, opt: opt as never }) };
    });
    // What WebGPU would be given: nothing in it is f64, and no tensor had to be narrowed.
    expect(exported(values(step.inputs), values(step.outputs), "scalars").singles).toBe(true);
    const [fast, plain] = [await compile(step, engine, { state } as never), await compile(step, reference(), { state } as never)];
    const batch = { x: Float32Array.of(1, 0, 0, 1, 1, 1, -1, 0), y: Int32Array.of(0, 1, 0, 2) };
    for (let i = 0; i < 40; i++) {
      const [a, b] = [await fast.run(batch as never), plain.run(batch as never)].map(({ loss }) => loss.data[0]!);
      expect(Math.abs(a! - b!), `step ${i}`).toBeLessThan(1e-4 * b!);
    }
    const read = (await fast.state.read()) as typeof state;
    expect(Object.keys(read.opt)).toEqual(Object.keys(state.opt));
    for (const [key, t] of Object.entries(read.opt)) expect(t.type, key).toEqual(state.opt[key]!.type);
  });

  test("takes halves, and whole numbers that 32 bits hold", async () => {
    const g = graph({ n: i64(2), h: f16(2) }, ({ n, h }) => ({ n: mul(n, 3), h: add(h, 1), d: cast(n, "f64") }));
    const program = await compile(g, engine);
    const got = await program.run({ n: tensor([7, -5], "i64"), h: tensor([0.1, 2], "f16") });
    expect([...got.n.data, ...got.d.data]).toEqual([21, -15, 7, -5]);
    expect(got.h).toEqual((await compile(g, reference())).run({ n: tensor([7, -5], "i64"), h: tensor([0.1, 2], "f16") }).h);
    await expect(program.run({ n: tensor([2 ** 40, 1], "i64"), h: tensor([0, 0], "f16") })).rejects.toThrow(
      "onnxruntime: element 0 of a tensor i64[2] is 1099511627776; where f64 is computed in f32, 64-bit integers go in as 32-bit ones",
    );
  });

  test("draws the same uniform numbers, and no normal ones", async () => {
    const drawn = (draw: (key: Value) => Value) => graph({ key: random.key(0).type }, ({ key }) => ({ out: draw(key) }));
    const uniform = drawn((key) => random.uniform(random.fold(key, 3), f32(5)));
    const key = random.key(1);
    expect((await (await compile(uniform, engine)).run({ key })).out).toEqual((await compile(uniform, reference())).run({ key }).out);
    const lesson = "is drawn in f64, and f64 is computed in f32 here, which would draw infinity now and then; draw it outside";
    await expect(
      compile(
        drawn((key) => random.normal(key, f32(5))),
        engine,
      ),
    ).rejects.toThrow(lesson);
    await expect(
      compile(
        drawn((key) => random.uniform(key, f64(5))),
        engine,
      ),
    ).rejects.toThrow(lesson);
  });

  test("reaches into loops", async () => {
    const g = graph({ x: f64(4) }, ({ x }) => scan((c: Value, x) => ({ carry: add(c, x as Value), out: mul(c, 2) }), tensor(0.5), x));
    const given = { x: Float64Array.of(1, 2, 3, 4) };
    expect(await (await compile(g as never, engine)).run(given as never)).toEqual(
      (await compile(g as never, reference())).run(given as never),
    );
  });
});

test("on WebGPU a tensor in f64 is named", () => {
  const inner = graph({ x: f32(3) }, ({ x }) => ({ out: cast(mul(cast(x, "f64"), 2), "f32") }));
  expect(() => exported(values(inner.inputs), values(inner.outputs), "scalars")).toThrow(
    'onnxruntime: cast(f32[3]), f64[3], and WebGPU has no f64; cast it to f32, or let all of the graph be computed in f32: onnxruntime(ort, { f64: "f32" })',
  );
  const outer = graph({ x: f64(3) }, ({ x }) => ({ out: x }));
  expect(() => exported(values(outer.inputs), values(outer.outputs), "scalars")).toThrow("x is f64[3], and WebGPU has no f64");
});
