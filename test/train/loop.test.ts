import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import type { Engine } from "../../src/index.ts";
import { leaves, mean, mul, random, reference, relu, softmaxCrossEntropy, square, sub, type Tensor, tensor } from "../../src/index.ts";
import { layer, sequential } from "../../src/nn.ts";
import { adam } from "../../src/optim/adam.ts";
import { plateau } from "../../src/optim/plateau.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { type Callback, confusionMatrix, perplexity, readCheckpoint, type Step, type TrainOptions, train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "loop-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = { params: twoLayers(), loss: lossOf };
type Batch = { readonly x: Tensor; readonly y: Tensor };
type Options = TrainOptions<Batch, "sync", Step<ReturnType<typeof lossOf>>>;
const options = (given: Partial<Options> = {}): Options => ({
  data: loader(clouds(24), { batch: 8 }),
  optimizer: sgd({ rate: 0.1 }),
  engine: reference(),
  epochs: 1,
  health: false,
  ...given,
});

function numbersOf(tree: unknown): number[] {
  return leaves(tree).flatMap(({ leaf }) => [...(leaf as Tensor).data]);
}
const close = (a: readonly number[], b: readonly number[], to: number): void => {
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThan(to);
};

/** The reference engine, as engines that answer later are. */
function later(): Engine<"async"> {
  const inner = reference();
  return {
    name: "later",
    mode: "async",
    prepare: (inputs, outputs) => {
      const { run, dispose } = inner.prepare(inputs, outputs);
      return { run: async (given) => run(given), dispose };
    },
  };
}

describe("accumulation", () => {
  const { x, y } = clouds(24).all();
  const wide = dataset({ x: tensor(Float64Array.from(x.data), { ...x.type, dtype: "f64" }), y });
  const params = Object.fromEntries(
    Object.entries(twoLayers()).map(([name, { w, b }]) => [
      name,
      {
        w: tensor(Float64Array.from(w.data), { ...w.type, dtype: "f64" }),
        b: tensor(Float64Array.from(b.data), { ...b.type, dtype: "f64" }),
      },
    ]),
  ) as unknown as ReturnType<typeof twoLayers>;
  const run = (batch: number, accumulate: number) =>
    train(
      { params, loss: lossOf },
      options({ data: loader(wide, { batch }), optimizer: adam({ rate: 1e-2 }), engine: wasm(), accumulate, epochs: 3 }),
    ).finish();

  test.each([
    [6, 4],
    [8, 3],
    [10, 3],
  ])("of batches of %i, %i at a time, is the mean over all their rows", async (batch, accumulate) => {
    const whole = await run(24, 1);
    const parts = await run(batch, accumulate);
    expect(parts.report.steps).toBe(3);
    close(numbersOf(parts.params), numbersOf(whole.params), 1e-12);
    expect(parts.report.loss).toBeCloseTo(whole.report.loss, 12);
  });

  test("is the mean over what counts, where the model says that it is not the rows, as are those of a validation", async () => {
    const { x: rows, y: all } = wide.all();
    // One of the first eight, one of the next, none of the last.
    const labels = Int32Array.from(all.data, (label, i) => (i === 3 || i === 12 || i === 13 || i === 14 ? label : -1));
    const some = dataset({ x: rows, y: tensor(labels) });
    const counts = ({ y: of }: { readonly y: Tensor }): number => [...of.data].filter((label) => label >= 0).length;
    const tuned = async (batch: number, accumulate: number, counted: boolean) => {
      const seen: unknown[] = [];
      const { params: last, report } = await train(
        { params, loss: lossOf, ...(counted && { counts }) },
        options({
          data: loader(some, { batch }),
          validate: loader(some, { batch }),
          optimizer: adam({ rate: 1e-2 }),
          engine: wasm(),
          accumulate,
          epochs: 3,
          callbacks: [{ step: ({ loss, validation }) => void seen.push(loss, validation!.loss) }],
        }),
      ).finish();
      return { last: numbersOf(last), seen: seen as number[], report };
    };
    const whole = await tuned(24, 1, false);
    const parts = await tuned(8, 3, true);
    close(parts.last, whole.last, 1e-12);
    close(parts.seen, whole.seen, 1e-12);
    expect(parts.report.loss).toBeCloseTo(whole.report.loss, 12);
    expect(Math.abs((await tuned(8, 3, false)).seen[0]! - whole.seen[0]!)).toBeGreaterThan(0.01);
    // Where none counts nothing moves, and nothing is NaN.
    const none = dataset({ x: rows, y: tensor(labels.map(() => -1)) });
    const still = await train(
      { params, loss: lossOf, counts },
      options({
        data: loader(none, { batch: 8 }),
        validate: loader(none, { batch: 8 }),
        optimizer: adam({ rate: 1 }),
        engine: wasm(),
        accumulate: 3,
        epochs: 1,
      }),
    ).finish();
    expect([numbersOf(still.params), still.report.loss]).toEqual([numbersOf(params), 0]);
  });

  test("makes a smaller update of what an epoch has left, and is resumed between updates", async () => {
    const start = (file: string, steps: number, resume: boolean) =>
      train(
        model,
        options({
          accumulate: 2,
          epochs: 4,
          steps,
          engine: wasm(),
          optimizer: adam({ rate: 0.01 }),
          checkpoint: { file: join(folder, file), resume },
        }),
      );
    const rows: number[] = [];
    const whole = start("whole", 7, false);
    for await (const step of whole) rows.push(step.rows);
    expect(rows).toEqual([16, 8, 16, 8, 16, 8, 16]);
    await start("part", 3, false).finish();
    const { params } = await start("part", 7, true).finish();
    expect(numbersOf(params)).toEqual(numbersOf((await whole.finish()).params));
  });
});

