// kmeans: the Newton direction of the k-means cost. The Hessian is diagonal, so its product with ones is that diagonal.
import { div, grad, hvp, jit, min, reshape, square, sub, sum } from "chainrule";
import { array, engine, number, rows } from "../engine.js";

/** @typedef {import("chainrule").Value} Value */

/**
 * Σ_i min_j ‖points[i] - centroids[j]‖².
 *
 * @param {Value} centroids [k, d]
 * @param {Value} points [n, d]
 */
function cost(centroids, points) {
  const [n = 0, d = 0] = points.type.shape;
  const distances = sum(square(sub(reshape(points, { shape: [n, 1, d] }), centroids)), { axis: 2 });
  return sum(min(distances, { axis: 1 }));
}

/** @param {{ points: number[][], centroids: number[][] }} input */
const prepare = ({ points, centroids }) => {
  const d = /** @type {number[]} */ (points[0]).length;
  return /** @type {const} */ ([array(centroids, centroids.length, d), array(points, points.length, d)]);
};

/** @typedef {ReturnType<typeof prepare>} Prepared */

const primal = jit(cost, engine);
const direction = jit((/** @type {Value} */ centroids, /** @type {Value} */ points) => {
  return div(grad(cost)(centroids, points), hvp(cost)(centroids, 1, points));
}, engine);

export const kmeans = {
  cost: { prepare, run: (/** @type {Prepared} */ at) => primal(...at), answer: number },
  dir: { prepare, run: (/** @type {Prepared} */ at) => direction(...at), answer: rows },
};
