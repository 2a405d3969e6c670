import { scan } from "../control/scan.ts";
import { isFloat, isInteger } from "../ir/dtype.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { reducedShape, sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import {
  abs,
  argMax,
  argMin,
  cast,
  cumsum,
  div,
  flip,
  full,
  greater,
  log,
  logSumExp,
  max,
  mean,
  min,
  mul,
  norm,
  oneHot,
  prod,
  reshape,
  square,
  sub,
  sum,
  transpose,
} from "../ops/index.ts";
import type { Application, Family, Rule } from "./application.ts";

interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

/** The axes of a reduction: an attribute or operand 1; all of them where there are none, or none at all with `noop_with_empty_axes`. */
function axesOf(n: Application): Axes {
  const rank = n.rank(0);
  const given = n.list("axes", 1) ?? [];
  const keepDims = n.int("keepdims", 1) !== 0;
  if (given.length > 0) return { axis: given.map((a) => n.axis(a, rank)), keepDims };
  return { axis: n.int("noop_with_empty_axes", 0) !== 0 ? [] : n.shape(0).map((_, i) => i), keepDims };
}

/* @__NO_SIDE_EFFECTS__ */
function reduction(f: (x: Value, axes: Axes) => Value): Rule {
  return (n) => f(n.get(0), axesOf(n));
}

function isEmpty(x: Value, { axis }: Axes): boolean {
  return axis.some((a) => x.type.shape[a] === 0);
}

/** The result type of a reduction, filled: what extremes of nothing are. */
function filled(x: Value, { axis, keepDims }: Axes, value: number): Value {
  return full(tensorType(x.type.dtype, reducedShape(x.type.shape, axis, keepDims)), lift(value, x.type.dtype));
}

const widest: Readonly<Record<string, readonly [number, number]>> = {
  i64: [-(2 ** 53), 2 ** 53],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  i8: [-128, 127],
  u64: [0, 2 ** 53],
  u32: [0, 2 ** 32 - 1],
  u16: [0, 2 ** 16 - 1],
  u8: [0, 255],
};

/** Extremes: of truth values they are "any" and "all"; of nothing the other end of the range. */
/* @__NO_SIDE_EFFECTS__ */
function extreme(f: typeof max, greatest: boolean): Rule {
  return reduction((x, axes) => {
    const { dtype } = x.type;
    if (isEmpty(x, axes)) {
      const ends = dtype === "bool" ? [0, 1] : (widest[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
      return filled(x, axes, ends[greatest ? 0 : 1]!);
    }
    if (dtype === "bool") return greater(f(cast(x, "i32"), axes), 0);
    return f(x, axes);
  });
}

/** Means of whole numbers are cut, as their dtype has it. */
function average(x: Value, axes: Axes): Value {
  if (!isInteger(x.type.dtype)) return mean(x, axes);
  return div(sum(x, axes), lift(sizeOf(axes.axis.map((a) => x.type.shape[a]!)), x.type.dtype));
}

/* @__NO_SIDE_EFFECTS__ */
function arg(f: typeof argMax): Rule {
  return (n) => {
    const x = n.get(0);
    const axis = n.axis(n.int("axis", 0), x.type.shape.length);
    const keepDims = n.int("keepdims", 1) !== 0;
    const first = (v: Value): Value => f(v, { axis: [axis], keepDims });
    const place = n.int("select_last_index", 0) === 0 ? first(x) : sub(x.type.shape[axis]! - 1, first(flip(x, { axis })));
    return cast(place, "i64");
  };
}

function runningSum(n: Application): Value {
  const axis = n.axis(n.known(1, "its axis")[0]!, n.rank(0));
  return cumsum(n.get(0), { axis, exclusive: n.int("exclusive", 0) !== 0, reverse: n.int("reverse", 0) !== 0 });
}

/** Products of all elements up to each one: one loop along the axis. */
function runningProduct(n: Application): Value {
  const x = n.get(0);
  const rank = x.type.shape.length;
  const axis = n.axis(n.known(1, "its axis")[0] ?? n.refuse("its axis is missing"), rank);
  if (x.type.shape[axis] === 0) return x;
  const order = [axis, ...x.type.shape.map((_, i) => i).filter((i) => i !== axis)];
  const reverse = n.int("reverse", 0) !== 0;
  const exclusive = n.int("exclusive", 0) !== 0;
  const rows = transpose(x, { axes: order });
  const { out } = scan(
    ({ so }: { so: Value }, row: { x: Value }) => {
      const next = mul(so, row.x);
      return { carry: { so: next }, out: exclusive ? so : next };
    },
    { so: full(tensorType(x.type.dtype, rows.type.shape.slice(1)), lift(1, x.type.dtype)) },
    { x: rows },
    { reverse },
  );
  return transpose(out as Value, { axes: order.map((_, i) => order.indexOf(i)) });
}

/** 1 at the first largest element along an axis; below operator set 13 over all axes from it on together. */
function hardmax(n: Application): Value {
  const x = n.get(0);
  const { shape, dtype } = x.type;
  const old = n.opset < 13;
  const axis = n.axis(n.int("axis", old ? 1 : -1), shape.length);
  if (old) {
    const rows = reshape(x, { shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] });
    return reshape(oneHot(argMax(rows, { axis: [1] }), { depth: rows.type.shape[1]!, dtype }), { shape });
  }
  const hot = oneHot(argMax(x, { axis: [axis] }), { depth: shape[axis]!, dtype });
  const rank = shape.length;
  return transpose(hot, { axes: shape.map((_, i) => (i === axis ? rank - 1 : i < axis ? i : i - 1)) });
}

function lengthOf(x: Value, axes: Axes): Value {
  return isFloat(x.type.dtype) ? norm(x, { ...axes, ord: 2 }) : cast(norm(cast(x, "f64"), { ...axes, ord: 2 }), x.type.dtype);
}

/** Reductions. */
export const reductions: Family = {
  ArgMax: arg(argMax),
  ArgMin: arg(argMin),
  CumProd: runningProduct,
  CumSum: runningSum,
  Hardmax: hardmax,
  ReduceL1: reduction((x, axes) => sum(abs(x), axes)),
  ReduceL2: reduction(lengthOf),
  ReduceLogSum: reduction((x, axes) => log(sum(x, axes))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: extreme(max, true),
  ReduceMean: reduction(average),
  ReduceMin: extreme(min, false),
  ReduceProd: reduction(prod),
  ReduceSum: reduction(sum),
  ReduceSumSquare: reduction((x, axes) => sum(square(x), axes)),
};
