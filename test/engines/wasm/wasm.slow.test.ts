import { describe, expect, test } from "vitest";
import {
  add,
  call,
  compile,
  cond,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  greater,
  i32,
  jit,
  jvp,
  less,
  matmul,
  mul,
  neg,
  random,
  reference,
  relu,
  scan,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  type Value,
  valueAndGrad,
  whileLoop,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

const draw = (seed: number, ...shape: number[]): Tensor => evaluate(random.normal(random.key(seed), f32(...shape))) as Tensor;

function closest(a: Tensor, b: Tensor): number {
  expect(b.type).toEqual(a.type);
  return a.data.length === 0 ? 0 : Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!) / (1 + Math.abs(x))));
}

describe("matrix products of the compiled engine", () => {
  const sizes = [[1, 1, 1], [5, 7, 3], [64, 784, 128], [13, 300, 530], [6, 8, 8], [100, 1, 9], [3, 0, 2], [0, 3, 4], [97, 257, 33]] as const; // biome-ignore format: a table
  test.each(sizes)("[%i, %i] @ [.., %i], every transpose, f32 and f64", (m, k, n) => {
    for (const type of [f32, f64]) {
      const cast = (t: Tensor): Tensor => tensor(Array.from(t.data), t.type.dtype === "f32" && type === f64 ? "f64" : "f32");
      const shaped = (seed: number, ...shape: number[]): Tensor =>
        tensor(
          new (type === f32 ? Float32Array : Float64Array)(
            cast(
              draw(
                seed,
                shape.reduce((a, b) => a * b, 1),
              ),
            ).data,
          ),
          type(...shape),
        );
      const given = {
        a: shaped(1, m, k),
        b: shaped(2, k, n),
        c: shaped(3, k, m),
        d: shaped(4, n, k),
        e: shaped(5, 2, 1, m, k),
        f: shaped(6, 3, k, n),
      };
      const f = (at: Record<keyof typeof given, Value>) => ({
        nn: matmul(at.a, at.b),
        tn: matmul(transpose(at.c), at.b),
        nt: matmul(at.a, transpose(at.d)),
        tt: matmul(transpose(at.c), transpose(at.d)),
        batched: matmul(at.e, at.f),
      });
      const [want, got] = [reference(), wasm()].map((engine) => jit(f as never, engine)(given as never)) as unknown as Record<
        string,
        Tensor
      >[];
      for (const key of Object.keys(want!)) expect(closest(want![key]!, got![key]!)).toBeLessThan(type === f32 ? 5e-5 : 1e-13);
    }
  });
});

const sizes = { x: f32(32, 20), y: i32(32) };
const start = { w: draw(1, 20, 16), v: draw(2, 16, 10) };
const loss = (p: { w: Value; v: Value }, x: Value, y: Value) => softmaxCrossEntropy(matmul(relu(matmul(x, p.w)), p.v), y);
const step = graph({ params: start, ...sizes }, ({ params, x, y }) => {
  const { value, grad } = valueAndGrad(loss)(params, x, y);
  return { loss: value, params: { w: sub(params.w, mul(0.1, grad.w)), v: sub(params.v, mul(0.1, grad.v)) } };
});
const batch = {
  x: draw(3, 32, 20),
  y: tensor(
    Array.from({ length: 32 }, (_, i) => i % 10),
    "i32",
  ),
};

test("training on the compiled engine follows the reference, with weights that stay inside", async () => {
  const programs = [
    await compile(step, reference(), { state: { params: start } }),
    await compile(step, wasm(), { state: { params: start } }),
  ];
  for (let i = 0; i < 50; i++) {
    const [a, b] = programs.map((p) => p.run(batch).loss.data[0]!);
    expect(Math.abs(a! - b!)).toBeLessThan(1e-4);
  }
  const [a, b] = programs.map((p) => p.state.read().params);
  expect(closest(a!.w, b!.w)).toBeLessThan(1e-4);
});

