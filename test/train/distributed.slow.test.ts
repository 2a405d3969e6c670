import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { mapBatches, prefetch } from "../../src/data/sources.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { compile, memoryOf } from "../../src/engines/program.ts";
import { add, f32, f64, graph, leaves, mean, mul, reference, sqrt, type Tensor, tensor, type Value } from "../../src/index.ts";
import type { Ranks } from "../../src/mpi.ts";
import { adam, adamW } from "../../src/optim/adam.ts";
import { averaged } from "../../src/optim/averaged.ts";
import { lamb } from "../../src/optim/lamb.ts";
import { muon } from "../../src/optim/muon.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { plateau } from "../../src/optim/plateau.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { key } from "../../src/random/random.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { jsonLog } from "../../src/train/log.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { initialState } from "../../src/train/programs.ts";
import type { DistributedOptions } from "../../src/train/ranks/options.ts";
import { RankPrograms } from "../../src/train/ranks/programs.ts";
import { type Step, type Trained, train } from "../../src/train/train.ts";
import { wasm } from "../../src/wasm.ts";
import { ranksInProcess } from "./ranks-in-process.ts";
import { clouds, lossOf, type TwoLayers, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "distributed-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Batch = { readonly x: Tensor; readonly y: Tensor };
type Options = TrainOptions<Batch, "sync", Step<ReturnType<typeof lossOf>>>;

const options = (given: Partial<Options> = {}): Options => ({
  data: loader(clouds(50), { batch: 8, shuffle: 3 }),
  validate: loader(clouds(21, 5), { batch: 10 }),
  optimizer: adam({ rate: 0.01 }),
  engine: wasm(),
  epochs: 3,
  health: false,
  ...given,
});

const once = (given: Partial<Options> = {}) => train({ params: twoLayers(), loss: lossOf }, options(given)).finish();

/** The same training on every rank. */
async function everywhere(
  size: number,
  given: (rank: number) => Partial<Options> = () => ({}),
  how: Omit<DistributedOptions, "ranks"> = {},
): Promise<{ readonly all: readonly Trained<TwoLayers, {}>[]; readonly seen: ReturnType<typeof ranksInProcess>["seen"] }> {
  const { ranks, seen } = ranksInProcess(size);
  const all = await Promise.all(ranks.map((own, rank) => once({ engine: wasm(), ...given(rank), distributed: { ranks: own, ...how } })));
  return { all, seen };
}

const numbers = (tree: unknown): number[] => leaves(tree).flatMap(({ leaf }) => [...(leaf as Tensor).data]);
const furthest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe("training on ranks gives what one process gives", () => {
  test.each<[string, Partial<Options>]>([
    ["with Adam", {}],
    ["with SGD and a norm that is cut", { optimizer: sgd({ rate: 0.1, clipNorm: 0.5 }) }],
    ["with gradients of three batches", { accumulate: 3 }],
    ["on the reference engine", { engine: reference(), epochs: 1 }],
    ["from a source that is read whole", { data: mapBatches(loader(clouds(50), { batch: 8, shuffle: 3 }), (b) => b) }],
    [
      "from a source that is mapped row by row",
      { data: mapBatches(loader(clouds(50), { batch: 8, shuffle: 3 }), (b) => b, { byRows: true }) },
    ],
    ["from a source that reads ahead", { data: prefetch(loader(clouds(50), { batch: 8, shuffle: 3 })) }],
  ])("%s", async (_, given) => {
    const alone = await once(given);
    for (const size of [1, 2, 3]) {
      const { all, seen } = await everywhere(size, () => ({ ...given, engine: given.engine === undefined ? wasm() : reference() }));
      expect(seen.fails).toEqual([]);
      for (const { params } of all) expect(numbers(params)).toEqual(numbers(all[0]!.params));
      expect(furthest(numbers(all[0]!.params), numbers(alone.params))).toBeLessThan(1e-5);
      const [one, many] = [alone.report.toJSON(), all[0]!.report.toJSON()];
      expect(many).toMatchObject({ steps: one.steps, epochs: one.epochs, bestStep: one.bestStep, reason: one.reason });
      expect(Math.abs(many.loss - one.loss)).toBeLessThan(1e-5);
      for (const { report } of all) expect(report.toJSON().loss).toBe(many.loss);
    }
  });

  test.each([1, 3])("where losses are means over labels that count, with gradients of %i batches, and by parts", async (accumulate) => {
    const leaving = (rows: number, seed = 0): ReturnType<typeof clouds> => {
      const { x, y } = clouds(rows, seed).all();
      // Many in the first rows, few behind: each rank has another number of them, some none.
      return dataset({ x, y: tensor(Int32Array.from(y.data, (label, i) => (i % 8 < 3 || i % 11 === 0 ? label : -1))) });
    };
    const given = { data: loader(leaving(50), { batch: 8 }), validate: loader(leaving(21, 5), { batch: 10 }), accumulate };
    const counts = ({ y }: { readonly y: Tensor }): number => [...y.data].filter((label) => label >= 0).length;
    const steps = async (more: Partial<Options>, model: object = { counts }) => {
      const told: number[] = [];
      const callbacks = [{ step: ({ loss, validation }: Step<unknown>) => void told.push(loss, validation?.loss ?? 0) }];
      const { params } = await train({ params: twoLayers(), loss: lossOf, ...model }, options({ ...given, callbacks, ...more })).finish();
      return { params: numbers(params), told };
    };
    const alone = await steps({});
    const close = async (how: Omit<DistributedOptions, "ranks">, model?: object): Promise<number> => {
      const { ranks, seen } = ranksInProcess(3);
      const all = await Promise.all(ranks.map((own) => steps({ engine: wasm(), distributed: { ranks: own, ...how } }, model)));
      expect(seen.fails).toEqual([]);
      return Math.max(furthest(all[2]!.params, alone.params), furthest(all[0]!.told, alone.told));
    };
    expect(await close({})).toBeLessThan(1e-5);
    expect(await close({ shard: true })).toBeLessThan(1e-5);
    expect(await close({}, {})).toBeGreaterThan(1e-3);
    const [one] = ranksInProcess(1).ranks;
    const start = (more: object, how: object) => () =>
      train(
        { params: twoLayers(), loss: lossOf as never, counts: counts as never, ...more },
        options({ distributed: { ranks: one!, ...how } }) as never,
      );
    const refused = "train: with distributed, batch norm and its running statistics go by rows, and counts weighs the losses otherwise";
    expect(start({ stats: { mean: tensor([0]) } }, {})).toThrow(refused);
    expect(start({}, { syncBatchNorm: true })).toThrow(refused);
  });

  test("with more ranks than rows in the last batch", async () => {
    const data = loader(clouds(17), { batch: 8 });
    const alone = await once({ data });
    const { all } = await everywhere(5, () => ({ data }));
    expect(furthest(numbers(all[4]!.params), numbers(alone.params))).toBeLessThan(1e-5);
  });

  test("in buckets of any size, begun in the order of the backward pass", async () => {
    const alone = await once();
    const { all, seen } = await everywhere(2, () => ({ epochs: 3 }), { bucket: 1 });
    expect(furthest(numbers(all[1]!.params), numbers(alone.params))).toBeLessThan(1e-5);
    // fc2 is finished before fc1.
    const sizes = seen.sums.slice(0, 4);
    expect([...sizes].sort((a, b) => a - b)).toEqual([3, 8, 24, 32]);
    expect(sizes.slice(0, 2).sort((a, b) => a - b)).toEqual([3, 24]);
  });
});

describe("metrics, the best and early stopping", () => {
  test("are those of all rows, the same on all ranks", async () => {
    const steps: Step<ReturnType<typeof lossOf>>[][] = [[], [], []];
    const alone: Step<ReturnType<typeof lossOf>>[] = [];
    await once({ callbacks: [{ step: (s) => void alone.push(s) }], patience: 1, keep: "best" });
    const { all } = await everywhere(3, (rank) => ({ callbacks: [{ step: (s) => void steps[rank]!.push(s) }], patience: 1, keep: "best" }));
    // Callbacks are called on rank 0.
    expect(steps.map((s) => s.length)).toEqual([alone.length, 0, 0]);
    for (const [i, step] of steps[0]!.entries()) {
      const one = alone[i]!;
      expect(step).toMatchObject({ step: one.step, epoch: one.epoch, rows: one.rows });
      expect(Math.abs(step.loss - one.loss)).toBeLessThan(1e-5);
      expect(Math.abs(step.gradientNorm - one.gradientNorm)).toBeLessThan(1e-5);
      expect(Math.abs((step.outputs.accuracy as Tensor).data[0]! - (one.outputs.accuracy as Tensor).data[0]!)).toBeLessThan(1e-6);
      expect(step.validation?.rows).toBe(one.validation?.rows);
      if (one.validation !== undefined) {
        expect(Math.abs(step.validation!.loss - one.validation.loss)).toBeLessThan(1e-5);
        expect(step.validation!.metrics["accuracy"]).toBeCloseTo(one.validation.metrics["accuracy"]!, 6);
        expect(step.validation!.isBest).toBe(one.validation.isBest);
      }
    }
    expect(new Set(all.map(({ report }) => report.toJSON().bestStep)).size).toBe(1);
  });

  test("one rank that wants to stop stops all after the same step, with a checkpoint", async () => {
    const stop = new AbortController();
    const file = join(folder, "stopped.ckpt");
    let steps = 0;
    const told = { step: () => void (++steps === 5 && stop.abort()) };
    // Rank 0 has the callback; what it is told makes rank 2 wish to stop.
    const { all } = await everywhere(3, (rank) => ({
      callbacks: [told],
      checkpoint: { file },
      ...(rank === 2 && { signal: stop.signal }),
    }));
    const reports = all.map(({ report }) => report.toJSON());
    expect(new Set(reports.map((r) => r.steps)).size).toBe(1);
    expect(reports[0]).toMatchObject({ reason: "aborted" });
    expect(reports[0]!.steps).toBeLessThan(9);
    expect(existsSync(file)).toBe(true);
  });
});

test("a source that maps rows, or reads ahead, reads a rank's rows alone", async () => {
  const seen: number[] = [];
  const source = prefetch(
    mapBatches(
      loader(clouds(50), { batch: 8 }),
      (b) => {
        seen.push(b.x.type.shape[0]!);
        return b;
      },
      { byRows: true },
    ),
  );
  await everywhere(4, (rank) => ({ ...(rank === 0 ? { data: source } : { data: loader(clouds(50), { batch: 8 }) }), epochs: 1 }));
  expect(new Set(seen)).toEqual(new Set([2, 1]));
});

test.each([false, true])("what messages cost is in the report, its text and the log, with an update shared out: %s", async (shard) => {
  const log = join(folder, "messages.jsonl");
  const { all } = await everywhere(2, (rank) => ({ language: "ko", ...(rank === 0 && { callbacks: [jsonLog(log)] }) }), { shard });
  const found = all[0]!.report.communication!;
  expect(found).toMatchObject({ ranks: 2, bytes: 4 * (4 * 8 + 8 + 8 * 3 + 3), buckets: 1 });
  expect(found.alone).toBeGreaterThan(0);
  expect(found.waited).toBeGreaterThanOrEqual(0);
  expect(found.hidden).toBe(Math.max(0, 1 - found.waited / found.alone));
  expect(all[0]!.report.toJSON().communication).toEqual(found);
  expect(all[0]!.report.text()).toContain("랭크 2개: 단계마다 기울기 0.000268 MB를 버킷 1개로 나누어 보냅니다");
  const { all: english } = await everywhere(2, () => ({ epochs: 1 }));
  expect(english[1]!.report.text()).toMatch(
    /2 ranks: 0\.000268 MB of gradients a step in 1 bucket; messages take \S+ ms by themselves, \S+ ms of a step are waited for: \d+% hidden behind the backward pass; ranks that are late are waited for \S+ ms more/,
  );
  const lines = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly waited: number });
  expect(lines.every(({ waited }) => waited >= 0)).toBe(true);
  // Too few steps to tell, and one process.
  expect((await everywhere(2, () => ({ steps: 2 }))).all[0]!.report.communication).toBeNull();
  expect((await once({ steps: 2 })).report.communication).toBeUndefined();
});

