// The same steps compiled by ours, on ONNX Runtime and in PyTorch, one thread and two, in turn: elapsed time where there are two threads, else processor time.
import { compile, f32, graph, mul, tensor } from "../../dist/index.js";
import { onnxruntime } from "../../dist/onnxruntime.js";
import { wasm } from "../../dist/wasm.js";
import { measure, processorNanoseconds } from "../harness/measure.js";
import { pythonSteps } from "../harness/python.js";
import { timeTable } from "../harness/table.js";
import { convnet, gpt } from "./networks.js";
import { training } from "./training.js";

/** @param {number} rounds @returns {Promise<string>} Markdown */
export async function onOrt(rounds) {
  const ort = await import("onnxruntime-node").catch(() => null);
  if (ort === null) return "onnxruntime-node is not installed.";
  const work = [
    training("SGD step of an MLP 784-128-10, batch 64, f32", [784, 128, 10], 64),
    training("SGD step of an MLP 784-512-512-10, batch 256, f32", [784, 512, 512, 10], 256),
    convnet(),
    gpt(),
  ];
  const tables = [];
  for (const suite of work)
    for (const threads of [1, 2]) {
      const contestants = [];
      /** @type {(engine: any) => () => Promise<() => Promise<number>>} */
      const compiled = (engine) => async () => {
        const step = await suite.program(engine);
        return async () => (await step()).loss.data[0];
      };
      /** @type {[string, () => Promise<() => Promise<number>>][]} */
      const steps = [
        ["chainrule, wasm", compiled(wasm({ threads }))],
        ["chainrule, ONNX Runtime", compiled(onnxruntime(ort, { threads }))],
      ];
      if ("byHand" in suite) steps.push(["a step written by hand in ONNX, called directly", () => suite.byHand(ort, threads)]);
      let truth = Number.NaN;
      for (const [name, make] of steps) {
        const step = await make();
        const loss = await step();
        if (Number.isNaN(truth)) truth = loss;
        if (!(Math.abs(loss - truth) <= 1e-4 * Math.abs(truth))) throw new Error(`${name}: the first loss is ${loss}, not ${truth}`);
        // Workers of threads start meanwhile.
        if (threads > 1) await new Promise((done) => setTimeout(done, 500));
        contestants.push({
          name,
          run: async (/** @type {number} */ times) => {
            for (let i = 0; i < times; i++) await step();
          },
        });
      }
      contestants.push(...pythonSteps(suite.torch, threads));
      const measured = await measure(contestants, {
        check: () => undefined,
        rounds,
        ...(threads === 1 ? { now: processorNanoseconds } : {}),
      });
      tables.push(
        `### ${suite.title}, ${threads === 1 ? "one thread" : "two threads"}\n\n${timeTable(measured, { unit: `ms a step, ${threads === 1 ? "of processor time" : "elapsed"}`, scale: 1e-6 })}`,
      );
    }
  const remark =
    "One thread in processor time. Two threads in elapsed time, which tells something on a machine with two idle processors alone.";
  return [remark, await call(ort), ...tables].join("\n\n");
}

/** What a call costs where there is hardly anything to compute. @param {any} ort */
async function call(ort) {
  const g = graph({ x: f32(4) }, ({ x }) => ({ y: mul(x, 2) }));
  const x = tensor(new Float32Array(4), f32(4));
  const contestants = [];
  for (const [name, engine] of /** @type {const} */ ([
    ["chainrule, wasm", wasm()],
    ["chainrule, ONNX Runtime", onnxruntime(ort)],
  ])) {
    const program = await compile(g, engine);
    contestants.push({
      name,
      run: async (/** @type {number} */ times) => {
        for (let i = 0; i < times; i++) await program.run({ x });
      },
    });
  }
  return `### A call: four elements doubled\n\n${timeTable(await measure(contestants, { check: () => undefined, rounds: 9 }), { unit: "microseconds a call, elapsed", scale: 1e-3 })}`;
}
