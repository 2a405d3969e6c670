import { readFileSync } from "node:fs";
import type { Engine } from "chainrule";
import { wasm } from "chainrule/wasm";
import { describe, expect, test } from "vitest";
import type { CurvePoint } from "../../../studio/train/messages.ts";
import { activations, defaultTrain, initials, losses, optimizers, schedules, type TrainState } from "../../../studio/train/state.ts";
import { makeTrainer, type Trainer } from "../../../studio/train/trainer.ts";

const engine: Engine<"sync"> = wasm();
const trainer = (part: Partial<TrainState>, files = {}): Promise<Trainer> => makeTrainer({ ...defaultTrain, ...part }, engine, files);

function curveOf(t: Trainer, epochs: number): CurvePoint[] {
  while (t.epoch < epochs) t.step();
  return t.takeCurve();
}

test("one seed gives one curve, whether or not somebody looks", async () => {
  const settings = { data: "moons", points: 100, noise: 5, layers: [5], optimizer: "adam" } as const;
  const quiet = curveOf(await trainer(settings), 6);
  const watched = await trainer(settings);
  const points: CurvePoint[] = [];
  while (watched.epoch < 6) {
    watched.step();
    points.push(...watched.snapshot(0).curve);
  }
  points.push(...watched.takeCurve());
  expect(points).toEqual(quiet);
  expect(quiet.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(quiet[6]!.train).toBeLessThan(quiet[0]!.train);
  expect(curveOf(await trainer({ ...settings, seed: 2 }), 6)).not.toEqual(quiet);
});

test("learns the circle, and the pictures show it", async () => {
  const t = await trainer({ points: 200, optimizer: "adam", layers: [6] });
  const last = curveOf(t, 60).at(-1)!;
  expect(last.testRight).toBeGreaterThan(0.95);
  const { surface, maps, health, weights } = t.snapshot(0);
  const { fine, grid } = t.facts;
  // The middle is blue, the corners are orange.
  expect(surface[(fine / 2) * fine + fine / 2]!).toBeGreaterThan(0.5);
  expect(surface[0]!).toBeLessThan(-0.5);
  expect(maps.map((m) => m.length)).toEqual([grid * grid * 6]);
  expect(weights.map(({ rows, columns }) => [rows, columns])).toEqual([
    [2, 6],
    [6, 1],
  ]);
  expect(health.map(({ name }) => name)).toEqual(["layer1", "output"]);
  for (const { gradient, arriving, weights: size } of health) {
    expect(gradient).toBeGreaterThan(0);
    expect(arriving).toBeGreaterThan(0);
    expect(size).toBeGreaterThan(0);
  }
});

describe("every choice", () => {
  const short = { points: 40, batch: 7, layers: [3, 2] } as const;
  const trains = async (part: Partial<TrainState>): Promise<number> => {
    const t = await trainer({ ...short, ...part });
    t.step();
    t.step();
    const found = t.snapshot(0);
    expect(found.health).toHaveLength(3);
    return t.takeCurve().at(-1)?.train ?? found.curve.at(-1)!.train;
  };
  test("of activation, optimiser and beginning trains", async () => {
    for (const activation of activations) expect(await trains({ activation })).toBeLessThan(10);
    for (const optimizer of optimizers) expect(await trains({ optimizer, rate: 0.001 })).toBeLessThan(10);
    for (const initial of initials) expect(await trains({ initial })).toBeLessThan(100);
  });
  test("of loss, schedule and penalty trains", async () => {
    for (const loss of losses) expect(await trains({ loss })).toBeLessThan(10);
    for (const schedule of schedules) expect(await trains({ schedule, stop: 3 })).toBeLessThan(10);
    for (const penalty of ["l1", "l2"] as const) expect(await trains({ penalty, penaltyRate: 0.1 })).toBeLessThan(10);
    for (const loss of losses) expect(await trains({ data: "formula", loss })).toBeLessThan(50);
  });
});

test("a penalty makes weights small, and its rate can be changed while it learns", async () => {
  const size = async (penaltyRate: number): Promise<number> => {
    const t = await trainer({ points: 60, penalty: "l2", penaltyRate: 0, optimizer: "sgd", rate: 0.05 });
    t.live({ ...defaultTrain, rate: 0.05, penaltyRate });
    for (let i = 0; i < 200; i++) t.step();
    return t.snapshot(0).health[0]!.weights;
  };
  expect(await size(1)).toBeLessThan(0.2 * (await size(0)));
});

test("a rate of 0 changes nothing, one written while it learns counts from then on", async () => {
  const t = await trainer({ points: 60, rate: 0 });
  const before = t.params();
  for (let i = 0; i < 10; i++) t.step();
  expect(t.params()).toEqual(before);
  t.live({ ...defaultTrain, rate: 0.5 });
  t.step();
  expect(t.params()).not.toEqual(before);
});

test("a loss that is not finite stops before the weights are spoilt, with the reason", async () => {
  const t = await trainer({ data: "formula", formula: "x", layers: [4], activation: "identity", rate: 1e20, points: 40 });
  expect(() => {
    for (let i = 0; i < 100; i++) t.step();
  }).toThrow(/not finite|NaN|Infinity|infinit/);
  expect(Object.values(t.params()).every(({ w }) => [...(w.data as Float32Array)].every(Number.isFinite))).toBe(true);
  expect(t.reason("en")).toMatch(/overflow|infinit|NaN|finite|large/i);
  expect(t.reason("ko")).toMatch(/[가-힣]/);
});

test("dead units and flat gates are counted", async () => {
  const flat = (await trainer({ initial: "large", activation: "tanh", layers: [8] })).snapshot(0).health[0]!;
  expect(flat.flat).toBeGreaterThan(0.3);
  expect(flat.dead).toBe(0);
  const zeros = (await trainer({ initial: "zeros", activation: "relu", layers: [4] })).snapshot(0).health[0]!;
  expect(zeros.dead).toBe(1);
  expect(zeros.gradient).toBe(0);
});

test("no hidden layer, and 64 of them", async () => {
  const none = await trainer({ layers: [], data: "gauss", points: 60 });
  expect(curveOf(none, 5).at(-1)!.testRight).toBeGreaterThan(0.9);
  expect(none.snapshot(0).maps).toEqual([]);
  const many = await trainer({ layers: Array(64).fill(2), points: 40 });
  many.step();
  const { health, maps } = many.snapshot(0);
  expect([health.length, maps.length]).toEqual([65, 64]);
  // Gradients vanish on the way back through that many.
  expect(health[0]!.gradient).toBeLessThan(1e-7);
});

test("digits are learnt by both kinds of nets, and a drawing is read", async () => {
  const digits = readFileSync(new URL("../../../data/digits.csv", import.meta.url), "utf8");
  for (const [kind, layers] of [
    ["dense", [16]],
    ["conv", [4]],
  ] as const) {
    const t = await trainer(
      { data: "digits", kind, layers, share: 80, batch: 32, optimizer: "adam", rate: 0.01, activation: "relu" },
      { digits },
    );
    expect(curveOf(t, 3).at(-1)!.testRight).toBeGreaterThan(0.85);
    const row = 5;
    t.draw(t.problem.test.at.slice(64 * row, 64 * (row + 1)));
    const { probabilities, hidden } = t.snapshot(0).digit!;
    expect([...probabilities].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    expect(probabilities.indexOf(Math.max(...probabilities))).toBe(t.problem.test.y[row]);
    expect(hidden[0]!.length).toBe(kind === "dense" ? 16 : 4 * 64);
    t.draw(null);
    expect(t.snapshot(0).digit).toBeNull();
  }
});

test("tables of one column and of many have a picture", async () => {
  for (const columns of [1, 2, 5]) {
    const rows = Array.from({ length: 20 }, (_, i) =>
      [...Array.from({ length: columns }, (_, c) => i * (c + 1)), i < 10 ? "low" : "high"].join(),
    );
    const t = await trainer({ data: "csv", csv: rows.join("\n"), layers: [2], batch: 5, optimizer: "adam", rate: 0.1 });
    curveOf(t, 20);
    const { surface, maps } = t.snapshot(0);
    const { fine, grid } = t.facts;
    expect([surface.length, maps[0]!.length]).toEqual([fine * fine, 2 * grid * grid]);
    // Classes come in the order in which they first stand: low is 0, at the left.
    const middle = (fine / 2) * fine;
    expect(surface[middle]! * surface[middle + fine - 1]!).toBeLessThan(0);
  }
});

test("a batch is the one that the next step learns from", async () => {
  const t = await trainer({ points: 60, layers: [3] });
  t.step();
  const { x, y, layers, steps } = t.take(16);
  expect([x.length, y.length, steps]).toEqual([20, 10, 1]);
  expect(layers.map(({ name, w, b, shape }) => [name, w.length, shape, b.length])).toEqual([
    ["layer1", 6, [2, 3], 3],
    ["output", 3, [3, 1], 1],
  ]);
});