describe("an update that is shared out", () => {
  const shard = { shard: true, bucket: 100 };

  test.each<[string, Partial<Options>]>([
    ["with Adam", {}],
    ["with a norm that is cut", { optimizer: sgd({ rate: 0.1, momentum: 0.9, clipNorm: 0.05, clipValue: 0.1 }) }],
    ["with gradients of three batches", { accumulate: 3, optimizer: adamW({ rate: 0.01, clipNorm: 0.1 }) }],
    ["with an average of the parameters", { optimizer: averaged(adam({ rate: 0.01 })) }],
    ["with groups and frozen parameters", { optimizer: adam({ rate: 0.01, freeze: ["fc1.w"], groups: [{ only: ["fc2.*"], rate: 0.1 }] }) }],
    ["with a rate that falls where it gets no better", { optimizer: adam({ rate: plateau({ from: 0.01, patience: 0 }) }) }],
    ["with parameters that are looked at whole", { optimizer: lamb({ rate: 0.01 }) }],
    ["with matrices that are made orthogonal", { optimizer: muon({ rate: 0.01 }) }],
    ["on the reference engine", { engine: reference(), epochs: 1 }],
  ])("gives what one process gives, %s", async (_, given) => {
    const alone = await once(given);
    for (const size of [2, 5]) {
      const { all, seen } = await everywhere(size, () => ({ ...given, engine: given.engine === undefined ? wasm() : reference() }), {
        ...shard,
        check: 3,
      });
      expect(seen.fails).toEqual([]);
      for (const { params } of all) expect(numbers(params)).toEqual(numbers(all[0]!.params));
      expect(furthest(numbers(all[0]!.params), numbers(alone.params))).toBeLessThan(1e-5);
      expect(Math.abs(all[0]!.report.loss - alone.report.loss)).toBeLessThan(1e-5);
    }
  });

  test("tells the norm of the whole gradient", async () => {
    const norms = async (how: Omit<DistributedOptions, "ranks">): Promise<number[]> => {
      const found: number[] = [];
      await everywhere(3, () => ({ callbacks: [{ step: ({ gradientNorm }) => void found.push(gradientNorm) }] }), how);
      return found;
    };
    expect(furthest(await norms(shard), await norms({}))).toBeLessThan(1e-6);
  });

  const kept = async (size: number, optimizer: Optimizer, how: object): Promise<number[]> => {
    const { ranks } = ranksInProcess(size);
    const model = { params: twoLayers(0, 50), loss: lossOf } as never;
    const rows = clouds(16).all();
    return Promise.all(
      ranks.map(async (own) => {
        const state = initialState(model, optimizer, key(0), false);
        const programs = new RankPrograms(model, optimizer, wasm(), false, state, { ranks: own, ...how }, () => false);
        await programs.update(rows, { batch: rows, rows: 16, all: 16 * size, first: 0, pass: 0, index: 0 });
        return numbers((await programs.read()).opt).length;
      }),
    );
  };

  test("keeps one part in as many as there are ranks of what the optimiser remembers, to an element of each parameter's slots", async () => {
    const size = 4 * 50 + 50 + 50 * 3 + 3;
    const [whole] = await kept(1, adam({ rate: 0.01 }), {});
    expect(whole).toBe(2 * size + 2);
    for (const n of [2, 4])
      for (const own of await kept(n, adam({ rate: 0.01 }), { shard: true }))
        expect(Math.abs(own - 2 - (2 * size) / n)).toBeLessThanOrEqual(2);
  });

  test("deals out whole parameters, the largest first, where the optimiser looks at them whole", async () => {
    expect(await kept(2, lamb({ rate: 0.01 }), { shard: true })).toEqual([203, 200].map((n) => 2 * n + 2));
  });

  test("goes on from a checkpoint on any number of ranks, shared out or not", async () => {
    const alone = await once();
    const file = join(folder, "shards.ckpt");
    const to = (steps: number): Partial<Options> => ({ checkpoint: { file, resume: true }, steps });
    await everywhere(3, () => to(5), shard);
    await everywhere(2, () => to(9), shard);
    await everywhere(2, () => to(12));
    const { all } = await everywhere(4, () => to(1000), shard);
    expect(furthest(numbers(all[3]!.params), numbers(alone.params))).toBeLessThan(1e-5);
    const { tensors } = await readCheckpoint(file);
    expect(tensors["opt.m/fc1.w"]!.type.shape).toEqual([4, 8]);
    const end = await once({ checkpoint: { file, resume: true }, epochs: 4 });
    expect(end.report.epochs).toBe(4);
  });

  test("changes nothing where a gradient is not finite, and names the rank", async () => {
    const data = loader(dataset({ x: tensor([1, 1, 1, 1, 1, 0], "f64") }), { batch: 6 });
    const { ranks } = ranksInProcess(3);
    const runs = ranks.map((own) =>
      train(
        { params: { w: tensor(1) }, loss: ({ w }: { w: Value }, { x }: { x: Value }) => mean(sqrt(mul(x, w))) },
        { data, optimizer: adam({ rate: 0.1 }), engine: wasm(), epochs: 9, health: false, distributed: { ranks: own, shard: true } },
      ),
    );
    for (const error of await Promise.all(runs.map((run) => run.finish().catch((e: Error) => e.message))))
      expect(error).toMatch(/^train: step 1, epoch 1: the norm of the gradient is NaN on rank 2/);
    for (const run of runs) expect(numbers((await run.read()).params)).toEqual([1]);
  });
});

