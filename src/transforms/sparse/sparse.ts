import { along, checkFloat, during, fresh, resultValues } from "../../autodiff/argument.ts";
import { batch } from "../../autodiff/batch.ts";
import { grad, type Loss, type Way } from "../../autodiff/grad.ts";
import { jacobian } from "../../autodiff/jacobian.ts";
import { pullback, zerosLike } from "../../autodiff/pullback.ts";
import { pushforward } from "../../autodiff/pushforward.ts";
import { allocate, isFloat } from "../../ir/dtype.ts";
import { GradientError, ShapeError } from "../../ir/errors.ts";
import { constantOf, input, lift } from "../../ir/leaf.ts";
import type { Keeper, Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold } from "../../ir/tensor.ts";
import { leaves, type Operands } from "../../ir/tree.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { concat } from "../../ops/linear/concat.ts";
import { full } from "../../ops/linear/constants.ts";
import { everyExample } from "../../ops/linear/every-example.ts";
import { gather } from "../../ops/linear/gather.ts";
import { reshape } from "../../ops/linear/reshape.ts";
import { exampleOf, vmap } from "../vmap.ts";
import { type Colouring, columnColouring, readFrom, starColouring } from "./colouring.ts";
import { type Pattern, patternOf, symmetric, totalOf, transposed } from "./pattern.ts";

type Fn<P, A extends readonly unknown[], R> = (at: P, ...rest: A) => R;

/**
 * A sparse matrix of derivatives by rows (compressed sparse row). Row i has its entries at `rows[i]` to `rows[i + 1] - 1`; entry k stands in
 * column `cols[k]` and is `vals[k]`. Entries are those that can be other than 0; some may be 0.
 */
export interface SparseMatrix extends Pattern {
  /** The entries, row by row: a Value of rank 1, differentiable like any other. */
  readonly vals: Value;
  /** How many directions were pushed forward or pulled back, all in one batch. */
  readonly passes: number;
}

/** Options of `sparseJacobian`. */
export interface SparseOptions {
  /** A pattern found before, by `sparsity` or in an earlier result: it is neither looked for nor coloured again. It must cover every nonzero. */
  readonly pattern?: Pattern;
  /** Forward: directions of the variables; reverse: of the results. The way with fewer passes when left out. */
  readonly mode?: Way;
}

/** Options of `sparseHessian`. */
export interface SparseHessianOptions {
  /** A symmetric pattern found before. */
  readonly pattern?: Pattern;
}

interface Traced {
  readonly values: readonly Value[];
  readonly outs: readonly Value[];
}

/** Calls the function on fresh variables; everything differentiated is floating-point and of one dtype. */
function trace(f: Fn<never, never, unknown>, at: unknown, rest: readonly unknown[], keeper: Keeper, who: string): Traced {
  const argument = fresh(at, keeper, who);
  argument.values.forEach((v, i) => {
    checkFloat(v, argument.paths[i]!, who);
  });
  const result = (f as (...args: unknown[]) => unknown)(argument.tree, ...along(rest));
  if (typeof result !== "number" && (typeof result !== "object" || result === null))
    throw new GradientError(`${who}: the function returned no Value; it returns a Value of any shape, or a tree of them`);
  const outs = resultValues(result, who);
  for (const v of outs)
    if (!isFloat(v.type.dtype))
      throw new GradientError(`${who}: the function returned ${typeText(v.type)}; only floating-point values have derivatives`);
  checkOne([...argument.values, ...outs], who);
  return { values: argument.values, outs };
}

/**
 * `sparsity(f)(p, ...rest)`: where the Jacobian of `f` with respect to `p` can be other than 0, found by following each element through the graph,
 * not by its numbers: it holds for every `p`. Rows are the elements of the result, columns those of `p`, leaves of a tree laid end to end.
 * An op that nothing is known of makes every result depend on every operand, so the pattern may be too large, never too small.
 * @throws GradientError as `sparseJacobian`
 */
export function sparsity<P, A extends readonly unknown[], R>(f: Fn<P, A, R>): (at: Operands<P>, ...rest: Operands<A>) => Pattern {
  return (at, ...rest) =>
    during((keeper) => {
      const { values, outs } = trace(f as Fn<never, never, unknown>, at, rest, keeper, "sparsity");
      return patternOf(outs, values);
    });
}

/**
 * `sparseJacobian(f)(p, ...rest)`: the Jacobian as a sparse matrix, with as many passes as its pattern needs colours (three for a tridiagonal one
 * of any size), all of them in one batch. Rows are the elements of the result, columns those of `p`, leaves of trees laid end to end. A function made by
 * `vmap` of the arguments has one block per example, which is used as it is.
 *
 * Sources: Curtis, Powell, Reid, 1974; Gebremedhin, Manne, Pothen, "What color is your Jacobian?", SIAM Review 47, 2005.
 * @throws GradientError for integers, for values of several dtypes, and for results that are no Values; ShapeError for a pattern of another shape
 */
