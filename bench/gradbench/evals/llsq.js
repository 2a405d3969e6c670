// llsq: a polynomial fitted to the sign function by least squares, ½ Σ (sign(t) - Σ_j x_j t^j)², t from -1 to 1.
import { add, grad, jit, mul, sign, square, sub, sum, unstack } from "chainrule";
import { array, engine, list, number } from "../engine.js";

/** @typedef {import("chainrule").Value} Value */

/**
 * The polynomial is evaluated by Horner's scheme.
 *
 * @param {Value} x coefficients, lowest power first
 * @param {Value} t
 */
function loss(x, t) {
  const polynomial = unstack(x).reduceRight((/** @type {import("chainrule").Operand} */ p, coefficient) => add(mul(p, t), coefficient), 0);
  return mul(0.5, sum(square(sub(sign(t), polynomial))));
}

/** @param {{ x: number[], n: number }} input */
const prepare = ({ x, n }) =>
  /** @type {const} */ ([
    array(x, x.length),
    array(
      Array.from({ length: n }, (_, i) => -1 + (2 * i) / (n - 1)),
      n,
    ),
  ]);

const primal = jit(loss, engine);
const gradient = jit(grad(loss), engine);

export const llsq = {
  primal: { prepare, run: (/** @type {ReturnType<typeof prepare>} */ [x, t]) => primal(x, t), answer: number },
  gradient: { prepare, run: (/** @type {ReturnType<typeof prepare>} */ [x, t]) => gradient(x, t), answer: list },
};
