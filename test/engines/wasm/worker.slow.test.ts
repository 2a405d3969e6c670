import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { compile, evaluate, f32, graph, jit, matmul, random, square, sum, type Tensor, tensor, type Value } from "../../../src/index.ts";
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
