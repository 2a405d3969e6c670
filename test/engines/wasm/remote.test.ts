import { expect, test } from "vitest";
import { dataset, loader } from "../../../src/data.ts";
import { type Connect, remote } from "../../../src/engines/wasm/remote.ts";
import { serve } from "../../../src/engines/wasm/serve.ts";
import type { Answer, Request } from "../../../src/engines/wasm/wire.ts";
import {
  add,
  compile,
  customGradient,
  type Engine,
  evaluate,
  expand,
  f32,
  f64,
  grad,
  graph,
  jit,
  leaves,
  matmul,
  mean,
  mul,
  random,
  relu,
  round,
  scan,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  unary,
  type Value,
  type Values,
} from "../../../src/index.ts";
import { linear } from "../../../src/nn.ts";
import { adam } from "../../../src/optim.ts";
import { accuracy, train } from "../../../src/train.ts";
import { wasm } from "../../../src/wasm.ts";

/** A worker in this thread: messages are cloned and arrive later, as between threads. `fall` ends it; `wait` holds answers back. */
function inside() {
  const seen: Request[] = [];
  const answers: Answer[] = [];
  let [fall, held, waiting] = [(_: string): void => undefined, false, [] as (() => void)[]];
  const connect: Connect = (take, gone) => {
    let alive = true;
    const receive = serve(wasm(), (answer: Answer, handed) => {
      const copy = structuredClone(answer, { transfer: handed });
      answers.push(copy);
      const deliver = (): void => {
        if (alive) setTimeout(() => take(copy));
      };
      if (held) waiting.push(deliver);
      else deliver();
    });
    fall = (reason) => {
      alive = false;
      gone(reason);
    };
    return {
      send: (message) => {
        seen.push(message);
        const copy = structuredClone(message);
        setTimeout(() => alive && receive(copy));
      },
      hold: () => undefined,
      close: () => {
        alive = false;
      },
    };
  };
  return {
    connect,
    seen,
    answers,
    fall: (reason: string) => fall(reason),
    hold: (on: boolean) => {
      held = on;
      if (!on) for (const deliver of waiting.splice(0)) deliver();
    },
  };
}

const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 20));

test("an engine in a worker gives the numbers of the engine, with loops, constants and rules of one's own", async () => {
  const table = tensor(
    Array.from({ length: 100 }, (_, i) => 1 / (i + 3)),
    "f64",
  );
  const through = customGradient(
    ({ x }: { x: Value }) => round(x),
    ({ ct }) => ({ x: ct }),
  );
  const f = (x: Value): Value => {
    const { carry } = scan((c: Value, row: Value) => ({ carry: add(mul(c, 0.9), row), out: c }), mul(x, 1), tensor([[1, 2], [3, 4]])); // biome-ignore format: rows
    return add(sum(mul(carry, through({ x }))), sum(mul(table, sum(x))));
  };
  const g = (x: Value) => ({ value: f(x), slope: grad(f)(x) });
  const far = jit(g, remote(inside().connect));
  const near = jit(g, wasm());
  for (const at of [tensor([1.2, 2.7]), tensor([-1, 0])]) {
    const [a, b] = [(await far(at)) as unknown as Record<string, Tensor>, near(at) as unknown as Record<string, Tensor>];
    for (const key of ["value", "slope"]) {
      expect(a[key]!.type).toEqual(b[key]!.type);
      expect(Array.from(a[key]!.data)).toEqual(Array.from(b[key]!.data));
    }
  }
});

const w = evaluate(random.normal(random.key(1), f32(3, 3))) as Tensor;
const step = graph({ w, x: f32(3) }, ({ w, x }) => ({ loss: sum(matmul(w, x)), w: sub(w, mul(0.1, w)) }));
const x = new Float32Array([1, 2, 3]);

test("state goes from run to run, what is given stays the caller's, and runs that overlap take turns", async () => {
  const program = await compile(step, remote(inside().connect), { state: { w } });
  const plain = await compile(step, wasm(), { state: { w } });
  const given = x.slice();
  const runs = [program.run({ x: given }), program.run({ x: given }), program.run({ x: given })];
  given.fill(0);
  for (const run of runs) expect((await run).loss.data[0]).toBe(plain.run({ x }).loss.data[0]);
  expect(Array.from((await program.state.read()).w.data)).toEqual(Array.from(plain.state.read().w.data));
});

