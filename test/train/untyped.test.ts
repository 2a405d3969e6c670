import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { type ChainruleError, cast, greater, mean, mul, reference, sum, tensor } from "../../src/index.ts";
import * as layer from "../../src/nn/layer.ts";
import { sequential } from "../../src/nn/stack.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { jsonLog } from "../../src/train/log.ts";
import { progress } from "../../src/train/progress.ts";
import { train } from "../../src/train/train.ts";
import { wasm } from "../../src/wasm.ts";

/** As in JavaScript: nothing is known of anything. */
// biome-ignore lint/suspicious/noExplicitAny: what has no types is what is tested
type Any = any;
const untyped = train as unknown as (...given: unknown[]) => { finish(): Promise<{ report: { steps: number } }> };

const rows = dataset({ x: tensor([[1], [2], [3], [4]], "f32"), y: tensor([1, 2, 3, 4], "f32") });
const loss = (p: Any, b: Any): Any => mean(mul(p.w, b.x));
const model = (more: object = {}): object => ({ params: { w: tensor([2], "f32") }, loss, ...more });
const options = (more: object = {}): object => ({
  data: loader(rows, { batch: 2 }),
  optimizer: sgd({ rate: 0.1 }),
  engine: reference(),
  epochs: 1,
  health: false,
  ...more,
});

