// Nets on handwritten digits, in the way of CS231n's second assignment: a fully connected one with batch normalisation and dropout, and a small
// convolutional one. `node examples/digits-net.js convnet` trains it on four fifths of the digits and reads the others.
import { fileURLToPath } from "node:url";
import { argMax, equal, evaluate, mean, mul, random, relu, reshape, softmaxCrossEntropy } from "chainrule";
import { loader, readCsv } from "chainrule/data";
import { flatten, layer, sequential } from "chainrule/nn";
import { adamW, cosine } from "chainrule/optim";
import { train } from "chainrule/train";
import { wasm } from "chainrule/wasm";

/** The nets: stacks from images [batch, 64], whose pixels are 0 to 16, to ten scores. */
const nets = {
  mlp: sequential({
    scale: (x) => mul(x, 1 / 16),
    fc1: layer.linear(64, 128),
    bn1: layer.batchNorm(128),
    relu1: relu,
    drop: layer.dropout(0.2),
    fc2: layer.linear(128, 64),
    bn2: layer.batchNorm(64),
    relu2: relu,
    scores: layer.linear(64, 10),
  }),
  convnet: sequential({
    image: (x) => mul(reshape(x, { shape: [-1, 1, 8, 8] }), 1 / 16),
    conv1: layer.conv2d(1, 16, 3, { padding: 1, bias: false }),
    bn1: layer.batchNorm(16),
    relu1: relu,
    conv2: layer.conv2d(16, 32, 3, { padding: 1, bias: false }),
    bn2: layer.batchNorm(32),
    relu2: relu,
    pool: layer.maxPool({ size: 2 }),
    flat: (x) => flatten(x),
    drop: layer.dropout(0.3),
    scores: layer.linear(512, 10),
  }),
};

/**
 * Trains a net on four fifths of the digits, chosen by the seed; gives the share of the others that it reads right.
 *
 * @param {"mlp" | "convnet"} name
 * @param {number} seed
 * @param {number} epochs
 */
export async function accuracy(name, seed, epochs = name === "mlp" ? 15 : 8) {
  const digits = await readCsv(fileURLToPath(new URL("../data/digits.csv", import.meta.url)), { label: "label" });
  const [fit, held] = digits.split(0.8, { seed });
  const net = nets[name];
  const steps = epochs * Math.floor(fit.size / 64);
  const loss = (params, { x, y }, call) => {
    const { out, stats } = net.apply(params, x, call);
    return { loss: softmaxCrossEntropy(out, y, { labelSmoothing: 0.05 }), stats };
  };
  const training = train(
    { ...net.init(random.key(seed)), loss },
    {
      data: loader(fit, { batch: 64, shuffle: seed, last: "drop" }),
      optimizer: adamW({ rate: cosine({ from: 3e-3, steps, warmup: 20 }), weightDecay: 0.01, decay: ["*.w"] }),
      engine: wasm(),
      epochs,
    },
  );
  const { params, stats } = await training.finish();
  const { x, y } = held.all();
  const { out } = net.apply(params, x, { train: false, stats });
  return evaluate(mean(equal(argMax(out, { axis: 1 }), y))).data[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = "convnet", seeds = "1"] = process.argv.slice(2);
  const found = [];
  for (let seed = 0; seed < Number(seeds); seed++) found.push(await accuracy(name, seed));
  const average = found.reduce((a, b) => a + b, 0) / found.length;
  console.log(`${name}: ${(100 * average).toFixed(2)} % of the held-out digits (${found.map((a) => (100 * a).toFixed(1)).join(", ")})`);
}
