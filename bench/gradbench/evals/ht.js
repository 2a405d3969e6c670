// ht: a hand of bones and a skin, posed to meet measured points. The pose is 26 numbers and the residuals are many, so the Jacobian is taken in
// forward mode. Where points lie inside triangles, each has two coordinates (u, v) of its own; as a residual depends on no other pair, shifting
// all pairs together gives the derivatives for each one's own.
import {
  add,
  concat,
  cos,
  div,
  einsum,
  expr,
  gather,
  greaterEqual,
  jacobian,
  jit,
  matmul,
  mul,
  neg,
  reshape,
  sin,
  slice,
  sqrt,
  square,
  stack,
  sub,
  sum,
  tensor,
  transpose,
  unstack,
  where,
} from "chainrule";
import { array, engine, list } from "../engine.js";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {import("chainrule").Operand} Operand
 *
 * @typedef {object} Model
 * @property {number} bone_count
 * @property {number[]} parents
 * @property {number[][][]} base_relatives
 * @property {number[][][]} inverse_base_absolutes
 * @property {number[][]} base_positions
 * @property {number[][]} weights
 * @property {number[][]} triangles
 * @property {boolean} is_mirrored
 *
 * @typedef {object} Hand What of the model the pose moves, as arrays.
 * @property {number[]} parents
 * @property {boolean} mirrored
 * @property {Operand} relatives [bones, 4, 4]
 * @property {Operand} inverses [bones, 4, 4]
 * @property {Operand} positions [vertices, 4]
 * @property {Operand} weights [vertices, bones]
 */

/** Where the three angles of each bone stand in (theta, 0): bones of a finger bend about x, its first one turns about z too. */
function anglePlaces(/** @type {number} */ bones) {
  const places = new Int32Array(bones * 3).fill(26);
  for (let finger = 0; finger < 5; finger++) {
    const t = 6 + 4 * finger;
    const first = 2 + 4 * finger;
    places.set([t, t + 1], 3 * first);
    places[3 * (first + 1)] = t + 2;
    places[3 * (first + 2)] = t + 3;
  }
  return places;
}

/**
 * A matrix of values: [..., rows, columns].
 *
 * @param {readonly (readonly Operand[])[]} entries
 * @param {Value} like what zeros and ones among them broadcast to
 */
function matrix(entries, like) {
  const filled = entries.map((row) =>
    stack(
      row.map((x) => (typeof x === "number" ? add(mul(0, like), x) : x)),
      { axis: -1 },
    ),
  );
  return stack(filled, { axis: -2 });
}

/** @param {Value} a angles about x [bones] */
function turnX(a) {
  const [c, s] = [cos(a), sin(a)];
  return matrix([[1, 0, 0, 0], [0, c, neg(s), 0], [0, s, c, 0], [0, 0, 0, 1]], a); // biome-ignore format: a matrix
}

/** @param {Value} a angles about y [bones] */
function turnY(a) {
  const [c, s] = [cos(a), sin(a)];
  return matrix([[c, 0, s, 0], [0, 1, 0, 0], [neg(s), 0, c, 0], [0, 0, 0, 1]], a); // biome-ignore format: a matrix
}

/** @param {Value} a angles about z [bones] */
function turnZ(a) {
  const [c, s] = [cos(a), sin(a)];
  return matrix([[c, neg(s), 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], a); // biome-ignore format: a matrix
}

/**
 * The rotation about an axis by its length (Rodrigues), the identity for almost none.
 *
 * @param {Value} axis [3]
 */
function rotation(axis) {
  const squared = sum(square(axis));
  const turned = greaterEqual(squared, 1e-8);
  // A safe number where the norm is too small: its derivative must not be infinite times zero.
  const angle = sqrt(where(turned, squared, 1));
  const unit = div(axis, angle);
  const [x, y, z] = /** @type {[Value, Value, Value]} */ (unstack(unit));
  const crossing = matrix([[0, neg(z), y], [z, 0, neg(x)], [neg(y), x, 0]], x); // biome-ignore format: a matrix
  const along = mul(reshape(unit, { shape: [3, 1] }), unit);
  const identity = tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]]); // biome-ignore format: a matrix
  const c = cos(angle);
  return where(turned, expr`${identity} * ${c} + ${along} * (1 - ${c}) + ${crossing} * ${sin(angle)}`, identity);
}

