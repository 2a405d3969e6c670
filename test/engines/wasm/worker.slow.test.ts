import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import {
  add,
  compile,
  DomainError,
  evaluate,
  f32,
  graph,
  greater,
  jit,
  matmul,
  random,
  square,
  sum,
  type Tensor,
  tensor,
  type Value,
  whileLoop,
} from "../../../src/index.ts";
import { dense, type Held, hold } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";
import { drawCase, ops } from "../../laws/samplers.ts";

const root: string = fileURLToPath(new URL("../../../", import.meta.url));
const worker = new URL("../../../dist/wasm-worker.js", import.meta.url);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

test("the built worker runs programs, with threads of its own, and a second one beside it", async () => {
  const [a, b] = [wasm({ worker, threads: 2 }), wasm({ worker })];
  const f = (x: Value): Value => sum(square(x));
  expect(Array.from((await jit(f, a)(tensor([1, 2, 3]))).data)).toEqual([14]);
  const w = evaluate(random.normal(random.key(1), f32(200, 200))) as Tensor;
  const g = graph({ w }, ({ w }) => ({ loss: sum(w), w: matmul(w, w) }));
  const programs = [await compile(g, a, { state: { w } }), await compile(g, b, { state: { w } })];
  for (let i = 0; i < 3; i++) {
    const [x, y] = await Promise.all(programs.map((p) => p.run({})));
    expect(x!.loss.data[0]).toBe(y!.loss.data[0]);
  }
});

test("a worker whose file is not there is an error that says so", async () => {
  const engine = wasm({ worker: new URL("./no-such-file.js", import.meta.url) });
  await expect(jit((x: Value) => sum(x), engine)(tensor([1]))).rejects.toThrow("wasm: the engine's worker died (");
});

test("a worker that ends in the middle of a training says that the state went with it, and goes on in another from a state that is written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "worker-"));
  const file = join(folder, "dies.mjs");
  // The real worker, whose thread ends when it is asked for a third run.
  writeFileSync(
    file,
    `import { parentPort } from "node:worker_threads";
     let runs = 0;
     const on = parentPort.on.bind(parentPort);
     parentPort.on = (event, take) => on(event, (m) => (m.kind === "run" && ++runs === 3 ? process.exit(7) : take(m)));
     await import(${JSON.stringify(worker.href)});`,
  );
  try {
    const engine = wasm({ worker: pathToFileURL(file) });
    const step = graph({ w: f32() }, ({ w }) => ({ w: add(w, 1), loss: w }));
    const program = await compile(step, engine, { state: { w: tensor(0, "f32") } });
    const seen: (number | string)[] = [];
    const runs = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++)
        seen.push(
          await program.run({}).then(
            ({ loss }) => loss.data[0]!,
            (error: Error) => error.message.slice(0, 66),
          ),
        );
    };
    await runs(4);
    const died = "wasm: the engine's worker died (it ended with code 7), and the sta";
    const gone = "wasm: a f32[] of the state was in a worker that died; put the stat";
    expect(seen).toEqual([0, 1, died, gone]);
    await program.state.write({ w: 10 });
    await runs(3);
    expect(seen.slice(4)).toEqual([10, 11, died]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a loop that does not end says so across the worker, by the class of its error", async () => {
  const f = jit((x: Value) => whileLoop((c: Value) => greater(c, 0), (c: Value) => c, x, { limit: 10 }), wasm({ worker })); // biome-ignore format: one call
  await expect(f(tensor(1))).rejects.toThrow(DomainError);
  expect((await f(tensor(-1))).data[0]).toBe(-1);
});

test("every op goes to a worker and comes back with the same bits", async () => {
  const [near, far] = [wasm(), wasm({ worker })];
  const waiting: Promise<void>[] = [];
  for (const name of ops.keys()) {
    const c = drawCase(name, drawsFrom(77));
    const given = c.operands.filter((t) => t !== null);
    const g = graph(Object.fromEntries(given.map((t, i) => [`x${i}`, t.type])), (inputs) => {
      const rest = Object.values(inputs as Record<string, Value>);
      return Object.fromEntries(c.apply(c.operands.map((t) => (t === null ? null : rest.shift()!))).map((v, i) => [`y${i}`, v]));
    });
    const [ins, outs] = [g.inputs, g.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [Value[], Value[]];
    const held = given.map((t): Held => (t.type.shape.length === 0 ? t.data[0]! : hold(t.type, t.data.slice())));
    const want = near.prepare(ins, outs).run(held);
    waiting.push(
      far
        .prepare(ins, outs)
        .run(held)
        .then((got) => {
          got.forEach((h, i) => {
            const { type } = outs[i]!;
            expect([name, i, ...dense(h, type).data]).toEqual([name, i, ...dense(want[i]!, type).data]);
          });
        }),
    );
  }
  await Promise.all(waiting);
});