export function sparseJacobian<P, A extends readonly unknown[], R>(
  f: Fn<P, A, R>,
  { pattern, mode }: SparseOptions = {},
): (at: Operands<P>, ...rest: Operands<A>) => SparseMatrix {
  return (at, ...rest) => {
    const one = pattern === undefined ? exampleOf(f as unknown as (...args: never[]) => unknown) : undefined;
    if (one !== undefined) return blocks(one, at, rest, mode);
    return during((keeper) => {
      const { values, outs } = trace(f as Fn<never, never, unknown>, at, rest, keeper, "sparseJacobian");
      const found = pattern === undefined ? patternOf(outs, values) : checked(pattern, [totalOf(outs), totalOf(values)], "sparseJacobian");
      const { colouring, forward } = coloured(found, mode);
      const { rows, cols } = found;
      const groups = forward ? pushed(outs, values, colouring) : pulled(outs, values, colouring);
      const width = forward ? found.shape[0] : found.shape[1];
      const places = new Int32Array(cols.length);
      for (let i = 0; i < found.shape[0]; i++)
        for (let k = rows[i]!; k < rows[i + 1]!; k++) {
          const j = cols[k]!;
          places[k] = forward ? colouring.colours[j]! * width + i : colouring.colours[i]! * width + j;
        }
      return { ...found, vals: picked(groups, places), passes: colouring.count };
    });
  };
}

/**
 * `sparseHessian(f)(p, ...rest)`: the Hessian of a scalar function as a sparse symmetric matrix, both triangles, from as many Hessian-vector products as
 * a star colouring of its pattern has colours, all of them in one batch. Rows and columns are the elements of `p`, leaves of a tree laid end to end.
 * @throws GradientError as `grad` and `sparseJacobian`; ShapeError for a pattern of another shape
 */
export function sparseHessian<P, A extends readonly unknown[]>(
  f: Fn<P, A, Value>,
  { pattern }: SparseHessianOptions = {},
): (at: Operands<P>, ...rest: Operands<A>) => SparseMatrix {
  const slope = grad(f as unknown as Fn<P, readonly unknown[], Loss>) as unknown as Fn<never, never, unknown>;
  return (at, ...rest) =>
    during((keeper) => {
      const { values, outs } = trace(slope, at, rest, keeper, "sparseHessian");
      const n = totalOf(values);
      const found = pattern === undefined ? symmetric(patternOf(outs, values)) : checked(pattern, [n, n], "sparseHessian");
      const star = starOf(found);
      const { rows, cols } = found;
      const mirrored = readFrom(found, star);
      const places = new Int32Array(cols.length);
      for (let i = 0; i < n; i++)
        for (let k = rows[i]!; k < rows[i + 1]!; k++) {
          const j = cols[k]!;
          places[k] = mirrored[k] ? star.colours[i]! * n + j : star.colours[j]! * n + i;
        }
      return { ...found, vals: picked(pushed(outs, values, star), places), passes: star.count };
    });
}

/** @throws ShapeError for a pattern of another matrix */
function checked(pattern: Pattern, [m, n]: readonly [number, number], who: string): Pattern {
  const [rows, columns] = pattern.shape;
  if (rows === m && columns === n) return { shape: pattern.shape, rows: pattern.rows, cols: pattern.cols };
  throw new ShapeError(
    `${who}: the pattern is of a ${rows} by ${columns} matrix and this one is ${m} by ${n}; find it anew with sparsity, or leave it out`,
  );
}

/** Colourings of patterns that were met before: a pattern that is handed in again is coloured once. Its columns are the key, for they are its own. */
const known = new WeakMap<Int32Array, { forward?: Colouring; reverse?: Colouring; star?: Colouring }>();

function knownOf(pattern: Pattern): { forward?: Colouring; reverse?: Colouring; star?: Colouring } {
  let of = known.get(pattern.cols);
  if (of === undefined) known.set(pattern.cols, (of = {}));
  return of;
}

function starOf(pattern: Pattern): Colouring {
  const of = knownOf(pattern);
  of.star ??= starColouring(pattern);
  return of.star;
}

/** Fewest colours: of columns for forward mode, of rows for reverse mode. The fullest row (column) says how few they can be. */
function coloured(pattern: Pattern, mode: Way | undefined): { readonly colouring: Colouring; readonly forward: boolean } {
  const of = knownOf(pattern);
  const across = transposed(pattern);
  if (mode === "forward") return { colouring: (of.forward ??= columnColouring(pattern)!), forward: true };
  if (mode === "reverse") return { colouring: (of.reverse ??= columnColouring(across)!), forward: false };
  const [leastForward, leastReverse] = [fullest(pattern), fullest(across)];
  const firstForward = of.reverse === undefined && (of.forward !== undefined || leastForward <= leastReverse);
  const first = firstForward ? (of.forward ??= columnColouring(pattern)!) : (of.reverse ??= columnColouring(across)!);
  if ((firstForward ? leastReverse : leastForward) >= first.count) return { colouring: first, forward: firstForward };
  const second = columnColouring(firstForward ? across : pattern, first.count);
  if (second === null) return { colouring: first, forward: firstForward };
  if (firstForward) {
    delete of.forward;
    of.reverse = second;
  } else {
    delete of.reverse;
    of.forward = second;
  }
  return { colouring: second, forward: !firstForward };
}

