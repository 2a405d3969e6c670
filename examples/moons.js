// Two moons, a classic of two classes that no line parts. `node examples/moons.js` trains a small network and prints its map in characters.
import { binaryCrossEntropy, cast, equal, evaluate, f32, greater, mean, random, relu, reshape, sigmoid, tensor } from "chainrule";
import { dataset, loader } from "chainrule/data";
import { layer, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { train } from "chainrule/train";
import { wasm } from "chainrule/wasm";

const net = sequential({ fc1: layer.linear(2, 16), relu1: relu, fc2: layer.linear(16, 16), relu2: relu, fc3: layer.linear(16, 1) });

/**
 * Points on two half circles, one upside down, with noise.
 *
 * @param {number} rows
 * @param {number} seed
 */
export function moons(rows, seed, noise = 0.1) {
  const { data: jitter } = evaluate(random.normal(random.key(seed), f32(rows, 2)));
  const x = new Float32Array(2 * rows);
  const y = Int32Array.from({ length: rows }, (_, i) => i % 2);
  for (let i = 0; i < rows; i++) {
    const t = (Math.PI * (i + 0.5)) / rows;
    const [a, b] = y[i] === 0 ? [Math.cos(t), Math.sin(t)] : [1 - Math.cos(t), 0.5 - Math.sin(t)];
    x[2 * i] = a + noise * jitter[2 * i];
    x[2 * i + 1] = b + noise * jitter[2 * i + 1];
  }
  return dataset({ x: tensor(x, f32(rows, 2)), y: tensor(y) });
}

/**
 * Trains, and gives the accuracy on other moons and the parameters.
 *
 * @param {number} seed
 * @param {number} [epochs]
 */
export async function learnMoons(seed, epochs = 60) {
  const training = train(
    {
      ...net.init(random.key(seed)),
      loss: (params, { x, y }, call) => {
        const { out, stats } = net.apply(params, x, call);
        const logits = reshape(out, { shape: y.type.shape });
        return { loss: binaryCrossEntropy(logits, cast(y, "f32")), accuracy: mean(equal(cast(greater(logits, 0), "i32"), y)), stats };
      },
    },
    {
      data: loader(moons(500, seed), { batch: 100, shuffle: seed }),
      validate: loader(moons(500, seed + 1000), { batch: 500 }),
      optimizer: adam({ rate: 1e-2 }),
      engine: wasm(),
      epochs,
    },
  );
  const { params, stats, report } = await training.finish();
  return { params, stats, accuracy: report.checkups.at(-1)?.metrics["accuracy"] ?? 0 };
}

/**
 * The plane from (-1.5, 1.4) to (2.5, -0.9) in characters: what the network says of each place.
 *
 * @param {Awaited<ReturnType<typeof learnMoons>>} learnt
 */
export function map({ params, stats }, columns = 64, lines = 20) {
  const places = Float32Array.from({ length: 2 * columns * lines }, (_, k) => {
    const i = k >> 1;
    return k % 2 === 0 ? -1.5 + (4 * (i % columns)) / columns : 1.4 - (2.3 * Math.floor(i / columns)) / lines;
  });
  const { out } = net.apply(params, tensor(places, f32(columns * lines, 2)), { train: false, stats });
  const { data } = evaluate(sigmoid(out));
  return Array.from({ length: lines }, (_, i) =>
    Array.from({ length: columns }, (_, j) => " .:-=+*#%@"[Math.min(9, Math.floor(10 * data[i * columns + j]))]).join(""),
  ).join("\n");
}

if (process.argv[1]?.endsWith("moons.js")) {
  const learnt = await learnMoons(0);
  console.log(`${map(learnt)}\naccuracy ${learnt.accuracy.toFixed(4)}`);
}
