// The workloads of training as a user writes them, with chainrule/nn, chainrule/optim, chainrule/data and train(): beside the same step compiled alone and run on one batch,
// which is what the loop, the data, the metrics and the guards are measured against, and beside the peers.
import { dataset, loader } from "../../dist/data.js";
import {
  cast,
  compile,
  evaluate,
  f32,
  gelu,
  graph,
  i32,
  leaves,
  matmul,
  maxPool,
  mean,
  random,
  reference,
  relu,
  reshape,
  slice,
  softmaxCrossEntropy,
  square,
  sub,
  tensor,
  transpose,
  valueAndGrad,
} from "../../dist/index.js";
import { conv2d, embedding, flatten, initializers, layerNorm, linear, positions, transformerBlock } from "../../dist/nn.js";
import { adamW, sgd } from "../../dist/optim.js";
import { accuracy, train } from "../../dist/train.js";
import { wasm } from "../../dist/wasm.js";
import { peer } from "../harness/peers.js";
import { pythonSteps } from "../harness/python.js";
import { jaxStep } from "../steps/jax-js.js";

const key = random.key(1);
const under = (name) => random.fold(key, name);
const rate = 0.01;
/** Batches in a pass. */
const batches = 40;

const flat = (tree) => leaves(tree).map(({ path, leaf }) => ({ name: path, shape: leaf.type.shape, data: leaf.data }));

/** Rows of normal numbers with a class each. */
function labelled(rows, classes, ...shape) {
  const x = evaluate(random.normal(under("x"), f32(rows, ...shape)));
  return { x, y: tensor(Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes)) };
}

/** A dense network; one output means a regression on 0 and 1. */
function mlp(sizes, batch) {
  const outputs = sizes.at(-1);
  const params = sizes.slice(1).map((n, i) => linear.init(under(i), sizes[i], n));
  const net = (p, input) => p.reduce((h, q, i) => (i === p.length - 1 ? linear(q, h) : relu(linear(q, h))), input);
  return {
    params,
    columns: labelled(batches * batch, outputs === 1 ? 2 : outputs, sizes[0]),
    batch,
    optimizer: sgd({ rate }),
    loss(p, { x, y }) {
      const out = net(p, x);
      if (outputs === 1) return { loss: mean(square(sub(reshape(out, { shape: [-1] }), cast(y, "f32")))) };
      return { loss: softmaxCrossEntropy(out, y), accuracy: accuracy(out, y) };
    },
    torch: { net: "mlp", params: flat(params) },
    jax: (jax, { x, y }) => jaxStep(jax, params, x, [...y.data], batch, outputs, rate),
  };
}

/** 28 x 28 x 1, 3 x 3 x 32, 3 x 3 x 64, pooled by 2, 128, 10. */
function convnet(batch) {
  const params = {
    c1: conv2d.init(under("c1"), 1, 32, 3),
    c2: conv2d.init(under("c2"), 32, 64, 3),
    fc1: linear.init(under("fc1"), 9216, 128),
    fc2: linear.init(under("fc2"), 128, 10),
  };
  const { c1, c2, fc1, fc2 } = params;
  return {
    params,
    columns: labelled(batches * batch, 10, 1, 28, 28),
    batch,
    optimizer: sgd({ rate }),
    loss(p, { x, y }) {
      const pooled = maxPool(relu(conv2d(p.c2, relu(conv2d(p.c1, x)))), { size: 2 });
      const logits = linear(p.fc2, relu(linear(p.fc1, flatten(pooled))));
      return { loss: softmaxCrossEntropy(logits, y), accuracy: accuracy(logits, y) };
    },
    torch: { net: "convnet", params: flat({ c1: c1.w, d1: c1.b, c2: c2.w, d2: c2.b, w1: fc1.w, b1: fc1.b, w2: fc2.w, b2: fc2.b }) },
  };
}

/** 4 layers, width 128, 4 heads, 64 tokens, 256 words, the table used twice. */
function gpt(batch) {
  const [tokens, width, heads, words] = [64, 128, 4, 256];
  const weight = initializers.normal({ deviation: 0.02 });
  const params = {
    tok: embedding.init(under("tok"), words, width, { weight }),
    pos: positions.init(under("pos"), tokens, width, { weight }),
    blocks: [0, 1, 2, 3].map((i) => transformerBlock.init(under(i), width)),
    norm: layerNorm.init(width),
  };
  const theirs = { tok: params.tok.table, pos: params.pos.table, g: params.norm.scale, h: params.norm.shift };
  params.blocks.forEach(({ ln1, attn, ln2, up, down }, i) => {
    for (const [name, { w, b }] of Object.entries({ qkv: attn.qkv, out: attn.out, up, down }))
      Object.assign(theirs, { [`${name}${i}`]: w, [`${name}b${i}`]: b });
    for (const [n, { scale, shift }] of [ln1, ln2].entries()) Object.assign(theirs, { [`g${n + 1}${i}`]: scale, [`h${n + 1}${i}`]: shift });
  });
  const activation = (x) => gelu(x, { approximate: "tanh" });
  const rows = batches * batch;
  const ids = Int32Array.from({ length: rows * (tokens + 1) }, (_, i) => (i * 31 + i * i * 7) % words);
  return {
    params,
    columns: { ids: tensor(ids, i32(rows, tokens + 1)) },
    batch,
    optimizer: adamW({ rate: 3e-4, weightDecay: 0.1 }),
    loss(p, { ids }) {
      const first = positions(p.pos, embedding(p.tok, slice(ids, { axis: 1, end: -1 })));
      const last = p.blocks.reduce((h, block) => transformerBlock(block, h, { heads, causal: true, activation }), first);
      return { loss: softmaxCrossEntropy(matmul(layerNorm(p.norm, last), transpose(p.tok.table)), slice(ids, { axis: 1, start: 1 })) };
    },
    torch: { net: "gpt", params: flat(theirs) },
  };
}

