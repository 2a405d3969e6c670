import { expect, test } from "vitest";
import * as data from "../../src/data.ts";
import * as finetune from "../../src/finetune.ts";
import { type ChainruleError, relu } from "../../src/index.ts";
import * as nn from "../../src/nn.ts";
import * as onnx from "../../src/onnx.ts";
import * as optim from "../../src/optim.ts";
import * as testing from "../../src/testing.ts";
import * as train from "../../src/train.ts";

type Call = (...given: unknown[]) => unknown;

/** What is thrown, now or later; null where nothing is. */
async function thrown(call: Call, ...given: readonly unknown[]): Promise<ChainruleError | null> {
  try {
    const made = (await call(...given)) as Partial<Iterator<unknown> & AsyncIterator<unknown>> | null | undefined;
    // A generator begins when it is asked.
    if (typeof made?.next === "function") await made.next();
    return null;
  } catch (error) {
    return error as ChainruleError;
  }
}

/** All functions in a module, those that hang on others too, by their names. */
function callsIn(name: string, x: unknown, depth = 0): [string, Call][] {
  if (x === null || (typeof x !== "object" && typeof x !== "function") || depth > 2) return [];
  const own: [string, Call][] = typeof x === "function" ? [[name, x as Call]] : [];
  return [...own, ...Object.entries(x).flatMap(([key, inner]) => callsIn(`${name}.${key}`, inner, depth + 1))];
}

const odd: readonly unknown[] = [undefined, null, "none.bin", 3, {}, [], new ArrayBuffer(4), Buffer.from([1, 2, 3, 4]), () => 0];

test.each(Object.entries({ data, finetune, nn, onnx, optim, testing, train }))(
  "no function of chainrule/%s ends with an error of JavaScript for whatever it is given first",
  async (entry, names) => {
    const bare: string[] = [];
    for (const [name, call] of callsIn(entry, { ...names }))
      for (const given of odd) {
        const error = await thrown(call, given);
        if (error !== null && !/^[a-z]+$/.test(String(error.code))) bare.push(`${name}(${String(given)}): ${String(error)}`);
      }
    expect(bare).toEqual([]);
  },
);

test.each<[string, unknown, readonly unknown[], string]>([
  [
    "a model",
    train.measureStep,
    [],
    "measureStep: the model is missing; what belongs there is parameters and a loss of them: { params, loss }",
  ],
  [
    "a model's loss",
    train.measureStep,
    [{ params: {} }],
    "measureStep: the model has no loss; what belongs there is parameters and a loss",
  ],
  [
    "what measures",
    train.measureStep,
    [{ params: {}, loss: relu }],
    "measureStep: the second argument is missing; what belongs there is { data: loader(set, { batch: 64 }), optimizer: adam({ rate: 1e-3 }), engine: wasm() }",
  ],
  [
    "batches",
    train.measureStep,
    [
      { params: {}, loss: relu },
      { data: {}, optimizer: {}, engine: {} },
    ],
    "measureStep: the option data is a record; it gives batches: loader(set, { batch: 64 })",
  ],
  [
    "a measured step",
    train.simulate,
    [],
    "simulate: the step is missing; what belongs there is what measureStep gave: simulate(await measureStep(...), ",
  ],
  [
    "a network",
    train.simulate,
    [{ compute: 1, buckets: [] }, { ranks: 8 }],
    "simulate: the network has no bandwidth; what belongs there is { ranks: 8, bandwidth: 1.25e9, latency: 2e-5 }",
  ],
  ["a state", optim.averages, [], "averages: opt is missing; what belongs there is the state of an optimiser: averages(opt, params)"],
  ["parameters of a cell", nn.lstm.start, [], "lstm.start: the parameters are missing; they come first, and lstm.init makes them"],
  ["a shape", nn.initializers.kernelFans, [3], "kernelFans: the shape is 3; it is a list of sizes: kernelFans([outputs, inputs, 3, 3])"],
  [
    "an initialiser's options",
    nn.initializers.normal,
    [0.02],
    "normal: the options are 0.02; they are one record: initializers.normal({ d",
  ],
  ["an initialiser's other words", nn.initializers.normal, [{ std: 0.02 }], "normal: there is no option std; write deviation"],
  [
    "an initialiser's slips",
    nn.initializers.kaimingUniform,
    [{ nonlinarity: "tanh" }],
    "kaimingUniform: there is no option nonlinarity; write n",
  ],
  ["adapters' options", finetune.lora, [{}], "lora: the options are missing; they are one record: lora(model, { rank: 8 })"],
  ["adapters' other words", finetune.lora, [{}, { r: 8 }], "lora: there is no option r; write rank"],
  [
    "adapters",
    finetune.saveAdapters,
    ["a.safetensors"],
    "saveAdapters: the second argument is missing; what belongs there is what lora gave: saveAd",
  ],
  [
    "factors",
    finetune.saveAdapters,
    ["a.safetensors", { params: {}, rank: 1 }],
    "saveAdapters: the third argument is missing; what belongs there is the trained factors, by name: saveAdapters(path, adapted, params)",
  ],
  ["a model's weights", finetune.trainables, [{}], "trainables: the model has no params; what belongs there is what onnx.read gave"],
  ["an op", testing.checkOp, [3], "checkOp: the op is 3; it is what op(...) declared"],
  ["samples", testing.checkOp, [relu], "checkOp: the samples are missing; they are lists of arguments: checkOp(cube, [[2], [-1]])"],
])("it is said what was given in the place of %s", async (_, call, given, message) => {
  expect((await thrown(call as Call, ...given))?.message).toContain(message);
});
