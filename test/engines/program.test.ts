import { expect, test } from "vitest";
import {
  add,
  compile,
  concat,
  constant,
  type Engine,
  evaluate,
  f32,
  f64,
  graph,
  i32,
  jit,
  log,
  matmul,
  mul,
  read,
  reference,
  sort,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  valueAndGrad,
  variable,
  variables,
} from "../../src/index.ts";
import { wasm } from "../../src/wasm.ts";

const params = { w: tensor([1, 2, 3]), b: tensor(0.5) };
const model = graph({ params, x: f64(3), rate: f64() }, ({ params, x, rate }) => {
  const { value, grad: g } = valueAndGrad((p: typeof params) => mul(sum(mul(p.w, x)), p.b))(params as never);
  return {
    loss: value,
    params: { w: sub(params.w, mul(rate, g.w as unknown as Value)), b: sub(params.b, mul(rate, g.b as unknown as Value)) },
  };
});

test("an input named in state stays inside and its like-named output is its new value", async () => {
  const program = await compile(model, reference(), { state: { params } });
  expect(read(program.run({ x: [1, 1, 1], rate: 0.1 }).loss)).toBe(3);
  const { w, b } = program.state.read().params;
  expect([...w.data]).toEqual([0.95, 1.95, 2.95]);
  expect(b.data[0]).toBeCloseTo(-0.1, 12);
  expect([...params.w.data]).toEqual([1, 2, 3]);
  expect(Object.keys(program.run({ x: [1, 1, 1], rate: 0.1 }))).toEqual(["loss"]);
});

test("a program without inputs, and one whose inputs are all state, is run without any", async () => {
  const three = await compile(
    graph({}, () => ({ y: mul(constant(1.5), 2) })),
    reference(),
  );
  expect(read(three.run().y)).toBe(3);
  const start = { n: tensor(0) };
  const counting = graph(start, ({ n }) => ({ n: add(n, 1) }));
  const count = await compile(counting, reference(), { state: start });
  count.run();
  count.run();
  expect(read(count.state.read().n)).toBe(2);
  const taking = await compile(
    graph({ x: f64() }, ({ x }) => ({ y: x })),
    reference(),
  );
  // @ts-expect-error it has an input
  expect(() => taking.run()).toThrow("the input is no record; wanted x");
});

test("state that comes out as it went in is not written again", async () => {
  let results = 0;
  const engine: Engine<"sync"> = {
    ...reference(),
    prepare: (inputs, outputs) => {
      results = outputs.length;
      return reference().prepare(inputs, outputs);
    },
  };
  const half = graph({ params, x: f64() }, ({ params, x }) => ({ loss: x, params: { w: mul(params.w, x), b: params.b } }));
  const program = await compile(half, engine, { state: { params }, guard: ["params"] });
  expect(results).toBe(2);
  expect(read(program.run({ x: 2 }).loss)).toBe(2);
  const { w, b } = program.state.read().params;
  expect([[...w.data], b.data[0]]).toEqual([[2, 4, 6], 0.5]);
  // Two leaves that change places do move.
  const swapped = graph({ s: { a: f64(), b: f64() } }, ({ s }) => ({ s: { a: s.b, b: s.a } }));
  const other = await compile(swapped, engine, { state: { s: { a: tensor(1), b: tensor(2) } } });
  other.run({});
  expect(results).toBe(2);
  expect(read(other.state.read().s.a)).toBe(2);
});

test("programs share state by passing it on, and extra names are ignored", async () => {
  const train = await compile(model, reference(), { state: { params } });
  const look = await compile(
    graph({ params }, ({ params }) => sum(params.w)),
    reference(),
    { state: train.state },
  );
  expect(read(look.run({}))).toBe(6);
  train.run({ x: [1, 1, 1], rate: 1 });
  expect(read(look.run({}))).toBe(4.5);
  look.state.write({ params: { w: [0, 0, 1], b: 0 } });
  expect([...train.state.read().params.w.data]).toEqual([0, 0, 1]);
});

test("state written with a wrong part changes nothing", async () => {
  const program = await compile(model, reference(), { state: { params } });
  expect(() => program.state.write({ params: { w: [9, 9, 9], b: [1, 2] } })).toThrow("state.params.b is f64[]; f64[2] was given");
  expect([...program.state.read().params.w.data]).toEqual([1, 2, 3]);
  expect(() => program.state.write({ nope: 1 } as never)).toThrow("state.write: there is no nope; the state has params");
});

