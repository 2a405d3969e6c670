import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { dropCopies } from "../../../src/engines/onnxruntime/results.ts";
import { add, compile, f32, graph, mul, tensor } from "../../../src/index.ts";
import { hold } from "../../../src/ir/tensor.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";

test("steps leave no copies of the state behind for the garbage collector", async () => {
  const n = 2 ** 20;
  const g = graph({ w: f32(n), x: f32() }, ({ w, x }) => ({ w: add(w, x), twice: mul(x, 2) }));
  const program = await compile(g, onnxruntime(ort), { state: { w: tensor(new Float32Array(n), f32(n)) } });
  await program.run({ x: 1 });
  await program.run({ x: 1 });
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 6; i++) await program.run({ x: 1 });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * n);
  const { w } = await program.state.read();
  expect([w.data[0], w.data[n - 1]]).toEqual([8, 8]);
  expect((await program.run({ x: 3 })).twice.data[0]).toBe(6);
});

test("only copies are dropped: what is filled itself, what is small and what was filled nowhere stays", () => {
  const n = 4096;
  const [mine, copy, small, other] = [n, n, 8, n].map((k) => new Float32Array(k)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const place = hold(f32(n), mine);
  dropCopies([mine, copy, small, other], [place, place, hold(f32(8), new Float32Array(8)), null]);
  expect([mine, copy, small, other].map(({ length }) => length)).toEqual([n, 0, 8, n]);
});

test("results that share their memory are dropped once", () => {
  const both = new ArrayBuffer(2 ** 14);
  const told = [new Float32Array(both, 0, 2048), new Float32Array(both, 2 ** 13)];
  const places = told.map(({ length }) => hold(f32(length), new Float32Array(length)));
  dropCopies(told, places);
  expect(both.byteLength).toBe(0);
});

test("a binding that answers in memory of its own alone, whatever it was handed, loses nothing", async () => {
  const alone = {
    ...ort,
    env: ort.env,
    Tensor: ort.Tensor,
    InferenceSession: {
      create: async (...given: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...given);
        return {
          run: (feeds: never, fetches: object) => session.run(feeds, Object.keys(fetches)),
          release: () => session.release(),
        };
      },
    },
  };
  const n = 4096;
  const g = graph({ w: f32(n), x: f32() }, ({ w, x }) => ({ w: add(w, x), twice: mul(x, 2) }));
  const program = await compile(g, onnxruntime(alone as never), { state: { w: tensor(new Float32Array(n), f32(n)) } });
  // What the first run gives is in the place before it: zeros.
  for (let i = 0; i <= 5; i++) expect((await program.run({ x: i })).twice.data[0]).toBe(2 * i);
  const { w } = await program.state.read();
  expect([w.data[0], w.data[n - 1]]).toEqual([15, 15]);
});
