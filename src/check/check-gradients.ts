import { grad, type Loss } from "../autodiff/grad.ts";
import { jvp } from "../autodiff/vjp.ts";
import { evaluate, read } from "../evaluate/evaluate.ts";
import { allocate, type DType, isFloat } from "../ir/dtype.ts";
import { DTypeError, GradientError } from "../ir/errors.ts";
import { isType, isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { isLeaf, leaves, type Operands, rebuild } from "../ir/tree.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { sum } from "../ops/linear/sum.ts";
import { constantFrom } from "./case.ts";
import { detailsOf } from "./details/gradient-details.ts";
import { type Draw, drawsFrom, weight } from "./draws.ts";
import { type GradientReport, type GradientRow, reportOf } from "./gradient-report.ts";
import { judge } from "./judge.ts";
import { allFinite } from "./point.ts";
import { type Thresholds, thresholds } from "./thresholds.ts";

/** Options of `checkGradients`. */
export interface CheckOptions {
  /** Determines directions, weights and which elements are checked; 0 when left out. */
  readonly seed?: number;
  /** First derivatives only, or second ones too; 2 when left out. */
  readonly order?: 1 | 2;
  /** Leaves of up to this many elements are checked element by element, larger ones along directions; 12 when left out. */
  readonly elements?: number;
  /** How many random directions for larger leaves; 3 when left out. */
  readonly directions?: number;
  /** What counts as agreement; by the precision of the computation when left out. */
  readonly thresholds?: Thresholds;
}

/**
 * Compares the gradient of a function with central differences, and its second derivatives with differences of the gradient.
 *
 * Float leaves are widened to f64; where the function itself holds tensors of another dtype, it is checked as it is, with wider thresholds.
 * Differences are taken at eight steps and extrapolated, and the step is chosen by convergence. A function that returns no scalar is summed with
 * random weights.
 * @param f a function of one tree, of a Value of any shape or a record with `loss`; called many times, so it must be deterministic
 * @param at where: a tree of numbers, typed arrays, Tensors or Values
 * @throws GradientError when no leaf has a derivative or the result is no float
 */
export function checkGradients<P>(
  f: (at: P) => Value | { readonly loss: Value },
  at: Operands<P>,
  options: CheckOptions = {},
): GradientReport {
  const given = leaves(at).map(({ leaf, path }) => {
    if (isType(leaf)) throw new GradientError(`checkGradients: ${path} is a type; give data`);
    const v = lift(leaf, "f64");
    return { path, tensor: evaluate(v) as Tensor };
  });
  if (!given.some(({ tensor }) => isFloat(tensor.type.dtype)))
    throw new GradientError(
      `checkGradients: there is nothing to differentiate; the leaves are ${given.map(({ tensor }) => typeText(tensor.type)).join(", ") || "none"}`,
    );
  const run = (dtype: DType | null): GradientRow[] =>
    rowsFor(
      f as (at: unknown) => unknown,
      at,
      given.map(({ path, tensor }) => ({ path, tensor: dtype === null ? tensor : widened(tensor, dtype) })),
      options,
      dtype === null && given.some(({ tensor }) => isFloat(tensor.type.dtype) && tensor.type.dtype !== "f64") ? "f32" : "f64",
    );
  let rows: GradientRow[];
  try {
    rows = run("f64");
  } catch (e) {
    if (!(e instanceof DTypeError)) throw e;
    rows = run(null);
  }
  const { seed = 0 } = options;
  return reportOf(rows, () => {
    const source = { loss: (x: unknown): Value => weighted((f as (at: unknown) => unknown)(x), seed), tree: at as unknown, seed };
    try {
      return detailsOf({ ...source, given: given.map(({ path, tensor }) => ({ path, tensor: widened(tensor, "f64") })) });
    } catch (e) {
      if (!(e instanceof DTypeError)) throw e;
      return detailsOf({ ...source, given });
    }
  });
}

interface Named {
  readonly path: string;
  readonly tensor: Tensor;
}

function widened(t: Tensor, dtype: DType): Tensor {
  if (!isFloat(t.type.dtype) || t.type.dtype === dtype) return t;
  const data = allocate(dtype, t.data.length);
  data.set(t.data);
  return hold(tensorType(dtype, t.type.shape), data);
}

/** A place to move to: a direction for one leaf. */
interface Move {
  readonly leaf: number;
  readonly along: Tensor;
  readonly scale: number;
  readonly index: readonly number[] | null;
  readonly direction: number | null;
}

function rowsFor(
  f: (at: unknown) => unknown,
  tree: unknown,
  given: readonly Named[],
  { seed = 0, order = 2, elements = 12, directions = 3, thresholds: limits }: CheckOptions,
  precision: "f64" | "f32",
): GradientRow[] {
  const draw = drawsFrom(seed);
  const treeOf = (tensors: readonly Tensor[]): unknown => {
    let i = 0;
    return rebuild(tree, () => constantFrom(tensors[i++]!));
  };
  const tensors = given.map(({ tensor }) => tensor);
  const loss = (x: unknown): Value => weighted(f(x), seed);
  const floats = tensors.flatMap((t, i) => (isFloat(t.type.dtype) ? [i] : []));
  // Only float leaves are differentiated; the others are put in place beside them.
  const slots = (given2: readonly Value[], all: readonly Tensor[]): unknown => {
    let i = 0;
    return rebuild(tree, () => {
      const k = i++;
      return floats.includes(k) ? given2[floats.indexOf(k)]! : constantFrom(all[k]!);
    });
  };
  const lossOfList = (list: readonly Value[]): Value => loss(slots(list, tensors));
  const floatValues = (all: readonly Tensor[]): Value[] => floats.map((i) => constantFrom(all[i]!));
  const gradientAt = (all: readonly Tensor[]): Tensor[] =>
    (grad(lossOfList as (at: Value[]) => Loss)(floatValues(all)) as Value[]).map((v) => evaluate(v) as Tensor);
  const valueAt = (all: readonly Tensor[]): number => read(loss(treeOf(all)));
  const analytic = gradientAt(tensors);
  const rows: GradientRow[] = [];
  const limit = limits ?? thresholds[precision];
  const first = precision === "f64" ? 1e-2 : 0.1;
  const moves = floats.flatMap((leaf) => movesOf(leaf, tensors[leaf]!, elements, directions, draw));
  for (const move of moves) {
    const k = floats.indexOf(move.leaf);
    const path = given[move.leaf]!.path;
    const numbers = (t: number): number => valueAt(shifted(tensors, move, t));
    const slope = inner(analytic[k]!, move.along);
    rows.push({
      path,
      order: 1,
      index: move.index,
      direction: move.direction,
      ...judge(numbers, slope, first * move.scale, limit, precision),
    });
    if (order === 1 || precision === "f32" || !analytic.every(allFinite)) continue;
    const weights = tensors.map((t) => {
      const data = allocate(t.type.dtype, t.data.length);
      for (let i = 0; i < data.length; i++) data[i] = weight(draw);
      return hold(t.type, data);
    });
    const direction = floats.map((i) => constantFrom(i === move.leaf ? move.along : zeroLike(tensors[i]!)));
    const slopeTree = grad(lossOfList as (at: Value[]) => Loss) as unknown as (list: Value[]) => Value[];
    const tangent = jvp(slopeTree)(floatValues(tensors), direction).tangent as Value[];
    const second = tangent.reduce((s, v, j) => s + inner(evaluate(v) as Tensor, weights[floats[j]!]!), 0);
    const gradients = (t: number): number =>
      gradientAt(shifted(tensors, move, t)).reduce((s, g, j) => s + inner(g, weights[floats[j]!]!), 0);
    rows.push({
      path,
      order: 2,
      index: move.index,
      direction: move.direction,
      ...judge(gradients, second, first * move.scale, limit, precision),
    });
  }
  return rows;
}

/** The scalar that is checked: the loss, or a fixed random weighting of a larger result. */
function weighted(result: unknown, seed: number): Value {
  const made = isLeaf(result) || typeof result !== "object" || result === null ? result : (result as { loss?: unknown }).loss;
  if (typeof made !== "number" && !isValue(made))
    throw new GradientError('checkGradients: the function returned no Value; return one, or a record with "loss"');
  const v = lift(made, "f64");
  if (!isFloat(v.type.dtype))
    throw new GradientError(`checkGradients: the function returned ${typeText(v.type)}; only floating-point values have derivatives`);
  if (v.type.shape.length === 0) return v;
  const draw = drawsFrom(seed + 1);
  const data = allocate(
    v.type.dtype,
    v.type.shape.reduce((n, s) => n * s, 1),
  );
  for (let i = 0; i < data.length; i++) data[i] = weight(draw);
  // + 0 keeps a loss of no elements a node.
  return add(sum(mul(v, constantFrom(hold(v.type, data)))), 0);
}

function movesOf(leaf: number, t: Tensor, elements: number, directions: number, draw: Draw): Move[] {
  const n = t.data.length;
  if (n <= elements)
    return Array.from({ length: n }, (_, i) => {
      const along = zeroLike(t);
      along.data[i] = 1;
      return { leaf, along, scale: Math.max(1e-2, Math.abs(t.data[i]!)), index: placeOf(i, t.type.shape), direction: null };
    });
  return Array.from({ length: directions }, (_, k) => {
    const along = zeroLike(t);
    for (let i = 0; i < n; i++) along.data[i] = weight(draw);
    return { leaf, along, scale: 1, index: null, direction: k };
  });
}

function placeOf(at: number, shape: readonly number[]): number[] {
  const place = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = at % shape[axis]!;
    at = Math.floor(at / shape[axis]!);
  }
  return place;
}

function zeroLike(t: Tensor): Tensor {
  return hold(t.type, allocate(t.type.dtype, t.data.length));
}

function shifted(all: readonly Tensor[], { leaf, along }: Move, t: number): Tensor[] {
  return all.map((x, i) =>
    i === leaf
      ? hold(
          x.type,
          x.data.map((v: number, e: number) => v + t * along.data[e]!),
        )
      : x,
  );
}

function inner(a: Tensor, b: Tensor): number {
  let s = 0;
  for (let i = 0; i < a.data.length; i++) if (b.data[i] !== 0) s += a.data[i]! * b.data[i]!;
  return s;
}
