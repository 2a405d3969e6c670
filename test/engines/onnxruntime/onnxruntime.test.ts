import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { ensureOp } from "../../../src/control/ensure.ts";
import { engineOn } from "../../../src/engines/onnxruntime/onnxruntime.ts";
import {
  add,
  bool,
  cast,
  compile,
  concat,
  cond,
  constant,
  div,
  erf,
  evaluate,
  f16,
  f32,
  f64,
  gather,
  grad,
  graph,
  greater,
  i8,
  i32,
  i64,
  jit,
  less,
  lgamma,
  logicalNot,
  matmul,
  mean,
  mod,
  mul,
  op,
  random,
  reference,
  scan,
  scope,
  slice,
  softmaxCrossEntropy,
  stack,
  sub,
  sum,
  tanh,
  tensor,
  transpose,
  type Value,
  valueAndGrad,
  vmap,
  whileLoop,
} from "../../../src/index.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";

const engine = onnxruntime(ort);

const start = tensor(new Float32Array(6), f32(2, 3));
const batch = { x: tensor(Float32Array.of(1, 0, 0, 1, 1, 1, -1, 0), f32(4, 2)), y: tensor(Int32Array.of(0, 1, 0, 2)) };
const step = graph({ w: f32(2, 3), x: f32(4, 2), y: i32(4) }, ({ w, x, y }) => {
  const { value, grad } = valueAndGrad((w: Value) => softmaxCrossEntropy(matmul(x, w), y))(w);
  return { loss: value, w: sub(w, mul(0.5, grad)) };
});

describe("a program", () => {
  test("takes the steps of the reference engine, with state that stays inside", async () => {
    const fast = await compile(step, engine, { state: { w: start } });
    const plain = await compile(step, reference(), { state: { w: start } });
    for (let i = 0; i < 50; i++) expect((await fast.run(batch)).loss.data[0]).toBeCloseTo(plain.run(batch).loss.data[0]!, 6);
    const [got, want] = [(await fast.state.read()).w, plain.state.read().w];
    got.data.forEach((v, i) => {
      expect(v).toBeCloseTo(want.data[i]!, 5);
    });
    await fast.state.write({ w: start });
    expect((await fast.run(batch)).loss.data[0]).toBeCloseTo(Math.log(3), 6);
    fast.dispose();
    await expect(fast.run(batch)).rejects.toThrow("run: the program was disposed");
  });

  test("shares its state with another one, and runs that overlap take their turns", async () => {
    const train = await compile(step, engine, { state: { w: start } });
    const look = graph({ w: f32(2, 3) }, ({ w }) => ({ total: sum(mul(w, w)) }));
    const seen = await compile(look, engine, { state: train.state });
    const runs = [train.run(batch), seen.run({}), train.run(batch), seen.run({})] as const;
    const [, first, , second] = await Promise.all(runs);
    expect(first.total.data[0]).toBeGreaterThan(0);
    expect(second.total.data[0]).toBeGreaterThan(first.total.data[0]!);
  });

  test("has copied its inputs when run returns, and its results are the caller's", async () => {
    const g = graph({ x: f32(3) }, ({ x }) => ({ y: mul(x, 2), z: x }));
    const program = await compile(g, engine);
    const x = Float32Array.of(1, 2, 3);
    const running = program.run({ x });
    x.fill(9);
    const { y, z } = await running;
    expect([...y.data, ...z.data]).toEqual([2, 4, 6, 1, 2, 3]);
    y.data.fill(0);
    expect([...(await program.run({ x })).y.data]).toEqual([18, 18, 18]);
  });

  test("keeps its state when a guarded output is not finite, and when it is aborted", async () => {
    const g = graph({ w: f32(), x: f32() }, ({ w, x }) => ({ loss: mul(w, x), w: add(w, x) }));
    const stop = new AbortController();
    const program = await compile(g, engine, { state: { w: tensor(2, "f32") }, guard: ["loss"], signal: stop.signal });
    await expect(program.run({ x: Number.POSITIVE_INFINITY })).rejects.toThrow("loss is Infinity at run 1; the state is unchanged");
    const running = program.run({ x: 1 });
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect((await program.state.read()).w.data[0]).toBe(2);
  });

  test("of jit is traced once for its shapes", async () => {
    const slope = jit(
      grad((x: Value) => sum(mul(x, x))),
      engine,
    );
    expect([...(await slope(tensor([1, 2, 3]))).data]).toEqual([2, 4, 6]);
    expect([...(await slope(tensor([1, 2]))).data]).toEqual([2, 4]);
  });
});

