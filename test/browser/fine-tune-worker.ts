// What the worker of the fine-tuning page runs: it reads an .onnx file, trains it on the engine that it is told, and writes it.
import { parseSafetensors } from "../../src/data/safetensors.ts";
import { compile, type Engine, evaluate, graph, softmaxCrossEntropy, type Tensor, type Value, valueAndGrad } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { type Ort, onnxruntime } from "../../src/onnxruntime.ts";
import { adam, adamW, sgd } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

/** What the page asks for. */
export interface Asked {
  readonly engine: "wasm" | "onnxruntime" | "onnxruntime, webgpu";
  readonly steps: number;
  readonly rate: number;
  /** `sgd` when left out. */
  readonly optimizer?: "sgd" | "adam" | "adamW";
}

/** What it gets. */
export interface Told {
  readonly losses?: readonly number[];
  /** The largest difference between logits of the tuned model and of the file that was written of it. */
  readonly apart?: number;
  readonly failure?: string;
}

async function engineOf(name: Asked["engine"]): Promise<Engine> {
  if (name === "wasm") return wasm();
  const address: string = name === "onnxruntime" ? "/ort/ort.wasm.min.mjs" : "/ort/ort.webgpu.min.mjs";
  const ort = (await import(/* @vite-ignore */ address)) as Ort & { env: { wasm: { wasmPaths: string } } };
  ort.env.wasm.wasmPaths = "/ort/";
  return onnxruntime(ort, { providers: name === "onnxruntime" ? ["wasm"] : ["webgpu"] });
}

type Params = Record<string, Value>;

async function tune({ engine, steps, rate, optimizer: chosen = "sgd" }: Asked): Promise<Told> {
  const read = async (file: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(file)).arrayBuffer());
  const { tensors: data } = parseSafetensors(await read("/data.safetensors"));
  const model = await onnx.read(await read("/model.onnx"), { inputs: ["input"], outputs: ["logits"] });
  const optimizer = { sgd, adam, adamW }[chosen]({ rate, only: [...model.trainable] });
  const state = { params: model.params, opt: optimizer.init(model.params) };
  const step = graph({ ...state, x: data["x/0"]!.type, y: data["y/0"]!.type }, ({ params, opt, x, y }) => {
    const { value, grad } = valueAndGrad((p: Params) => softmaxCrossEntropy(model.apply(p, { input: x }).logits, y))(params as Params);
    return { loss: value, ...optimizer.update({ params: params as Params, grad, opt: opt as never }) };
  });
  const program = await compile(step as never, await engineOf(engine), { state } as never);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++)
    losses.push(((await program.run({ x: data[`x/${i}`]!, y: data[`y/${i}`]! } as never)) as { loss: Tensor }).loss.data[0]!);
  const tuned = model.with(((await program.state.read()) as { params: Record<string, Tensor> }).params);
  const again = await onnx.read(onnx.write(tuned), { inputs: ["input"], outputs: ["logits"] });
  const [a, b] = [tuned, again].map((m) => evaluate(m.apply(m.params, { input: data["x/0"]! }).logits).data);
  return { losses, apart: Math.max(...Array.from(a!, (v, i) => Math.abs(v - b![i]!))) };
}

const scope = globalThis as unknown as { onmessage: (event: { data: Asked }) => void; postMessage(told: Told): void };
scope.onmessage = ({ data }) => {
  tune(data).then(
    (told) => scope.postMessage(told),
    (error: Error) => scope.postMessage({ failure: `${error.name}: ${error.message}` }),
  );
};
