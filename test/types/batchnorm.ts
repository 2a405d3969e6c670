import { loader, readCsv } from "../../src/data.ts";
import { random, relu, softmaxCrossEntropy, type Value, type Values } from "../../src/index.ts";
import { batchNorm, layer, linear, sequential } from "../../src/nn.ts";
import { sgd } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";

const key = random.key(0),
  bn1 = batchNorm.init(100);
const params = { fc1: linear.init(random.fold(key, "fc1"), 64, 100), bn1: bn1.params, fc2: linear.init(random.fold(key, "fc2"), 100, 10) };
const stats = { bn1: bn1.stats };
type Params = Values<typeof params>;
type Stats = Values<typeof stats>;
const net = (p: Params, s: Stats, x: Value, train: boolean) => {
  const n1 = batchNorm(p.bn1, s.bn1, linear(p.fc1, x), { train });
  return { logits: linear(p.fc2, relu(n1.out)), stats: { bn1: n1.stats } };
};
const data = await readCsv(new URL("../../data/digits.csv", import.meta.url).pathname, { label: "label" });
const training = train(
  {
    params,
    stats,
    loss: (p, { x, y }, { stats, train }) => {
      const out = net(p, stats, x, train);
      return { loss: softmaxCrossEntropy(out.logits, y), stats: out.stats };
    },
  },
  { data: loader(data, { batch: 64, shuffle: 0 }), optimizer: sgd({ rate: 0.1, momentum: 0.9 }), engine: wasm(), epochs: 1 },
);
const done = await training.finish();
console.log(done.stats.bn1.mean.data);
const options = { data: loader(data, { batch: 64 }), optimizer: sgd({ rate: 0.1 }), engine: wasm(), epochs: 1, health: false };
const forgetful = (p: Params, { x, y }: { x: Value; y: Value }, { stats }: { stats: Stats }) => ({
  loss: softmaxCrossEntropy(net(p, stats, x, true).logits, y),
});
// @ts-expect-error: the new statistics have to come back
train({ params, stats, loss: forgetful }, options);
// the same as a stack: sequential threads statistics and keys by name
const stack = sequential({
  fc1: layer.linear(64, 100),
  bn1: layer.batchNorm(100),
  relu,
  drop: layer.dropout(0.5),
  fc2: layer.linear(100, 10),
});
const born = stack.init(key);
const again = train(
  {
    ...born,
    loss: (p, { x, y }, call) => {
      const { out, stats } = stack.apply(p, x, call);
      return { loss: softmaxCrossEntropy(out, y), stats };
    },
  },
  options,
);
console.log((await again.finish()).params.fc1.w.data, born.stats.bn1.mean.data);
