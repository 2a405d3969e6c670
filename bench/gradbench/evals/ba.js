// ba: bundle adjustment. Each observation's residual depends on its own camera, point and weight alone, so the sparse Jacobian is a block an
// observation: the Jacobian of one residual, mapped over all of them by `vmap`.
import {
  add,
  at,
  concat,
  cos,
  cross,
  div,
  dot,
  expr,
  gather,
  greater,
  jacobian,
  jit,
  reshape,
  sin,
  slice,
  sqrt,
  square,
  sub,
  sum,
  vmap,
  where,
} from "chainrule";
import { array, engine } from "../engine.js";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {import("chainrule").Tensor} Tensor
 * @typedef {{ cam: Value, X: Value, w: Value }} View What one observation is made of.
 */

/**
 * Rotation by an angle-axis vector (Rodrigues); its first-order form where the angle is exactly zero, which has the right derivative there.
 *
 * @param {Value} r [3]
 * @param {Value} Y [3]
 */
function rotated(r, Y) {
  const squared = sum(square(r));
  const turned = greater(squared, 0);
  const theta = sqrt(where(turned, squared, 1));
  const [a, c] = [div(r, theta), cos(theta)];
  return where(turned, expr`${Y} * ${c} + ${cross(a, Y)} * ${sin(theta)} + ${a} * ${dot(a, Y)} * (1 - ${c})`, add(Y, cross(r, Y)));
}

/**
 * Where a camera sees a point, against where it was measured, times the weight: two numbers.
 *
 * @param {View} view
 * @param {Value} feat
 */
function residual({ cam, X, w }, feat) {
  const part = (/** @type {number} */ start, /** @type {number} */ end) => slice(cam, { start, end });
  const Z = rotated(part(0, 3), sub(X, part(3, 6)));
  const P = div(slice(Z, { end: 2 }), at(Z, 2));
  const rho = sum(square(P));
  const bent = expr`${P} * (1 + ${at(cam, 9)} * ${rho} + ${at(cam, 10)} * ${rho}^2)`;
  return expr`${w} * (${bent} * ${at(cam, 6)} + ${part(7, 9)} - ${feat})`;
}

/** @param {Value} w */
const weightResidual = (w) => sub(1, square(w));

/** @typedef {{ cams: Value, points: Value, weights: Value, feats: Value, seenBy: Value, seen: Value }} Scene */

/** @param {Scene} scene @returns {[View, Value]} one row an observation */
const views = ({ cams, points, weights, feats, seenBy, seen }) => [
  { cam: gather(cams, seenBy), X: gather(points, seen), w: weights },
  feats,
];

const objective = jit(
  (/** @type {Scene} */ scene) => ({ errors: vmap(residual)(...views(scene)), weights: vmap(weightResidual)(scene.weights) }),
  engine,
);

const blocks = jit((/** @type {Scene} */ scene) => {
  const { cam, X, w } = vmap(jacobian(residual))(...views(scene));
  const [p = 0] = w.type.shape;
  return {
    errors: concat([cam, X, reshape(w, { shape: [p, 2, 1] })], { axis: 2 }),
    weights: vmap(jacobian(weightResidual))(scene.weights),
  };
}, engine);

/** @param {{ n: number, m: number, p: number, cam: number[], x: number[], w: number, feat: number[] }} input */
function prepare({ n, m, p, cam, x, w, feat }) {
  const repeat = (/** @type {number[]} */ row, /** @type {number} */ times) =>
    array(
      Array.from({ length: times }, () => row),
      times,
      row.length,
    );
  /** @param {number} size */
  const round = (size) => Int32Array.from({ length: p }, (_, i) => i % size);
  return {
    n,
    m,
    p,
    scene: {
      cams: repeat(cam, n),
      points: repeat(x, m),
      weights: array(new Array(p).fill(w), p),
      feats: repeat(feat, p),
      seenBy: round(n),
      seen: round(m),
    },
  };
}

/** @typedef {ReturnType<typeof prepare>} Prepared */

/** @param {Prepared} prepared the whole matrix in compressed rows: row offsets, columns, values */
function sparse({ n, m, p, scene }) {
  const { errors, weights } = blocks(scene);
  const vals = new Float64Array(31 * p);
  vals.set(errors.data);
  vals.set(weights.data, 30 * p);
  const cols = new Int32Array(31 * p);
  const rows = new Int32Array(3 * p + 1);
  for (let i = 0; i < p; i++) {
    const [camera, point, weight] = [11 * (i % n), 11 * n + 3 * (i % m), 11 * n + 3 * m + i];
    for (const row of [2 * i, 2 * i + 1]) {
      for (let j = 0; j < 11; j++) cols[15 * row + j] = camera + j;
      for (let j = 0; j < 3; j++) cols[15 * row + 11 + j] = point + j;
      cols[15 * row + 14] = weight;
      rows[row + 1] = 15 * (row + 1);
    }
    cols[30 * p + i] = weight;
    rows[2 * p + i + 1] = 30 * p + i + 1;
  }
  return { rows, cols, vals };
}

/** The first 30 numbers and the last one. */
const ends = (/** @type {ArrayLike<number>} */ xs) => [...Array.from({ length: 30 }, (_, i) => xs[i]), xs[xs.length - 1]];

export const ba = {
  objective: {
    prepare,
    run: (/** @type {Prepared} */ { scene }) => objective(scene),
    /**
     * @param {Record<"errors" | "weights", Tensor>} found
     * @param {{ p: number }} input
     */
    answer: ({ errors, weights }, { p }) => ({
      reproj_error: { elements: Array.from(errors.data.subarray(0, 2)), repeated: p },
      w_err: { element: weights.data[0], repeated: p },
    }),
  },
  jacobian: {
    prepare,
    run: sparse,
    /** @param {ReturnType<typeof sparse>} matrix */
    answer: ({ rows, cols, vals }) => ({ rows: ends(rows), cols: ends(cols), vals: ends(vals) }),
  },
};
