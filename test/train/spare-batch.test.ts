import { expect, test } from "vitest";
import { loader } from "../../src/data/loader.ts";
import { type Tensor, type TensorType, tensor } from "../../src/index.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { SpareBatch } from "../../src/train/spare-batch.ts";
import { type TrainOptions, train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

/** The compiling engine, counting how often it is asked for memory of the type of x. */
function counting(): { engine: ReturnType<typeof wasm>; made: () => number } {
  const inner = wasm();
  let made = 0;
  const count = (type: TensorType): Tensor => {
    if (type.shape.join() === "8,4") made++;
    return inner.tensor!(type);
  };
  return { engine: { ...inner, tensor: count }, made: () => made };
}

const run = (engine: ReturnType<typeof wasm>, rows: number) =>
  train({ params: twoLayers(), loss: lossOf }, {
    data: loader(clouds(rows), { batch: 8, shuffle: 1 }),
    optimizer: sgd({ rate: 0.1 }),
    engine,
    epochs: 9,
    health: false,
  } as TrainOptions<ReturnType<ReturnType<typeof clouds>["all"]>, "sync", never>).finish();

test("batches are read into two of the engine's, however many epochs there are and whatever is left at the end of each", async () => {
  for (const rows of [24, 44, 45]) {
    const { engine, made } = counting();
    const { params } = await run(engine, rows);
    expect(made()).toBe(2);
    const plain = wasm();
    Object.assign(plain, { tensor: undefined });
    expect(params).toEqual((await run(plain, rows)).params);
  }
});

test("memory that a batch had no use for is kept, and memory in use is not given again", () => {
  const spare = new SpareBatch(undefined, 2);
  const batch = (n: number): { x: Tensor } => ({ x: tensor(new Float64Array(n)) });
  const fed = (b: object, rows: number) => ({ batch: b, rows, total: rows, pass: 0, index: 0 }) as never;
  const [a, b] = [batch(2), batch(2)];
  expect(spare.take()).toBe(null);
  spare.give(fed(a, 2));
  spare.give(fed(batch(1), 1));
  expect(spare.take()).toBe(a);
  spare.took(fed(batch(1), 1));
  expect(spare.take()).toBe(a);
  spare.took(null);
  spare.give(fed(b, 2));
  const one = spare.take() as { x: Tensor };
  spare.took(fed(one, 2));
  expect([a, b]).toContain(one);
  expect(spare.take()).toBe(one === a ? b : a);
});
