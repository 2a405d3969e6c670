// What the loop of train() costs beside the steps themselves: the same MLP, batch and update rule, as a bare loop over program.run on one batch, and
// through train() with its data set, shuffling, checks, metrics and guards.

import { dataset, loader } from "../../dist/data.js";
import { compile, evaluate, f32, graph, i32, random, relu, softmaxCrossEntropy, tensor, valueAndGrad } from "../../dist/index.js";
import { linear } from "../../dist/nn.js";
import { sgd } from "../../dist/optim.js";
import { accuracy, train } from "../../dist/train.js";
import { wasm } from "../../dist/wasm.js";

/**
 * @param {string} title
 * @param {readonly number[]} sizes of the layers, inputs first
 * @param {number} batch
 */
export function trainLoop(title, sizes, batch) {
  const key = random.key(1);
  const params = sizes.slice(1).map((n, i) => linear.init(random.fold(key, i), sizes[i], n));
  const net = (p, input) => p.reduce((h, q, i) => (i === p.length - 1 ? linear(q, h) : relu(linear(q, h))), input);
  const loss = (p, { x, y }) => {
    const logits = net(p, x);
    return { loss: softmaxCrossEntropy(logits, y), accuracy: accuracy(logits, y) };
  };
  const rows = 40 * batch;
  const x = evaluate(random.normal(random.fold(key, "x"), f32(rows, sizes[0])));
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => (i * 7) % sizes.at(-1)));
  const data = dataset({ x, y });
  const optimizer = sgd({ rate: 0.01 });
  const one = data.at(Int32Array.from({ length: batch }, (_, i) => i));
  const opt = optimizer.init(params);

  return {
    title,
    unit: "ms a step",
    scale: 1e-6,
    rounds: 25,
    check(result) {
      if (!Number.isFinite(result)) throw new Error(`the loss is ${result}`);
    },
    async contestants() {
      const step = graph({ params, opt, x: f32(batch, sizes[0]), y: i32(batch) }, ({ params: p, opt: o, x, y }) => {
        const { value, grad } = valueAndGrad(loss)(p, { x, y });
        return { ...value, ...optimizer.update({ params: p, grad, opt: o }) };
      });
      const bare = await compile(step, wasm(), { state: { params, opt } });
      const through = train(
        { params, loss },
        {
          data: loader(data, { batch, shuffle: 0 }),
          optimizer,
          engine: wasm(),
          epochs: Number.MAX_SAFE_INTEGER,
        },
      );
      const steps = through[Symbol.asyncIterator]();
      return [
        {
          name: "train()",
          async run(times) {
            let out;
            for (let i = 0; i < times; i++) out = (await steps.next()).value.loss;
            return out;
          },
        },
        {
          name: "program.run on one batch",
          run(times) {
            let out;
            for (let i = 0; i < times; i++) out = bare.run(one).loss.data[0];
            return out;
          },
        },
      ];
    },
  };
}
