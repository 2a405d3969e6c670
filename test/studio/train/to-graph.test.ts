import { readFileSync } from "node:fs";
import { compileExpression, type Engine, evaluate, expr, gradients, read, reference, tensor, variable } from "chainrule";
import { expect, test } from "vitest";
import { build, heldTensors, isFault, read as readFormula, valueIn } from "../../../studio/graph/engine.ts";
import { keyOf, partsOf } from "../../../studio/graph/held.ts";
import { atOnce } from "../../../studio/shell/turns.ts";
import type { Taken } from "../../../studio/train/messages.ts";
import { defaultTrain, type TrainState } from "../../../studio/train/state.ts";
import {
  type AsGraph,
  batchAsGraph,
  firstRows,
  fittingRows,
  listed,
  mostNumbers,
  unitAsGraph,
  weightsIn,
} from "../../../studio/train/to-graph.ts";
import { makeTrainer } from "../../../studio/train/trainer.ts";

const engine: Engine<"sync"> = reference();

/** Works a formula of lines out, at its values, as the Graph tab does. */
function worked({ formula, values }: AsGraph): Map<string, ReturnType<typeof expr>> {
  const known = new Map<string, unknown>();
  for (const [name, text] of Object.entries(values)) {
    const whole = text.startsWith("i32 ");
    known.set(name, tensor(JSON.parse(whole ? text.slice(4) : text), whole ? "i32" : "f64"));
  }
  const found = new Map<string, ReturnType<typeof expr>>();
  for (const line of formula.split("\n")) {
    if (line.startsWith("#")) continue;
    const [, name, body] = /^(\w+) = (.*)$/.exec(line)!;
    const strings: string[] = [];
    const holes: unknown[] = [];
    let from = 0;
    for (const match of body!.matchAll(/[A-Za-z_]\w*/g)) {
      if (!known.has(match[0])) continue;
      strings.push(body!.slice(from, match.index));
      holes.push(known.get(match[0]));
      from = match.index + match[0].length;
    }
    strings.push(body!.slice(from));
    const value = expr(Object.assign(strings, { raw: strings }) as never, ...(holes as never[]));
    known.set(name!, value);
    found.set(name!, value);
  }
  return found;
}

const csv = ["a,b,kind", ...Array.from({ length: 24 }, (_, i) => `${i},${i % 7},${["p", "q", "r"][i % 3]}`)].join("\n");
const digits = readFileSync(new URL("../../../data/digits.csv", import.meta.url), "utf8");
const convolved = { data: "digits", kind: "conv", layers: [3, 2], activation: "relu", share: 5, batch: 8 } as const;
const taken = async (part: Partial<TrainState>) => {
  const trainer = await makeTrainer({ ...defaultTrain, points: 40, batch: 16, ...part }, engine, { digits });
  trainer.step();
  return { trainer, taken: trainer.take(16) };
};

test("a batch as a graph has the loss of the next step", async () => {
  for (const part of [
    {},
    { loss: "squared", layers: [] },
    { loss: "hinge", activation: "relu" },
    { penalty: "l2", penaltyRate: 0.3 },
    { penalty: "l1", penaltyRate: 0.02, layers: [3, 2] },
    { data: "formula", loss: "huber", activation: "sin" },
    { data: "formula", loss: "absolute", layers: [3] },
    { data: "formula", activation: "identity" },
    { data: "csv", csv, batch: 12 },
    { data: "csv", csv, batch: 12, loss: "hinge" },
    { data: "csv", csv, batch: 12, loss: "squared" },
    convolved,
    { ...convolved, layers: [2], activation: "tanh", penalty: "l2", penaltyRate: 0.1 },
  ] as const) {
    const { trainer, taken: now } = await taken(part);
    const value = read(worked(listed(batchAsGraph(now))).get("L")!);
    expect(value, JSON.stringify(part)).toBeCloseTo(trainer.step(), 4);
  }
});

