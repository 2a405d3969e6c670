// One step of training of a small ConvNet (SGD) and of a GPT (AdamW): forward, backward, update, and the loss as a number. The weights stay in the engine.
import {
  add,
  compile,
  conv,
  div,
  equal,
  evaluate,
  f32,
  gather,
  gelu,
  graph,
  i32,
  leaves,
  matmul,
  maxPool,
  mul,
  ones,
  random,
  reference,
  relu,
  reshape,
  slice,
  softmax,
  softmaxCrossEntropy,
  sqrt,
  sub,
  sum,
  tensor,
  transpose,
  tril,
  unstack,
  valueAndGrad,
  where,
  zeros,
} from "../../dist/index.js";
import { adamW } from "../../dist/optim.js";
import { wasm } from "../../dist/wasm.js";
import { peer } from "../harness/peers.js";
import { pythonSteps } from "../harness/python.js";
import { jaxNetwork } from "../steps/jax-js.js";
import { ortSteps } from "../steps/onnxruntime.js";
import { tensorflow, tensorflowNetwork } from "../steps/tensorflow.js";

const normal = (key, name, scale, ...shape) => evaluate(mul(scale, random.normal(random.fold(key, name), f32(...shape))));

/** 28 x 28 x 1, 3 x 3 x 32, 3 x 3 x 64, pooled by 2, 128, 10; batch 32. */
export function convnet() {
  const [batch, rate] = [32, 0.01];
  const key = random.key(1);
  const params = {
    c1: normal(key, "c1", Math.sqrt(2 / 9), 32, 1, 3, 3),
    d1: evaluate(zeros(f32(32))),
    c2: normal(key, "c2", Math.sqrt(2 / 288), 64, 32, 3, 3),
    d2: evaluate(zeros(f32(64))),
    w1: normal(key, "w1", Math.sqrt(2 / 9216), 9216, 128),
    b1: evaluate(zeros(f32(128))),
    w2: normal(key, "w2", Math.sqrt(2 / 128), 128, 10),
    b2: evaluate(zeros(f32(10))),
  };
  const x = normal(key, "x", 1, batch, 1, 28, 28);
  const y = tensor(
    Array.from({ length: batch }, (_, i) => (i * 7) % 10),
    "i32",
  );
  const loss = (p, x, y) => {
    const pooled = maxPool(relu(conv(relu(conv(x, p.c1, p.d1)), p.c2, p.d2)), { size: 2 });
    const h = relu(add(matmul(reshape(pooled, { shape: [batch, -1] }), p.w1), p.b1));
    return softmaxCrossEntropy(add(matmul(h, p.w2), p.b2), y);
  };
  const step = graph({ params, x: f32(batch, 1, 28, 28), y: i32(batch) }, ({ params, x, y }) => {
    const { value, grad } = valueAndGrad(loss)(params, x, y);
    return { loss: value, params: Object.fromEntries(Object.entries(params).map(([k, p]) => [k, sub(p, mul(rate, grad[k]))])) };
  });
  return suite("SGD step of a ConvNet 28x28x1, 3x3x32, 3x3x64, pool, 128, 10, batch 32, f32", {
    step,
    state: { params },
    given: { x, y },
    forward: graph({ params, x: f32(batch, 1, 28, 28), y: i32(batch) }, (all) => ({ loss: loss(all.params, all.x, all.y) })),
    torch: { net: "convnet", params, data: { x, y } },
  });
}