/** The bytes of the elements in a message. */
function bytesIn(message: unknown): number {
  if (ArrayBuffer.isView(message)) return message.byteLength;
  if (typeof message === "number") return 8;
  return typeof message === "object" && message !== null ? Object.values(message).reduce((sum: number, part) => sum + bytesIn(part), 0) : 0;
}

test("the state goes into the worker once and stays: runs carry what they are given and what they answer, whatever the size of the state", async () => {
  const worker = inside();
  const state = { w: evaluate(random.normal(random.key(2), f32(200, 100))) as Tensor, count: tensor([0], "f64") };
  const types = graph({ ...state, x: f32(100) }, ({ w, count, x }) => ({
    loss: sum(matmul(w, x)),
    w: sub(w, mul(0.1, w)),
    count: add(count, 1),
  }));
  const program = await compile(types, remote(worker.connect), { state });
  const given = new Float32Array(100).fill(1);
  for (let i = 0; i < 5; i++) await program.run({ x: given });
  const kinds = worker.seen.map(({ kind }) => kind);
  expect(kinds).toEqual(["put", "prepare", "run", "run", "run", "run", "run"]);
  // Some numbers are counted too: of calls, programs and places.
  const overhead = 100;
  expect(bytesIn(worker.seen[0])).toBeGreaterThan(4 * 200 * 100);
  for (const run of worker.seen.slice(2)) expect(bytesIn(run)).toBeLessThan(4 * 100 + overhead);
  expect(worker.answers).toHaveLength(6);
  for (const answer of worker.answers) expect(bytesIn(answer)).toBeLessThan(overhead);
  expect((await program.state.read()).count.data[0]).toBe(5);
  expect(bytesIn(worker.answers.at(-1))).toBeGreaterThan(4 * 200 * 100);
  await program.state.write({ count: [9] });
  expect(bytesIn(worker.seen.at(-1))).toBeLessThan(overhead);
  await program.run({ x: given });
  expect((await program.state.read()).count.data[0]).toBe(10);
});

test("train() in a worker sends batches and gets numbers back: the parameters travel at the beginning and the end", async () => {
  const worker = inside();
  const key = random.key(0);
  const params = { a: linear.init(random.fold(key, "a"), 20, 100), b: linear.init(random.fold(key, "b"), 100, 3) };
  const rows = dataset({
    x: evaluate(random.normal(key, f32(80, 20))) as Tensor,
    y: tensor(Int32Array.from({ length: 80 }, (_, i) => i % 3)),
  });
  const options = (engine: Engine) => ({ data: loader(rows, { batch: 16, shuffle: 0 }), validate: loader(rows, { batch: 40 }), optimizer: adam({ rate: 1e-2 }), engine, epochs: 3, health: false }); // biome-ignore format: options
  const loss = (p: Values<typeof params>, { x, y }: { readonly x: Value; readonly y: Value }) => {
    const logits = linear(p.b, relu(linear(p.a, x)));
    return { loss: softmaxCrossEntropy(logits, y), accuracy: accuracy(logits, y) };
  };
  const far = await train({ params, loss }, options(remote(worker.connect))).finish();
  const runs = worker.seen.filter(({ kind }) => kind === "run");
  expect(runs).toHaveLength(3 * (5 + 2));
  const batch = 16 * 20 * 4 + 16 * 4;
  for (const run of runs) expect(bytesIn(run)).toBeLessThan((40 / 16) * batch + 1000);
  const answers = worker.answers.map(bytesIn);
  // All of what was learnt, and Adam's moments, once.
  const large = answers.filter((bytes) => bytes > 200);
  expect(large).toHaveLength(1);
  expect(worker.seen.filter(({ kind }) => kind === "put" || kind === "get").map(({ kind }) => kind)).toEqual(["put", "get"]);
  const near = await train({ params, loss }, options(wasm())).finish();
  expect(leaves(far.params).map(({ leaf }) => [...(leaf as Tensor).data])).toEqual(leaves(near.params).map(({ leaf }) => [...(leaf as Tensor).data])); // biome-ignore format: one comparison
});

