// One rank of the bench: `node ranks.js allreduce LIBRARY ROUNDS (SIZE IN-A-ROW)...`, `node ranks.js step MODEL THREADS BUCKET STEPS` or `node ranks.js plan MODEL SHARD [RANKS BUCKET]`; rank 0 prints JSON. With
// CHAINRULE_ALONE no MPI is asked for.
import { createRequire } from "node:module";
import { loader } from "../../dist/data.js";
import { mpi } from "../../dist/mpi.js";
import { measureStep, train } from "../../dist/train.js";
import { wasm } from "../../dist/wasm.js";
import { models } from "./models.js";

const [what, ...args] = process.argv.slice(2);
const ranks = process.env.CHAINRULE_ALONE === undefined ? mpi() : null;
/** @param {number[]} xs */
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];

/**
 * Microseconds of sums, each way in turn in every round, on the same memory: ours, and the library's from C, once more for what C differs from itself.
 * @param {string} library @param {number} rounds @param {number[]} sizes each with how many of them come in a row
 */
async function allreduce(library, rounds, sizes) {
  const c = createRequire(import.meta.url)("koffi").load(library);
  const meet = c.func("meet", "void", []);
  const [nonblocking, blocking] = ["nonblocking", "blocking"].map((name) => c.func(name, "double", ["void*", "int", "int"]));
  const engine = wasm({ threads: 2 });
  /** @type {Record<string, Record<string, number[]>>} */
  const found = {};
  for (let i = 0; i < sizes.length; i += 2) {
    const [n, inner] = [sizes[i], sizes[i + 1]];
    const x = engine.tensor({ kind: "type", dtype: "f32", shape: [n] });
    /** @type {[string, () => number | Promise<number>][]} */
    const ways = [
      [
        "ours",
        async () => {
          const from = performance.now();
          for (let k = 0; k < inner; k++) await ranks.startAllReduce(x).wait();
          return ((performance.now() - from) * 1000) / inner;
        },
      ],
      ["c", () => nonblocking(x.data, n, inner)],
      ["again", () => nonblocking(x.data, n, inner)],
      ["blocking", () => blocking(x.data, n, inner)],
    ];
    /** @type {Record<string, number[]>} */
    const times = Object.fromEntries(ways.map(([name]) => [name, []]));
    // In another order each round, the same on both ranks: what a way leaves behind in caches falls to each other one.
    let state = 1;
    const chance = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let round = -50; round < rounds; round++) {
      const order = ways.map((way) => ({ way, at: chance() })).sort((a, b) => a.at - b.at);
      for (const {
        way: [name, way],
      } of order) {
        meet();
        const each = await way();
        if (round >= 0) times[name].push(each);
      }
    }
    found[n] = times;
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

/** A step measured for a plan, of one of so many ranks. @param {string} name @param {boolean} shard @param {number} among @param {number | undefined} bucket */
function plan(name, shard, among, bucket) {
  const { batch, data, params, loss, optimizer } = models[name]();
  return measureStep(
    { params, loss },
    { data: loader(data, { batch }), optimizer, engine: wasm(), shard, ...(bucket !== undefined && { bucket }) },
    among,
  );
}

const found =
  what === "allreduce"
    ? await allreduce(args[0], Number(args[1]), args.slice(2).map(Number))
    : what === "plan"
      ? await plan(args[0], args[1] === "true", Number(args[2] ?? 1), args[3] === undefined ? undefined : Number(args[3]))
      : await step(args[0], Number(args[1]), Number(args[2]), Number(args[3]));
if (ranks === null || ranks.rank === 0) console.log(JSON.stringify(found));
