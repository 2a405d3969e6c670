// The gradient descent of particle and saddle, with its doubling and halving of the rate. Its rounds are counted by values that are read, so it
// is an ordinary loop, and derivatives flow through what it returns.
import { grad, mul, neg, norm, read, sub } from "chainrule";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {"forward" | "reverse"} Mode
 */

/**
 * @param {(x: Value) => Value} f
 * @param {Value} start
 * @param {Mode} mode of the derivative of f
 * @returns {Value}
 */
export function argmin(f, start, mode) {
  const slope = grad(f, { mode });
  let x = start;
  let cost = f(x);
  let g = slope(x);
  let rate = 1e-5;
  let taken = 0;
  while (read(norm(g)) > 1e-5) {
    if (taken === 10) {
      rate *= 2;
      taken = 0;
      continue;
    }
    const next = sub(x, mul(rate, g));
    if (read(norm(sub(x, next))) <= 1e-5) break;
    const lower = f(next);
    if (read(lower) < read(cost)) {
      x = next;
      cost = lower;
      g = slope(x);
      taken++;
    } else {
      rate /= 2;
      taken = 0;
    }
  }
  return x;
}

/** @type {typeof argmin} */
export const argmax = (f, start, mode) => argmin((x) => neg(f(x)), start, mode);

/**
 * One function for each pair of modes: first that of the outer derivative, then that of the inner one.
 *
 * @template T
 * @param {(outer: Mode, inner: Mode) => T} make
 */
export const pairs = (make) => ({
  rr: make("reverse", "reverse"),
  ff: make("forward", "forward"),
  fr: make("forward", "reverse"),
  rf: make("reverse", "forward"),
});
