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
import { pythonSteps } from "../harness/python.js";
import { denseInC } from "../steps/c.js";
import { jaxStep } from "../steps/jax-js.js";
import { denseByHand } from "../steps/onnx-by-hand.js";
import { ortSteps } from "../steps/onnxruntime.js";
import { denseStep, tensorflow } from "../steps/tensorflow.js";

const rate = 0.01;
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
    /** The same step by hand on ONNX Runtime, whose first loss has to be that of the engine beside it. */
    byHand: (ort, threads) => denseByHand(ort, threads, { sizes, batch, rate, layers, x, y }),
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
      found.push(...(await tensorflow(denseStep(layers, x, classes, batch, outputs, rate))));
      found.push(...(await ortSteps(this.program, (out) => out.loss.data[0])));
      found.push(...pythonSteps(this.torch));
      found.push(...denseInC(sizes, batch, rate, { x, y, layers }));
      return found;
    },
  };
}