describe("numbers of every kind", () => {
  test("cross as what JavaScript has arrays for", async () => {
    const g = graph({ a: i64(2), b: bool(2), c: f16(2), d: i8(2), n: i64() }, ({ a, b, c, d, n }) => ({
      a: mul(a, 2),
      b: logicalNot(b),
      c: mul(c, 2),
      d: add(d, d),
      n: add(n, 1),
      f: cast(a, "f64"),
    }));
    const program = await compile(g, engine);
    const given = { a: tensor([2 ** 40 + 1, -3], "i64"), b: [true, false], c: tensor([0.1, 2], "f16"), d: tensor([100, -3], "i8"), n: 41 };
    const plain = await compile(g, reference());
    expect(await program.run(given as never)).toEqual(plain.run(given as never));
  });

  test("none at all: shapes with a 0 in them never reach ONNX Runtime", async () => {
    const g = graph({ x: f32(0, 3), y: f32(2, 3) }, ({ x, y }) => ({
      sum: sum(x),
      both: concat([x, y], { axis: 0 }),
      product: matmul(transpose(x), x),
      same: x,
      none: slice(y, { start: 2 }),
    }));
    const given = { x: tensor(new Float32Array(0), f32(0, 3)), y: tensor(Float32Array.of(1, 2, 3, 4, 5, 6), f32(2, 3)) };
    expect(await (await compile(g, engine)).run(given)).toEqual((await compile(g, reference())).run(given));
  });
});

test("loops and branches, with their gradients", async () => {
  const programs: readonly ((x: Value) => Value)[] = [
    (x) =>
      cond(
        greater(sum(x), 0),
        () => mul(x, 2),
        () => mul(x, 3),
      ),
    (x) => scan((c: Value, row: Value) => ({ carry: add(mul(c, 0.5), row), out: tanh(c) }), constant(0.25), x).out as Value,
    (x) => scan((c: Value, row: Value) => ({ carry: add(c, row), out: c }), constant(0), x, { length: sum(greater(x, 0)) }).out as Value,
    (x) =>
      whileLoop(
        (c: Value) => less(sum(mul(c, c)), 100),
        (c: Value) => mul(c, 1.5),
        x,
        { limit: 50 },
      ),
  ];
  for (const f of programs)
    for (const g of [f, grad((x: Value) => sum(f(x)))]) {
      const x = tensor([0.5, -1.5, 2]);
      const got = await jit(g, engine)(x);
      evaluate(g(constant(x))).data.forEach((v, i) => {
        expect(got.data[i]).toBeCloseTo(v, 9);
      });
    }
});

test("random numbers have the bits of the reference engine", async () => {
  const g = graph({ key: i32(2), step: i32(), big: i64(), keys: i32(3, 2) }, ({ key, step, big, keys }) => ({
    folded: [random.fold(key, step), random.fold(key, big), random.fold(key, "head"), random.fold(key, -7)],
    keys: stack(random.split(key, 3)),
    uniform: [random.uniform(key, f32(7, 3)), random.uniform(key, f64(5)), random.uniform(key, f16(5))],
    normal: [random.normal(key, f32(64, 9)), random.normal(key, f64(300))],
    each: vmap((k: Value) => random.normal(k, f32(3)))(keys),
    kept: random.bernoulli(key, 0.3, bool(50)),
  }));
  const [fast, plain] = [await compile(g, engine), await compile(g, reference())];
  for (const [step, big] of [
    [3, 2 ** 40 + 5],
    [-3, -(2 ** 40)],
  ]) {
    const given = {
      key: random.key(7 + step!),
      step: step!,
      big: big!,
      keys: [1, 2, 3, 4, 5, 6].map((k, i) => k * (i % 2 ? -77777 : 99999)),
    };
    const data = { ...given, keys: tensor(given.keys, i32(3, 2)) };
    expect(await fast.run(data)).toEqual(plain.run(data));
  }
});

