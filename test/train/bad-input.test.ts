import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import {
  add,
  clip,
  div,
  f32,
  firstBad,
  log,
  matmul,
  mean,
  mul,
  oneHot,
  reference,
  reshape,
  softmaxCrossEntropy,
  sqrt,
  sub,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.ts";
import { embedding } from "../../src/nn/embedding.ts";
import { sgd } from "../../src/optim/sgd.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { train } from "../../src/train/train.ts";
import { wasm } from "../../src/wasm.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "train-"));
afterAll(() => rmSync(folder, { recursive: true }));

const params = twoLayers();
const model = { params, loss: lossOf };
type Batch = { readonly x: Tensor; readonly y: Tensor };
type Options = TrainOptions<Batch, "sync", never>;
const options = (given: Partial<Options> = {}): Options => ({
  data: loader(clouds(12), { batch: 4 }),
  optimizer: sgd({ rate: 0.1 }),
  engine: reference(),
  epochs: 1,
  health: false,
  ...given,
});
const run = (given: Partial<Options>) => train(model, options(given)).finish();

describe("train refuses, before anything is done,", () => {
  test.each<[string, Partial<Options>, string]>([
    ["epochs that are no number of epochs", { epochs: 0 }, "train: epochs is 0; it is a whole number, 1 or more"],
    ["a text for a number", { epochs: "2" as never }, 'train: epochs is "2"; it is a whole number, 1 or more'],
    ["no epochs at all", { epochs: undefined as never }, "train: epochs is undefined; it is a whole number, 1 or more"],
    ["half a step", { steps: 1.5 }, "train: steps is 1.5"],
    ["accumulating nothing", { accumulate: 0 }, "train: accumulate is 0"],
    ["no patience", { patience: Number.NaN }, "train: patience is NaN"],
    ["checkpoints every no step", { checkpoint: { file: "x", every: 0 } }, "train: checkpoint.every is 0"],
    ["a checkpoint without a file", { checkpoint: { file: "" } }, "train: checkpoint.file is the path of the file to write"],
    ["to keep something else", { keep: "first" as "last" }, 'train: keep is first; it is "last" or "best"'],
    ["a monitor without direction", { monitor: { metric: "loss", better: "max" as "lower" } }, "train: monitor.better is max"],
    [
      "a monitor of a validation that is not there",
      { monitor: { metric: "accuracy", better: "higher" } },
      "train: the monitor looks at accuracy, a number of the validation, and there is none",
    ],
    ["data without rows", { data: loader(clouds(12).split(0)[0], { batch: 4 }) }, "train: data is empty: it has no rows"],
    [
      "a batch larger than the data",
      { data: loader(clouds(12), { batch: 13 }) },
      "train: data has 12 rows and a batch is 13; a batch larger than the data",
    ],
    [
      "batches that are never full",
      { data: loader(clouds(12), { batch: 13, last: "drop" }) },
      "train: data has 12 rows, which fill no batch of 13",
    ],
  ])("%s", (_, given, message) => {
    expect(() => train(model, options(given))).toThrow(message);
  });

  test("a model without parameters, and rates that cannot train", async () => {
    expect(() => train({ params: {}, loss: lossOf as never }, options() as never)).toThrow("train: the model has no parameters");
    for (const rate of [0, -1, Number.NaN])
      await expect((async () => run({ optimizer: sgd({ rate }) }))()).rejects.toThrow(`rate is ${rate}`);
  });

  test("parameters that are no tensors", async () => {
    const w = add(1, 1);
    const training = train({ params: { w }, loss: (p, { x }) => mean(mul(p.w, x)) }, options());
    await expect(training.finish()).rejects.toThrow("train: params.w is a Value; parameters are tensors: write evaluate(...) around them");
  });
});

describe("train refuses while it runs", () => {
  test("what is no loss", async () => {
    const loss = (f: (x: Value) => unknown) => train({ params, loss: (_, { x }) => f(x) as Value }, options()).finish();
    await expect(loss((x) => x)).rejects.toThrow("train: the loss is f32[4,4]; it is one floating-point number");
    await expect(loss((x) => ({ cost: x }))).rejects.toThrow("train: the loss function returned no loss");
  });

  test("NaN in the data, by row and column", async () => {
    const { x, y } = clouds(12).all();
    const bad = x.data.slice();
    bad[9 * 4 + 2] = Number.NaN;
    const data = (shuffle?: number) =>
      loader(dataset({ x: tensor(bad, f32(12, 4)), y }), shuffle === undefined ? { batch: 5 } : { batch: 5, shuffle });
    await expect(run({ data: data() })).rejects.toThrow("train: data: x (f32[5,4] a batch) is NaN in row 9, column 2; leave such rows out");
    await expect(run({ data: data(3) })).rejects.toThrow("is NaN in row 9, column 2");
    await expect(run({ data: loader(clouds(12), { batch: 4 }), validate: data() })).rejects.toThrow("train: validate: x");
    await expect(run({ data: data(), unchecked: true })).rejects.toThrow("train: step 2, epoch 1: the loss is NaN");
    const pictures = dataset({ x: tensor(bad.slice(), f32(12, 2, 2)), y });
    await expect(
      train(
        { params: { w: tensor(1) }, loss: (p: { w: Value }) => p.w },
        options({ data: loader(pictures, { batch: 4 }) }) as never,
      ).finish(),
    ).rejects.toThrow("row 9, column [1,0]");
  });

  test("labels out of range, by row", async () => {
    const { x, y } = clouds(12).all();
    const labels = y.data.slice();
    labels[10] = 3;
    const data = loader(dataset({ x, y: tensor(labels as Int32Array) }), { batch: 4, shuffle: 1 });
    for (const engine of [reference(), wasm()])
      await expect(run({ data, engine })).rejects.toThrow(
        /^train: step \d, epoch 1: softmaxCrossEntropy: y is 3 in row 10 of data and there are 3 classes; labels are 0\.\.2, or -1 to be ignored$/,
      );
  });

  test("labels and ids of many places a row, as the loss takes them: brought to one axis, or by column; what was computed has no row", async () => {
    const ids = tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 7], { kind: "type", dtype: "i32", shape: [4, 3] });
    const x = tensor(new Float32Array(12).fill(0.5), f32(4, 3));
    const told = async (loss: (p: { w: Value }, b: { ids: Value; x: Value }) => Value): Promise<string> => {
      const data = loader(dataset({ ids, x }), { batch: 2 });
      const run = train(
        { params: { w: tensor(new Float32Array(9), f32(3, 3)) }, loss },
        { data, optimizer: sgd({ rate: 0.1 }), engine: reference(), epochs: 1, health: false },
      );
      return run.finish().then(
        () => "nothing",
        (error: Error) => error.message,
      );
    };
    const classes = "there are 3 classes; labels are 0..2, or -1 to be ignored";
    const rows = (p: { w: Value }, b: { ids: Value }) => matmul(oneHot(clip(b.ids, { min: 0, max: 2 }), { depth: 3 }), p.w);
    expect(await told((p, b) => softmaxCrossEntropy(rows(p, b), b.ids))).toBe(
      `train: step 2, epoch 1: softmaxCrossEntropy: ids is 7 in row 3, column 2 of data and ${classes}`,
    );
    const flat = (v: Value) => reshape(v, { shape: [6] });
    expect(await told((p, b) => softmaxCrossEntropy(reshape(rows(p, b), { shape: [6, 3] }), flat(b.ids)))).toBe(
      `train: step 2, epoch 1: softmaxCrossEntropy: ids is 7 in row 3, column 2 of data and ${classes}`,
    );
    expect(await told((p, b) => mean(embedding({ table: p.w }, b.ids)))).toBe(
      "train: step 2, epoch 1: embedding: ids is 7 in row 3, column 2 of data and the table has 3 rows; ids are 0..2",
    );
    expect(await told((p, b) => softmaxCrossEntropy(rows(p, b), add(b.ids, 1)))).toBe(
      `softmaxCrossEntropy: labels[0,2] is 3 and ${classes}`,
    );
  });

  test("ragged, empty and shapeless batches", async () => {
    const source = (batch: object): Batches<Batch> => ({ batch: 4, length: null, order: {}, pass: () => [batch as Batch] });
    const { x, y } = clouds(4).all();
    await expect(run({ data: source({ x, y: tensor([1, 2, 0], "i32") }) })).rejects.toThrow(
      "train: batch 0 of data is ragged: x has 4 rows and y is i32[3]",
    );
    await expect(run({ data: source({ x: tensor([], f32(0, 4)) }) })).rejects.toThrow("train: batch 0 of data has 0 rows");
    await expect(run({ data: source({ x: tensor(1) }) })).rejects.toThrow("train: batch 0 of data has no tensor with rows");
    await expect(run({ data: source({ x: 4, y }) })).rejects.toThrow(
      "train: batch 0 of data: x is no tensor; a batch is a tree of tensors",
    );
    await expect(run({ data: { ...source({ x, y }), pass: () => [] } })).rejects.toThrow(
      "train: data gave no batch in pass 0; it is empty",
    );
  });

  test("a monitor of a number that is not there", async () => {
    const validate = loader(clouds(6), { batch: 6 });
    await expect(run({ validate, monitor: { metric: "acuracy", better: "higher" } })).rejects.toThrow(
      "train: the monitor looks at acuracy, and the validation has loss, accuracy",
    );
  });

  test("to replay or save what is not there", async () => {
    const training = train(model, options());
    await expect(training.replay()).rejects.toThrow("replay: no step was made yet");
    await expect(training.save()).rejects.toThrow("save: no file is named");
  });
});

