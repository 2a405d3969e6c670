// det: a determinant expanded by minors along the first row, all ell! products of it.
//
// Taking row after row, the columns that are left depend on those taken before; all those choices of one depth are the axes of one array. So up
// to eight rows the expansion is one multiplication and one sum a row. Larger matrices call that graph on their minors, which is how ten rows
// stay small: a `call` is one node, whose inside lives only while it runs.
import { add, at, call, f64, gather, grad, graph, jit, mul, reshape, slice, sum, tensor } from "chainrule";
import { array, engine, list, number } from "../engine.js";

/** @typedef {import("chainrule").Value} Value */

const most = 8;

/** @param {number[]} columns @param {number} k */
const without = (columns, k) => [...columns.slice(0, k), ...columns.slice(k + 1)];

/** @param {number} n signs of an expansion: 1, -1, 1, ... */
const signs = (n) => tensor(Float64Array.from({ length: n }, (_, j) => (j % 2 === 0 ? 1 : -1)));

/**
 * The columns that are left after each choice of columns for the rows above: [n, n - 1, ..., n - row + 1, n - row], flat.
 *
 * @param {number} n
 * @param {number} row
 */
function remaining(n, row) {
  /** @type {number[][]} */
  let left = [Array.from({ length: n }, (_, j) => j)];
  for (let taken = 0; taken < row; taken++) left = left.flatMap((columns) => columns.map((_, k) => without(columns, k)));
  return Int32Array.from(left.flat());
}

/**
 * @param {Value} a [n, n]
 * @param {number} n
 * @returns {Value}
 */
function expanded(a, n) {
  if (n > most) return byMinors(a, n);
  /** @type {Value | null} */
  let minors = null;
  for (let row = n - 1; row >= 0; row--) {
    const left = n - row;
    const entries = reshape(gather(at(a, row), remaining(n, row)), { shape: [-1, left] });
    const terms = minors === null ? entries : mul(mul(entries, signs(left)), reshape(minors, { shape: [-1, left] }));
    minors = sum(terms, { axis: 1 });
  }
  return reshape(/** @type {Value} */ (minors), { shape: [] });
}

/** @type {Map<number, ReturnType<typeof graphOf>>} */
const graphs = new Map();

/** @param {number} n */
function graphOf(n) {
  return graph({ a: f64(n, n) }, ({ a }) => expanded(a, n));
}

/**
 * @param {Value} a [n, n]
 * @param {number} n
 */
function byMinors(a, n) {
  let minor = graphs.get(n - 1);
  if (minor === undefined) graphs.set(n - 1, (minor = graphOf(n - 1)));
  const below = slice(a, { start: 1 });
  const columns = Array.from({ length: n }, (_, j) => j);
  /** @type {Value | null} */
  let total = null;
  for (let j = 0; j < n; j++) {
    const term = mul(
      mul(j % 2 === 0 ? 1 : -1, at(a, 0, j)),
      call(minor, { a: gather(below, Int32Array.from(without(columns, j)), { axis: 1 }) }),
    );
    total = total === null ? term : add(total, term);
  }
  return /** @type {Value} */ (total);
}

/** @param {Value} a */
const determinant = (a) => expanded(a, /** @type {number} */ (a.type.shape[0]));

/** @param {{ A: number[], ell: number }} input */
const prepare = ({ A, ell }) => array(A, ell, ell);

export const det = {
  primal: { prepare, run: jit(determinant, engine), answer: number },
  gradient: { prepare, run: jit(grad(determinant), engine), answer: list },
};