test("weights are those of rank 0, wherever the others begin", async () => {
  const { ranks } = ranksInProcess(2);
  const all = await Promise.all(
    ranks.map((own, rank) => train({ params: twoLayers(rank), loss: lossOf }, options({ engine: wasm(), distributed: own })).finish()),
  );
  expect(numbers(all[1]!.params)).toEqual(numbers(all[0]!.params));
  expect(furthest(numbers(all[0]!.params), numbers((await once()).params))).toBeLessThan(1e-5);
});

test("a run goes on, on another number of ranks, from the checkpoint of rank 0", async () => {
  const file = join(folder, "on.ckpt");
  const alone = await once();
  const part = { checkpoint: { file, resume: true }, steps: 9 };
  await everywhere(3, () => part);
  const { all } = await everywhere(2, () => ({ checkpoint: { file, resume: true } }));
  expect(all[0]!.report.toJSON().steps).toBe(alone.report.toJSON().steps);
  expect(furthest(numbers(all[0]!.params), numbers(alone.params))).toBeLessThan(1e-5);
  // And in one process: what ranks have on the way is no part of it.
  const end = await once({ checkpoint: { file, resume: true }, epochs: 4 });
  expect(end.report.toJSON().epochs).toBe(4);
});

test("running statistics are averaged by rows, the same on all ranks", async () => {
  const { ranks } = ranksInProcess(2);
  const data = loader(
    dataset({
      x: tensor(
        Float32Array.from({ length: 12 }, (_, i) => i),
        f32(6, 2),
      ),
    }),
    { batch: 3 },
  );
  const all = await Promise.all(
    ranks.map((own) =>
      train(
        {
          params: { w: tensor([1, 1], "f32") },
          stats: { seen: tensor([0, 0], "f32") },
          loss: ({ w }: { w: Value }, { x }: { x: Value }, { stats }) => ({
            loss: mean(mul(x, w)),
            stats: { seen: add(mul(stats.seen, 0.5), mean(x, { axis: 0 })) },
          }),
        },
        { data, optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 1, health: false, distributed: own },
      ).finish(),
    ),
  );
  // Batches of rows [0..2] and [3..5]: means [2, 3] and [8, 9].
  expect(numbers(all[0]!.stats)).toEqual([9, 10.5]);
  expect(numbers(all[1]!.stats)).toEqual([9, 10.5]);
});

