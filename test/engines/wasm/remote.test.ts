import { expect, test } from "vitest";
import { type Connect, remote } from "../../../src/engines/wasm/remote.ts";
import { serve } from "../../../src/engines/wasm/serve.ts";
import type { Answer, Request } from "../../../src/engines/wasm/wire.ts";
import {
  add,
  compile,
  customGradient,
  evaluate,
  expand,
  f32,
  f64,
  grad,
  graph,
  jit,
  matmul,
  mul,
  random,
  round,
  scan,
  sub,
  sum,
  type Tensor,
  tensor,
  unary,
  type Value,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

/** A worker in this thread: messages are cloned and arrive later, as between threads. `fall` ends it; `wait` holds answers back. */
function inside() {
  const seen: Request[] = [];
  let [fall, held, waiting] = [(_: string): void => undefined, false, [] as (() => void)[]];
  const connect: Connect = (take, gone) => {
    let alive = true;
    const receive = serve(wasm(), (answer: Answer, handed) => {
      const copy = structuredClone(answer, { transfer: handed });
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

test("a worker that dies fails what waits, leaves the state, and the next run starts another", async () => {
  const worker = inside();
  const engine = remote(worker.connect);
  const program = await compile(step, engine, { state: { w } });
  const first = (await program.run({ x })).loss.data[0];
  const before = (await program.state.read()).w.data;
  worker.hold(true);
  const lost = program.run({ x });
  await soon();
  worker.fall("out of memory");
  await expect(lost).rejects.toThrow(
    "wasm: the engine's worker died (out of memory); the state is unchanged, and the next run starts a new worker",
  );
  worker.hold(false);
  expect((await program.state.read()).w.data).toEqual(before);
  expect((await program.run({ x })).loss.data[0]).not.toBe(first);
  expect(worker.seen.filter(({ kind }) => kind === "prepare")).toHaveLength(2);
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