test("a step of training moves the weights against the gradients of the opened graph, penalty and all", async () => {
  for (const part of [{}, { penalty: "l2", penaltyRate: 0.3 }, { penalty: "l1", penaltyRate: 0.05 }, convolved] as const) {
    const settings = { ...defaultTrain, points: 60, optimizer: "sgd", rate: 0.1, layers: [3], ...part, batch: 24 } as const;
    const trainer = await makeTrainer(settings, engine, { digits });
    trainer.step();
    const now = trainer.take(24);
    expect(now.y.length).toBe(24);
    const { formula, values } = listed(batchAsGraph(now));
    const compiled = compileExpression(formula);
    const at = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, variable(valueIn(text), name)]));
    const loss = compiled(at);
    const slopes = gradients(loss, { W1: at["W1"]!, b1: at["b1"]!, W2: at["W2"]! });
    expect(trainer.step()).toBeCloseTo(read(loss), 4);
    const { layers } = trainer.take(24);
    for (const [name, before, after] of [
      ["W1", now.layers[0]!.w, layers[0]!.w],
      ["b1", now.layers[0]!.b, layers[0]!.b],
      ["W2", now.layers[1]!.w, layers[1]!.w],
    ] as const) {
      const slope = evaluate(slopes[name]).data;
      for (const [i, w] of after.entries()) expect(w, `${JSON.stringify(part)} ${name}`).toBeCloseTo(before[i]! - 0.1 * slope[i]!, 5);
    }
  }
});

test("the graph of convolutions is drawn closed, a box a layer that holds its weights, and is stepped through inside", async () => {
  const { taken: now } = await taken(convolved);
  const { formula, values, depth } = listed(batchAsGraph(now));
  const source = readFormula(formula);
  if (isFault(source)) throw new Error(source.message);
  const view = { language: "en", open: [], closed: [], near: null, reach: "feeds", direction: "right" } as const;
  const model = build(source, values, { ...view, depth }, null);
  if (isFault(model)) throw new Error(model.message);
  const labels = (made: typeof model): string[] =>
    made.picture
      .scene()
      .items.map(({ label }) => label)
      .sort();
  expect(labels(model)).toEqual(["L", "X", "layer1", "layer2", "loss", "output", "y"]);
  expect(new Set(model.walk.steps.map(({ unit }) => unit))).toEqual(new Set(["heading 0", "heading 1", "heading 2", "heading 3", "seed"]));
  const opened = build(source, values, { ...view, depth, open: [model.picture.itemOf(model.variables["W2"]!.node)!] }, null);
  if (isFault(opened)) throw new Error(opened.message);
  expect(labels(opened)).toEqual(["L", "W2", "X", "b2", "conv", "layer1", "loss", "output", "relu", "y"]);
});

test("a penalty whose rate was moved while it learns is the one of the opened graph", async () => {
  const { trainer } = await taken({ penalty: "l2", penaltyRate: 0.001 });
  trainer.live({ ...defaultTrain, penalty: "l2", penaltyRate: 0.5 });
  expect(batchAsGraph(trainer.take(16)).formula).toMatch(/L = D \+ 0\.5 \* P$/);
});

test("the whole batch is opened where its numbers fit in an address, else as many rows as do", async () => {
  const { taken: small } = await taken({});
  expect(fittingRows(small)).toEqual({ rows: 16, isListed: true });
  const net = (inputs: number, ...sizes: readonly number[]): Taken => ({
    ...small,
    x: new Float32Array(500 * inputs).fill(1),
    y: new Float32Array(500),
    layers: sizes.map((units, i) => {
      const before = sizes[i - 1] ?? inputs;
      return { name: `layer${i + 1}`, w: new Float32Array(before * units), b: new Float32Array(units), shape: [before, units] };
    }),
  });
  const { rows } = fittingRows(net(64, 10));
  expect(rows).toBe(Math.floor((mostNumbers - 650) / 65));
  const { x } = firstRows(net(64, 10), rows);
  expect(weightsIn(net(64, 10)) + x.length).toBeLessThanOrEqual(mostNumbers);
  // More weights than numbers would fit beside them: some rows.
  expect(fittingRows(net(64, 400))).toEqual({ rows: 32, isListed: true });
  expect(fittingRows(firstRows(net(64, 400), 8))).toEqual({ rows: 8, isListed: true });
  // More weights than fit at all: their numbers stay beside the address, with as many rows as are quickly computed, and at least one.
  expect(fittingRows(net(784, 512, 512, 10))).toEqual({ rows: 95, isListed: false });
  expect(fittingRows(net(64, 2048, 2048, 2048)).rows).toBe(7);
  const deep = net(64, 1024, 1024);
  const layers = Array.from({ length: 64 }, () => deep.layers[1]!);
  expect(fittingRows({ ...deep, layers })).toEqual({ rows: 1, isListed: false });
  expect(fittingRows({ ...deep, layers: [...layers, ...layers] }).rows).toBe(0);
});

