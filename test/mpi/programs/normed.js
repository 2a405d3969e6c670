// A small training with batch norm over the rows of all ranks, or of each, and what becomes of weights and running statistics. Options in the environment.
import { writeFileSync } from "node:fs";
import { dataset, loader } from "../../../dist/data.js";
import { i32, leaves, random, relu, softmaxCrossEntropy, tensor } from "../../../dist/index.js";
import { mpi } from "../../../dist/mpi.js";
import { layer, sequential } from "../../../dist/nn.js";
import { adam, sgd } from "../../../dist/optim.js";
import { train } from "../../../dist/train.js";
import { wasm } from "../../../dist/wasm.js";

const { OPTIMIZER = "sgd", SYNC, SHARD, ACCUMULATE = "1", TOLD = "1", STEPS = "100", BATCH = "12", DTYPE = "f32", OUT } = process.env;
const ranks = process.env.ALONE === undefined ? mpi() : null;
const rows = 42;
const dtype = DTYPE;
let state = 99;
const draw = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 0x40000000 - 1;
};
const y = Int32Array.from({ length: rows }, (_, i) => i % 3);
const x = Float32Array.from({ length: rows * 8 }, (_, i) => 5 + draw() + (i % 8 === y[Math.floor(i / 8)] ? 2 : 0));
// Without biases, whose gradient before a batch norm is nothing but rounding, of which Adam would make whole steps.
const net = sequential({
  fc1: layer.linear(8, 16, { dtype, bias: false }),
  norm1: layer.batchNorm(16, { dtype }),
  relu,
  fc2: layer.linear(16, 16, { dtype, bias: false }),
  norm2: layer.batchNorm(16, { dtype }),
  last: layer.linear(16, 3, { dtype }),
});
const born = net.init(random.key(5));
const training = train(
  {
    ...born,
    loss: (p, batch, { train: trains, stats, across }) => {
      const { out, stats: next } = net.apply(p, batch.x, { train: trains, stats, ...(TOLD === "1" && { across }) });
      return { loss: softmaxCrossEntropy(out, batch.y), stats: next };
    },
  },
  {
    data: loader(
      dataset({
        x: tensor(DTYPE === "f64" ? Float64Array.from(x) : x, { kind: "type", dtype, shape: [rows, 8] }),
        y: tensor(y, i32(rows)),
      }),
      { batch: Number(BATCH), shuffle: 3 },
    ),
    optimizer: OPTIMIZER === "adam" ? adam({ rate: 0.003 }) : sgd({ rate: 0.05, momentum: 0.9, clipNorm: 1 }),
    engine: wasm(),
    epochs: 100_000,
    steps: Number(STEPS),
    accumulate: Number(ACCUMULATE),
    health: false,
    ...(ranks !== null && {
      distributed: { ranks, bucket: 600, check: 20, ...(SYNC && { syncBatchNorm: true }), ...(SHARD && { shard: true }) },
    }),
  },
);
const losses = [];
for await (const { loss } of training) losses.push(loss);
const { params, stats } = await training.read();
const numbers = (tree) => leaves(tree).flatMap(({ leaf }) => [...leaf.data]);
writeFileSync(`${OUT}/${ranks?.rank ?? 0}.json`, JSON.stringify({ losses, weights: numbers(params), stats: numbers(stats) }));
