// One SGD step of a dense network with weights that stay in the engine: forward, backward, update, and the loss as a number.
import {
  add,
  cast,
  compile,
  evaluate,
  f32,
  graph,
  i32,
  leaves,
  matmul,
  mean,
  mul,
  random,
  reference,
  relu,
  reshape,
  softmaxCrossEntropy,
  square,
  sub,
  tensor,
  valueAndGrad,
  zeros,
} from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { peer } from "../harness/peers.js";

const rate = 0.1;
const flat = (tree) => leaves(tree).map(({ path, leaf }) => ({ name: path, shape: leaf.type.shape, data: leaf.data }));

/**
 * @param {string} title
 * @param {readonly number[]} sizes of the layers, inputs first; one output means a regression on 0 and 1
 * @param {number} batch
 */
export function training(title, sizes, batch) {
  const outputs = sizes[sizes.length - 1];
  const key = random.key(1);
  const layers = sizes.slice(1).map((n, i) => ({
    w: evaluate(mul(Math.sqrt(2 / sizes[i]), random.normal(random.fold(key, i), f32(sizes[i], n)))),
    b: evaluate(zeros(f32(n))),
  }));
  const x = evaluate(random.normal(random.fold(key, "x"), f32(batch, sizes[0])));
  const classes = Array.from({ length: batch }, (_, i) => (i * 7) % (outputs === 1 ? 2 : outputs));
  const y = tensor(classes, "i32");

  const net = (params, input) =>
    params.reduce((h, { w, b }, i) => {
      const z = add(matmul(h, w), b);
      return i === params.length - 1 ? z : relu(z);
    }, input);
  const loss = (params, input, labels) =>
    outputs === 1
      ? mean(square(sub(net(params, input), reshape(cast(labels, "f32"), { shape: [batch, 1] }))))
      : softmaxCrossEntropy(net(params, input), labels);
  const step = graph({ params: layers, x: f32(batch, sizes[0]), y: i32(batch) }, ({ params, x, y }) => {
    const { value, grad } = valueAndGrad(loss)(params, x, y);
    return { loss: value, params: params.map(({ w, b }, i) => ({ w: sub(w, mul(rate, grad[i].w)), b: sub(b, mul(rate, grad[i].b)) })) };
  });
  let truth = Number.NaN;

  return {
    title,
    unit: "ms a step",
    scale: 1e-6,
    rounds: 15,
    torch: { net: "mlp", params: flat(layers), data: flat({ x, y }) },
    check(result) {
      if (!(Math.abs(result - truth) <= 1e-4 * Math.abs(truth))) throw new Error(`the first loss is ${result}, not ${truth}`);
    },
    async program(engine) {
      const made = await compile(step, engine, { state: { params: layers } });
      return () => made.run({ x, y });
    },
    async contestants() {
      const plain = await compile(step, reference(), { state: { params: layers } });
      truth = plain.run({ x, y }).loss.data[0];
      const program = await compile(step, wasm(), { state: { params: layers } });
      const found = [
        {
          name: "chainrule, wasm, one thread",
          run(times) {
            let out;
            for (let i = 0; i < times; i++) out = program.run({ x, y }).loss.data[0];
            return out;
          },
        },
      ];
      const jax = await peer("@jax-js/jax");
      if (jax) found.push({ name: "@jax-js/jax, jit", run: await jaxStep(jax, layers, x, classes, batch, outputs, rate) });
      const tf = await peer("@tensorflow/tfjs");
      if (tf) found.push({ name: "@tensorflow/tfjs, cpu", run: tensorflowStep(tf, layers, x, classes, batch, outputs), most: 4 });
      return found;
    },
  };
}

const oneHot = (classes, outputs) =>
  Float32Array.from({ length: classes.length * outputs }, (_, i) => (classes[Math.floor(i / outputs)] === i % outputs ? 1 : 0));

/** A compiled SGD step of jax-js, whose loss and weights are the same as ours; one output means a regression. */
export async function jaxStep(jax, layers, x, classes, batch, outputs, rate) {
  const { numpy: np, nn, jit, valueAndGrad } = jax;
  const array = (t) => np.array(t.data.slice()).reshape(t.type.shape);
  const loss = (params, input, target) => {
    let h = input;
    params.forEach(({ w, b }, i) => {
      const z = np.matmul(h, w).add(b);
      h = i === params.length - 1 ? z : nn.relu(z);
    });
    if (outputs === 1) return np.mean(np.square(h.sub(target)));
    return nn
      .logSoftmax(h)
      .mul(target)
      .sum()
      .mul(-1 / batch);
  };
  const step = jit((params, input, target) => {
    const kept = params.map(({ w, b }) => ({ w: w.ref, b: b.ref }));
    const [value, grads] = valueAndGrad(loss)(kept, input, target);
    return [value, params.map(({ w, b }, i) => ({ w: w.sub(grads[i].w.mul(rate)), b: b.sub(grads[i].b.mul(rate)) }))];
  });
  const input = array(x);
  const target =
    outputs === 1 ? np.array(Float32Array.from(classes)).reshape([batch, 1]) : np.array(oneHot(classes, outputs)).reshape([batch, outputs]);
  let params = layers.map(({ w, b }) => ({ w: array(w), b: array(b) }));
  return async (times) => {
    let out = Number.NaN;
    for (let i = 0; i < times; i++) {
      const [value, next] = step(params, input.ref, target.ref);
      params = next;
      out = value.item();
    }
    return out;
  };
}

function tensorflowStep(tf, layers, x, classes, batch, outputs) {
  const input = tf.tensor(x.data, x.type.shape);
  const target = outputs === 1 ? tf.tensor(classes, [batch, 1], "float32") : tf.tensor(oneHot(classes, outputs), [batch, outputs]);
  const variables = layers.map(({ w, b }) => ({
    w: tf.variable(tf.tensor(w.data, w.type.shape)),
    b: tf.variable(tf.tensor(b.data, b.type.shape)),
  }));
  const optimizer = tf.train.sgd(rate);
  return (times) => {
    let out = Number.NaN;
    for (let i = 0; i < times; i++) {
      const value = optimizer.minimize(() => {
        let h = input;
        variables.forEach(({ w, b }, k) => {
          const z = h.matMul(w).add(b);
          h = k === variables.length - 1 ? z : z.relu();
        });
        return outputs === 1 ? h.sub(target).square().mean() : tf.losses.softmaxCrossEntropy(target, h);
      }, true);
      out = value.dataSync()[0];
      value.dispose();
    }
    return out;
  };
}