test("whole numbers are divided as in the reference engine", async () => {
  const g = graph({ x: i32(5), y: i32(5) }, ({ x, y }) => ({ quotient: div(x, y), rest: mod(x, y) }));
  const [fast, plain] = [await compile(g, engine), await compile(g, reference())];
  const given = { x: [7, -7, -(2 ** 31), 5, 0], y: [2, 2, -1, -3, -1] };
  expect(await fast.run(given)).toEqual(plain.run(given));
  const bad = { ...given, y: [1, 2, 3, 0, 5] };
  await expect(fast.run(bad)).rejects.toThrow("div: integer division of 5 by zero");
});

describe("what cannot be run is named", () => {
  test.each<readonly [string, (x: Value) => Value, string]>([
    [
      "an op that ONNX does not have",
      (x) => scope("head", () => lgamma(x)),
      "onnx: lgamma is lgamma, f64[3], in head, and cannot be written: ONNX has no operator of the gamma function",
    ],
    [
      "an op that ONNX Runtime has no kernel for",
      (x) => scope("head", () => erf(x)),
      "onnxruntime: erf(f64[3]), f64[3], in head was refused: ONNX Runtime has no kernel of Erf for it; compute it in another dtype",
    ],
    ["an op from outside", (x) => outside(x), "it is an op from outside without a lower"],
  ])("%s", async (_, f, message) => {
    await expect(
      compile(
        graph({ x: f64(3) }, ({ x }) => ({ y: f(x) })),
        engine,
      ),
    ).rejects.toThrow(message);
  });

  test("an index out of range, in the reference engine's words", async () => {
    const g = graph({ x: f32(3), i: i32(2) }, ({ x, i }) => ({ y: gather(x, i) }));
    const program = await compile(g, engine);
    await expect(program.run({ x: Float32Array.of(1, 2, 3), i: Int32Array.of(0, 7) })).rejects.toThrow("7");
    expect([...(await program.run({ x: Float32Array.of(1, 2, 3), i: Int32Array.of(0, -1) })).y.data]).toEqual([1, 3]);
  });

  test("a label that is no class, and a solver that did not get there", async () => {
    const program = await compile(step, engine, { state: { w: start } });
    await expect(program.run({ ...batch, y: Int32Array.of(0, 1, 3, 2) })).rejects.toThrow(
      "labels[2] is 3 and there are 3 classes; labels are 0..2",
    );
    await expect(program.run({ ...batch, y: Int32Array.of(0, 1, -4, 2) })).rejects.toThrow("labels[2] is -4");
    for (const far of [-2, 2 ** 31 - 1, -(2 ** 31)])
      await expect(program.run({ ...batch, y: Int32Array.of(0, 1, far, 2) })).rejects.toThrow(`labels[2] is ${far}`);
    expect((await program.state.read()).w).toEqual(start);
    const held = graph({ x: f64(2), r: f64() }, ({ x, r }) => ({ x: ensureOp(x, r, { most: 0.5, lesson: "not solved" }) }));
    const solved = await compile(held, engine);
    expect([...(await solved.run({ x: [1, -0], r: 0.5 })).x.data]).toEqual([1, -0]);
    await expect(solved.run({ x: [1, 2], r: 0.75 })).rejects.toThrow("not solved: the residual is 0.75, and 0.5 is allowed");
    await expect(solved.run({ x: [1, 2], r: Number.NaN })).rejects.toThrow("not solved: the residual is NaN");
  });

  test("data of another type or name", async () => {
    const program = await compile(
      graph({ x: f32(3) }, ({ x }) => ({ y: mul(x, 2) })),
      engine,
    );
    await expect(program.run({ x: new Float64Array(3) } as never)).rejects.toThrow("x is f32[3]; the typed array given is f64");
    await expect(program.run({ z: new Float32Array(3) } as never)).rejects.toThrow("the input has z, the graph wants x");
  });

  test("what is not ONNX Runtime, and a bad number of threads", () => {
    expect(() => onnxruntime({} as never)).toThrow('import * as ort from "onnxruntime-node"');
    expect(() => onnxruntime(undefined as never)).toThrow("onnxruntime: the first argument is the module itself");
    expect(() => onnxruntime(ort, { threads: 0 })).toThrow("onnxruntime: threads is 0; it is a whole number from 1 to 256");
  });

  test("a failure of ONNX Runtime itself, which leaves the state as it was", async () => {
    const broken = {
      InferenceSession: {
        create: async () => ({ run: () => Promise.reject(new Error("out of memory")), release: async () => undefined }),
      },
      Tensor: ort.Tensor,
    };
    const g = graph({ w: f32() }, ({ w }) => ({ w: mul(w, 2) }));
    const program = await compile(g, onnxruntime(broken), { state: { w: tensor(3, "f32") } });
    await expect(program.run({})).rejects.toThrow("onnxruntime: the graph failed: out of memory");
    expect((await program.state.read()).w.data[0]).toBe(3);
  });
});

