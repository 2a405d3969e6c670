// One rank of the bench: `node ranks.js allreduce ROUNDS SIZE...`, `node ranks.js step MODEL THREADS BUCKET STEPS` or `node ranks.js plan MODEL SHARD`; rank 0 prints JSON. With
// CHAINRULE_ALONE no MPI is asked for.
import { loader } from "../../dist/data.js";
import { mpi } from "../../dist/mpi.js";
import { measureStep, train } from "../../dist/train.js";
import { wasm } from "../../dist/wasm.js";
import { models } from "./models.js";

const [what, ...args] = process.argv.slice(2);
const ranks = process.env.CHAINRULE_ALONE === undefined ? mpi() : null;
/** @param {number[]} xs */
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];

/** Microseconds of a sum, as many of them in a row as the program in C makes. @param {number} rounds @param {number[]} sizes */
async function allreduce(rounds, sizes) {
  const engine = wasm({ threads: 2 });
  /** @type {Record<string, number>} */
  const found = {};
  for (const n of sizes) {
    const x = engine.tensor({ kind: "type", dtype: "f32", shape: [n] });
    const inner = Math.max(1, Math.min(64, Math.floor(2 ** 20 / n)));
    const times = [];
    for (let round = -5; round < rounds; round++) {
      await ranks.barrier();
      const from = performance.now();
      for (let i = 0; i < inner; i++) await ranks.startAllReduce(x).wait();
      if (round >= 0) times.push(((performance.now() - from) * 1000) / inner);
    }
    found[n] = median(times);
  }
  return found;
}

/** Milliseconds of a step, and what its messages took. @param {string} name @param {number} threads @param {number} bucket @param {number} steps */
async function step(name, threads, bucket, steps) {
  const { batch, data, params, loss, optimizer } = models[name]();
  const options = { data: loader(data, { batch }), optimizer, engine: wasm({ threads }), epochs: 1e6, steps, health: false };
  const training = train({ params, loss }, { ...options, ...(ranks !== null && { distributed: { ranks, bucket } }) });
  const times = [];
  let last = performance.now();
  for await (const { step: at } of training) {
    const now = performance.now();
    if (at > 6) times.push(now - last);
    last = now;
  }
  const { report } = await training.finish();
  return { ms: median(times), ...report.communication };
}

/** A step measured for a plan. @param {string} name @param {boolean} shard */
function plan(name, shard) {
  const { batch, data, params, loss, optimizer } = models[name]();
  return measureStep({ params, loss }, { data: loader(data, { batch }), optimizer, engine: wasm(), shard }, 1);
}

const found =
  what === "allreduce"
    ? await allreduce(Number(args[0]), args.slice(1).map(Number))
    : what === "plan"
      ? await plan(args[0], args[1] === "true")
      : await step(args[0], Number(args[1]), Number(args[2]), Number(args[3]));
if (ranks === null || ranks.rank === 0) console.log(JSON.stringify(found));