describe("a loss or gradient that is not finite", () => {
  const data = loader(dataset({ x: tensor([[1], [2], [0], [4]], "f32"), y: tensor([0, 0, 0, 0], "i32") }), { batch: 1 });
  const w = tensor([2], "f32");

  test.each(["reference", "wasm"])("is named with step and epoch, changes nothing, and is replayed, on %s", async (name) => {
    const training = train(
      { params: { w }, loss: (p, { x }) => mean(log(mul(p.w, x))) },
      { data, optimizer: sgd({ rate: 0.1 }), engine: name === "wasm" ? wasm() : reference(), epochs: 2 },
    );
    let before: unknown;
    const going = (async () => {
      for await (const { step } of training) if (step === 2) before = (await training.read()).params;
    })();
    await expect(going).rejects.toThrow(
      "train: step 3, epoch 1: the loss is -Infinity; the parameters are as they were before the step. Replay it: firstBad(await training.replay())",
    );
    expect((await training.read()).params).toEqual(before);
    expect(firstBad(await training.replay())?.text()).toContain("log");
    await expect(training.finish()).rejects.toThrow("train: step 3, epoch 1");
  });

  test("a gradient alone is enough", async () => {
    const training = train(
      { params: { w }, loss: (p, { x }) => mean(sqrt(mul(sub(p.w, 2), x))) },
      { data, optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 2 },
    );
    await expect(training.finish()).rejects.toThrow(/step 1, epoch 1: the norm of the gradient is (Infinity|NaN)/);
    expect((await training.read()).params.w.data[0]).toBe(2);
  });

  test("with accumulation too", async () => {
    const training = train(
      { params: { w }, loss: (p, { x }) => mean(div(p.w, x)) },
      { data, optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 1, accumulate: 2 },
    );
    await expect(training.finish()).rejects.toThrow("train: step 2, epoch 1: the loss is Infinity");
  });
});