/** What is thrown, by the call or by the run: an error of ours, and never one that JavaScript makes by itself. */
async function refused(...given: unknown[]): Promise<string> {
  try {
    await untyped(...given).finish();
  } catch (error) {
    expect((error as ChainruleError).code, String(error)).toBeTypeOf("string");
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

test("what these tests begin with trains", async () => {
  expect((await untyped(model(), options()).finish()).report.steps).toBe(2);
});

test("train refuses what is no model, or no options", async () => {
  expect(await refused()).toBe("train: the model is missing; it is parameters and a loss of them: train({ params, loss }, options)");
  expect(await refused(loss, options())).toContain("train: the model is a function; it is parameters and a loss of them");
  expect(await refused(model())).toBe(
    "train: the options are missing; they are one record: train({ params, loss }, { data, optimizer, epochs })",
  );
  expect(await refused(sequential({ a: layer.linear(1, 1) }), options())).toBe(
    "train: the model has no params; they are a tree of tensors: train({ params, loss }, options)",
  );
  expect(await refused(model({ loss: undefined }), options())).toContain(
    "train: the model's loss is missing; it is a function, of parameters and a batch: ",
  );
  expect(await refused(model({ bind: 3 }), options())).toBe("train: the model's bind is 3; it is a function, of a batch");
  expect(await refused(model({ bind: () => ({ a: [1] }) }), options())).toBe(
    "train: the model's bind gave a as a list; it gives a record of tensors",
  );
  expect(await refused(model({ counts: 3 }), options())).toBe("train: the model's counts is 3; it is a function, of a batch");
  for (const [given, told] of [
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [undefined, "nothing"],
    ["3", '"3"'],
  ] as const)
    expect(await refused(model({ counts: () => given }), options())).toBe(
      `train: the model's counts gave ${told}; it gives what the loss of the batch is a mean over, a number from 0`,
    );
  expect(await refused(model({ params: { fc: { w: undefined } } }), options())).toContain(
    "train: in the model: params.fc.w is undefined; trees are records",
  );
  expect(await refused(model({ params: { fc: layer.linear(1, 1) } }), options())).toContain(
    "train: in the model: params.fc.init is function; trees are",
  );
  expect(await refused(model({ stats: "none" }), options())).toContain("train: in the model: stats is string; trees are");
});

describe("train refuses options of another kind:", () => {
  const batches = "it gives batches: loader(dataset({ x, y }), { batch: 64 })";
  const made = "an optimiser is what a call makes: sgd({ rate: 0.1 })";
  test.each<[string, object, string]>([
    ["no data", { data: undefined }, `train: the option data is missing; ${batches}`],
    ["columns for data", { data: { x: tensor([1]) } }, `train: the option data is a record; ${batches}`],
    ["a function for data", { data: loader }, `train: the option data is a function; ${batches}`],
    ["a promise of data", { data: Promise.resolve() }, `train: the option data is a Promise; ${batches}`],
    [
      "a data set for data",
      { data: rows },
      "train: data is a data set, which no one has cut into batches; write loader(data, { batch: 64 })",
    ],
    [
      "a data set to validate with",
      { validate: rows },
      "train: validate is a data set, which no one has cut into batches; write loader(validate,",
    ],
    ["no optimiser", { optimizer: undefined }, `train: the option optimizer is missing; ${made}`],
    ["an optimiser that was not made", { optimizer: sgd }, `train: the option optimizer is a function; ${made}`],
    ["an optimiser by its name", { optimizer: "adam" }, `train: the option optimizer is "adam"; ${made}`],
    ["an engine that was not made", { engine: wasm }, "train: the option engine is a function; an engine is what a call makes: wasm()"],
    [
      "a function for callbacks",
      { callbacks: () => 0 },
      "train: the option callbacks is a function; it is a list of them: [progress({ write, terminal })]",
    ],
    [
      "a function among callbacks",
      { callbacks: [progress] },
      "train: the option callbacks[0] is a function; a callback is what a call makes, or a record of functions: progress({",
    ],
    [
      "callbacks that are never called",
      { callbacks: [{ onStep() {} }] },
      "train: the option callbacks[0] is a record; a callback is a record of functions called start, step, saved, finish, fail, or some of them",
    ],
    ["a callback that is no function", { callbacks: [{ step: 3 }] }, "train: the option callbacks[0].step is 3; it is a function"],
    ["a derivation that is none", { derive: 3 }, "train: the option derive is 3; it makes numbers of others: ({ loss }) => "],
    ["derived texts", { derive: () => ({ a: "b" }) }, 'train: derive gave a as "b"; it gives a record of numbers, as { perplexity'],
    ["nothing derived", { derive: () => undefined }, "train: derive gave nothing; it gives a record of numbers"],
    ["a controller for its signal", { signal: new AbortController() }, "train: the option signal is a record; it is an AbortSignal: "],
    ["health that is neither", { health: "yes" }, 'train: the option health is "yes"; it is true or false'],
    ["a monitor by its name", { monitor: "loss" }, 'train: monitor is "loss"; it names a number and which way is better: { metric'],
    ["a monitor of nothing", { monitor: { better: "lower" } }, "train: monitor.metric is missing; it names a number"],
    ["a checkpoint by its path", { checkpoint: "a.ckpt" }, 'train: checkpoint is "a.ckpt"; it is a record: { file: "run.ckpt", every'],
    ["a checkpoint's other words", { checkpoint: { path: "a.ckpt" } }, "checkpoint: there is no option path; write file"],
    ["a best moment without a path", { checkpoint: { file: "a", best: 3 } }, "train: checkpoint.best is the path of the file to write"],
    [
      "one file for both",
      { checkpoint: { file: "a", best: "a" } },
      "train: checkpoint.best and checkpoint.file are both a; the best moment",
    ],
    [
      "a resumption that is neither",
      { checkpoint: { file: "a", resume: "yes" } },
      'train: checkpoint.resume is "yes"; it is true or false',
    ],
    ["a note no file can hold", { checkpoint: { file: "a", note: 3n } }, "train: checkpoint.note cannot be written as JSON: "],
    [
      "ranks that are none",
      { distributed: true },
      "train: distributed is true; it is the ranks, mpi(), or a record with them: { ranks: mpi() }",
    ],
    ["a misspelt option", { epoch: 3 }, "train: there is no option epoch; write epochs"],
    ["what other libraries call it", { validation: 3 }, "train: there is no option validation; write validate"],
    ["what belongs to the loader", { batch_size: 3 }, "train: there is no option batch_size; write data: loader(dataset, { batch })"],
    ["an option of nobody", { zzzz: 3 }, "train: there is no option zzzz; there are data, validate, optimizer"],
  ])("%s", async (_, given, message) => {
    expect(await refused(model(), options(given))).toContain(message);
  });
});

describe("train refuses what a loss function returns:", () => {
  const none = "train: the loss function returned no loss but ";
  test.each<[string, (p: Any, b: Any) => unknown, string]>([
    ["a number", () => 3, `${none}3; return a scalar Value, or a record with one called loss; it is computed by ops from the parameters`],
    ["nothing", () => undefined, `${none}nothing; return a scalar Value`],
    [
      "a promise",
      async (p, b) => loss(p, b),
      `${none}a Promise; return a scalar Value, or a record with one called loss; a loss is built at once`,
    ],
    ["a tensor", () => tensor(3), `${none}a tensor of f64[]; return`],
    ["a list", (p, b) => [loss(p, b)], `${none}a list; return`],
    ["another name", (p, b) => ({ cost: loss(p, b) }), `${none}a record without one; return`],
    ["a record of a number", () => ({ loss: 3 }), `${none}a record in which loss is 3; return`],
    [
      "the parameters outside",
      (_, b) => loss({ w: tensor([2], "f32") }, b),
      "train: the loss depends on no parameter, so nothing would be learnt",
    ],
    ["only a comparison of them", (p) => sum(cast(greater(p.w, 0), "f64")), "train: the loss depends on no parameter"],
    ["JavaScript's +", (p, b) => loss(p, b) + 1, " is no number; write mul(x, y)"],
    [
      "a text beside it",
      (p, b) => ({ loss: loss(p, b), acc: "x" }),
      'train: beside the loss acc is "x"; what comes out with every step is',
    ],
    ["nothing beside it", (p, b) => ({ loss: loss(p, b), acc: undefined }), "train: beside the loss acc is missing; what comes out"],
    ["things beside it", (p, b) => ({ loss: loss(p, b), acc: { a: "x" } }), "train: beside the loss acc is a record of other things; what"],
  ])("%s", async (_, f, message) => {
    expect(await refused(model({ loss: f }), options())).toContain(message);
  });

  test("a column, or a parameter, that is not there, with those that are", async () => {
    const names = "the batch has x, y, the parameters are w, and any other name is undefined";
    expect(await refused(model({ loss: (p: Any, b: Any) => mean(mul(p.w, b.labels)) }), options())).toBe(
      `train: in the loss function: mul: y is missing; operands are Values, Tensors, typed arrays and numbers; ${names}`,
    );
    expect(await refused(model({ loss: (p: Any, b: Any) => mean(mul(p.v, b.x)) }), options())).toContain(`; ${names}`);
  });

  test("no statistics, where the model has some: they would never move", async () => {
    const stats = { m: tensor([0], "f32") };
    expect(await refused(model({ stats }), options())).toContain(
      "train: the model has stats and the loss function returned none, so they would stay as they are; return { loss, stats }",
    );
    const given = (p: Any, b: Any, c: Any): object => (c.train ? { loss: loss(p, b), stats: c.stats } : loss(p, b));
    expect((await untyped(model({ stats, loss: given }), options({ validate: loader(rows, { batch: 2 }) })).finish()).report.steps).toBe(2);
  });

  test("what the function itself throws stays as it is", async () => {
    const own = new Error("mine");
    const throwing = (): never => {
      throw own;
    };
    await expect(untyped(model({ loss: throwing }), options()).finish()).rejects.toBe(own);
  });
});

describe("a validation with other columns", () => {
  const renamed = dataset({ input: tensor([[1], [2]], "f32"), y: tensor([1, 2], "f32") });
  const message =
    "train: validate has the columns input, y and data has x, y; the loss takes its columns by name from either, so give them the same names";

  test("is told before the first step, where both are in memory", async () => {
    let steps = 0;
    const callbacks = [{ step: () => steps++ }];
    expect(await refused(model(), options({ validate: loader(renamed, { batch: 2 }), callbacks }))).toBe(message);
    expect(steps).toBe(0);
  });

  test("is told at the first checkup else", async () => {
    const { batch, length, order, pass } = loader(renamed, { batch: 2 });
    let steps = 0;
    expect(await refused(model(), options({ validate: { batch, length, order, pass }, callbacks: [{ step: () => steps++ }] }))).toBe(
      message,
    );
    expect(steps).toBe(1);
  });

  test("trains where the loss can do without them", async () => {
    const some = (p: Any, b: Any, c: Any): Any => mean(mul(p.w, c.train ? b.x : b.input));
    expect((await untyped(model({ loss: some }), options({ validate: loader(renamed, { batch: 2 }) })).finish()).report.steps).toBe(2);
  });
});

test("those who tell of a run refuse what they cannot write to", () => {
  const [p, log] = [progress, jsonLog] as unknown as ((x?: unknown) => unknown)[];
  expect(() => p!()).toThrow("progress: the options are missing; they are one record: progress({ write: (text) => ");
  expect(() => p!({ terminal: true })).toThrow("progress: options.write is missing; it is a function that takes a text: progress({");
  expect(() => p!({ write: () => 0, colums: 3 })).toThrow("progress: there is no option colums; write columns");
  expect(() => log!()).toThrow("jsonLog: file is missing; it is the path of the log to write");
});
