// Logistic regression by Newton's method, written out: the gradient and the whole Hessian of the loss, and one linear system a step. It tells two
// handwritten digits apart.
//   node examples/newton-logistic.js [--digits 3,8]
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  add,
  evaluate,
  f64,
  grad,
  hessian,
  jit,
  matmul,
  mean,
  mul,
  neg,
  read,
  reference,
  softplus,
  solve,
  square,
  sub,
  sum,
  tensor,
} from "chainrule";
import { readCsv } from "chainrule/data";

/** @typedef {import("chainrule").Value} Value */

const { values: given } = parseArgs({ options: { digits: { type: "string", default: "3,8" } } });
const [one, other] = given.digits.split(",").map(Number);

const table = await readCsv(fileURLToPath(new URL("../data/digits.csv", import.meta.url)), { label: "label" });
const { x: images, y: labels } = table.all();
const rows = [...labels.data.keys()].filter((i) => labels.data[i] === one || labels.data[i] === other);
const fitting = rows.filter((_, i) => i % 5 !== 0);
const held = rows.filter((_, i) => i % 5 === 0);

/**
 * Pixels from 0 to 1 with a 1 for the bias, and labels as -1 and 1.
 *
 * @param {readonly number[]} chosen
 */
function part(chosen) {
  const x = new Float64Array(chosen.length * 65);
  for (const [r, i] of chosen.entries()) {
    for (let k = 0; k < 64; k++) x[r * 65 + k] = images.data[i * 64 + k] / 16;
    x[r * 65 + 64] = 1;
  }
  return { x: tensor(x, f64(chosen.length, 65)), y: tensor(Float64Array.from(chosen, (i) => (labels.data[i] === other ? 1 : -1))) };
}
const data = part(fitting);
const test = part(held);

/**
 * mean(log(1 + exp(-y x.w))) + a little |w|^2, which keeps the weights finite where the digits can be told apart without error
 *
 * @param {Value} w
 */
const loss = (w) => add(mean(softplus(neg(mul(data.y, matmul(data.x, w))))), mul(1e-3, sum(square(w))));
const slope = grad(loss);
const curvature = hessian(loss);

// Newton's step, traced once: where the second-order model of the loss has its lowest point.
const newton = jit((/** @type {Value} */ w) => {
  const g = slope(w);
  return { value: loss(w), size: sum(square(g)), step: solve(curvature(w), g) };
}, reference());

console.log(`${fitting.length} images of ${one} and ${other}, 65 weights`);
let w = tensor(new Float64Array(65));
for (let round = 0; round < 20; round++) {
  const { value, size, step } = newton(w);
  console.log(`round ${round}  loss ${read(value).toFixed(6)}  |gradient| ${Math.sqrt(read(size)).toExponential(1)}`);
  if (Math.sqrt(read(size)) < 1e-12) break;
  // The loss is convex and these steps do not overshoot from 0; elsewhere minimize(loss, w, { method: "newton" }) takes care.
  w = evaluate(sub(w, step));
}

/** @param {{ readonly x: import("chainrule").Tensor, readonly y: import("chainrule").Tensor }} set */
function accuracy(set) {
  const scores = evaluate(matmul(set.x, w));
  return scores.data.filter((s, i) => Math.sign(s) === set.y.data[i]).length / set.y.data.length;
}
console.log(
  `accuracy ${(100 * accuracy(data)).toFixed(1)} % on these images, ${(100 * accuracy(test)).toFixed(1)} % on ${held.length} held out`,
);
