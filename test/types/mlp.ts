import { loader, readCsv, saveTensors } from "../../src/data.ts";
import { argMax, equal, mean, type Operand, random, relu, softmaxCrossEntropy, type Value, type Values } from "../../src/index.ts";
import { linear } from "../../src/nn.ts";
import { adam } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";

const k = random.key(0);
const params = { fc1: linear.init(random.fold(k, "fc1"), 64, 128), fc2: linear.init(random.fold(k, "fc2"), 128, 10) };
type Params = Values<typeof params>;
const net = (p: Params, x: Operand) => linear(p.fc2, relu(linear(p.fc1, x)));
const loss = (p: Params, { x, y }: { x: Value; y: Value }) => {
  const logits = net(p, x);
  return { loss: softmaxCrossEntropy(logits, y), accuracy: mean(equal(argMax(logits, { axis: 1 }), y)) };
};
const digits = await readCsv(new URL("../../data/digits.csv", import.meta.url).pathname, { label: "label" });
const [fit, held] = digits.split(0.8, { seed: 1, stratify: "y" });
const training = train(
  { params, loss },
  {
    data: loader(fit, { batch: 64, shuffle: 0 }),
    validate: loader(held, { batch: 256 }),
    optimizer: adam({ rate: 1e-3 }),
    engine: wasm(),
    epochs: 8,
    checkpoint: { file: "out/program-mlp.ckpt", every: 200, resume: true },
  },
);
for await (const { step, loss, outputs } of training) console.log(step, loss, outputs.accuracy.data[0]);
const { params: trained, report } = await training.finish();
await saveTensors("out/program-mlp.safetensors", trained);
console.log(report.text(), trained.fc1.w.type.shape);
// @ts-expect-error: no such output
for await (const { outputs } of training) console.log(outputs.acuracy);
const other = (p: Params, { z }: { z: Value }) => mean(net(p, z));
const options = { data: loader(fit, { batch: 64 }), optimizer: adam({ rate: 1e-3 }), engine: wasm(), epochs: 1 };
// @ts-expect-error: the loss wants a column that the data does not have
train({ params, loss: other }, options);
