// A language model of single characters, on two sonnets of Shakespeare: a plain recurrent net, an LSTM, or a small GPT.
// `node examples/char-model.js gpt` trains it until it knows its text by heart, and lets it go on from a few words.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  add,
  argMax,
  cast,
  compile,
  f32,
  floor,
  gather,
  graph,
  i32,
  matmul,
  mul,
  random,
  range,
  read,
  reshape,
  slice,
  softmaxCrossEntropy,
  tensor,
  transpose,
  valueAndGrad,
} from "chainrule";
import { embedding, initializers, layerNorm, linear, lstm, positions, rnn, transformerBlock } from "chainrule/nn";
import { adamW, cosine, stepCount } from "chainrule/optim";
import { wasm } from "chainrule/wasm";

/** @typedef {import("chainrule").Value} Value */

const WINDOW = 32;
const BATCH = 16;

/** The models: parameters from a key, and logits [batch, steps, characters] from ids [batch, steps]. */
const models = {
  rnn: recurrent(rnn, 96),
  lstm: recurrent(lstm, 96),
  gpt: {
    rate: 6e-3,
    init: (key, characters) => ({
      tok: embedding.init(random.fold(key, "tok"), characters, 48, { weight: initializers.normal({ deviation: 0.05 }) }),
      pos: positions.init(random.fold(key, "pos"), WINDOW, 48),
      blocks: [0, 1].map((i) => transformerBlock.init(random.fold(key, `block${i}`), 48)),
      ln: layerNorm.init(48),
    }),
    logits: (p, ids) => {
      const first = positions(p.pos, embedding(p.tok, ids));
      const last = p.blocks.reduce((x, block) => transformerBlock(block, x, { heads: 4, causal: true }), first);
      return matmul(layerNorm(p.ln, last), transpose(p.tok.table)); // tied weights: the table reads and writes
    },
  },
};

/** A recurrent cell over embedded characters, and a linear layer to the logits. */
function recurrent(cell, hidden) {
  return {
    rate: 1e-2,
    init: (key, characters) => ({
      tok: embedding.init(random.fold(key, "tok"), characters, 32),
      cell: cell.init(random.fold(key, "cell"), 32, hidden),
      out: linear.init(random.fold(key, "out"), hidden, characters),
    }),
    logits: (p, ids) => linear(p.out, cell.over(p.cell, embedding(p.tok, ids)).out),
  };
}

/**
 * Trains a model on a text; gives the losses and a function that goes on from a prompt, always with the likeliest character.
 *
 * @param {"rnn" | "lstm" | "gpt"} name
 * @param {string} text
 * @param {number} steps
 */
export async function learn(name, text, steps) {
  const alphabet = [...new Set(text)].sort();
  const encode = (/** @type {string} */ s) => Int32Array.from(s, (c) => alphabet.indexOf(c));
  const { init, logits, rate } = models[name];
  const params = init(random.key(0), alphabet.length);
  const rule = adamW({
    rate: cosine({ from: rate, steps, warmup: Math.ceil(steps / 20) }),
    weightDecay: 0.01,
    decay: ["*.w"],
    clipNorm: 1,
  });
  // The text stays inside the engine, and each step draws its own windows of it: a run takes nothing from outside.
  const state = { params, opt: rule.init(params), text: tensor(encode(text)), key: random.key(1) };
  const step = graph(state, ({ params, opt, text: all, key }) => {
    const now = random.fold(key, stepCount(opt));
    const starts = cast(floor(mul(random.uniform(now, f32(BATCH)), text.length - WINDOW)), "i32");
    const windows = gather(all, add(reshape(starts, { shape: [BATCH, 1] }), range(WINDOW + 1)));
    const loss = (p) => softmaxCrossEntropy(logits(p, slice(windows, { axis: 1, end: -1 })), slice(windows, { axis: 1, start: 1 }));
    const { value, grad } = valueAndGrad(loss)(params);
    return { loss: value, ...rule.update({ params, grad, opt }) };
  });
  const engine = wasm();
  const training = await compile(step, engine, { state });
  const losses = [];
  for (let t = 0; t < steps; t++) losses.push(read(training.run({}).loss));

  // The same memory, no copy. A shorter text is filled up behind: nothing looks ahead, so what stands there does not matter.
  const next = graph({ params, ids: i32(1, WINDOW) }, ({ params, ids }) => argMax(logits(params, ids), { axis: -1 }));
  const reading = await compile(next, engine, { state: training.state });
  const goOn = (/** @type {string} */ prompt, /** @type {number} */ length) => {
    let said = prompt;
    while (said.length < length) {
      const seen = encode(said.slice(-WINDOW));
      const ids = new Int32Array(WINDOW);
      ids.set(seen);
      said += alphabet[reading.run({ ids }).data[seen.length - 1]];
    }
    return said;
  };
  return { losses, goOn };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = "gpt", steps = "400", prompt = "Shall I"] = process.argv.slice(2);
  const text = readFileSync(new URL("../data/sonnets.txt", import.meta.url), "utf8");
  const began = performance.now();
  const { losses, goOn } = await learn(name, text, Number(steps));
  const seconds = (performance.now() - began) / 1000;
  console.log(`${name}: loss ${losses[0].toFixed(3)} at first, ${losses.at(-1).toFixed(3)} after ${steps} steps, ${seconds.toFixed(1)} s`);
  console.log(goOn(prompt, 200));
}
