import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { f32, i32, tensor } from "../../src/index.ts";
import { adam } from "../../src/optim/adam.ts";
import { type MeasuredStep, measureStep, simulate } from "../../src/train/ranks/plan.ts";
import { wasm } from "../../src/wasm.ts";
import { runCli } from "../cli/run-cli.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const measured: MeasuredStep = {
  rows: 32,
  buckets: [
    { bytes: 4e6, ready: 10 },
    { bytes: 1e6, ready: 11 },
  ],
  compute: 12,
  update: 2,
  optimizer: 10e6,
  shard: false,
};

describe("the timeline of buckets", () => {
  test("is what the costs of halving and doubling say, bucket after bucket", () => {
    const plan = simulate(measured, { ranks: 4, bandwidth: 1e9, latency: 1e-3 });
    // 4 rounds of 1 ms, and 1.5 times the bytes at 1 MB a ms.
    expect(plan.buckets.map(({ start, end }) => [start, end])).toEqual([
      [10, 20],
      [20, 25.5],
    ]);
    expect(plan).toMatchObject({ bytes: 5e6, exposed: 15.5, communication: 17.5, step: 29.5 });
    expect(plan.efficiency).toBeCloseTo(14 / 29.5, 12);
    expect(plan.hidden).toBeCloseTo(2 / 17.5, 12);
    expect(plan.text()).toContain("Plan: 4 ranks, 1000 MB/s, latency 1000 us, 32 rows a step on each");
    expect(plan.text()).toContain("gradients             5.00 MB a step in 2 buckets");
    expect(plan.text()).toContain("optimiser             10.0 MB on each rank");
    expect(plan.text()).toContain("efficiency            47% of 4 times one rank");
  });

  test("has half of a sum before an update that is shared out, and half after it", () => {
    const plan = simulate({ ...measured, optimizer: 2.5e6, shard: true }, { ranks: 4, bandwidth: 1e9, latency: 1e-3 });
    expect(plan.buckets.map(({ start, end }) => [start, end])).toEqual([
      [10, 15],
      [15, 17.75],
    ]);
    // The weights: 5 and 2.75 ms. Losses and norm: 6 ms.
    expect(plan).toMatchObject({ gather: 7.75, exposed: 19.5, communication: 21.5, step: 33.5 });
    expect(plan.text()).toContain("update                2.00 ms, measured, of one rank's part");
    expect(plan.text()).toContain("weights gathered      7.75 ms of that, after the update");
  });

  test("has nothing to wait for on one rank, and less on a faster network", () => {
    expect(simulate(measured, { ranks: 1, bandwidth: 1e9, latency: 1e-3 })).toMatchObject({ step: 14, efficiency: 1, hidden: 1 });
    const steps = [1e9, 1e10, 1e12].map((bandwidth) => simulate(measured, { ranks: 64, bandwidth, latency: 1e-6 }).step);
    expect([...steps].sort((a, b) => b - a)).toEqual(steps);
  });

  test.each<[string, object, string]>([
    ["half a rank", { ranks: 0.5 }, "plan: ranks is 0.5; it is a whole number, 1 or more"],
    ["no bandwidth", { bandwidth: 0 }, "plan: the bandwidth is 0 bytes a second; it is a number above 0"],
    ["a latency below 0", { latency: -1 }, "plan: the latency is -1 s; it is 0 or more"],
  ])("refuses %s", (_, given, message) => {
    expect(() => simulate(measured, { ranks: 2, bandwidth: 1e9, latency: 0, ...given })).toThrow(message);
  });
});

test("a step is measured on the rows of one rank, with its buckets in the order of the backward pass", async () => {
  const how = { data: loader(clouds(64), { batch: 32 }), optimizer: adam({ rate: 0.01 }), engine: wasm(), bucket: 60 };
  const step = await measureStep({ params: twoLayers(), loss: lossOf as never }, how, 4, 3);
  expect(step.rows).toBe(8);
  expect(step.buckets.map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([12, 32, 96, 128]);
  expect(step.buckets.every(({ ready }) => ready >= 0 && ready <= step.compute)).toBe(true);
  expect(step.update).toBeGreaterThan(0);
  const part = await measureStep({ params: twoLayers(), loss: lossOf as never }, { ...how, shard: true }, 4, 3);
  expect(step.optimizer).toBe(2 * 4 * (4 * 8 + 8 + 8 * 3 + 3) + 12);
  expect(Math.abs(part.optimizer - 12 - (step.optimizer - 12) / 4)).toBeLessThanOrEqual(2 * 4 * 4);
  const none = { ...how, data: loader(dataset({ x: tensor([], f32(0, 4)), y: tensor([], i32(0)) }), { batch: 1 }) };
  await expect(measureStep({ params: twoLayers(), loss: lossOf as never }, none, 1)).rejects.toThrow(
    "plan: data gave no batch; it is empty",
  );
  await expect(measureStep({ params: twoLayers(), loss: lossOf as never }, how, 1e9)).rejects.toThrow(
    "plan: ranks is 1000000000; a step of one among them is measured up to 131072, whose losses it adds up as they would",
  );
});

describe("chainrule train --plan", () => {
  const csv = `a,b,c\n${Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i % 3}`).join("\n")}\n`;
  const plan = (...more: string[]) => runCli(["train", "--model", "mlp:2-8-3", "--data", "-", "--target", "c", ...more], { stdin: csv });

  test("measures a step and predicts it on a network", async () => {
    const { code, out, err } = await plan("--plan", "--ranks", "64", "--bandwidth", "10Gb/s", "--latency", "20us");
    expect(err).toBe("");
    expect(out).toMatch(/^Plan: 64 ranks, 1250 MB\/s, latency 20\.0 us, 1 row a step on 32 of them, none on the others/);
    expect(out).toMatch(/efficiency +\d+% of 64 times one rank/);
    expect(code).toBe(0);
  });

  test("gives its numbers as JSON", async () => {
    const { out } = await plan("--plan", "--json", "--bandwidth", "1.5GB/s", "--latency", "1ms");
    expect(JSON.parse(out)).toMatchObject({ ranks: 8, bandwidth: 1.5e9, latency: 1e-3, rows: 4, bytes: (2 * 8 + 8 + 8 * 3 + 3) * 4 });
  });

  test.each<[string[], string]>([
    [["--plan", "--bandwidth", "fast"], "--bandwidth fast is no rate; write 10Gb/s for bits, 1.2GB/s for bytes"],
    [["--plan", "--latency", "20"], "--latency 20 is no time; write 20us or 1ms"],
    [["--shard"], "--shard shares the update out over ranks: add --mpi, or --plan"],
    [["--sync-batch-norm"], "--sync-batch-norm is for ranks: add --mpi"],
    [["--sync-batch-norms"], "train has no option --sync-batch-norms; did you mean --sync-batch-norm?"],
    [["--ranks", "4"], "--ranks belongs to a plan: add --plan"],
  ])("refuses %s", async (options, message) => {
    const { code, err } = await plan(...options);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});