test("a guarded output that is not finite commits nothing, and the facts replay", async () => {
  const g = graph({ params: { w: f64() }, x: f64() }, ({ params, x }) => ({
    loss: log(mul(params.w, x)),
    params: { w: sub(params.w, 1) },
  }));
  const program = await compile(g, reference(), { state: { params: { w: 1 } }, guard: ["loss"] });
  expect(read(program.run({ x: 1 }).loss)).toBe(0);
  expect(() => program.run({ x: -1 })).toThrow(
    "loss is -Infinity at run 2; the state is unchanged. Replay: graph(variables({...await program.state.read(), ...batch}))",
  );
  expect(program.state.read().params.w.data[0]).toBe(0);
  const facts = variables({ ...program.state.read(), x: 2 });
  expect(read(g(facts).loss)).toBe(Number.NEGATIVE_INFINITY);
});

test("an aborted run changes nothing", async () => {
  const stop = new AbortController();
  const program = await compile(model, reference(), { state: { params }, signal: stop.signal });
  stop.abort(new Error("enough"));
  expect(() => program.run({ x: [1, 1, 1], rate: 1 })).toThrow("enough");
  expect([...program.state.read().params.w.data]).toEqual([1, 2, 3]);
});

test("asynchronous engines answer with promises, in the same order of commits", async () => {
  const sync = reference();
  const slow: Engine<"async"> = {
    name: "slow",
    mode: "async",
    prepare: (i, o) => {
      const made = sync.prepare(i, o);
      return { run: async (x) => made.run(x), dispose: () => made.dispose() };
    },
  };
  const program = await compile(model, slow, { state: { params } });
  expect(read((await program.run({ x: [1, 1, 1], rate: 0 })).loss)).toBe(3);
  expect([...(await program.state.read()).params.w.data]).toEqual([1, 2, 3]);
  await expect(compile(model, sync, { state: program.state as never })).rejects.toThrow(
    "the state lives in engine slow and the program is for reference",
  );
});

test("what is written over a caller's array while runs wait or go on is seen by none of them", async () => {
  const doors: (() => void)[] = [];
  const late: Engine<"async"> = {
    name: "late",
    mode: "async",
    copies: true,
    prepare: (inputs, outputs) => {
      const made = reference().prepare(inputs, outputs);
      return {
        run: async (values) => {
          await new Promise<void>((open) => doors.push(open));
          return made.run(values);
        },
        dispose: () => made.dispose(),
      };
    },
  };
  const turn = () => new Promise((done) => setTimeout(done, 0));
  const program = await compile(
    graph({ x: f64(2) }, ({ x }) => ({ y: mul(x, 2) })),
    late,
  );
  const f = jit((x: Value) => mul(x, 2), late);
  const x = Float64Array.of(1, 2);
  const runs = [1, 10, 100].map((scale) => {
    x.set([scale, 2 * scale]);
    return program.run({ x });
  });
  const traced = [f(x), f(x)];
  x.fill(-1);
  for (let i = 0; i < 4; i++) {
    await turn();
    for (const open of doors.splice(0)) open();
  }
  expect(await Promise.all(runs.map(async (run) => [...(await run).y.data]))).toEqual([
    [2, 4],
    [20, 40],
    [200, 400],
  ]);
  expect(await Promise.all(traced.map(async (y) => [...(await y).data]))).toEqual([
    [200, 400],
    [200, 400],
  ]);
});

test.each([
  [{ x: [1, 2], rate: 1 }, "x is f64[3]; f64[2] was given"],
  [{ x: [1, 2, 3] }, "run: the input has x, the graph wants x, rate"],
  [{ x: [1, 2, 3], rate: 1, more: 1 }, "run: the input has x, rate, more, the graph wants x, rate"],
  [{ x: new Float32Array(3), rate: 1 }, "x is f64[3]; the typed array given is f32"],
  [{ x: [[1], [2, 3]], rate: 1 }, "row [1] has 2 elements and the first row has 1"],
  [{ x: "abc", rate: 1 }, "x is string; data is a number, nested lists, a typed array or a Tensor"],
])("inputs that do not fit are named (%#)", async (inputs, message) => {
  const program = await compile(model, reference(), { state: { params } });
  expect(() => program.run(inputs as never)).toThrow(message);
});

