// A small training on ranks, and what becomes of it: options in the environment. Prints losses, a digest of the weights, or what a rank was told.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dataset, loader } from "../../../dist/data.js";
import { add, f32, i32, matmul, mul, relu, softmaxCrossEntropy, tensor } from "../../../dist/index.js";
import { mpi } from "../../../dist/mpi.js";
import { adam, sgd } from "../../../dist/optim.js";
import { train } from "../../../dist/train.js";
import { wasm } from "../../../dist/wasm.js";

const {
  OPTIMIZER = "adam",
  STEPS = "100",
  BATCH = "24",
  ROWS = "300",
  FAULT = "",
  FILE,
  RESUME,
  BUCKET,
  CHECK,
  SHARD,
  HIDDEN = "16",
  SLOW = "0",
  OUT,
} = process.env;
const ranks = process.env.ALONE === undefined ? mpi() : null;
const rank = ranks?.rank ?? 0;
const rows = Number(ROWS);
let state = 12345;
const draw = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 0x40000000 - 1;
};
const hidden = FAULT === "model" && rank === 1 ? 17 : Number(HIDDEN);
const y = Int32Array.from({ length: rows }, (_, i) => i % 3);
const x = Float32Array.from({ length: rows * 8 }, (_, i) => draw() + (i % 8 === y[Math.floor(i / 8)] ? 1 : 0));
const normal = (...shape) =>
  tensor(
    Float32Array.from({ length: shape[0] * shape[1] }, () => draw() / 2),
    f32(...shape),
  );
const params = {
  a: { w: normal(8, hidden), b: tensor(new Float32Array(hidden)) },
  b: { w: normal(hidden, 3), b: tensor(new Float32Array(3)) },
};
if (FAULT === "data" && rank === 1) x.fill(1);
// A rank that reckons wrongly, from data that is everyone's.
const scale = FAULT === "nan" && rank === 1 ? 3e38 : 1;
const data = loader(dataset({ x: tensor(x, f32(rows, 8)), y: tensor(y, i32(rows)) }), { batch: Number(BATCH), shuffle: 7 });
const losses = [];
const said = {
  ...(ranks !== null && {
    distributed: {
      ranks,
      ...(BUCKET && { bucket: Number(BUCKET) }),
      ...(CHECK && { check: Number(CHECK) }),
      ...(SHARD && { shard: true }),
    },
  }),
};
const training = train(
  {
    params,
    loss: (p, batch) =>
      softmaxCrossEntropy(add(matmul(relu(add(matmul(scale === 1 ? batch.x : mul(batch.x, scale), p.a.w), p.a.b)), p.b.w), p.b.b), batch.y),
  },
  {
    data,
    optimizer: OPTIMIZER === "adam" ? adam({ rate: 0.01 }) : sgd({ rate: 0.1, momentum: 0.9, clipNorm: 1 }),
    engine: wasm(),
    epochs: 100_000,
    steps: Number(STEPS),
    health: false,
    ...said,
    ...(FILE && { checkpoint: { file: FILE, every: 5, resume: RESUME !== undefined } }),
  },
);
let steps = 0;
if (rank === 0) console.log(`process ${process.pid} begins`);
for await (const { step, loss } of training) {
  losses.push(loss);
  steps = step;
  if (step === 10) {
    if (rank === 0) console.log("ten steps");
    if (rank === 1 && FAULT === "kill") process.kill(process.pid, "SIGKILL");
    if (rank === 1 && FAULT === "stop") process.kill(process.pid, "SIGSTOP");
    if (rank === 0 && FAULT === "kill first") process.kill(process.pid, "SIGKILL");
    if (rank === 0 && FAULT === "guard") execFileSync("pkill", ["-KILL", "-P", String(process.pid)]);
    if (rank === 1 && FAULT === "throw") throw new Error("out of luck");
    if (rank === 1 && FAULT === "exit") process.exit(3);
  }
  if (SLOW !== "0") await new Promise((resolve) => setTimeout(resolve, Number(SLOW)));
}
const { params: last } = await training.read();
const hash = createHash("sha256");
const weights = [last.a.w, last.a.b, last.b.w, last.b.b].flatMap((t) => [...t.data]);
for (const t of [last.a.w, last.a.b, last.b.w, last.b.b]) hash.update(t.data);
writeFileSync(`${OUT}/${rank}.json`, JSON.stringify({ rank, steps, digest: hash.digest("hex"), ...(rank === 0 && { losses, weights }) }));
