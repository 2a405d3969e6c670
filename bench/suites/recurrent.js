// One SGD step of a recurrent classifier: an LSTM over a sequence, its last state to 10 classes. The weights stay in the engine.
import {
  add,
  compile,
  evaluate,
  f32,
  graph,
  i32,
  matmul,
  mul,
  random,
  reference,
  softmaxCrossEntropy,
  sub,
  tensor,
  transpose,
  valueAndGrad,
  zeros,
} from "../../dist/index.js";
import { lstm } from "../../dist/nn.js";
import { wasm } from "../../dist/wasm.js";
import { pythonSteps } from "../harness/python.js";

const rate = 0.01;

/**
 * @param {number} tokens
 * @param {number} inputs
 * @param {number} hidden
 * @param {number} batch
 */
export function recurrent(tokens, inputs, hidden, batch) {
  const key = random.key(1);
  const params = {
    lstm: lstm.init(random.fold(key, "lstm"), inputs, hidden),
    w: evaluate(mul(0.1, random.normal(random.fold(key, "w"), f32(hidden, 10)))),
    b: evaluate(zeros(f32(10))),
  };
  const x = evaluate(random.normal(random.fold(key, "x"), f32(batch, tokens, inputs)));
  const y = tensor(
    Array.from({ length: batch }, (_, i) => (i * 7) % 10),
    "i32",
  );
  const loss = (p, x, y) => softmaxCrossEntropy(add(matmul(lstm.over(p.lstm, x).carry.h, p.w), p.b), y);
  const descend = (p, g) =>
    Object.fromEntries(Object.keys(p).map((k) => [k, k === "lstm" ? descend(p[k], g[k]) : sub(p[k], mul(rate, g[k]))]));
  const inputsOf = { params, x: f32(batch, tokens, inputs), y: i32(batch) };
  const step = graph(inputsOf, ({ params, x, y }) => {
    const { value, grad } = valueAndGrad(loss)(params, x, y);
    return { loss: value, params: descend(params, grad) };
  });
  let truth = Number.NaN;
  return {
    title: `SGD step of an LSTM over ${tokens} steps, ${inputs} inputs, width ${hidden}, batch ${batch}, f32`,
    unit: "ms a step",
    scale: 1e-6,
    rounds: 9,
    check(result) {
      if (!(Math.abs(result - truth) <= 1e-4 * Math.abs(truth))) throw new Error(`the first loss is ${result}, not ${truth}`);
    },
    async contestants() {
      const forward = graph(inputsOf, ({ params, x, y }) => ({ loss: loss(params, x, y) }));
      truth = (await compile(forward, reference())).run({ params, x, y }).loss.data[0];
      const program = await compile(step, wasm(), { state: { params } });
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
      const list = (name, t) => ({ name, shape: t.type.shape, data: t.data });
      // PyTorch keeps the matrices of its cell the other way round.
      const [w, u] = evaluate([transpose(params.lstm.w), transpose(params.lstm.u)]);
      const theirs = [list("w_ih", w), list("w_hh", u), list("bias", params.lstm.b), list("w", params.w), list("b", params.b)];
      found.push(...pythonSteps({ net: "lstm", params: theirs, data: [list("x", x), list("y", y)] }));
      return found;
    },
  };
}
