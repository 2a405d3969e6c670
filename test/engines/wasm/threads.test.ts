import { expect, test, vi } from "vitest";
import { Threads } from "../../../src/engines/wasm/threads.ts";
import { compile, evaluate, f32, graph, matmul, random, type Tensor } from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

const draw = (seed: number, ...shape: number[]): Tensor => evaluate(random.normal(random.key(seed), f32(...shape))) as Tensor;

test("workers take parts of what is large, and nothing wakes them for what is small", async () => {
  const engine = wasm({ threads: 2 });
  const of = async (n: number) => {
    const a = draw(1, n, n);
    const product = graph({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ c: matmul(a, b) }));
    const program = await compile(product, engine);
    return () => program.run({ a, b: draw(2, n, n) });
  };
  const woken = vi.spyOn(Atomics, "notify");
  const taken = vi.spyOn(Atomics, "compareExchange");
  try {
    const small = await of(64);
    small();
    expect(woken).not.toHaveBeenCalled();
    const large = await of(200);
    let helped = false;
    for (let i = 0; i < 500 && !helped; i++) {
      taken.mockClear();
      large();
      helped = taken.mock.calls.length < 4;
      await new Promise((done) => setTimeout(done, 5));
    }
    expect(helped).toBe(true);
  } finally {
    woken.mockRestore();
    taken.mockRestore();
  }
});

test("a number of threads that is none is refused", () => {
  for (const threads of [0, -1, 1.5, Number.NaN, 1000])
    expect(() => wasm({ threads })).toThrow(`wasm: threads is ${threads}; it is a whole number from 1 to 64`);
});

test("where memory cannot be shared the engine works alone", async () => {
  vi.stubGlobal("crossOriginIsolated", false);
  try {
    const engine = wasm({ threads: 4 });
    expect(engine.tensor!(f32(2)).data.buffer).toBeInstanceOf(ArrayBuffer);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a part that fails is an error, and a lost one too, after which the caller works alone", () => {
  const job = { program: 1, bytes: 0, length: 0, base: 0, step: 0, parts: 3, wakes: true };
  const made = () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    return { threads: new Threads(memory, 64, 1), words: new Int32Array(memory.buffer, 64, 16) };
  };
  const failing = made();
  expect(() =>
    failing.threads.run(job, () => {
      failing.words[3] = 1;
    }),
  ).toThrow("wasm: a thread failed at its part of a step; run it again on one thread");
  const broken = made();
  expect(() =>
    broken.threads.run(job, () => {
      throw new Error("no memory");
    }),
  ).toThrow("no memory");
  // Somebody takes a part and is never heard of again; the clock jumps.
  const lost = made();
  let now = 0;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => (now += 50_000));
  try {
    expect(() =>
      lost.threads.run(job, () => {
        lost.words[2]! -= 1;
      }),
    ).toThrow("wasm: a thread did not finish its part of a step in a minute and is given up; the engine goes on with one thread");
  } finally {
    clock.mockRestore();
  }
  const seen: number[] = [];
  lost.threads.run(job, (i) => seen.push(i));
  expect(seen).toEqual([2, 1, 0]);
});