/** @type {Record<string, { title: string, make: () => any }>} */
const workloads = {
  "train-mlp": { title: "MLP 784-128-10, batch 64, SGD", make: () => mlp([784, 128, 10], 64) },
  "train-mlp-large": { title: "MLP 784-512-512-10, batch 256, SGD", make: () => mlp([784, 512, 512, 10], 256) },
  "train-moons": { title: "MLP 2-16-16-1, batch 100, SGD", make: () => mlp([2, 16, 16, 1], 100) },
  "train-convnet": { title: "ConvNet 28x28x1, 3x3x32, 3x3x64, pool, 128, 10, batch 32, SGD", make: () => convnet(32) },
  "train-gpt": { title: "GPT: 4 layers, width 128, 4 heads, 64 tokens, batch 8, AdamW", make: () => gpt(8) },
};

/** The batches of a loader without an end to the first pass, in which numbers are searched for NaN. @param {any} own */
function endless(own) {
  return {
    batch: own.batch,
    length: null,
    order: own.order,
    *pass(n, from = 0, spare) {
      for (let pass = n; ; pass++) yield* own.pass(pass, pass === n ? from : 0, spare);
    },
  };
}

/** @param {string} name */
export function throughTrain(name) {
  const { title, make } = workloads[name];
  const { params, columns, batch, optimizer, loss, torch, jax } = make();
  const data = loader(dataset(columns), { batch, shuffle: 0 });
  const [one] = [...data.pass(0)];
  const opt = optimizer.init(params);
  let truth = Number.NaN;

  /** A run of train(), step by step. */
  const run = (source) => {
    const steps = train({ params, loss }, { data: source, optimizer, engine: wasm(), epochs: Number.MAX_SAFE_INTEGER, health: false })[
      Symbol.asyncIterator
    ]();
    return async (times) => {
      let out;
      for (let i = 0; i < times; i++) out = (await steps.next()).value.loss;
      return out;
    };
  };
  /** finish(), so many steps at a time: a pass over the data ends where the measuring does, and the next one waits for more to be asked. */
  const finishing = () => {
    let left = 0;
    let begin = null;
    let end = null;
    let free = null;
    const rows = endless(data).pass(0, 0, () => free?.() ?? null);
    const next = () => {
      left--;
      return rows.next().value;
    };
    const source = {
      batch,
      length: null,
      order: data.order,
      pass(_, __, spare) {
        free = spare;
        if (left > 0)
          return (function* () {
            while (left > 0) yield next();
          })();
        return (async function* () {
          await new Promise((go) => {
            begin = go;
          });
          yield next();
        })();
      },
    };
    // Whoever looks at each checkup is told when a pass is over, and what its mean loss was.
    const derive = (totals) => {
      if (left === 0) end(totals.loss);
      return {};
    };
    train({ params, loss }, { data: source, optimizer, engine: wasm(), epochs: Number.MAX_SAFE_INTEGER, health: false, derive }).finish();
    return async (times) => {
      while (begin === null) await new Promise((go) => setImmediate(go));
      return new Promise((done) => {
        left = times;
        end = done;
        const go = begin;
        begin = null;
        go();
      });
    };
  };
  /** The first step is checked; then the first pass is over before anything is measured. */
  const afterFirstPass = (steps) => {
    let begun = false;
    return async (times) => {
      const first = await steps(times);
      if (!begun) await steps(batches);
      begun = true;
      return first;
    };
  };

  return {
    title: `Through train(): ${title}, f32`,
    unit: "ms a step",
    scale: 1e-6,
    rounds: 15,
    settled: true,
    check(result) {
      if (!(Math.abs(result - truth) <= 1e-4 * Math.abs(truth))) throw new Error(`the first loss is ${result}, not ${truth}`);
    },
    async contestants() {
      const types = { params, ...Object.fromEntries(Object.entries(one).map(([column, { type }]) => [column, type])) };
      const forward = graph(types, ({ params: p, ...given }) => loss(p, given).loss);
      truth = (await compile(forward, reference())).run({ params, ...one }).data[0];
      const step = graph({ ...types, opt }, ({ params: p, opt: o, ...given }) => {
        const { value, grad } = valueAndGrad(loss)(p, given);
        return { ...value, ...optimizer.update({ params: p, grad, opt: o }) };
      });
      const bare = await compile(step, wasm(), { state: { params, opt } });
      const found = [
        { name: "train()", run: afterFirstPass(run(data)) },
        { name: "train().finish()", run: finishing() },
        { name: "train(), in the first pass, which searches the data for NaN", run: run(endless(data)) },
        {
          name: "the step alone: program.run on one batch",
          run(times) {
            let out;
            for (let i = 0; i < times; i++) out = bare.run(one).loss.data[0];
            return out;
          },
        },
      ];
      found.push(...pythonSteps({ ...torch, data: flat(one) }).map((c) => ({ ...c, name: `${c.name}, on one batch` })));
      const jaxJs = jax === undefined ? null : await peer("@jax-js/jax");
      if (jaxJs) found.push({ name: "@jax-js/jax, jit, on one batch", run: await jax(jaxJs, one) });
      return found;
    },
  };
}
