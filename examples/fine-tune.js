// A model that PyTorch wrote, trained further on a table and written again: node examples/fine-tune.js [model.onnx table.csv column tuned.onnx]
import { fileURLToPath } from "node:url";
import { softmaxCrossEntropy } from "chainrule";
import { loader, readCsv } from "chainrule/data";
import { trainables } from "chainrule/finetune";
import { onnx } from "chainrule/onnx";
import { adam } from "chainrule/optim";
import { accuracy, train } from "chainrule/train";
import { wasm } from "chainrule/wasm";

const here = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const [file = here("test/fixtures/onnx/mlp/model.onnx"), table = here("data/digits.csv"), label = "label", out = here("out/tuned.onnx")] =
  process.argv.slice(2);

const model = await onnx.read(file);
const [input] = Object.keys(model.inputs);
const [output] = Object.keys(model.outputs);
const [fit, held] = (await readCsv(table, { label })).split(0.8, { seed: 0, stratify: "y" });

const training = train(
  {
    params: model.params,
    loss: (params, { x, y }) => {
      const scores = model.apply(params, { [input]: x })[output];
      return { loss: softmaxCrossEntropy(scores, y), accuracy: accuracy(scores, y) };
    },
  },
  {
    data: loader(fit, { batch: 32, shuffle: 0 }),
    validate: loader(held, { batch: 256 }),
    optimizer: adam({ rate: 3e-3, only: trainables(model) }),
    engine: wasm(),
    epochs: 5,
  },
);
for await (const { step, loss, validation } of training)
  if (validation) console.log(`step ${step}, loss ${loss.toFixed(3)}, accuracy on held out rows ${validation.metrics.accuracy.toFixed(3)}`);
await onnx.save(out, model.with((await training.finish()).params));
console.log(`wrote ${out}`);
