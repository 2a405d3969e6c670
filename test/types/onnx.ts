import * as node from "onnxruntime-node";
import { loader, readCsv } from "../../src/data.ts";
import { lora, trainables } from "../../src/finetune.ts";
import { argMax, equal, evaluate, mean, softmaxCrossEntropy, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { onnxruntime } from "../../src/onnxruntime.ts";
import { adam } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";

const path = (name: string): string => new URL(`../../${name}`, import.meta.url).pathname;
type Params = Record<string, Value>;
interface Batch {
  readonly x: Value;
  readonly y: Value;
}

// Node
const model = await onnx.read(path("test/fixtures/onnx/mlp/model.onnx"), { inputs: ["input"], outputs: ["logits"] });
const digits = await readCsv(path("data/digits.csv"), { label: "label" });
const few = digits.split(0.2, { seed: 0 })[0];
const data = loader(few, { batch: 32, shuffle: 0, last: "drop" });
const training = train(
  { params: model.params, loss: (p: Params, { x, y }: Batch) => softmaxCrossEntropy(model.apply(p, { input: x }).logits, y) },
  {
    data,
    optimizer: adam({ rate: 3e-3, only: model.trainable, freeze: ["net.0.*"] }),
    engine: onnxruntime(node),
    epochs: 6,
    health: false,
  },
);
for await (const { step, loss } of training) console.log(step, loss);
await onnx.save(path("out/program-tuned.onnx"), model.with((await training.finish()).params));

// a page: the engine lives in a worker, nothing else changes
const tuned = await onnx.read(path("out/program-tuned.onnx"), { inputs: ["input"], outputs: ["logits"] });
const stop = new AbortController();
const adapted = lora(tuned, { rank: 2 });
for await (const { step } of train(
  { params: adapted.params, loss: (p: Params, { x, y }: Batch) => softmaxCrossEntropy(adapted.apply(p, { input: x }).logits, y) },
  { data, optimizer: adam({ rate: 1e-3 }), engine: wasm(), epochs: 1, signal: stop.signal, health: false },
))
  if (step === 5) stop.abort();
const { x, y } = few.all();
console.log(
  evaluate(mean(equal(argMax(tuned.apply(tuned.params, { input: x }).logits, { axis: 1 }), y))).data[0],
  trainables(tuned).length,
);
// @ts-expect-error: the model was opened as having an input "input"
tuned.apply(tuned.params, { pixels: 1 });
// without names it still type-checks, at the price of a check for undefined
const loose = await onnx.read(path("out/program-tuned.onnx"));
console.log(loose.apply(loose.params, { input: x })["logits"]?.type.shape);
