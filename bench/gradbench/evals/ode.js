// ode: y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁ from y = 0 at time 0 to time 2, by s steps of the classical fourth-order Runge-Kutta method.
import { at, concat, expr, grad, jit, mul, scan, slice, tensor, zeros } from "chainrule";
import { array, engine, list } from "../engine.js";

/** @typedef {import("chainrule").Value} Value */

const one = tensor([1]);

/**
 * y after s steps.
 *
 * @param {Value} x [n]
 * @param {number} steps
 */
function solved(x, steps) {
  const h = 2 / steps;
  const slope = (/** @type {Value} */ y) => mul(x, concat([one, slice(y, { end: -1 })]));
  const { carry } = scan(
    (/** @type {Value} */ y) => {
      const k1 = slope(y);
      const k2 = slope(expr`${y} + ${h / 2} * ${k1}`);
      const k3 = slope(expr`${y} + ${h / 2} * ${k2}`);
      const k4 = slope(expr`${y} + ${h} * ${k3}`);
      const next = expr`${y} + ${h / 6} * (${k1} + 2 * ${k2} + 2 * ${k3} + ${k4})`;
      return { carry: next, out: {} };
    },
    zeros(x.type),
    null,
    { length: steps, checkpointEvery: Math.ceil(Math.sqrt(steps)) },
  );
  return carry;
}

/** @param {{ x: number[], s: number }} input */
const prepare = ({ x, s }) => ({ x: array(x, x.length), s });

/** @typedef {ReturnType<typeof prepare>} Prepared */

/** A program for each number of steps: it is part of the graph, as shapes are. */
const programs = (/** @type {(x: Value, steps: number) => Value} */ f) => {
  /** @type {Map<number, (x: import("chainrule").Tensor) => import("chainrule").Tensor>} */
  const known = new Map();
  return (/** @type {Prepared} */ { x, s }) => {
    let program = known.get(s);
    if (program === undefined) known.set(s, (program = jit((/** @type {Value} */ x) => f(x, s), engine)));
    return program(x);
  };
};

export const ode = {
  primal: { prepare, run: programs(solved), answer: list },
  gradient: { prepare, run: programs((x, s) => grad((/** @type {Value} */ x) => at(solved(x, s), -1))(x)), answer: list },
};