/**
 * The skin of a posed hand: [vertices, 3].
 *
 * @param {Value} theta [26]
 * @param {Hand} hand
 */
function skin(theta, { parents, mirrored, relatives, inverses, positions, weights }) {
  const bones = parents.length;
  const angles = reshape(gather(concat([theta, tensor([0])]), anglePlaces(bones)), { shape: [bones, 3] });
  const [x, z, y] = /** @type {[Value, Value, Value]} */ (unstack(angles, { axis: 1 }));
  const local = unstack(matmul(relatives, matmul(matmul(turnZ(z), turnY(y)), turnX(x))));
  /** @type {Value[]} */
  const absolute = [];
  parents.forEach((parent, b) => {
    const own = /** @type {Value} */ (local[b]);
    absolute.push(parent < 0 ? own : matmul(/** @type {Value} */ (absolute[parent]), own));
  });
  const moves = slice(matmul(stack(absolute), inverses), { axis: 1, end: 3 });
  const blended = reshape(matmul(weights, reshape(moves, { shape: [bones, 12] })), { shape: [-1, 3, 4] });
  const posed = einsum("vij,vj->vi", blended, positions);
  const faced = mirrored ? mul(posed, tensor([-1, 1, 1])) : posed;
  return add(matmul(faced, transpose(rotation(slice(theta, { end: 3 })))), slice(theta, { start: 3, end: 6 }));
}

/** @param {{ theta: number[], us: number[][], data: { model: Model, correspondences: number[], points: number[][] } }} input */
function prepare({ theta, us, data: { model, correspondences, points } }) {
  const bones = model.bone_count;
  const vertices = model.base_positions.length;
  const count = correspondences.length;
  /** @type {Hand} */
  const hand = {
    parents: model.parents,
    mirrored: model.is_mirrored,
    relatives: array(model.base_relatives, bones, 4, 4),
    inverses: array(model.inverse_base_absolutes, bones, 4, 4),
    positions: array(model.base_positions, vertices, 4),
    weights: array(model.weights, vertices, bones),
  };
  const simple = us.length === 0;
  const corners = correspondences.map((i) => (simple ? [i] : /** @type {number[]} */ (model.triangles[i])));
  const meant = [0, 1, 2].slice(0, simple ? 1 : 3).map((corner) => Int32Array.from(corners, (c) => /** @type {number} */ (c[corner])));
  const [measured, pairs] = [array(points, count, 3), simple ? null : array(us, count, 2)];

  /**
   * Point minus its place on the skin, flat.
   *
   * @param {Value} theta
   * @param {Operand} shift added to each point's (u, v)
   */
  const residuals = (theta, shift) => {
    const surface = skin(theta, hand);
    const [p, q, r] = /** @type {[Value, Value, Value]} */ (meant.map((places) => gather(surface, places)));
    if (pairs === null) return reshape(sub(measured, p), { shape: [-1] });
    const [u, v] = /** @type {[Value, Value]} */ (unstack(reshape(add(pairs, shift), { shape: [count, 2, 1] }), { axis: 1 }));
    return reshape(sub(measured, expr`${u} * ${p} + ${v} * ${q} + (1 - ${u} - ${v}) * ${r}`), { shape: [-1] });
  };
  const pose = { theta: array(theta, 26), ...(simple ? {} : { shift: tensor([0, 0]) }) };
  const f = (/** @type {{ theta: Value, shift?: Value }} */ { theta, shift }) => residuals(theta, shift ?? 0);
  return { pose, objective: jit(f, engine), derivatives: jit(jacobian(f, { mode: "forward" }), engine) };
}

/** @typedef {ReturnType<typeof prepare>} Prepared */

export const ht = {
  objective: { prepare, run: (/** @type {Prepared} */ { pose, objective }) => objective(pose), answer: list },
  jacobian: {
    prepare,
    run: (/** @type {Prepared} */ { pose, derivatives }) => derivatives(pose),
    /** @param {Record<"theta" | "shift", import("chainrule").Tensor | undefined>} found */
    answer: ({ theta, shift }) => {
      const { data, type } = /** @type {import("chainrule").Tensor} */ (theta);
      return Array.from({ length: /** @type {number} */ (type.shape[0]) }, (_, i) => [
        ...(shift === undefined ? [] : shift.data.subarray(2 * i, 2 * i + 2)),
        ...data.subarray(26 * i, 26 * i + 26),
      ]);
    },
  },
};
