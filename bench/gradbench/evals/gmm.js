// gmm: the log-likelihood of a Gaussian mixture with a Wishart prior on the precisions. ADBench, where the problem comes from, adds the prior with
// the opposite sign; GradBench mended that. Both are here, GradBench's is the eval.
import {
  add,
  concat,
  div,
  einsum,
  exp,
  expr,
  f64,
  gather,
  grad,
  jit,
  lgamma,
  logSumExp,
  reshape,
  square,
  sub,
  sum,
  zeros,
} from "chainrule";
import { array, engine, number, rows } from "../engine.js";

/** @typedef {import("chainrule").Value} Value */
/** @typedef {{ alpha: Value, mu: Value, q: Value, l: Value }} Mixture */

/**
 * Where the entries of a d x d lower triangle stand in [exp q, l, 0]: the diagonal first, then l column by column, then a zero for what is above.
 *
 * @param {number} d
 */
function triangle(d) {
  const below = (d * (d - 1)) / 2;
  const places = new Int32Array(d * d).fill(d + below);
  let next = d;
  for (let i = 0; i < d; i++) {
    places[i * d + i] = i;
    for (let j = i + 1; j < d; j++) places[j * d + i] = next++;
  }
  return places;
}

/**
 * @param {"GradBench" | "ADBench"} source whose definition
 * @returns {(p: Mixture, x: Value, m: Value, gamma: Value) => Value}
 */
export function objectiveOf(source) {
  const sign = source === "GradBench" ? 1 : -1;
  return ({ alpha, mu, q, l }, x, m, gamma) => {
    const [n = 0, d = 0] = x.type.shape;
    const [k = 0] = alpha.type.shape;
    const sums = sum(q, { axis: 1 });
    const entries = concat([exp(q), l, zeros(f64(k, 1))], { axis: 1 });
    const factors = reshape(gather(entries, triangle(d), { axis: 1 }), { shape: [k, d, d] });
    const from = sub(reshape(x, { shape: [n, 1, d] }), mu);
    const scaled = einsum("kij,nkj->nki", factors, from);
    const beta = expr`${alpha} + ${sums} - 0.5 * ${sum(square(scaled), { axis: 2 })}`;
    const nu = add(d + 1, m);
    const likelihood = expr`-0.5 * ${n * d} * log(2 * pi) + ${sum(logSumExp(beta, { axis: 1 }))} - ${n} * ${logSumExp(alpha)}`;
    const constant = expr`${k} * (${nu} * ${d} * (log(${gamma}) - 0.5 * log(2)) - ${logGamma(div(nu, 2), d)})`;
    const frobenius = add(sum(square(exp(q))), sum(square(l)));
    return expr`${likelihood} + ${sign} * (${constant} - 0.5 * ${gamma}^2 * ${frobenius} + ${m} * ${sum(q)})`;
  };
}

/**
 * The logarithm of the multivariate gamma function.
 *
 * @param {Value} a
 * @param {number} d
 */
function logGamma(a, d) {
  const halves = Float64Array.from({ length: d }, (_, j) => -j / 2);
  return add(((d * (d - 1)) / 4) * Math.log(Math.PI), sum(lgamma(add(a, halves))));
}

/**
 * @typedef {object} Input
 * @property {number} d
 * @property {number} k
 * @property {number} n
 * @property {number} m
 * @property {number} gamma
 * @property {number[][]} x
 * @property {number[]} alpha
 * @property {number[][]} mu
 * @property {number[][]} q
 * @property {number[][]} l
 */

/** @param {Input} input */
const prepare = ({ d, k, n, m, gamma, x, alpha, mu, q, l }) =>
  /** @type {const} */ ([
    { alpha: array(alpha, k), mu: array(mu, k, d), q: array(q, k, d), l: array(l, k, (d * (d - 1)) / 2) },
    array(x, n, d),
    m,
    gamma,
  ]);

/** @typedef {ReturnType<typeof prepare>} Prepared */

const objective = objectiveOf("GradBench");
const primal = jit(objective, engine);
const gradient = jit(grad(objective), engine);

export const gmm = {
  objective: { prepare, run: (/** @type {Prepared} */ at) => primal(...at), answer: number },
  jacobian: {
    prepare,
    run: (/** @type {Prepared} */ at) => gradient(...at),
    /** @param {ReturnType<typeof gradient>} found */
    answer: ({ alpha, mu, q, l }) => ({ alpha: Array.from(alpha.data), mu: rows(mu), q: rows(q), l: rows(l) }),
  },
};