test("train() reads the next batch while a worker makes the step, in any order of what fails", async () => {
  const worker = inside();
  const rows = dataset({ x: evaluate(random.normal(random.key(0), f32(12, 2))) as Tensor });
  const whole = loader(rows, { batch: 4 });
  const told: string[] = [];
  const source = {
    ...whole,
    *pass(n: number, from = 0) {
      for (let i = from; i < 3; i++) {
        told.push(`read ${i}, sent ${worker.seen.filter(({ kind }) => kind === "run").length}, back ${worker.answers.length}`);
        if (i === 2 && n === 1) throw new Error("the disk is gone");
        yield rows.at(Int32Array.from({ length: 4 }, (_, k) => 4 * i + k));
      }
    },
  };
  const training = train(
    { params: { w: tensor([1, 1], "f32") }, loss: (p, { x }: { readonly x: Value }) => mean(square(mul(p.w, x))) },
    { data: source, optimizer: adam({ rate: 0.1 }), engine: remote(worker.connect), epochs: 2, health: false },
  );
  await expect(training.finish()).rejects.toThrow("the disk is gone");
  // The third batch is read when the second run is on its way, and what has come back are the answers to "put" and to the first run.
  expect(told[2]).toBe("read 2, sent 2, back 2");
});

test("a step that fails in a worker while the next batch is read is made again with its own batch", async () => {
  const x = evaluate(random.normal(random.key(0), f32(12, 2))) as Tensor;
  x.data[9] = Number.NaN;
  const read: number[] = [];
  const rows = loader(dataset({ x }), { batch: 4 });
  const source = {
    ...rows,
    *pass(n: number, from = 0) {
      for (let i = from; i < 3; i++) {
        read.push(i);
        yield [...rows.pass(n, i)][0]!;
      }
    },
  };
  const training = train(
    { params: { w: tensor([1, 1], "f32") }, loss: (p, { x }: { readonly x: Value }) => mean(square(mul(p.w, x))) },
    { data: source, optimizer: adam({ rate: 0.1 }), engine: remote(inside().connect), epochs: 2, health: false, unchecked: true },
  );
  for (let i = 0; i < 2; i++) await expect(training.finish()).rejects.toThrow("train: step 2, epoch 1: the loss is NaN");
  expect(read).toEqual([0, 1, 2, 1, 2]);
});

test("a guarded state that stays in the worker is looked at before it counts", async () => {
  const grow = graph({ w: f32(2), x: f32(2) }, ({ w, x }) => ({ w: mul(w, x) }));
  const program = await compile(grow, remote(inside().connect), { state: { w: tensor([1, 2], "f32") }, guard: ["w"] });
  await program.run({ x: new Float32Array([2, 2]) });
  await expect(program.run({ x: new Float32Array([2, Number.NaN]) })).rejects.toThrow("w is NaN at run 2; the state is unchanged");
  expect([...(await program.state.read()).w.data]).toEqual([2, 4]);
});

test("a state is of one engine: another one of the same kind is refused, whose memory is another", async () => {
  for (const make of [() => wasm(), () => remote(inside().connect)] as (() => Engine)[]) {
    const own = await compile(step, make(), { state: { w } });
    await expect(compile(step, make(), { state: own.state })).rejects.toThrow(
      "compile: the state lives in another engine wasm() and the program is for wasm; make the engine once and compile both for it",
    );
  }
});

test("programs share a state in the worker", async () => {
  const worker = inside();
  const engine = remote(worker.connect);
  const learn = await compile(step, engine, { state: { w } });
  const look = await compile(
    graph({ w, x: f32(3) }, ({ w, x }) => ({ out: matmul(w, x) })),
    engine,
    { state: learn.state },
  );
  await learn.run({ x });
  const seen = (await look.run({ x })).out.data;
  expect([...seen]).toEqual([...(evaluate(matmul(sub(w, mul(0.1, w)), tensor(x))) as Tensor).data].map((v) => expect.closeTo(v, 5)));
  expect(worker.seen.filter(({ kind }) => kind === "put")).toHaveLength(1);
});

