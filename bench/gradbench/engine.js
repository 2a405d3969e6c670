// The engine that runs the tensor programs of the evals, and what they all need to turn JSON lists into tensors and back.
import { f64, reference, tensor } from "chainrule";
import { wasm } from "chainrule/wasm";

export const engine = process.env["GRADBENCH_ENGINE"] === "reference" ? reference() : wasm();

/**
 * Nested lists as a tensor of a known shape. `tensor(list)` would do for most, but it cannot see the axes behind an empty one.
 *
 * @param {unknown} list
 * @param {...number} shape
 */
export function array(list, ...shape) {
  const flat = /** @type {number[]} */ (Array.isArray(list) ? list.flat(Number.POSITIVE_INFINITY) : [list]);
  return tensor(Float64Array.from(flat), f64(...shape));
}

/**
 * A matrix as a list of its rows.
 *
 * @param {import("chainrule").Tensor} t
 * @returns {number[][]}
 */
export function rows({ data, type }) {
  const [n = 0, m = 0] = type.shape;
  return Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * m, (i + 1) * m)));
}

/** @param {import("chainrule").Tensor} t */
export const list = (t) => Array.from(t.data);

/** @param {import("chainrule").Tensor} t */
export const number = (t) => /** @type {number} */ (t.data[0]);
