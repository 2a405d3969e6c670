// particle: where must a charge stand so that a particle, pushed by it and another one, meets the axis at 0? The force is a derivative, inside
// a loop whose length depends on the path, inside a function that is minimised by its own derivative.
import { add, constant, div, expr, grad, mul, read, square, sub } from "chainrule";
import { argmin, pairs } from "./descent.js";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {{ x: Value, y: Value }} Point
 */

/**
 * The square of the place where the path meets the axis.
 *
 * @param {Value} w
 * @param {import("./descent.js").Mode} mode of the force
 */
function missed(w, mode) {
  const height = sub(10, w);
  const slope = grad(
    ({ x, y }) => {
      const across = square(sub(x, 10));
      return expr`1 / sqrt(${across} + ${square(sub(y, height))}) + 1 / sqrt(${across} + ${square(y)})`;
    },
    { mode },
  );
  /** @type {Point} */
  let at = { x: constant(0), y: constant(8) };
  /** @type {Point} */
  let v = { x: constant(0.75), y: constant(0) };
  for (;;) {
    const next = { x: add(at.x, mul(0.1, v.x)), y: add(at.y, mul(0.1, v.y)) };
    if (read(next.y) <= 0) break;
    const { x, y } = slope(at);
    v = { x: sub(v.x, mul(0.1, x)), y: sub(v.y, mul(0.1, y)) };
    at = next;
  }
  return square(sub(at.x, mul(div(at.y, v.y), v.x)));
}

export const particle = pairs((outer, inner) => ({
  prepare: (/** @type {{ w: number }} */ { w }) => constant(w),
  // A constant start: what no open derivative needs is forgotten once it is read.
  run: (/** @type {Value} */ w) => argmin((w) => missed(w, inner), w, outer),
  answer: read,
}));