describe("a run", () => {
  test("by hand: the loss and the parameters after two steps of gradient descent", async () => {
    const data = loader(dataset({ x: tensor([[1], [3]], "f32"), y: tensor([[2], [2]], "f32") }), { batch: 1 });
    const seen: (readonly [number, number])[] = [];
    const training = train(
      { params: { w: tensor([[1]], "f32") }, loss: (p, { x, y }) => mean(square(sub(mul(p.w, x), y))) },
      { data, optimizer: sgd({ rate: 0.125 }), engine: reference(), epochs: 1 },
    );
    for await (const { loss, gradientNorm } of training) seen.push([loss, gradientNorm]);
    // w = 1: (1 - 2)^2, slope -2; w = 1.25: (3.75 - 2)^2, slope 2 * 1.75 * 3
    expect(seen).toEqual([
      [1, 2],
      [3.0625, 10.5],
    ]);
    expect((await training.read()).params.w.data[0]).toBe(1.25 - 10.5 / 8);
  });

  test("is reproduced by its seeds, and another seed gives another run", async () => {
    const stack = sequential({ fc: layer.linear(4, 16), relu, drop: layer.dropout(0.5), out: layer.linear(16, 3) });
    const run = (seed: number, shuffle: number) =>
      train(
        {
          ...stack.init(random.key(0)),
          loss: (p, { x, y }, call) => {
            const { out, stats } = stack.apply(p, x, call);
            return { loss: softmaxCrossEntropy(out, y), stats };
          },
        },
        { data: loader(clouds(24), { batch: 8, shuffle }), optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 2, seed, health: false },
      ).finish();
    const [a, b, c, d] = (await Promise.all([run(0, 0), run(0, 0), run(1, 0), run(0, 1)])).map(({ params }) => numbersOf(params));
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
    expect(d).not.toEqual(a);
  });

  test("keeps running statistics, trains with them and validates without changing them", async () => {
    const stack = sequential({ fc: layer.linear(4, 8), bn: layer.batchNorm(8), relu, out: layer.linear(8, 3) });
    const born = stack.init(random.key(1));
    const training = train(
      {
        ...born,
        loss: (p, { x, y }, call) => {
          const { out, stats } = stack.apply(p, x, call);
          return { loss: softmaxCrossEntropy(out, y), confusion: confusionMatrix(out, y), stats };
        },
      },
      {
        data: loader(clouds(24), { batch: 8 }),
        validate: loader(clouds(20, 3), { batch: 7 }),
        optimizer: sgd({ rate: 0.1 }),
        engine: wasm(),
        epochs: 2,
        derive: ({ loss }) => ({ perplexity: perplexity(loss) }),
      },
    );
    const checkups: NonNullable<Step<unknown>["validation"]>[] = [];
    for await (const { validation, outputs } of training) {
      expect([...outputs.confusion.data].reduce((s, n) => s + n, 0)).toBe(8);
      expect("stats" in outputs).toBe(false);
      if (validation !== undefined) checkups.push(validation);
    }
    expect([...checkups[1]!.tables["confusion"]!.data].reduce((s, n) => s + n, 0)).toBe(20);
    expect(checkups[1]!.metrics["perplexity"]).toBeCloseTo(Math.exp(checkups[1]!.loss), 12);
    const { stats, report } = await training.finish();
    expect(numbersOf(stats)).not.toEqual(numbersOf(born.stats));
    expect(stats.bn.mean.type.shape).toEqual([8]);
    expect(report.health?.findings.some(({ level }) => level === "bad")).toBe(false);
  });

  test("works with engines that answer later, and gives the same", async () => {
    const validate = loader(clouds(9), { batch: 9 });
    const now = await train(model, options({ epochs: 2, validate })).finish();
    const { engine: _, ...rest } = options({ epochs: 2, validate });
    const then = await train(model, { ...rest, engine: later() }).finish();
    expect(numbersOf(then.params)).toEqual(numbersOf(now.params));
    expect(then.report.checkups).toEqual(now.report.checkups);
  });

  test("takes batches of many sizes, from sources that answer later and do not know how many there are", async () => {
    const { x, y } = clouds(66).all();
    const sizes = Array.from({ length: 11 }, (_, i) => i + 1);
    const all = dataset({ x, y });
    const source: Batches<Batch> = {
      batch: 11,
      length: null,
      order: {},
      pass: async function* (_, from = 0) {
        let at = 0;
        for (const [i, size] of sizes.entries()) {
          if (i >= from) yield all.at(Int32Array.from({ length: size }, (__, j) => at + j));
          at += size;
        }
      },
    };
    const training = train(model, options({ data: source, epochs: 2, engine: wasm() }));
    const seen: number[] = [];
    for await (const { rows } of training) seen.push(rows);
    expect(seen).toEqual([...sizes, ...sizes]);
    expect((await training.finish()).report.epochs).toBe(2);
  });

  test("stops when patience is over, and keeps the best if asked to", async () => {
    const validate = loader(clouds(30, 9), { batch: 30 });
    const training = train(
      model,
      options({
        validate,
        epochs: 50,
        patience: 2,
        optimizer: sgd({ rate: 8 }),
        keep: "best",
        monitor: { metric: "accuracy", better: "higher" },
        checkpoint: { file: join(folder, "last"), best: join(folder, "best") },
      }),
    );
    const { report, params } = await training.finish();
    expect(report.reason).toBe("patience");
    expect(report.epochs).toBeLessThan(50);
    expect(report.text()).toContain("it got no better for as long as patience allows");
    const accuracies = report.checkups.map(({ metrics }) => metrics["accuracy"]!);
    expect(report.best).toBe(Math.max(...accuracies));
    expect(accuracies.length).toBe(accuracies.indexOf(report.best) + 3);
    const { header, tensors } = await readCheckpoint(join(folder, "best"));
    expect(header.step).toBe(report.bestStep);
    expect([...tensors["params.fc1.w"]!.data]).toEqual([...params.fc1.w.data]);
  });

  test("tells a rate that falls with the loss how it goes", async () => {
    const rates: number[] = [];
    const file = join(folder, "plateau");
    const optimizer = sgd({ rate: plateau({ from: 1, factor: 0.5, patience: 0, threshold: 0.9 }) });
    const callback: Callback<Step<unknown>> = {
      saved: async () => {
        const { tensors } = await readCheckpoint(file);
        rates.push(tensors["opt.rate"]?.data[0] ?? Number.NaN);
      },
    };
    await train(model, options({ optimizer, epochs: 3, checkpoint: { file, every: 3 }, callbacks: [callback] })).finish();
    expect(rates.some((r) => r < 1)).toBe(true);
  });

  test("aborted, writes a checkpoint, ends quietly and is gone on with", async () => {
    const stop = new AbortController();
    const file = join(folder, "aborted");
    const data = loader(clouds(24), { batch: 8, shuffle: 3 });
    const training = train(model, options({ data, epochs: 5, signal: stop.signal, checkpoint: { file } }));
    const seen: number[] = [];
    for await (const { step } of training) {
      seen.push(step);
      if (step === 4) stop.abort();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect((await training.finish()).report.reason).toBe("aborted");
    const on = await train(model, options({ data, epochs: 5, checkpoint: { file, resume: true } })).finish();
    const whole = await train(model, options({ data, epochs: 5 })).finish();
    expect(numbersOf(on.params)).toEqual(numbersOf(whole.params));
  });

  test("lets timers have their turn while it runs on a synchronous engine", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    const { report } = await train(model, options({ epochs: 1_000_000, signal: stop.signal })).finish();
    expect(report.reason).toBe("aborted");
  });

  test("lets timers have their turn in a loop over its steps, too", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    let steps = 0;
    const training = train(model, options({ epochs: 1_000_000, engine: wasm(), signal: stop.signal }));
    for await (const step of training) steps = step.step;
    expect((await training.finish()).report.reason).toBe("aborted");
    expect(steps).toBeGreaterThan(0);
  });

  test("does what its data ask of it in the middle of a step when the step is over", async () => {
    const file = join(folder, "from the data");
    const inner = loader(clouds(24), { batch: 8 });
    const asked: Promise<unknown>[] = [];
    const data: Batches<Batch> = {
      ...inner,
      *pass(n, from) {
        yield* inner.pass(n, from);
        if (n === 1) asked.push(training.save(file), training.read());
      },
    };
    const training = train(model, options({ data, epochs: 3, validate: loader(clouds(9), { batch: 9 }) }));
    const steps: number[] = [];
    for await (const { step } of training) steps.push(step);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(asked.length).toBe(2);
    await Promise.all(asked);
    const { header } = await readCheckpoint(file);
    expect([header.step, header.epoch, header.batch, header.checkups.length]).toEqual([6, 2, 0, 2]);
  });

  test("makes the same steps whoever asks for them, and of data that answer at once or later", async () => {
    const { data: now } = options({ data: loader(clouds(26), { batch: 8, shuffle: 1 }) });
    const later: Batches<Batch> = {
      ...now,
      pass: async function* (n, from) {
        for (const batch of now.pass(n, from) as Iterable<Batch>) {
          await Promise.resolve();
          yield batch;
        }
      },
    };
    const wanted = await train(model, options({ data: now, epochs: 3 })).finish();
    for (const data of [now, later])
      for (const engine of [wasm(), reference()]) {
        const looped = train(model, options({ data, epochs: 3, engine, callbacks: [{ step: () => undefined }] }));
        const seen: unknown[] = [];
        for await (const { step, epoch, rows } of looped) seen.push([step, epoch, rows]);
        expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => [i + 1, Math.floor(i / 4) + 1, i % 4 === 3 ? 2 : 8]));
        const { params, report } = await looped.finish();
        const finished = await train(model, options({ data, epochs: 3, engine })).finish();
        expect(numbersOf(finished.params)).toEqual(numbersOf(params));
        expect(finished.report.checkups).toEqual(report.checkups);
        expect(finished.report.history).toEqual(report.history);
        close(numbersOf(params), numbersOf(wanted.params), engine.name === "wasm" ? 1e-5 : 1e-30);
        expect(report.checkups.map(({ step, epoch, metrics }) => [step, epoch, metrics])).toEqual([4, 8, 12].map((n) => [n, n / 4, {}]));
      }
  });

  test("is left and taken up again, by loops and by finish", async () => {
    const training = train(model, options({ epochs: 3 }));
    const seen: number[] = [];
    for await (const { step } of training) {
      seen.push(step);
      if (step === 2) break;
    }
    for await (const { step } of training) {
      seen.push(step);
      if (step === 5) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    const [a, b] = await Promise.all([training.finish(), training.finish()]);
    expect(a.report.steps).toBe(9);
    expect(b).toBe(a);
    for await (const { step } of training) seen.push(step);
    expect(seen.length).toBe(5);
  });

  test("tells its callbacks all of it, in order, and waits for them", async () => {
    const told: string[] = [];
    const callback: Callback<Step<unknown>> = {
      start: (run) => void told.push(`start ${JSON.stringify(run)}`),
      step: async ({ step }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        told.push(`step ${step}`);
      },
      saved: (_, step) => void told.push(`saved ${step}`),
      finish: ({ steps }) => void told.push(`finish ${steps}`),
    };
    await train(model, options({ callbacks: [callback], checkpoint: { file: join(folder, "told"), every: 2 } })).finish();
    expect(told).toEqual([
      'start {"epochs":1,"stepsInEpoch":3,"steps":3,"resumed":0,"parameters":67}',
      "step 1",
      "step 2",
      "saved 2",
      "step 3",
      "saved 3",
      "finish 3",
    ]);
    const failed: unknown[] = [];
    const worse = train(
      { params: model.params, loss: (p, b) => mul(Number.POSITIVE_INFINITY, lossOf(p, b).loss) },
      {
        data: loader(clouds(24), { batch: 8 }),
        optimizer: sgd({ rate: 1 }),
        engine: reference(),
        epochs: 1,
        callbacks: [{ fail: (error) => void failed.push(error) }],
      },
    );
    await expect(worse.finish()).rejects.toThrow("the loss is Infinity");
    expect(failed.length).toBe(1);
  });

  test("gives those who ask while finish() runs the weights of the step at which they ask", async () => {
    const each: number[][] = [];
    const iterated = train(model, options({ epochs: 3, engine: wasm() }));
    for await (const _ of iterated) each.push(numbersOf((await iterated.read()).params));
    for (const engine of [wasm(), reference(), later() as unknown as ReturnType<typeof wasm>]) {
      const asked: Promise<number[]>[] = [];
      const order: string[] = [];
      const callback: Callback<Step<unknown>> = {
        step: ({ step }) => {
          order.push(`step ${step}`);
          void Promise.resolve().then(() => order.push(`after ${step}`));
          if (step % 2 === 1) asked.push(training.read().then(({ params }) => numbersOf(params)));
        },
      };
      const training = train(model, options({ epochs: 3, engine, callbacks: [callback] }));
      await training.finish();
      expect(order).toEqual(each.flatMap((_, i) => [`step ${i + 1}`, `after ${i + 1}`]));
      const seen = await Promise.all(asked);
      const wanted = each.filter((_, i) => i % 2 === 0);
      for (const [i, numbers] of seen.entries()) close(numbers, wanted[i]!, engine.name === "wasm" ? 1e-30 : 1e-5);
      expect(seen.length).toBe(wanted.length);
    }
  });

  test("shares its steps between finish() and a loop beside it, one after the other", async () => {
    const training = train(model, options({ epochs: 4 }));
    const seen: number[] = [];
    const all = training.finish();
    for await (const { step } of training) seen.push(step);
    expect((await all).report.steps).toBe(12);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test("makes no step after an abort in a callback, with what was put off too", async () => {
    for (const now of [true, false]) {
      const stop = new AbortController();
      const abort = (): void => (now ? stop.abort() : void Promise.resolve().then(() => stop.abort()));
      const callback: Callback<Step<unknown>> = { step: ({ step }) => (step === 4 ? abort() : undefined) };
      const { report } = await train(model, options({ epochs: 9, signal: stop.signal, callbacks: [callback] })).finish();
      expect([report.steps, report.reason]).toEqual([4, "aborted"]);
    }
  });

  test("writes a checkpoint when asked to", async () => {
    const training = train(model, options({ epochs: 2 }));
    for await (const { step } of training) if (step === 2) await training.save(join(folder, "asked"));
    expect((await readCheckpoint(join(folder, "asked"))).header.step).toBe(2);
  });

  test("does not touch the parameters that it was given", async () => {
    const params = twoLayers();
    const before = numbersOf(params);
    await train({ params, loss: lossOf }, options({ engine: wasm() })).finish();
    expect(numbersOf(params)).toEqual(before);
  });
});