/** 4 layers, width 128, 4 heads, 64 tokens, 256 words, batch 8. */
export function gpt() {
  const [batch, tokens, width, heads, words, depth] = [8, 64, 128, 4, 256, 4];
  const size = width / heads;
  const key = random.key(1);
  const params = {
    tok: normal(key, "tok", 0.02, words, width),
    pos: normal(key, "pos", 0.02, tokens, width),
    g: evaluate(ones(f32(width))),
    h: evaluate(zeros(f32(width))),
  };
  for (let i = 0; i < depth; i++) {
    const of = (name, from, to) => {
      params[`${name}${i}`] = normal(key, `${name}${i}`, 0.02, from, to);
      params[`${name}b${i}`] = evaluate(zeros(f32(to)));
    };
    of("qkv", width, 3 * width);
    of("out", width, width);
    of("up", width, 4 * width);
    of("down", 4 * width, width);
    for (const n of [1, 2]) {
      params[`g${n}${i}`] = evaluate(ones(f32(width)));
      params[`h${n}${i}`] = evaluate(zeros(f32(width)));
    }
  }
  const ids = tensor(
    Array.from({ length: batch }, (_, b) => Array.from({ length: tokens + 1 }, (_, t) => (b * 31 + t * t * 7 + t) % words)),
    "i32",
  );
  // Written out, from ops of one step each: what the compiler makes of it is what is measured.
  const norm = (v, g, h) => {
    const total = (u) => sum(u, { axis: -1, keepDims: true });
    const mean = div(total(v), width);
    const centred = sub(v, mean);
    return add(mul(div(centred, sqrt(add(div(total(mul(centred, centred)), width), 1e-5))), g), h);
  };
  const loss = (p, ids) => {
    let v = add(gather(p.tok, slice(ids, { axis: 1, end: -1 })), p.pos);
    for (let i = 0; i < depth; i++) {
      const all = add(matmul(norm(v, p[`g1${i}`], p[`h1${i}`]), p[`qkv${i}`]), p[`qkvb${i}`]);
      const [q, k, u] = unstack(reshape(all, { shape: [batch, tokens, 3, heads, size] }), { axis: 2 });
      const front = (t) => transpose(t, { axes: [0, 2, 1, 3] });
      const scores = mul(1 / Math.sqrt(size), matmul(front(q), transpose(k, { axes: [0, 2, 3, 1] })));
      const seen = where(equal(tril(ones(f32(tokens, tokens))), 1), scores, -1e9);
      const mixed = reshape(front(matmul(softmax(seen), front(u))), { shape: [batch, tokens, width] });
      v = add(v, add(matmul(mixed, p[`out${i}`]), p[`outb${i}`]));
      const up = gelu(add(matmul(norm(v, p[`g2${i}`], p[`h2${i}`]), p[`up${i}`]), p[`upb${i}`]), { approximate: "tanh" });
      v = add(v, add(matmul(up, p[`down${i}`]), p[`downb${i}`]));
    }
    return softmaxCrossEntropy(matmul(norm(v, p.g, p.h), transpose(p.tok)), slice(ids, { axis: 1, start: 1 }));
  };
  const optimizer = adamW({ rate: 3e-4, weightDecay: 0.1 });
  const state = { params, opt: optimizer.init(params) };
  const step = graph({ ...state, ids: i32(batch, tokens + 1) }, ({ params, opt, ids }) => {
    const { value, grad } = valueAndGrad(loss)(params, ids);
    return { loss: value, ...optimizer.update({ params, grad, opt }) };
  });
  return suite("AdamW step of a GPT: 4 layers, width 128, 4 heads, 64 tokens, batch 8, f32", {
    step,
    state,
    given: { ids },
    forward: graph({ params, ids: i32(batch, tokens + 1) }, (all) => ({ loss: loss(all.params, all.ids) })),
    torch: { net: "gpt", params, data: { ids } },
  });
}

/** What is not run: a step that takes minutes. TF.js's backend in WebAssembly has no gradient of a convolution, and says so in the table itself. */
const tensorflowLeft = { convnet: { cpu: "not run: too slow to wait for" }, gpt: { cpu: "not run: too slow to wait for" } };

/** Tensors by their paths, as PyTorch's process takes them. */
const flat = (tree) => leaves(tree).map(({ path, leaf }) => ({ name: path, shape: leaf.type.shape, data: leaf.data }));

function suite(title, { step, state, given, forward, torch }) {
  let truth = Number.NaN;
  return {
    title,
    unit: "ms a step",
    scale: 1e-6,
    rounds: 9,
    torch: { net: torch.net, params: flat(torch.params), data: flat(torch.data) },
    check(result) {
      if (!(Math.abs(result - truth) <= 1e-4 * Math.abs(truth))) throw new Error(`the first loss is ${result}, not ${truth}`);
    },
    async program(engine) {
      const made = await compile(step, engine, { state });
      return () => made.run(given);
    },
    async contestants() {
      truth = (await compile(forward, reference())).run({ params: state.params, ...given }).loss.data[0];
      const program = await compile(step, wasm(), { state });
      const found = [
        {
          name: "chainrule, wasm, one thread",
          run(times) {
            let out;
            for (let i = 0; i < times; i++) out = program.run(given).loss.data[0];
            return out;
          },
        },
      ];
      const { net } = this.torch;
      const jax = await peer("@jax-js/jax");
      if (jax) found.push({ name: "@jax-js/jax, jit", run: jaxNetwork[net](jax, this.torch), most: 1 });
      found.push(
        ...(await tensorflow(tensorflowNetwork[net](this.torch), { what: net === "gpt" ? ", Adam" : "", left: tensorflowLeft[net] })),
      );
      found.push(...(await ortSteps(this.program, (out) => out.loss.data[0])));
      found.push(...pythonSteps(this.torch));
      return found;
    },
  };
}
