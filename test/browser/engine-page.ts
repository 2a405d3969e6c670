// What the page of the engine's browser test runs: bundled, it sets functions that the test calls.
import { drawsFrom } from "../../src/check/draws.ts";
import { dataset } from "../../src/data/dataset.ts";
import { type ImageOptions, readImage } from "../../src/data/image.ts";
import { loader } from "../../src/data/loader.ts";
import {
  compile,
  type Engine,
  evaluate,
  f32,
  graph,
  i32,
  matmul,
  mul,
  random,
  relu,
  softmaxCrossEntropy,
  sub,
  type Tensor,
  tensor,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { difference } from "../engines/wasm/agreement.ts";
import { drawCase, ops } from "../laws/samplers.ts";

const draw = (seed: number, ...shape: number[]): Tensor => evaluate(random.normal(random.key(seed), f32(...shape))) as Tensor;

/** Every op, one case each in f64 and in f32: where the engine of this browser is further from the reference than rounding explains. */
function disagreements(): string[] {
  const engine = wasm();
  const found: string[] = [];
  for (const name of ops.keys())
    for (const dtype of ["f64", "f32"] as const) {
      const worse = difference(engine, drawCase(name, drawsFrom(4242)), dtype);
      if (worse !== null) found.push(`${name}: ${worse}`);
    }
  return found;
}

const params = { w: draw(1, 300, 200), v: draw(2, 200, 10) };
const step = graph({ params, x: f32(128, 300), y: i32(128) }, ({ params, x, y }) => {
  const loss = (p: { w: Value; v: Value }): Value => softmaxCrossEntropy(matmul(relu(matmul(x, p.w)), p.v), y);
  const { value, grad } = valueAndGrad(loss)(params);
  return { loss: value, params: { w: sub(params.w, mul(0.01, grad.w)), v: sub(params.v, mul(0.01, grad.v)) } };
});
const batch = {
  x: draw(3, 128, 300),
  y: tensor(
    Array.from({ length: 128 }, (_, i) => i % 10),
    "i32",
  ),
};
const rest = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Losses of ten steps, and whether the engine's memory is shared between threads. */
async function training(kind: "plain" | "threads" | "worker"): Promise<{ losses: number[]; shared: boolean }> {
  const engine =
    kind === "worker"
      ? wasm({ worker: new URL("/wasm-worker.js", location.href), threads: 2 })
      : wasm({ threads: kind === "threads" ? 2 : 1 });
  const program = await compile(step, engine, { state: { params } });
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    losses.push((await program.run(batch)).loss.data[0]!);
    // The workers of threads start while the page is free.
    if (kind === "threads") await rest(50);
  }
  const shared = engine.tensor !== undefined && !(engine.tensor(f32(1)).data.buffer instanceof ArrayBuffer);
  return { losses, shared };
}

/** How often the page's own thread had a turn while `task` ran, and the longest it had to wait, in milliseconds. */
async function turnsDuring(task: Promise<unknown>): Promise<{ turns: number; longest: number }> {
  let going = true;
  let turns = 0;
  let longest = 0;
  const count = async (): Promise<void> => {
    for (let before = performance.now(); going; turns++) {
      await rest(0);
      const now = performance.now();
      longest = Math.max(longest, now - before);
      before = now;
    }
  };
  const counting = count();
  await task;
  going = false;
  await counting;
  return { turns, longest };
}

/** A training without an engine in its options, as most users write it, and one with the engine on the page's own thread. */
async function byDefault(): Promise<{ workers: number; same: boolean; steps: number; turns: number; longest: number }> {
  let workers = 0;
  const Real = globalThis.Worker;
  globalThis.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers++;
    }
  };
  const begin = (engine?: Engine<"sync">) =>
    train(
      { params, loss: (p, { x, y }) => softmaxCrossEntropy(matmul(relu(matmul(x, p.w)), p.v), y) },
      {
        data: loader(dataset(batch), { batch: 32, shuffle: 1 }),
        optimizer: sgd({ rate: 0.01 }),
        epochs: 10,
        ...(engine !== undefined && { engine }),
      },
    );
  const training = begin();
  const waited = await turnsDuring(training.finish());
  const { params: there, report } = await training.finish();
  const used = workers;
  const { params: here } = await begin(wasm()).finish();
  globalThis.Worker = Real;
  const same = [...there.w.data, ...there.v.data].join() === [...here.w.data, ...here.v.data].join();
  return { workers: used, same: same && workers === used, steps: report.steps, ...waited };
}

/** What a page reads of an image: its shape and its bytes, or what it says of it. */
async function image(bytes: readonly number[], options: ImageOptions): Promise<string> {
  return readImage(Uint8Array.from(bytes), options).then(
    ({ type, data }) => `${type.shape.join()}: ${[...data].join()}`,
    (error: Error) => error.message,
  );
}

/** The shape of an image that the page fetches. */
async function fetchedImage(address: string): Promise<string> {
  return readImage(address).then(
    ({ type }) => type.shape.join(),
    (error: Error) => error.message,
  );
}

/**
 * Who computed the parts of a product: this page's thread counts what it takes itself, and the rest was taken by the engine's other thread. Runs
 * until both have had some in one run, 200 times at most.
 */
async function shares(): Promise<{ mine: number; theirs: number; same: boolean }> {
  const n = 400;
  const [a, b] = [draw(5, n, n), draw(6, n, n)];
  const product = graph({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ c: matmul(a, b) }));
  const [one, two] = [await compile(product, wasm()), await compile(product, wasm({ threads: 2 }))];
  const want = one.run({ a, b }).c.data;
  const claim = Atomics.compareExchange;
  let mine = 0;
  // Parts of a product: at first the helper is not there yet, and all of them are the caller's.
  let all = 0;
  Atomics.compareExchange = ((words: Int32Array, at: number, expected: number, next: number) => {
    const before = claim(words, at, expected, next);
    if (before === expected) mine++;
    return before;
  }) as typeof claim;
  try {
    for (let round = 0; round < 200; round++) {
      mine = 0;
      const got = two.run({ a, b }).c.data;
      const same = got.every((x, i) => Object.is(x, want[i]));
      all = Math.max(all, mine);
      if ((mine > 0 && mine < all) || !same) return { mine, theirs: all - mine, same };
      await rest(5);
    }
    return { mine, theirs: all - mine, same: true };
  } finally {
    Atomics.compareExchange = claim;
  }
}

/** What an engine says where the host does not compile vectors, as an old browser's `validate` would have it. */
function withoutVectors(): string {
  const { validate } = WebAssembly;
  WebAssembly.validate = () => false;
  try {
    wasm();
    return "";
  } catch (error) {
    return (error as Error).message;
  } finally {
    WebAssembly.validate = validate;
  }
}

Object.assign(globalThis, { disagreements, training, byDefault, image, fetchedImage, shares, withoutVectors });
