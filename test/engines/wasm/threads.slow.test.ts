import { expect, test, vi } from "vitest";
import {
  add,
  compile,
  conv,
  cos,
  evaluate,
  f32,
  f64,
  graph,
  greater,
  matmul,
  mul,
  random,
  relu,
  sin,
  softmax,
  sub,
  sum,
  type Tensor,
  type TensorType,
  tan,
  tanh,
  transpose,
  valueAndGrad,
  where,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

const draw = (seed: number, ...shape: number[]): Tensor => evaluate(random.normal(random.key(seed), f32(...shape))) as Tensor;

/** Products by rows and by columns, batched ones that are one, a convolution both ways: all large enough to be shared. */
const params = { w: draw(1, 300, 170), v: draw(2, 170, 600), k: draw(3, 32, 8, 3, 3) };
const step = graph({ params, x: f32(2, 80, 300), image: f32(4, 8, 24, 24) }, ({ params, x, image }) => {
  const { value, grad } = valueAndGrad((p: typeof params) => {
    const h = relu(matmul(x, p.w));
    return { loss: sum(matmul(h, p.v)), h, seen: matmul(transpose(p.v), transpose(p.w)), felt: relu(conv(image, p.k)) } as never;
  })(params as never) as never as { value: { loss: typeof x; seen: typeof x; felt: typeof x }; grad: typeof params };
  const felt = valueAndGrad((p: { k: typeof x; image: typeof x }) => sum(mul(relu(conv(p.image, p.k)), relu(conv(p.image, p.k)))))({
    k: params.k as never,
    image,
  });
  return { loss: value.loss, seen: value.seen, felt: felt.grad, params: { w: sub(params.w, mul(1e-4, grad.w)), v: sub(params.v, mul(1e-4, grad.v)), k: params.k } }; // biome-ignore format: the step
});
const given = { x: draw(4, 2, 80, 300), image: draw(5, 4, 8, 24, 24) };

const bits = (t: Tensor): string => Buffer.from(new Uint8Array(t.data.slice().buffer)).toString("base64");

test("steps are the same bits on one thread, on two before their worker is there and after, and on five", async () => {
  const results: string[] = [];
  for (const threads of [1, 2, 5]) {
    const program = await compile(step, wasm({ threads }), { state: { params } });
    const seen: string[] = [];
    for (let run = 0; run < 6; run++) {
      const out = program.run(given);
      seen.push([bits(out.loss), bits(out.seen), bits(out.felt.k), bits(out.felt.image)].join());
      // The workers start meanwhile.
      if (run === 1) await new Promise((done) => setTimeout(done, 300));
    }
    const { w, v } = program.state.read().params;
    results.push([...seen, bits(w), bits(v)].join("|"));
  }
  expect(results[1] === results[0]).toBe(true);
  expect(results[2] === results[0]).toBe(true);
});

/** Loops whose rows end within a vector, with totals a row, to bytes, over more rows than parts and fewer; rows of several steps, with products among them. */
const wide = graph({ a: f32(12, 301, 203), b: f32(203), q: f32(10, 130, 33), one: f32(1_000_003) }, ({ a, b, q, one }) => {
  const scores = softmax(matmul(q, transpose(q, { axes: [0, 2, 1] })));
  const y = tanh(add(mul(a, b), 1));
  return {
    y,
    sums: sum(mul(y, y), { axis: -1 }),
    over: greater(a, b),
    flat: where(greater(one, 0), mul(one, 3), sub(one, 2)),
    mixed: matmul(scores, q),
  };
});

test("large loops, and steps over rows, are the same bits on any number of threads, which share them", async () => {
  const inputs = { a: draw(1, 12, 301, 203), b: draw(2, 203), q: draw(3, 10, 130, 33), one: draw(4, 1_000_003) };
  const results: string[] = [];
  const stored = vi.spyOn(Atomics, "store");
  for (const threads of [1, 2, 3, 7]) {
    stored.mockClear();
    const program = await compile(wide, wasm({ threads }));
    for (let run = 0; run < 3; run++) {
      const out = program.run(inputs);
      results.push(Object.values(out).map(bits).join());
      if (run === 1) await new Promise((done) => setTimeout(done, 200));
    }
    // The loop over rows and the attention of each example; a prime number of elements has no even parts.
    const begun = stored.mock.calls.filter(([, index]) => index === 0).length;
    expect(begun / 3, `${threads} threads`).toBe(threads === 1 ? 0 : 2);
  }
  stored.mockRestore();
  expect(new Set(results).size).toBe(1);
});

test("sines, cosines and tangents are shared, also of numbers that only JavaScript's Math knows them of", async () => {
  const x = draw(5, 700_000);
  const angles = graph({ x: f32(700_000) }, ({ x }) => ({ y: add(sin(mul(x, 1e7)), mul(cos(x), tan(mul(x, 1e9)))) }));
  const results: string[] = [];
  const stored = vi.spyOn(Atomics, "store");
  for (const threads of [1, 3]) {
    const program = await compile(angles, wasm({ threads }));
    program.run({ x });
    await new Promise((done) => setTimeout(done, 200));
    stored.mockClear();
    results.push(bits(program.run({ x }).y));
    expect(stored.mock.calls.filter(([, index]) => index === 0).length).toBe(threads === 1 ? 0 : 1);
  }
  stored.mockRestore();
  expect(results[1] === results[0]).toBe(true);
});

test("products of any shape are the same bits where threads pack an operand together and share the other by rows or columns", async () => {
  const shapes = [
    [64, 128, 784],
    [131, 67, 577],
    [97, 211, 101],
    [300, 37, 89],
    [5, 2003, 60],
    [64, 64, 2000],
  ];
  const engines = [1, 3].map((threads) => wasm({ threads }));
  for (const [m, n, k] of shapes as [number, number, number][])
    for (const [turnedA, turnedB, dtype] of [
      [false, false, "f32"],
      [true, true, "f32"],
      [true, false, "f64"],
    ] as const) {
      const type = dtype === "f32" ? f32 : f64;
      const filled = (type: TensorType): Tensor => {
        const [rows, columns] = type.shape as [number, number];
        const data = new (dtype === "f32" ? Float32Array : Float64Array)(rows * columns);
        for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 10007) / 10007 - 0.5;
        return { kind: "tensor", type, data };
      };
      const given = { a: filled(turnedA ? type(k, m) : type(m, k)), b: filled(turnedB ? type(n, k) : type(k, n)) };
      const f = graph({ a: given.a.type, b: given.b.type }, ({ a, b }) => matmul(turnedA ? transpose(a) : a, turnedB ? transpose(b) : b));
      const results: string[] = [];
      for (const engine of engines) {
        const program = await compile(f, engine);
        results.push(bits(program.run(given)));
        // The workers start meanwhile.
        if (results.length === 2 && m === 64 && !turnedA) await new Promise((done) => setTimeout(done, 100));
        results.push(bits(program.run(given)));
        program.dispose();
      }
      expect(new Set(results).size, `${m} x ${n} x ${k}, ${dtype}`).toBe(1);
    }
});
