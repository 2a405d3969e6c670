// CS231n's linear classifier on handwritten digits: scores W x + b, a loss over the scores, and the regularisation R(W).
// Everything is computed by the library, through its public interface.
import {
  add,
  argMax,
  compile,
  div,
  equal,
  evaluate,
  f32,
  graph,
  hinge,
  i32,
  matmul,
  mean,
  mul,
  named,
  read,
  reference,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  tensor,
  valueAndGrad,
} from "chainrule";
import { dataset, loader, readCsv } from "chainrule/data";

/** Pixels of an image, and classes. */
const pixels = 64;
const classes = 10;

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {import("chainrule").Operand} Operand
 * @typedef {import("chainrule").Tensor} Tensor
 * @typedef {import("chainrule/data").Dataset<{ readonly x: Tensor, readonly y: Tensor }>} Digits
 * @typedef {{ readonly w: Value, readonly b: Value }} Params
 * @typedef {(scores: Operand, labels: Operand) => Value} DataLoss
 *
 * @typedef {object} Recipe How to train.
 * @property {string} name
 * @property {DataLoss} loss The loss over the scores: the mean of L_i.
 * @property {number} regularisation lambda in L = mean(L_i) + lambda R(W).
 * @property {number} rate The step at the start; it falls to 0 along a half cosine.
 * @property {number} batch
 * @property {number} epochs
 */

/** @type {Record<"hinge" | "softmax", Recipe>} */
export const recipes = {
  hinge: { name: "hinge", loss: hinge, regularisation: 1e-4, rate: 0.3, batch: 64, epochs: 60 },
  softmax: { name: "softmax", loss: softmaxCrossEntropy, regularisation: 1e-4, rate: 2, batch: 64, epochs: 60 },
};

/**
 * The digits with pixels from 0 to 1 instead of 0 to 16.
 *
 * @param {string} file
 * @returns {Promise<Digits>}
 */
export async function readDigits(file) {
  const { x, y } = (await readCsv(file, { label: "label" })).all();
  return dataset({ x: evaluate(div(x, 16)), y });
}

/**
 * Scores of each class for images x, one a row.
 *
 * @param {Params} params
 * @param {Operand} x
 * @returns {Value}
 */
export function scores(params, x) {
  return add(matmul(x, params.w), params.b);
}

/**
 * The total loss L = mean(L_i) + lambda R(W), R(W) being the sum of the squared weights.
 *
 * @param {Recipe} recipe
 * @returns {(params: Params, x: Value, y: Value) => Value}
 */
export function totalLoss({ loss, regularisation }) {
  return (params, x, y) => {
    const dataLoss = named(loss(named(scores(params, x), "scores"), y), "data loss");
    const penalty = named(sum(square(params.w)), "R(W)");
    return named(add(dataLoss, mul(regularisation, penalty)), "L");
  };
}

/**
 * Trains by mini-batch stochastic gradient descent, and tells after each epoch what it has reached.
 *
 * @param {Recipe} recipe
 * @param {Digits} train
 * @param {Digits} test Held out: nothing here learns from it.
 * @param {number} seed Of the order in which images come.
 */
export async function* training(recipe, train, test, seed) {
  const { batch, epochs } = recipe;
  const params = { w: tensor(new Float32Array(pixels * classes), f32(pixels, classes)), b: tensor(new Float32Array(classes)) };
  const loss = totalLoss(recipe);
  // One step: the loss of a batch, its gradient, and parameters that went down along it.
  const step = graph({ params, x: f32(batch, pixels), y: i32(batch), rate: f32() }, ({ params, x, y, rate }) => {
    const { value, grad } = valueAndGrad(loss)(params, x, y);
    return { loss: value, params: { w: sub(params.w, mul(rate, grad.w)), b: sub(params.b, mul(rate, grad.b)) } };
  });
  // Parameters are named in and out, so they stay inside the program from step to step.
  const program = await compile(step, reference(), { state: { params } });
  const correct = graph({ params, x: f32(test.size, pixels), y: i32(test.size) }, ({ params, x, y }) =>
    mean(equal(argMax(scores(params, x), { axis: 1 }), y)),
  );
  const accuracy = await compile(correct, reference(), { state: program.state });

  const held = test.all();
  const batches = loader(train, { batch, shuffle: seed, last: "drop" });
  let done = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let total = 0;
    for (const { x, y } of batches) {
      const rate = (recipe.rate / 2) * (1 + Math.cos((Math.PI * done++) / (epochs * batches.length)));
      total += read(program.run({ x, y, rate }).loss);
    }
    yield { epoch, loss: total / batches.length, accuracy: read(accuracy.run(held)), params: program.state.read().params };
  }
}