test("a worker that dies fails what waits, and says that the state went with it; a state that is written begins again in the next one", async () => {
  const worker = inside();
  const engine = remote(worker.connect);
  const program = await compile(step, engine, { state: { w } });
  const first = (await program.run({ x })).loss.data[0];
  const before = await program.state.read();
  worker.hold(true);
  const lost = program.run({ x });
  await soon();
  worker.fall("out of memory");
  await expect(lost).rejects.toThrow(
    "wasm: the engine's worker died (out of memory), and the states that were in it are gone; the next run starts a new worker: state.write puts a state into it, from a checkpoint or what state.read gave",
  );
  worker.hold(false);
  const gone = "wasm: a f32[3,3] of the state was in a worker that died; put the state into the new one with state.write";
  await expect(program.run({ x })).rejects.toThrow(gone);
  await expect(program.state.read()).rejects.toThrow(gone);
  await program.state.write(before);
  expect((await program.state.read()).w.data).toEqual(before.w.data);
  expect((await program.run({ x })).loss.data[0]).not.toBe(first);
  expect(worker.seen.filter(({ kind }) => kind === "prepare")).toHaveLength(2);
});

test("a worker that dies before it has the state takes nothing with it", async () => {
  const worker = inside();
  const program = await compile(step, remote(worker.connect), { state: { w } });
  worker.hold(true);
  const lost = program.run({ x });
  await soon();
  worker.fall("it was ended");
  await expect(lost).rejects.toThrow("the engine's worker died (it was ended)");
  worker.hold(false);
  const plain = await compile(step, wasm(), { state: { w } });
  expect((await program.run({ x })).loss.data[0]).toBe(plain.run({ x }).loss.data[0]);
});

test("the elements of a tensor in the worker are not read here by mistake, and what nobody holds is given back there", async () => {
  const worker = inside();
  const engine = remote(worker.connect);
  expect(() => engine.far!.make(f32(2)).data).toThrow("wasm: the elements of a f32[2] are in the worker and were read here");
  const receive: Answer[] = [];
  const take = serve(wasm(), (answer) => receive.push(answer));
  take({ kind: "put", call: 0, tensors: [{ ref: 5, dtype: "f32", shape: [2], data: new Float32Array([1, 2]) }] });
  take({ kind: "get", call: 1, refs: [5] });
  take({ kind: "drop", refs: [5] });
  take({ kind: "get", call: 2, refs: [5] });
  expect(receive[1]).toEqual({ call: 1, results: [new Float32Array([1, 2])] });
  expect(receive[2]).toMatchObject({ failure: { message: expect.stringContaining("wasm: the worker has no tensor 5") } });
});

test("an aborted run is refused at once and changes nothing, whatever the worker still does", async () => {
  const worker = inside();
  const abort = new AbortController();
  const program = await compile(step, remote(worker.connect), { state: { w }, signal: abort.signal });
  worker.hold(true);
  const run = program.run({ x });
  await soon();
  abort.abort(new Error("the reader left"));
  await expect(run).rejects.toThrow("the reader left");
  worker.hold(false);
  await soon();
  expect(Array.from((await program.state.read()).w.data)).toEqual(Array.from(w.data));
  await expect(program.run({ x })).rejects.toThrow("the reader left");
});

test("errors of the worker arrive with their words, and a disposed program is forgotten there", async () => {
  const worker = inside();
  const engine = remote(worker.connect);
  const huge = await compile(
    graph({ x: f64(1) }, ({ x }) => ({ y: expand(x, { shape: [700_000_000] }) })),
    engine,
  );
  await expect(huge.run({ x: new Float64Array(1) })).rejects.toThrow(/wasm: .* needs \d+ bytes/);
  const small = await compile(step, engine, { state: { w } });
  await small.run({ x });
  small.dispose();
  await soon();
  expect(worker.seen.at(-1)?.kind).toBe("dispose");
});

test("an op of one's own is refused, since its kernel is JavaScript", () => {
  const cube = unary("acme.cube", { f: (v) => v ** 3, d: ({ x }) => mul(3, mul(x, x)) });
  const g = graph({ x: f64(2) }, ({ x }) => cube(x));
  expect(() => remote(inside().connect).prepare([g.inputs.x], [g.outputs])).toThrow(
    "wasm: acme.cube is an op of your own, whose kernel is JavaScript that a worker does not have; give the op `lower`, or run it on wasm() without a worker",
  );
});