function fullest({ rows }: Pattern): number {
  let most = 0;
  for (let i = 0; i + 1 < rows.length; i++) most = Math.max(most, rows[i + 1]! - rows[i]!);
  return most;
}

/** The directions of a colouring: for each colour a tensor like each value, 1 in the elements of that colour. */
function seedsOf(vs: readonly Value[], { colours, count }: Colouring): Value[] {
  let from = 0;
  return vs.map((v) => {
    const n = sizeOf(v.type.shape);
    const data = allocate(v.type.dtype, count * n);
    for (let i = 0; i < n; i++) {
      const c = colours[from + i]!;
      if (c >= 0) data[c * n + i] = 1;
    }
    from += n;
    const type = tensorType(v.type.dtype, [count, ...v.type.shape]);
    return constantOf(hold(type, data), type);
  });
}

/** Tangents of all results for all directions: [colours, elements of the results]. */
function pushed(outs: readonly Value[], wrt: readonly Value[], colouring: Colouring): Value {
  const directions = wrt.map((v, i) => input(v.type, `direction${i}`));
  const tangents = pushforward(outs, wrt, directions).map((t, i) => t ?? zerosLike(outs[i]!));
  return sideBySide(batched(tangents, directions, seedsOf(wrt, colouring), colouring.count), colouring.count, outs);
}

/** Cotangents of all variables for all directions: [colours, elements of the variables]. */
function pulled(outs: readonly Value[], wrt: readonly Value[], colouring: Colouring): Value {
  const cts = outs.map((v, i) => input(v.type, `ct${i}`));
  const found = pullback(outs, cts, wrt).map((g, i) => g ?? zerosLike(wrt[i]!));
  return sideBySide(batched(found, cts, seedsOf(outs, colouring), colouring.count), colouring.count, wrt);
}

function batched(roots: readonly Value[], ones: readonly Value[], many: readonly Value[], count: number): Value[] {
  return batch(roots, ones, many, count).map((v, i) => v ?? everyExample(roots[i]!, false, count));
}

function sideBySide(vs: readonly Value[], count: number, like: readonly Value[]): Value {
  return concat(
    vs.map((v, i) => reshape(v, { shape: [count, sizeOf(like[i]!.type.shape)] })),
    { axis: 1 },
  );
}

/** The entries of the matrix out of the compressed one. */
function picked(groups: Value, places: Int32Array): Value {
  if (places.length === 0) return full(tensorType(groups.type.dtype, [0]), 0);
  const type = tensorType("i32", [places.length]);
  return gather(reshape(groups, { shape: [sizeOf(groups.type.shape)] }), constantOf(hold(type, places), type));
}

/** The Jacobian of a mapped function: a block for each example, whose pattern is known. */
function blocks(f: (...args: never[]) => unknown, at: unknown, rest: readonly unknown[], mode: Way | undefined): SparseMatrix {
  let heights: readonly number[] = [];
  const watched = (...args: readonly unknown[]): unknown => {
    const result = (f as (...given: readonly unknown[]) => unknown)(...args);
    heights = resultValues(result, "sparseJacobian").map((v) => sizeOf(v.type.shape));
    return result;
  };
  const each = vmap(jacobian(watched, mode === undefined ? {} : { mode }) as (...args: readonly unknown[]) => unknown);
  const found = leaves(each(at as never, ...(rest as readonly never[]))).map(({ leaf }) => leaf as Value);
  checkOne(found, "sparseJacobian");
  const given = leaves(at).map(({ leaf }) => lift(leaf as Operand, "f64").type.shape);
  const examples = given[0]![0]!;
  const widths = given.map((shape) => sizeOf(shape.slice(1)));
  const width = widths.reduce((a, b) => a + b, 0);
  const height = heights.reduce((a, b) => a + b, 0);
  const [m, n] = [examples * height, examples * width];
  const rows = Int32Array.from({ length: m + 1 }, (_, i) => i * width);
  const cols = new Int32Array(m * width);
  let k = 0;
  for (const h of heights)
    for (let row = 0; row < examples * h; row++) {
      let start = 0;
      for (const w of widths) {
        for (let j = 0; j < w; j++) cols[k++] = start + Math.floor(row / h) * w + j;
        start += examples * w;
      }
    }
  const parts = heights.map((h, r) =>
    concat(
      widths.map((w, p) => reshape(found[r * widths.length + p]!, { shape: [examples * h, w] })),
      { axis: 1 },
    ),
  );
  const vals = reshape(concat(parts), { shape: [cols.length] });
  const forward = mode === undefined ? width < height : mode === "forward";
  return { shape: [m, n], rows, cols, vals, passes: forward ? width : height };
}

/** @throws GradientError for values of several dtypes */
function checkOne(vs: readonly Value[], who: string): void {
  const dtype = vs[0]?.type.dtype;
  const other = vs.find((v) => v.type.dtype !== dtype);
  if (other !== undefined)
    throw new GradientError(
      `${who}: one value is ${dtype} and another is ${typeText(other.type)}; a sparse matrix has one dtype: cast inside the function`,
    );
}