test("the graph of a net whose numbers stay beside the address has the gradients of its next step", async () => {
  const settings = { data: "digits", layers: [400, 200], activation: "relu", share: 5, batch: 6, optimizer: "sgd", rate: 0.1 } as const;
  const trainer = await makeTrainer({ ...defaultTrain, ...settings }, engine, { digits });
  const now = trainer.take(6);
  expect(fittingRows(now)).toEqual({ rows: 6, isListed: false });
  const { formula, numbers, depth } = batchAsGraph(now);
  const source = readFormula(formula);
  if (isFault(source)) throw new Error(source.message);
  const held = { key: keyOf(numbers), tensors: numbers };
  const options = { language: "en", open: [], closed: [], near: null, reach: "feeds", direction: "right", depth } as const;
  const beside = atOnce(heldTensors(held));
  const model = build(source, {}, options, null, beside);
  if (isFault(model)) throw new Error(model.message);
  const { variables, f, gradients: found } = model;
  const wanted = { W1: variables["W1"]!, b2: variables["b2"]!, W3: variables["W3"]! };
  const slopes = gradients(f, wanted);
  expect(trainer.step()).toBeCloseTo(read(f), 5);
  const after = trainer.take(6);
  const learnt = { W1: after.layers[0]!.w, b2: after.layers[1]!.b, W3: after.layers[2]!.w };
  for (const [name, v] of Object.entries(wanted)) {
    const slope = found.get(v)!.tensor.data as Float64Array;
    // The page's gradients are the library's, number for number, and those by which the training goes on.
    expect(slope).toEqual(evaluate(slopes[name as keyof typeof wanted]).data);
    const before = numbers[name]!.data;
    let most = 0;
    learnt[name as keyof typeof learnt].forEach((w, i) => {
      most = Math.max(most, Math.abs(w - (before[i]! - 0.1 * slope[i]!)));
    });
    expect(most, name).toBeLessThan(1e-6);
  }
  // What is opened in the picture computes nothing again; a box's number does.
  expect(build(source, {}, { ...options, depth: 0 }, model, atOnce(heldTensors(held)))).toMatchObject({ f });
  expect(partsOf(numbers)).toMatchObject({ W2: { dtype: "f32", shape: [400, 200] }, y: { dtype: "i32", shape: [6] } });
});

test("a unit as a graph says what the unit says, from the inputs or from the layer before", async () => {
  for (const layers of [
    [3, 2],
    [60, 2],
  ]) {
    const { taken: now } = await taken({ layers });
    const whole = evaluate(worked(listed(batchAsGraph(now))).get("h2")!).data;
    const unit = unitAsGraph(now, 1, 1, 4);
    expect(read(worked(unit).get("h2_2")!)).toBeCloseTo(Number(whole[4 * 2 + 1]), 4);
    expect("x1" in unit.values).toBe(layers[0] === 3);
    expect("h1_1" in unit.values).toBe(layers[0] === 60);
    expect(unitAsGraph(now, 0, 2, 0).formula).toBe("h1_3 = tanh(w1_1_3*x1 + w1_2_3*x2 + b1_3)");
  }
  const { taken: small } = await taken({ layers: [2] });
  expect(read(worked(unitAsGraph(small, 1, 0, 3)).get("z")!)).toBeCloseTo(
    Number(evaluate(worked(listed(batchAsGraph(small))).get("z")!).data[3]),
    4,
  );
  expect(weightsIn(small)).toBe(4 + 2 + 2 + 1);
});
