import {
  add,
  constant,
  div,
  f32,
  type Graph,
  graph,
  mul,
  sigmoid,
  softmax,
  sub,
  type Tensor,
  type TensorType,
  tanh,
  tensor,
  type Value,
} from "chainrule";
import { serializeSafetensors } from "chainrule/data";
import { pytorchCode } from "./code-pytorch.ts";
import { typescriptCode } from "./code-typescript.ts";
import { featuresOf } from "./features.ts";
import { lossInUse } from "./losses.ts";
import type { Exported, Format } from "./messages.ts";
import { forward, type Params } from "./net.ts";
import { described, type NetFacts } from "./net-facts.ts";
import type { TrainState } from "./state.ts";
import type { Trainer } from "./trainer.ts";

/** What the net sees of raw rows, as part of a graph. */
function seenIn({ problem }: NetFacts, at: Value): Value {
  if (problem.features !== null) return featuresOf(at, problem.features);
  if (problem.shape === "table") return div(sub(at, tensor([...problem.center], "f32")), tensor([...problem.scale], "f32"));
  return mul(at, 1 / 16);
}

/** The net as a graph of one row with its weights inside: raw input `x`; `output` before the loss's function, and what it says. */
export function graphOf(facts: NetFacts): Graph<{ x: TensorType }, Record<string, Value>> {
  const { problem, shape, settings } = facts;
  const weights = Object.fromEntries(
    Object.entries(facts.params).map(([name, { w, b }]) => [name, { w: constant(w), b: constant(b) }]),
  ) as Params;
  return graph({ x: f32(1, problem.space) }, ({ x }): Record<string, Value> => {
    const { out } = forward(shape, weights, seenIn(facts, x));
    const { task, target } = problem;
    if (task.kind === "classes") return { output: out, probabilities: softmax(out) };
    if (task.kind === "number")
      return { output: target.scale === 1 && target.center === 0 ? out : add(mul(out, target.scale), target.center) };
    const kind = lossInUse(task.kind, settings.loss);
    return { output: out, probability: kind === "crossEntropy" ? sigmoid(out) : mul(0.5, add(1, tanh(out))) };
  });
}

export function factsOf(settings: TrainState, trainer: Trainer): NetFacts {
  const { problem } = trainer;
  const { at } = problem.train;
  const raw = (row: number): number[] =>
    Array.from({ length: problem.space }, (_, i) => {
      const v = at[row * problem.space + i]!;
      const own = problem.shape === "image" ? 16 * v : problem.shape === "table" ? v * problem.scale[i]! + problem.center[i]! : v;
      return Number(own.toPrecision(6));
    });
  return {
    settings,
    problem,
    shape: trainer.shape,
    params: trainer.params(),
    steps: trainer.steps,
    epoch: trainer.epoch,
    sample: [raw(0), raw(problem.train.rows > 1 ? 1 : 0)],
  };
}

function jsonOf({ settings, problem, shape, params, steps, epoch }: NetFacts): string {
  const plain = ({ type, data }: Tensor) => ({ dtype: type.dtype, shape: type.shape, data: [...(data as Float32Array)] });
  const { csv: _csv, drawn: _drawn, ...short } = settings;
  return JSON.stringify(
    {
      format: "chainrule net",
      version: 1,
      settings: short,
      steps,
      epoch,
      columns: problem.columns,
      classes: problem.classes,
      features: problem.features,
      center: problem.center,
      scale: problem.scale,
      target: problem.target,
      shape,
      params: Object.fromEntries(Object.entries(params).map(([name, { w, b }]) => [name, { w: plain(w), b: plain(b) }])),
    },
    null,
    1,
  );
}

/** The trained net as a file. @throws what the writer of the format throws */
export async function exportedAs(format: Format, settings: TrainState, trainer: Trainer): Promise<Exported> {
  const facts = factsOf(settings, trainer);
  const text = (code: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(code);
  switch (format) {
    case "typescript":
      return { name: "net.ts", type: "text/typescript", bytes: text(typescriptCode(facts)) };
    case "pytorch":
      return { name: "net.py", type: "text/x-python", bytes: text(pytorchCode(facts)) };
    case "json":
      return { name: "net.json", type: "application/json", bytes: text(jsonOf(facts)) };
    case "onnx": {
      const { onnx } = await import("chainrule/onnx");
      return { name: "net.onnx", type: "application/octet-stream", bytes: new Uint8Array(onnx.write(graphOf(facts))) };
    }
    case "safetensors": {
      const tensors = Object.fromEntries(
        Object.entries(facts.params).flatMap(([name, { w, b }]) => [[`${name}.w`, w] as const, [`${name}.b`, b] as const]),
      );
      const about = { made: described(facts), activation: settings.activation };
      return { name: "net.safetensors", type: "application/octet-stream", bytes: serializeSafetensors(tensors, about) };
    }
  }
}