test("two programs share one state, and writing to it reaches both", async () => {
  const engine = wasm();
  const train = await compile(step, engine, { state: { params: start } });
  const norm = await compile(
    graph({ params: start }, ({ params }) => ({ total: sum(params.w) })),
    engine,
    { state: train.state },
  );
  const before = norm.run({}).total.data[0]!;
  train.run(batch);
  expect(norm.run({}).total.data[0]).not.toBe(before);
  train.state.write({ params: start });
  expect(norm.run({}).total.data[0]).toBe(before);
  const kept = train.state.read().params.w;
  train.run(batch);
  expect(Array.from(kept.data)).toEqual(Array.from(start.w.data));
});

test("a guarded run that fails leaves the state as it was", async () => {
  const program = await compile(step, wasm(), { state: { params: start }, guard: ["loss"] });
  program.run(batch);
  const before = program.state.read().params.w;
  const bad = tensor(
    Float32Array.from(batch.x.data, () => Number.NaN),
    f32(32, 20),
  );
  expect(() => program.run({ x: bad, y: batch.y })).toThrow("the state is unchanged");
  expect(program.state.read().params.w.data).toEqual(before.data);
  expect(Number.isFinite(program.run(batch).loss.data[0]!)).toBe(true);
});

test("tensors of the engine are read without a copy, also after its memory has grown", () => {
  const engine = wasm();
  const x = engine.tensor!(f64(3));
  x.data.set([1, 2, 3]);
  const double = jit((v: Value) => mul(v, 2), engine);
  expect(Array.from(double(x).data)).toEqual([2, 4, 6]);
  const large = engine.tensor!(f64(1_000_000));
  expect(large.data.length).toBe(1_000_000);
  x.data[0] = 5;
  expect(Array.from(double(x).data)).toEqual([10, 4, 6]);
});

test("memory that wasm cannot address is a clear error, and the engine goes on", () => {
  const engine = wasm();
  expect(() => engine.tensor!(f64(600_000_000))).toThrow(
    "wasm: a tensor of f64[600000000] needs 4800000064 bytes, and the engine's memory is",
  );
  expect(Array.from(jit((v: Value) => mul(v, 2), engine)(tensor([1])).data)).toEqual([2]);
});

test("results are the same bits from run to run", () => {
  const f = jit((x: Value) => softmaxCrossEntropy(matmul(x, transpose(x)), batch.y), wasm());
  const first = f(batch.x).data[0];
  for (let i = 0; i < 5; i++) expect(Object.is(f(batch.x).data[0], first)).toBe(true);
});

test("loops, conditions and calls run as programs of their own, with derivatives", () => {
  const square = graph({ v: f64(3) }, ({ v }) => mul(v, v));
  const f = (x: Value): { loss: Value; steps: Value; picked: Value } => {
    const { carry, out } = scan((c: Value, row: Value) => ({ carry: add(mul(c, 0.9), row), out: sum(call(square, { v: c })) }), mul(x, 1), tensor([[1, 2, 3], [4, 5, 6]])); // biome-ignore format: rows
    const grown = whileLoop(
      (c: Value) => less(sum(c), 100),
      (c: Value) => mul(c, 2),
      carry,
      { limit: 50 },
    );
    const picked = cond(
      greater(sum(x), 0),
      () => mul(grown, 3),
      () => neg(grown),
    );
    return { loss: add(sum(picked), sum(out)), steps: out, picked };
  };
  const g = (x: Value) => ({ ...f(x), slope: grad(f)(x), along: jvp(f)(x, 1).tangent.loss });
  for (const at of [tensor([1, 2, 3]), tensor([-1, -2, -3])]) {
    const [want, got] = [reference(), wasm()].map((engine) => jit(g, engine)(at) as unknown as Record<string, Tensor>);
    for (const key of Object.keys(want!)) expect(closest(want![key]!, got![key]!)).toBeLessThan(1e-14);
  }
});

test("programs that are disposed of give their memory back", () => {
  const engine = wasm();
  const make = () => engine.prepare([probe.inputs.x], [probe.outputs.y]);
  const probe = graph({ x: f64(100_000) }, ({ x }) => ({ y: mul(x, 2) }));
  make().dispose();
  const before = engine.tensor!(f64(1)).data.buffer.byteLength;
  for (let i = 0; i < 50; i++) make().dispose();
  expect(engine.tensor!(f64(1)).data.buffer.byteLength).toBe(before);
});