describe("what goes wrong", () => {
  const settled = async (
    size: number,
    given: (rank: number) => Partial<Options>,
    how: Omit<DistributedOptions, "ranks"> = {},
    from = () => twoLayers(),
  ) => {
    const { ranks, seen } = ranksInProcess(size);
    const causes: string[] = [];
    const runs = ranks.map((own, rank) =>
      train({ params: from(), loss: lossOf }, options({ engine: wasm(), ...given(rank), distributed: { ranks: own, ...how } }))
        .finish()
        .then(
          () => "done",
          (error: Error) => {
            causes.push(String((error.cause as Error | undefined)?.message));
            return error.message;
          },
        ),
    );
    return { messages: await Promise.all(runs), seen, causes };
  };

  test("a rank with other data, another seed or optimiser is named with what differs, on all ranks", async () => {
    const { messages, seen } = await settled(3, (rank) =>
      rank === 1 ? { data: loader(clouds(51), { batch: 8, shuffle: 3 }), seed: 4, optimizer: sgd({ rate: 0.1, momentum: 0.9 }) } : {},
    );
    for (const message of messages) {
      expect(message).toContain("train: rank 1 (here, process 1) is not about to train what rank 0 is:");
      expect(message).toContain("the data, rows: 51 there, 50 on rank 0");
      expect(message).toContain("Start the same program with the same data and options on all ranks");
    }
    expect(messages[0]).toContain("the optimizer, opt.v/fc1.w: missing there, f32[4,8] on rank 0");
    expect(messages[0]).toMatch(/and \d+ more/);
    expect(seen).toMatchObject({ fails: [], quiet: 3 });
  });

  test("a model of another shape is refused by the name of the parameter", async () => {
    let hidden = 7;
    const { messages } = await settled(
      2,
      () => ({}),
      {},
      () => twoLayers(0, ++hidden),
    );
    expect(messages[1]).toContain("the model, params.fc1.w: f32[4,9] there, f32[4,8] on rank 0");
  });

  test("a loss that is not finite is told with its rank, on all ranks alike, and nothing is changed", async () => {
    const { x, y } = clouds(16).all();
    x.data[12 * 4] = 3e38;
    const data = loader(dataset({ x, y }), { batch: 16 });
    const { messages, seen, causes } = await settled(4, () => ({ data, validate: data, optimizer: sgd({ rate: 0.1 }) }));
    for (const message of messages) {
      expect(message).toMatch(/^train: step 1, epoch 1: the loss is NaN on rank 3 \(here, process 3\); the parameters are as they were/);
    }
    expect(causes[1]).toContain("no rank has made the update");
    expect(seen).toMatchObject({ fails: [], quiet: 4 });
  });

  test.each([1, 2])("so is a gradient that is not finite, although the loss is, with gradients of %i batches", async (accumulate) => {
    // The root of 0 is 0, and its slope is not finite.
    const data = loader(dataset({ x: tensor([1, 1, 1, 1, 1, 0], "f64") }), { batch: 3 });
    const { ranks } = ranksInProcess(3);
    const messages = await Promise.all(
      ranks.map((own) =>
        train(
          { params: { w: tensor(1) }, loss: ({ w }: { w: Value }, { x }: { x: Value }) => mean(sqrt(mul(x, w))) },
          { data, optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 9, accumulate, health: false, distributed: own },
        )
          .finish()
          .then(
            () => "done",
            (error: Error) => error.message,
          ),
      ),
    );
    for (const message of messages)
      expect(message).toMatch(
        /^train: step \d, epoch 1: the norm of the gradient is NaN on rank 2 \(here, process 2\); the parameters are as they were/,
      );
  });

  test("data of one rank that cannot train ends all, by its own words", async () => {
    const { x, y } = clouds(16).all();
    x.data[15 * 4] = Number.NaN;
    const data = loader(dataset({ x, y }), { batch: 16 });
    const { ranks, seen } = ranksInProcess(2);
    const run = train({ params: twoLayers(), loss: lossOf }, options({ data, distributed: ranks[1]! }));
    await expect(run.finish()).rejects.toThrow("x (f32[16,4] a batch) is NaN in row 15, column 0");
    expect(seen.fails).toEqual([expect.stringContaining("rank 1: train: data: x (f32[16,4] a batch) is NaN in row 15, column 0")]);
  });

  test("ranks that have drifted apart are found by the first tensor that differs", async () => {
    const { ranks, seen } = ranksInProcess(2);
    let step = 0;
    const astray = (own: Ranks): Ranks => ({
      ...own,
      startAllReduce: (x) => {
        const begun = own.startAllReduce(x);
        const wait = async (): Promise<void> => {
          await begun.wait();
          if (++step === 3) x.data[x.data.length - 1]! += 1e-3;
        };
        return { done: begun.done, wait };
      },
    });
    const messages = await Promise.all(
      [ranks[0]!, astray(ranks[1]!)].map((own) =>
        once({ engine: wasm(), distributed: { ranks: own, check: 2 } }).then(
          () => "done",
          (error: Error) => error.message,
        ),
      ),
    );
    for (const message of messages)
      expect(message).toMatch(
        /^train: after step 4 params\.fc\d\.[wb] is not the same on rank 1 \(here, process 1\) as on rank 0; all ranks need the same processors/,
      );
    expect(seen.quiet).toBe(2);
  });

  test.each<[string, Partial<Options>, string]>([
    [
      "no bucket",
      { distributed: { ranks: ranksInProcess(1).ranks[0]!, bucket: 0 } },
      "train: distributed.bucket is 0; it is a number of bytes, 1 or more",
    ],
    [
      "half a step between checks",
      { distributed: { ranks: ranksInProcess(1).ranks[0]!, check: 0.5 } },
      "train: distributed.check is 0.5; it is a number of steps",
    ],
  ])("%s is refused", (_, given, message) => {
    expect(() => train({ params: twoLayers(), loss: lossOf }, options(given))).toThrow(message);
  });

  test("an engine that keeps its memory to itself is refused", async () => {
    const [own] = ranksInProcess(1).ranks;
    const engine = { name: "far", mode: "async", prepare: () => undefined } as unknown as Engine<"sync">;
    await expect(once({ engine, distributed: own! })).rejects.toThrow(
      "train: distributed works on the memory of the engine, and far keeps its own",
    );
  });
});

test("the memory of a state is where programs read and write it", async () => {
  const g = graph({ s: f64(3) }, ({ s }) => ({ s: add(s, 1) }));
  for (const engine of [wasm(), reference()]) {
    const program = await compile(g, engine, { state: { s: tensor([1, 2, 3]) } });
    program.run({});
    memoryOf(program.state, "s").data[0] = 10;
    program.run({});
    expect([...program.state.read().s.data]).toEqual([11, 4, 5]);
    expect(() => memoryOf(program.state, "t")).toThrow(
      "memoryOf: there is no memory of t here; it is there for states of engines that answer at once",
    );
  }
});