test("states that do not fit are named", async () => {
  await expect(compile(model, reference(), { state: { params: { weights: params.w, b: params.b } } } as never)).rejects.toThrow(
    "compile: state.params has weights, b, the graph wants w, b",
  );
  await expect(compile(model, reference(), { state: { nope: 1 } } as never)).rejects.toThrow(
    "compile: state has nope, and the graph has no input of that name; it has params, x, rate",
  );
  await expect(compile(model, reference(), { guard: ["los"] } as never)).rejects.toThrow(
    "compile: guard names los; the outputs are loss, params",
  );
});

test("a program agrees with evaluate, frees nothing it needs, and gives fresh arrays", async () => {
  const k = variable([1, 2], "k");
  const g = graph({ x: f64(2), n: i32(2) }, ({ x, n }) => {
    const { values } = sort(concat([x, k]));
    return { x, values, n, c: constant(3), twice: add(x, x), total: sum(mul(values, 2)) };
  });
  const program = await compile(g, reference());
  for (const x of [
    [3, 0],
    [5, -1],
  ]) {
    const out = program.run({ x, n: [1, 2] });
    expect(out).toEqual(evaluate(g({ x: tensor(x), n: tensor([1, 2], "i32") })));
    out.x.data.fill(7);
    out.c.data.fill(7);
  }
  expect(read(program.run({ x: [0, 0], n: [0, 0] }).c)).toBe(3);
});

test("jit without an engine, or with one that was not called, says so before anything runs", () => {
  const message = "jit: the second argument is the engine: jit(f, reference()), or jit(f, wasm()) with wasm of chainrule/wasm";
  for (const engine of [undefined, wasm]) expect(() => jit((x: Value) => x, engine as never)).toThrow(message);
});

test("jit traces once per shapes and keeps eight of them", () => {
  let traces = 0;
  const f = jit((x: Value, p: { y: Value }) => {
    traces++;
    return { out: mul(x, p.y) };
  }, reference());
  for (let i = 0; i < 5; i++) expect(read(f(2, { y: i }).out)).toBe(2 * i);
  expect(traces).toBe(1);
  for (let n = 1; n <= 9; n++) f(new Float64Array(n), { y: 1 });
  expect(traces).toBe(10);
  f(2, { y: 1 });
  expect(traces).toBe(11);
  expect([...f(new Float64Array([1, 2]), { y: 2 }).out.data]).toEqual([2, 4]);
});

test("reading a value while a graph is traced is a lesson", () => {
  const f = jit((x: Value) => (read(x) > 0 ? x : mul(x, -1)), reference());
  expect(() => f(1)).toThrow("depends on input 0, which has no value while a graph is built; use where, cond or whileLoop");
  expect(() => graph({ x: f64() }, ({ x }) => (read(mul(x, 2)) > 0 ? x : x))).toThrow("read: mul depends on input x");
});

test("f32 weights stay f32 through a step", async () => {
  const g = graph({ w: f32(2, 2), x: f32(2, 2) }, ({ w, x }) => ({ w: sub(w, mul(0.1, matmul(w, x))) }));
  const program = await compile(g, reference(), {
    state: {
      w: tensor(
        [
          [1, 0],
          [0, 1],
        ],
        "f32",
      ),
    },
  });
  program.run({
    x: [
      [1, 0],
      [0, 1],
    ],
  });
  expect(program.state.read().w.data).toEqual(Float32Array.of(Math.fround(0.9), 0, 0, Math.fround(0.9)));
});

test.each([reference(), wasm()])("a state is a copy of what was given, and what does not fill its type is refused: %s", async (engine) => {
  const g = graph({ w: f32(3), v: f64(3) }, ({ w, v }) => ({ w: mul(w, 2), v: mul(v, 3) }));
  const given = { w: tensor([1, 2, 3], "f32"), v: tensor([4, 5, 6]) };
  const program = await compile(g, engine, { state: given });
  (given.w.data as Float32Array)[0] = 100;
  program.run();
  expect([...program.state.read().w.data]).toEqual([2, 4, 6]);
  expect([...program.state.read().v.data]).toEqual([12, 15, 18]);
  expect([...given.v.data]).toEqual([4, 5, 6]);
  const short: Tensor = { kind: "tensor", type: f32(3), data: Float32Array.of(1, 2) };
  await expect(compile(g, engine, { state: { ...given, w: short } })).rejects.toThrow("2 elements do not fill f32[3], which has 3");
  const other: Tensor = { kind: "tensor", type: f32(3), data: Float64Array.of(0.1, 2, 3) };
  const rounded = await compile(g, engine, { state: { ...given, w: other } });
  rounded.run();
  expect(rounded.state.read().w.data[0]).toBe(Math.fround(0.1) * 2);
});