describe("sessions", () => {
  test("serve graphs that are made alike, and are released with the last program once they are not kept", async () => {
    let open = 0;
    const counted = {
      InferenceSession: {
        create: async (bytes: Uint8Array, options: object) => {
          const session = await ort.InferenceSession.create(bytes, options);
          open++;
          return {
            run: (...given: Parameters<typeof session.run>) => session.run(...given),
            release: async () => {
              open--;
              await session.release();
            },
          };
        },
      },
      Tensor: ort.Tensor,
    };
    const { engine, sessions } = engineOn(counted, {});
    const make = (factor: number) =>
      compile(
        graph({ x: f32(2) }, ({ x }) => ({ y: mul(mean(x), factor) })),
        engine,
      );
    const [one, two, three] = [await make(2), await make(2), await make(3)];
    expect(sessions.made).toBe(2);
    const x = Float32Array.of(1, 2);
    expect((await two.run({ x })).y.data[0]).toBe(3);
    one.dispose();
    expect((await two.run({ x })).y.data[0]).toBe(3);
    expect((await three.run({ x })).y.data[0]).toBe(4.5);
    // More structures than are kept: the oldest are ended when nobody uses them.
    for (let i = 0; i < 33; i++) (await make(10 + i)).dispose();
    await sessions.turn(async () => undefined);
    expect(open).toBe(32 + 2);
    two.dispose();
    three.dispose();
    two.dispose();
    sessions.close();
    await sessions.turn(async () => undefined);
    expect(open).toBe(0);
  });

  test("that could not be made are tried again", async () => {
    let tries = 0;
    const flaky = {
      InferenceSession: {
        create: async (bytes: Uint8Array, options: object) => {
          if (tries++ === 0) throw new Error("not now");
          return ort.InferenceSession.create(bytes, options);
        },
      },
      Tensor: ort.Tensor,
    };
    const engine = onnxruntime(flaky);
    const g = graph({ x: f32() }, ({ x }) => ({ y: mul(x, 2) }));
    await expect(compile(g, engine)).rejects.toThrow("onnxruntime: the graph was refused: not now");
    expect((await (await compile(g, engine)).run({ x: 2 })).y.data[0]).toBe(4);
  });
});

const outside = op<(x: Value) => Value, readonly ["x"]>("acme.odd", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data.slice(),
  vjp: null,
});
