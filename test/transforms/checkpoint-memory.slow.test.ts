import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  add,
  checkpoint,
  compile,
  costOf,
  f64,
  type Graph,
  grad,
  graph,
  mul,
  planCheckpoints,
  reference,
  scan,
  sin,
  sum,
  tap,
  type Value,
} from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const length = 20_000;
const depth = 6;

/** Bytes that arrays hold once nothing more is freed: their memory goes back some time after the collection that finds them dead. */
function arrayBytes(): number {
  let held = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 8; tries++) {
    collect();
    const now = process.memoryUsage().arrayBuffers;
    if (now === held) break;
    held = now;
  }
  return held;
}

/** The most bytes that arrays hold, looked at when the value or gradient of a layer passes by, above what was held before. */
async function heldBy(net: (watch: (v: Value) => Value) => (x: Value) => Value): Promise<number> {
  let most = 0;
  let watching = false;
  const look = (): void => {
    // What is held now with all that nobody needs any more is no more than before: no need to collect it, which takes long in a process of many tests.
    if (!watching || process.memoryUsage().arrayBuffers <= most) return;
    most = Math.max(most, arrayBytes());
  };
  const f = net((v) => tap(v, "layer", look));
  const program = await compile(
    graph({ x: f64(length) }, ({ x }) => ({ slope: grad(f)(x) })),
    reference(),
  );
  const x = new Float64Array(length).fill(0.3);
  const before = arrayBytes();
  watching = true;
  program.run({ x });
  return most - before;
}

/** Ten ops, each of which keeps something for the way back. */
const layer =
  (watch: (v: Value) => Value) =>
  (h: Value): Value => {
    let v = h;
    for (let i = 0; i < 5; i++) v = sin(mul(v, add(v, 1)));
    return watch(v);
  };

test("checkpoints lower what the arrays of a backward pass really hold, and costOf says how much", async () => {
  const chain = (part: (h: Value) => Value) => (x: Value) => {
    let h = x;
    for (let i = 0; i < depth; i++) h = part(h);
    return sum(h);
  };
  const plain = await heldBy((watch) => chain(layer(watch)));
  const saved = await heldBy((watch) => chain((h) => checkpoint(layer(watch))(h)));
  const size = 8 * length;
  expect(plain).toBeGreaterThan(10 * depth * size);
  expect(saved).toBeLessThan(0.6 * plain);
  const cost = (part: (h: Value) => Value) => costOf(graph({ x: f64(length) }, ({ x }) => grad(chain(part))(x))).peakBytes;
  const own = (v: Value): Value => v;
  // The estimate counts inputs and the kernel that runs; what is held is looked at between kernels.
  expect(plain / cost(layer(own))).toBeGreaterThan(0.6);
  expect(plain / cost(layer(own))).toBeLessThan(1.2);
  expect(saved / cost((h) => checkpoint(layer(own))(h))).toBeLessThan(1.2);
});

test("a plan really holds less than the whole", async () => {
  const planned = (budget: number) => (watch: (v: Value) => Value) => {
    const g: Graph<{ x: ReturnType<typeof f64> }, Value> = graph({ x: f64(length) }, ({ x }) => {
      let h: Value = x;
      for (let i = 0; i < depth; i++) h = layer(watch)(h);
      return sum(h);
    });
    const plan = planCheckpoints(g, { budget });
    return (x: Value) => plan.graph({ x });
  };
  const all = await heldBy(planned(1e9));
  const half = await heldBy(planned(40 * 8 * length));
  expect(half).toBeLessThan(0.8 * all);
});

test("a loop's backward pass holds a square root of its steps", async () => {
  const net = (steps: number, checkpointEvery: number) => (watch: (v: Value) => Value) => (x: Value) =>
    sum(scan((c) => ({ carry: layer(watch)(c) }), x, null, { length: steps, checkpointEvery }).carry);
  const stepwise = await heldBy(net(16, 1));
  const stretched = await heldBy(net(16, 4));
  expect(stepwise).toBeGreaterThan(16 * 8 * length);
  expect(stretched).toBeLessThan(0.85 * stepwise);
}, 240_000);
