import { describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { loader } from "../../src/data/loader.ts";
import { log, mean, mul, reference, type Tensor, tensor, type Value } from "../../src/index.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { type TrainOptions, train } from "../../src/train.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

type Batch = { readonly x: Tensor; readonly y: Tensor };

/** A source that holds something open, as one that reads a file does, and counts. */
function counted(of: Batches<Batch> = loader(clouds(24), { batch: 8 })): { source: Batches<Batch>; open: () => number; passes: string[] } {
  let open = 0;
  const passes: string[] = [];
  const source: Batches<Batch> = {
    ...of,
    pass: async function* (n, from = 0) {
      open++;
      passes.push(`${n} from ${from}`);
      try {
        yield* of.pass(n, from);
      } finally {
        open--;
      }
    },
  };
  return { source, open: () => open, passes };
}

const begin = (given: object, loss: unknown = lossOf) =>
  train({ params: twoLayers(), loss: loss as typeof lossOf }, {
    optimizer: sgd({ rate: 0.1 }),
    engine: reference(),
    epochs: 2,
    health: false,
    ...given,
  } as TrainOptions<Batch, "sync", never>);

describe("a source of batches is let go", () => {
  test("when the loss function throws before the first step", async () => {
    const { source, open } = counted();
    const training = begin({ data: source }, () => {
      throw new Error("a slip of the pen");
    });
    await expect(training.finish()).rejects.toThrow("a slip of the pen");
    expect(open()).toBe(0);
  });

  test("when somebody leaves the loop, and the next one goes on with the batch that comes next", async () => {
    const { source, open, passes } = counted();
    const training = begin({ data: source });
    for await (const { step } of training) if (step === 2) break;
    expect(open()).toBe(0);
    const { params, report } = await training.finish();
    expect(report.steps).toBe(6);
    expect(passes).toEqual(["0 from 0", "0 from 2", "1 from 0"]);
    expect(params).toEqual((await begin({ data: loader(clouds(24), { batch: 8 }) }).finish()).params);
  });

  test("when the validation fails", async () => {
    const { source, open } = counted(loader(clouds(9), { batch: 3 }));
    const wrong = tensor([0, 1, 7], "i32");
    const validate = { ...source, pass: async function* () { for await (const b of source.pass(0)) yield { ...b, y: wrong }; } }; // biome-ignore format: one line
    await expect(begin({ data: loader(clouds(24), { batch: 8 }), validate }).finish()).rejects.toThrow(
      "y is 7 in row 2 of validate and there are 3 classes; labels are 0..2",
    );
    expect(open()).toBe(0);
  });

  test("when a step fails between updates; what was gathered is forgotten, and its batches come again", async () => {
    const loss = (p: { w: Value }, { x }: { x: Value }) => mean(log(mul(p.w, x)));
    const rows = [1, 2, 3, 4].map((v) => ({ x: tensor([v], "f64") }));
    let bad = true;
    const { source, open, passes } = counted({
      batch: 1,
      length: 4,
      order: {},
      pass: (_: number, from = 0) => rows.slice(from).map((b, i) => (bad && from + i === 3 ? { x: tensor([-1], "f64") } : b)),
    } as unknown as Batches<Batch>);
    const go = (data: unknown) =>
      train({ params: { w: tensor(1, "f64") }, loss: loss as never }, {
        data,
        optimizer: sgd({ rate: 0.1 }),
        engine: reference(),
        epochs: 1,
        accumulate: 2,
        health: false,
      } as never);
    const training = go(source);
    await expect(training.finish()).rejects.toThrow("train: step 2, epoch 1: the loss is NaN");
    expect(open()).toBe(0);
    bad = false;
    const { params } = await training.finish();
    expect(passes).toEqual(["0 from 0", "0 from 2"]);
    expect(params).toEqual((await go(source).finish()).params);
  });
});
