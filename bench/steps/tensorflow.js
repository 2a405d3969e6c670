// Training steps in TF.js on its backends for the processor: in plain JavaScript and in WebAssembly. The backend is one for the whole process, so each contestant sets its own before it works.
import { peer, versionOf } from "../harness/peers.js";

const oneHot = (tf, classes, outputs) => tf.oneHot(tf.tensor1d([...classes], "int32"), outputs).cast("float32");

/** TF.js with the backends that are installed, or null. */
async function loaded() {
  const tf = await peer("@tensorflow/tfjs");
  if (tf === null) return null;
  // Loading it makes it known to TF.js.
  (await peer("@tensorflow/tfjs-backend-wasm"))?.setThreadsCount(1);
  return tf;
}

/**
 * A contestant for each installed backend. `make(tf)` is called with the backend set, the first time that it works, and returns the work.
 *
 * @param {(tf: any) => (times: number) => unknown} make
 * @param {{ left?: Partial<Record<"cpu" | "wasm", string>>, what?: string }} [options] a reason for a backend that is not run at all
 * @returns {Promise<import("../harness/measure.js").Contestant[]>}
 */
export async function tensorflow(make, { left = {}, what = "" } = {}) {
  const tf = await loaded();
  if (tf === null) return [];
  const backends = /** @type {("cpu" | "wasm")[]} */ (versionOf("@tensorflow/tfjs-backend-wasm") === null ? ["cpu"] : ["cpu", "wasm"]);
  return backends.map((backend) => {
    /** @type {((times: number) => unknown) | null} */
    let work = null;
    return {
      name: `@tensorflow/tfjs, ${backend}${what}`,
      most: 4,
      ...(left[backend] === undefined ? {} : { left: left[backend] }),
      run: async (times) => {
        if (tf.getBackend() !== backend) await tf.setBackend(backend);
        await tf.ready();
        work ??= make(tf);
        return work(times);
      },
    };
  });
}

/** Repeats a step of an optimiser on a loss; the last loss. */
function minimizing(optimizer, loss) {
  return (times) => {
    let out = Number.NaN;
    for (let i = 0; i < times; i++) {
      const value = optimizer.minimize(loss, true);
      out = value.dataSync()[0];
      value.dispose();
    }
    return out;
  };
}

/** A dense network by SGD; one output means a regression. */
export const denseStep = (layers, x, classes, batch, outputs, rate) => (tf) => {
  const input = tf.tensor(x.data, x.type.shape);
  const target = outputs === 1 ? tf.tensor(classes, [batch, 1], "float32") : oneHot(tf, classes, outputs);
  const variables = layers.map(({ w, b }) => ({
    w: tf.variable(tf.tensor(w.data, w.type.shape)),
    b: tf.variable(tf.tensor(b.data, b.type.shape)),
  }));
  return minimizing(tf.train.sgd(rate), () => {
    let h = input;
    variables.forEach(({ w, b }, k) => {
      const z = h.matMul(w).add(b);
      h = k === variables.length - 1 ? z : z.relu();
    });
    return outputs === 1 ? h.sub(target).square().mean() : tf.losses.softmaxCrossEntropy(target, h);
  });
};

const variables = (tf, list) => Object.fromEntries(list.map((t) => [t.name, tf.variable(tf.tensor(t.data, t.shape))]));

/** The ConvNet by SGD; TF.js has channels last, so kernels are turned round. */
const convnet =
  ({ params, data }) =>
  (tf) => {
    const p = variables(tf, params);
    const [c1, c2] = ["c1", "c2"].map((name) => tf.variable(p[name].transpose([2, 3, 1, 0])));
    const [x, y] = ["x", "y"].map((name) => data.find((t) => t.name === name));
    const input = tf.tensor(x.data, x.shape).transpose([0, 2, 3, 1]);
    const target = oneHot(tf, y.data, 10);
    return minimizing(tf.train.sgd(0.01), () => {
      const conv = (h, w, b) => h.conv2d(w, 1, "valid").add(b).relu();
      const pooled = tf.maxPool(conv(conv(input, c1, p.d1), c2, p.d2), 2, 2, "valid");
      const flat = pooled.transpose([0, 3, 1, 2]).reshape([x.shape[0], 9216]);
      return tf.losses.softmaxCrossEntropy(target, flat.matMul(p.w1).add(p.b1).relu().matMul(p.w2).add(p.b2));
    });
  };

/** The GPT by Adam: TF.js has no decay of weights. A table is a product with one-hot rows, because its backend in WebAssembly has no gradient of gather. */
const gpt =
  ({ params, data }) =>
  (tf) => {
    const p = variables(tf, params);
    const [ids] = data;
    const [batch, length] = ids.shape;
    const [tokens, width, heads, words] = [length - 1, 128, 4, 256];
    const rows = (from) =>
      Array.from({ length: batch }, (_, b) => [...ids.data.subarray(b * length + from, b * length + from + tokens)]).flat();
    const [before, after] = [oneHot(tf, rows(0), words), oneHot(tf, rows(1), words)];
    const mask = tf.linalg
      .bandPart(tf.ones([tokens, tokens]), -1, 0)
      .sub(1)
      .mul(1e9);
    const norm = (v, g, h) => {
      const centred = v.sub(v.mean(-1, true));
      return centred.div(centred.square().mean(-1, true).add(1e-5).sqrt()).mul(g).add(h);
    };
    const dense = (h, w, b) => h.matMul(w).add(b);
    const gelu = (u) => u.mul(0.5).mul(u.add(u.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI)).tanh().add(1)); // biome-ignore format: one formula
    return minimizing(tf.train.adam(3e-4), () => {
      let v = before
        .matMul(p.tok)
        .reshape([batch, tokens, width])
        .add(p.pos)
        .reshape([batch * tokens, width]);
      for (let i = 0; i < 4; i++) {
        const all = dense(norm(v, p[`g1${i}`], p[`h1${i}`]), p[`qkv${i}`], p[`qkvb${i}`]);
        const [q, k, u] = tf
          .split(all.reshape([batch, tokens, 3, heads, width / heads]), 3, 2)
          .map((t) => t.reshape([batch, tokens, heads, width / heads]).transpose([0, 2, 1, 3]));
        const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(width / heads)).add(mask).softmax(); // biome-ignore format: one formula
        const mixed = scores
          .matMul(u)
          .transpose([0, 2, 1, 3])
          .reshape([batch * tokens, width]);
        v = v.add(dense(mixed, p[`out${i}`], p[`outb${i}`]));
        v = v.add(dense(gelu(dense(norm(v, p[`g2${i}`], p[`h2${i}`]), p[`up${i}`], p[`upb${i}`])), p[`down${i}`], p[`downb${i}`]));
      }
      return tf.losses.softmaxCrossEntropy(after, norm(v, p.g, p.h).matMul(p.tok, false, true));
    });
  };

/** A step of a network of `suites/networks.js`, as `tensorflow` takes it. */
export const tensorflowNetwork = { convnet, gpt };
