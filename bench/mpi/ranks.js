// One rank of the bench: `node ranks.js allreduce ROUNDS SIZE...` or `node ranks.js step THREADS BUCKET STEPS`; rank 0 prints JSON. With CHAINRULE_ALONE no MPI is asked for.

import { dataset, loader } from "../../dist/data.js";
import { add, f32, i32, matmul, relu, softmaxCrossEntropy, tensor } from "../../dist/index.js";
import { mpi } from "../../dist/mpi.js";
import { sgd } from "../../dist/optim.js";
import { train } from "../../dist/train.js";
import { wasm } from "../../dist/wasm.js";

const [what, ...args] = process.argv.slice(2);
const ranks = process.env.CHAINRULE_ALONE === undefined ? mpi() : null;
/** @param {number[]} xs */
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];

/** @param {number} rounds @param {number[]} sizes */
async function allreduce(rounds, sizes) {
  const engine = wasm({ threads: 2 });
  /** @type {Record<string, number>} */
  const found = {};
  for (const n of sizes) {
    const x = engine.tensor({ kind: "type", dtype: "f32", shape: [n] });
    const times = [];
    for (let round = -5; round < rounds; round++) {
      x.data.fill(1e-3);
      await ranks.barrier();
      const from = performance.now();
      await ranks.startAllReduce(x).wait();
      if (round >= 0) times.push((performance.now() - from) * 1000);
    }
    found[n] = median(times);
  }
  return found;
}

/** An SGD step of an MLP 784-512-512-10 on batches of 256, in milliseconds. @param {number} threads @param {number} bucket @param {number} steps */
async function step(threads, bucket, steps) {
  const sizes = [784, 512, 512, 10];
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x40000000 - 1;
  };
  const layers = sizes.slice(1).map((out, i) => ({
    w: tensor(
      Float32Array.from({ length: sizes[i] * out }, () => draw() / Math.sqrt(sizes[i])),
      f32(sizes[i], out),
    ),
    b: tensor(new Float32Array(out)),
  }));
  const rows = 512;
  const x = tensor(Float32Array.from({ length: rows * 784 }, draw), f32(rows, 784));
  const y = tensor(
    Int32Array.from({ length: rows }, (_, i) => i % 10),
    i32(rows),
  );
  const training = train(
    {
      params: { layers },
      loss: (p, batch) => {
        let h = batch.x;
        for (const [i, { w, b }] of p.layers.entries()) h = i === 0 ? add(matmul(h, w), b) : add(matmul(relu(h), w), b);
        return softmaxCrossEntropy(h, batch.y);
      },
    },
    {
      data: loader(dataset({ x, y }), { batch: 256 }),
      optimizer: sgd({ rate: 0.01 }),
      engine: wasm({ threads }),
      epochs: 1e6,
      steps,
      health: false,
      ...(ranks !== null && { distributed: { ranks, bucket } }),
    },
  );
  const times = [];
  let last = performance.now();
  for await (const { step: at } of training) {
    const now = performance.now();
    if (at > 6) times.push(now - last);
    last = now;
  }
  return median(times);
}

const found =
  what === "allreduce"
    ? await allreduce(Number(args[0]), args.slice(1).map(Number))
    : await step(Number(args[0]), Number(args[1]), Number(args[2]));
if (ranks === null || ranks.rank === 0) console.log(JSON.stringify(found));
