// A training on ranks of which most have no row, from a source that is cut; prints what the report says as rank 0 has it.
import { dataset, loader, mapBatches } from "../../../dist/data.js";
import { f32, matmul, mean, square, sub, tensor } from "../../../dist/index.js";
import { mpi } from "../../../dist/mpi.js";
import { sgd } from "../../../dist/optim.js";
import { train } from "../../../dist/train.js";
import { wasm } from "../../../dist/wasm.js";

const ranks = process.env.ALONE === undefined ? mpi() : null;
const rows = dataset({ x: tensor(Float32Array.of(1, 2, 3), f32(3, 1)), y: tensor(Float32Array.of(2, 4, 6), f32(3, 1)) });
const { params } = await train(
  { params: { w: tensor([[0]], "f32") }, loss: ({ w }, { x, y }) => mean(square(sub(matmul(x, w), y))) },
  {
    data: mapBatches(loader(rows, { batch: 2 }), (batch) => batch),
    optimizer: sgd({ rate: 0.05 }),
    engine: wasm(),
    epochs: 5,
    health: false,
    ...(ranks !== null && { distributed: { ranks, shard: true } }),
  },
).finish();
if (ranks === null || ranks.rank === 0) console.log(JSON.stringify({ size: ranks?.size ?? 1, w: params.w.data[0] }));
