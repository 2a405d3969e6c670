import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alone, ensureBuilt, type Launcher, launcherPath, mpirun, program } from "./launch.ts";

interface Said {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  readonly stats: readonly number[];
}

const folder = mkdtempSync(join(tmpdir(), "normed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(ensureBuilt);
const there = launcherPath("openmpi") !== null;
const file = program("normed.js");

const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!) / Math.max(1, Math.abs(x))));
const saidIn = (out: string, ranks: number): Said[] =>
  Array.from({ length: ranks }, (_, rank) => JSON.parse(readFileSync(join(out, `${rank}.json`), "utf8")) as Said);
const STEPS = "40";
const one = (env: Readonly<Record<string, string>>): Said => {
  const OUT = mkdtempSync(join(folder, "one-"));
  const { code, err } = alone([file], { STEPS, ...env, ALONE: "1", OUT });
  expect(err).toBe("");
  expect(code).toBe(0);
  return saidIn(OUT, 1)[0]!;
};

describe.skipIf(!there)("batch norm over the rows of all ranks", () => {
  // Two rows of a batch are normalised to 1 and -1, whatever they are: what is left of them is rounding, so such a batch is compared in f64.
  const few = { BATCH: "10", DTYPE: "f64" };
  test.each<[string, Launcher, number, number, Readonly<Record<string, string>>]>([
    ["with SGD", "openmpi", 2, 1e-5, {}],
    ["with Adam and an update that is shared out", "openmpi", 3, 1e-5, { OPTIMIZER: "adam", SHARD: "1" }],
    ["with a batch of fewer rows than ranks", "openmpi", 3, 1e-9, few],
    ["with gradients of two batches", "openmpi", 3, 1e-9, { ...few, ACCUMULATE: "2" }],
    ...(launcherPath("mpich") === null
      ? []
      : [["with Adam", "mpich", 2, 1e-5, { OPTIMIZER: "adam" }] as [string, Launcher, number, number, {}]]),
  ])("%s under %s on %i ranks gives the weights and statistics of one process, to %f", async (_, launcher, ranks, near, env) => {
    const { losses, weights, stats } = one(env);
    const OUT = mkdtempSync(join(folder, "out-"));
    const { code, err } = await mpirun(launcher, ranks, [file], { env: { STEPS, ...env, SYNC: "1", OUT } });
    expect(err).toBe("");
    expect(code).toBe(0);
    const said = saidIn(OUT, ranks);
    expect(furthest(said[0]!.losses, losses)).toBeLessThan(near);
    expect(furthest(said[0]!.weights, weights)).toBeLessThan(near);
    expect(furthest(said[0]!.stats, stats)).toBeLessThan(near);
    for (const other of said) expect(other).toEqual(said[0]);
  });

  test("is another training than with the rows of each rank by themselves", async () => {
    const OUT = mkdtempSync(join(folder, "out-"));
    expect((await mpirun("openmpi", 2, [file], { env: { STEPS: "20", OUT } })).code).toBe(0);
    const [a, b] = saidIn(OUT, 2);
    expect(furthest(a!.weights, one({ STEPS: "20" }).weights)).toBeGreaterThan(1e-3);
    expect(b).toEqual(a);
  });

  test("is refused where no batch norm is told of it, by one message", async () => {
    const { code, err } = await mpirun("openmpi", 2, [file], { env: { SYNC: "1", TOLD: "0", OUT: folder } });
    expect(
      err.match(/DomainError: train: distributed\.syncBatchNorm is asked for, and the loss has no batch norm that is told of it/g),
    ).toHaveLength(1);
    expect(code).not.toBe(0);
  });
});
