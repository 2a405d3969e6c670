// Training steps in jax-js, compiled by its jit, with the same loss and weights as ours. Its arrays are used up by what takes them: `.ref` where one is taken again.

/** The array of a tensor of ours. */
const arrayOf = (jax, t) => jax.numpy.array(t.data.slice()).reshape(t.type?.shape ?? t.shape);

const oneHot = (classes, outputs) =>
  Float32Array.from({ length: classes.length * outputs }, (_, i) => (classes[Math.floor(i / outputs)] === i % outputs ? 1 : 0));

/** Mean over the rows of the cross entropy; `target` is one-hot. */
const crossEntropy = (jax, logits, target, rows) =>
  jax.nn
    .logSoftmax(logits)
    .mul(target)
    .sum()
    .mul(-1 / rows);

/** Runs a step that takes a state and the data and returns the loss and the next state. */
function repeated(step, state, data) {
  let now = state;
  return async (times) => {
    let out = Number.NaN;
    for (let i = 0; i < times; i++) {
      const [value, next] = step(now, ...data.map((d) => d.ref));
      now = next;
      out = value.item();
    }
    return out;
  };
}

const refs = (params) => Object.fromEntries(Object.entries(params).map(([k, p]) => [k, p.ref]));

/** An SGD step of parameters by name. */
function descending(jax, loss, rate) {
  return jax.jit((params, ...data) => {
    const [value, grads] = jax.valueAndGrad(loss)(refs(params), ...data);
    return [value, Object.fromEntries(Object.entries(params).map(([k, p]) => [k, p.sub(grads[k].mul(rate))]))];
  });
}

/** A dense network by SGD; one output means a regression. */
export async function jaxStep(jax, layers, x, classes, batch, outputs, rate) {
  const { numpy: np, nn } = jax;
  const count = layers.length;
  const loss = (p, input, target) => {
    let h = input;
    for (let i = 0; i < count; i++) {
      const z = np.matmul(h, p[`w${i}`]).add(p[`b${i}`]);
      h = i === count - 1 ? z : nn.relu(z);
    }
    return outputs === 1 ? np.mean(np.square(h.sub(target))) : crossEntropy(jax, h, target, batch);
  };
  const target = np.array(outputs === 1 ? Float32Array.from(classes) : oneHot(classes, outputs)).reshape([batch, outputs]);
  const params = Object.fromEntries(
    layers.flatMap(({ w, b }, i) => [
      [`w${i}`, arrayOf(jax, w)],
      [`b${i}`, arrayOf(jax, b)],
    ]),
  );
  return repeated(descending(jax, loss, rate), params, [arrayOf(jax, x), target]);
}

/** The tensors of a suite's `torch` by name, as arrays. */
const named = (jax, list) => Object.fromEntries(list.map((t) => [t.name, arrayOf(jax, t)]));

/** The ConvNet by SGD: parameters and data as PyTorch's process takes them. */
function convnet(jax, { params, data }) {
  const { numpy: np, nn, lax } = jax;
  const [x, y] = ["x", "y"].map((name) => data.find((t) => t.name === name));
  const batch = y.data.length;
  const conv = (h, w, b, channels) => nn.relu(lax.conv(h, w, [1, 1], "VALID").add(b.reshape([1, channels, 1, 1])));
  const loss = (p, input, target) => {
    const h = conv(conv(input, p.c1, p.d1, 32), p.c2, p.d2, 64);
    const pooled = np.max(h.reshape([batch, 64, 12, 2, 12, 2]), [3, 5]).reshape([batch, 9216]);
    const hidden = nn.relu(np.matmul(pooled, p.w1).add(p.b1));
    return crossEntropy(jax, np.matmul(hidden, p.w2).add(p.b2), target, batch);
  };
  const target = np.array(oneHot([...y.data], 10)).reshape([batch, 10]);
  return repeated(descending(jax, loss, 0.01), named(jax, params), [arrayOf(jax, x), target]);
}

