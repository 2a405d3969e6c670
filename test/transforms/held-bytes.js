// Prints, as JSON, the most bytes that arrays hold while backward passes run, above what was held before. A process of its own has little else in
// its heap, so that a collection takes milliseconds: run with `--expose-gc`.
import { add, checkpoint, compile, f64, grad, graph, mul, planCheckpoints, reference, scan, sin, sum, tap } from "../../dist/index.js";

/** @typedef {import("../../dist/index.js").Value} Value */
/** @typedef {(v: Value) => Value} Watch */

const length = 20_000;
const depth = 6;

/** Bytes that arrays hold once nothing more is freed: their memory goes back some time after the collection that finds them dead. */
function arrayBytes() {
  let held = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 8; tries++) {
    /** @type {() => void} */ (globalThis.gc)();
    const now = process.memoryUsage().arrayBuffers;
    if (now === held) break;
    held = now;
  }
  return held;
}

/**
 * Looks when the value or gradient of a layer passes by.
 * @param {(watch: Watch) => (x: Value) => Value} net
 */
async function heldBy(net) {
  let most = 0;
  let watching = false;
  const look = () => {
    // What is held now with all that nobody needs any more is no more than before: no need to collect it.
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

/** Ten ops, each of which keeps something for the way back. @type {(watch: Watch) => Watch} */
const layer = (watch) => (h) => {
  let v = h;
  for (let i = 0; i < 5; i++) v = sin(mul(v, add(v, 1)));
  return watch(v);
};

/** @type {(part: Watch) => (x: Value) => Value} */
const chain = (part) => (x) => {
  let h = x;
  for (let i = 0; i < depth; i++) h = part(h);
  return sum(h);
};

/** @param {number} budget @returns {(watch: Watch) => (x: Value) => Value} */
const planned = (budget) => (watch) => {
  const plan = planCheckpoints(
    graph({ x: f64(length) }, ({ x }) => chain(layer(watch))(x)),
    { budget },
  );
  return (x) => plan.graph({ x });
};

/** @param {number} steps @param {number} checkpointEvery @returns {(watch: Watch) => (x: Value) => Value} */
const loop = (steps, checkpointEvery) => (watch) => (x) =>
  sum(scan((c) => ({ carry: layer(watch)(c) }), x, null, { length: steps, checkpointEvery }).carry);

console.log(
  JSON.stringify({
    plain: await heldBy((watch) => chain(layer(watch))),
    saved: await heldBy((watch) => chain((h) => checkpoint(layer(watch))(h))),
    all: await heldBy(planned(1e9)),
    half: await heldBy(planned(40 * 8 * length)),
    stepwise: await heldBy(loop(16, 1)),
    stretched: await heldBy(loop(16, 4)),
  }),
);