/** The GPT by AdamW, whose moments are kept in one array a parameter each. */
function gpt(jax, { params, data }) {
  const { numpy: np, nn } = jax;
  const [ids] = data;
  const [batch, length] = ids.shape;
  const [tokens, width, heads, words] = [length - 1, 128, 4, 256];
  const norm = (v, g, h) => {
    const centred = v.ref.sub(np.mean(v, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(g)
      .add(h);
  };
  // Added to scores, because its own attention needs iterators that Node 20 has not.
  const mask = np
    .array(Float32Array.from({ length: tokens * tokens }, (_, i) => (i % tokens > Math.floor(i / tokens) ? -1e9 : 0)))
    .reshape([tokens, tokens]);
  // Products with one-hot rows are what it takes for a table's gradient.
  const loss = (p, before, after) => {
    let v = np.matmul(before, p.tok.ref).add(p.pos);
    for (let i = 0; i < 4; i++) {
      const all = np
        .matmul(norm(v.ref, p[`g1${i}`], p[`h1${i}`]), p[`qkv${i}`])
        .add(p[`qkvb${i}`])
        .reshape([batch, tokens, 3, heads, width / heads]);
      const [q, k, u] = np.unstack(all, 2);
      const front = (t) => np.transpose(t, [0, 2, 1, 3]);
      const scores = np.matmul(front(q), np.transpose(k, [0, 2, 3, 1])).mul(1 / Math.sqrt(width / heads));
      const mixed = front(np.matmul(nn.softmax(scores.add(mask.ref), -1), front(u))).reshape([batch, tokens, width]);
      v = v.add(np.matmul(mixed, p[`out${i}`]).add(p[`outb${i}`]));
      const up = nn.gelu(np.matmul(norm(v.ref, p[`g2${i}`], p[`h2${i}`]), p[`up${i}`]).add(p[`upb${i}`]), { approximate: true });
      v = v.add(np.matmul(up, p[`down${i}`]).add(p[`downb${i}`]));
    }
    const logits = np.matmul(norm(v, p.g, p.h), np.transpose(p.tok));
    return crossEntropy(jax, logits, after, batch * tokens);
  };
  const [rate, decay, b1, b2, epsilon] = [3e-4, 0.1, 0.9, 0.999, 1e-8];
  const step = jax.jit(({ p, m, v, t }, before, after) => {
    const [value, grads] = jax.valueAndGrad(loss)(refs(p), before, after);
    const next = { p: {}, m: {}, v: {}, t: t.add(1) };
    const share = (b) => np.exp(next.t.ref.mul(Math.log(b))).mul(-1).add(1); // biome-ignore format: one formula
    for (const [k, w] of Object.entries(p)) {
      next.m[k] = m[k].mul(b1).add(grads[k].ref.mul(1 - b1));
      next.v[k] = v[k].mul(b2).add(np.square(grads[k]).mul(1 - b2));
      const along = next.m[k].ref.div(share(b1)).div(np.sqrt(next.v[k].ref.div(share(b2))).add(epsilon));
      next.p[k] = w.mul(1 - rate * decay).sub(along.mul(rate));
    }
    return [value, next];
  });
  const rows = (from, to) => Array.from({ length: batch }, (_, b) => [...ids.data.subarray(b * length + from, b * length + to)]).flat();
  const hot = (list) => np.array(oneHot(list, words)).reshape([batch, tokens, words]);
  const zero = () => Object.fromEntries(params.map((t) => [t.name, np.zeros(t.shape)]));
  const state = { p: named(jax, params), m: zero(), v: zero(), t: np.array(0) };
  return repeated(step, state, [hot(rows(0, -1 + length)), hot(rows(1, length))]);
}

/** A step of a network of `suites/networks.js`, as a function of how often. */
export const jaxNetwork = { convnet, gpt };
