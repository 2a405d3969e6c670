import { allocate } from "../../ir/dtype.ts";
import { DomainError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { type Shape, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { add, mul } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { less } from "../elementwise/comparison.ts";
import { where } from "../elementwise/select.ts";
import { averagePoolForward, averagePoolInputGradient, maxPoolForward, type PoolShape } from "../kernels/pool.ts";
import { reachOf, windowCount, windowCountCeil } from "../kernels/window.ts";
import { range } from "../linear/constants.ts";
import { everyExample, folded, unfolded } from "../linear/every-example.ts";
import { refuseBool } from "../linear/refuse-bool.ts";
import { reshape } from "../linear/reshape.ts";
import { type Padding, type Pairs, pairsOf, perAxis } from "./window-attrs.ts";

/** How a pooling window moves: its size per axis, its stride (the size when left out), padding, and whether leftovers get a window. */
export interface PoolAttrs {
  readonly size: number | readonly number[];
  readonly stride?: number | readonly number[];
  readonly padding?: Exclude<Padding, "same">;
  readonly ceilMode?: boolean;
}

/** Max pooling may also spread its window. */
export interface MaxPoolAttrs extends PoolAttrs {
  readonly dilation?: number | readonly number[];
}

/** Average pooling counts padding as elements unless told not to. */
export interface AveragePoolAttrs extends PoolAttrs {
  readonly countIncludePad?: boolean;
}

interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: Pairs;
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
}

interface AverageWindows extends Windows {
  readonly countIncludePad: boolean;
}

function windowsOf(op: string, { size, stride, padding, dilation, ceilMode }: MaxPoolAttrs, x: TensorType): Windows {
  refuseBool(op, "x", x);
  const rank = x.shape.length - 2;
  if (rank < 1 || rank > 3)
    throw new ShapeError(`${op}: x is ${typeText(x)}; it is [batch, channels, ...space] with 1 to 3 spatial axes`, { op });
  // Untyped callers who write another library's word for it would else pool windows of one element, which is no pooling at all.
  if (size === undefined) throw new DomainError(`${op}: size is not given; it is how far a window reaches, {size: 2} say`, { op });
  const kernel = perAxis(op, "size", size, rank, 1, 1);
  const steps = stride === undefined ? kernel : perAxis(op, "stride", stride, rank, 1, 1);
  const spread = perAxis(op, "dilation", dilation, rank, 1, 1);
  const pairs = pairsOf(op, padding, x.shape.slice(2), kernel, steps, spread);
  pairs.forEach(([low, high], i) => {
    const reach = reachOf(kernel[i]!, spread[i]!);
    if (Math.max(low, high) >= reach)
      throw new ShapeError(
        `${op}: padding ${low} and ${high} on spatial axis ${i} gives the window, which reaches over ${reach}, nothing but padding; pad by less than ${reach}`,
        { op },
      );
  });
  return { size: kernel, stride: steps, padding: pairs, dilation: spread, ceilMode: ceilMode ?? false };
}

function pooledType(op: string, x: TensorType, { size, stride, padding, dilation, ceilMode }: Windows): TensorType {
  const space = size.map((k, i) => {
    const [low, high] = padding[i]!;
    const n = (ceilMode ? windowCountCeil : windowCount)(x.shape[i + 2]!, k, stride[i]!, low, high, dilation[i]!);
    if (n < 1)
      throw new ShapeError(`${op}: a window of ${k} with dilation ${dilation[i]} does not fit x, ${typeText(x)}, on spatial axis ${i}`, {
        op,
      });
    return n;
  });
  return tensorType(x.dtype, [...x.shape.slice(0, 2), ...space]);
}

function poolShape(x: Shape, y: Shape, { size, stride, padding, dilation }: Windows): PoolShape {
  return {
    input: x.slice(2),
    kernel: size,
    output: y.slice(2),
    stride,
    padding: padding.map(([low]) => low),
    dilation,
    planes: x[0]! * x[1]!,
  };
}

/** `averagePool` has no dilation of its own; its transposes do. */
function spreadOf(dilation: readonly number[]): { readonly dilation?: readonly number[] } {
  return dilation.every((d) => d === 1) ? {} : { dilation };
}

/** Flat places of each example moved by `step` times the example's number; -1, which is no place, stays. */
function shiftedPlaces(places: Value, step: number): Value {
  const [examples, ...own] = places.type.shape;
  const offsets = reshape(mul(range(examples!), step), { shape: [examples!, ...own.map(() => 1)] });
  return where(less(places, 0), -1, add(places, offsets));
}

/** The largest element under each window (PyTorch's MaxPool): padding never wins, of equals the first wins, NaN wins over all. Backward: the router. */
export const maxPool: Op<(x: Operand, attrs: MaxPoolAttrs) => Value> = declare<
  (x: Operand, attrs: MaxPoolAttrs) => Value,
  readonly ["x"],
  Windows
>("maxPool", ["x"], {
  family: "contract",
  attrs: (given, { x }) => windowsOf("maxPool", given, x),
  type: ({ x, ...windows }) => pooledType("maxPool", x, windows),
  eval: ({ x, ...windows }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    if (y.length > 0) maxPoolForward(x.data, y, new Int32Array(y.length), poolShape(x.type.shape, out.shape, windows));
    return y;
  },
  batch: ({ x, examples, size, stride, padding, dilation, ceilMode }) =>
    unfolded(maxPool(folded(x, 0), { size, stride, padding, dilation, ceilMode }), 0, examples),
  formula: { x: "dX = unpick(dY)" },
  vjp: ({ ct, x, size, stride, padding, dilation, ceilMode }) => ({
    x: () => unpick(ct, maxPoolPlaces(x, { size, stride, padding, dilation, ceilMode }), { shape: x.type.shape }),
  }),
  jvp: ({ d, x, size, stride, padding, dilation, ceilMode }) =>
    d.x && pick(d.x, maxPoolPlaces(x, { size, stride, padding, dilation, ceilMode })),
});

/** The flat places in x of the elements that `maxPool` takes, i32; -1 where a window covers padding alone. */
export const maxPoolPlaces: Op<(x: Operand, attrs: MaxPoolAttrs) => Value> = declare<
  (x: Operand, attrs: MaxPoolAttrs) => Value,
  readonly ["x"],
  Windows
>("maxPoolPlaces", ["x"], {
  family: "contract",
  attrs: (given, { x }) => windowsOf("maxPoolPlaces", given, x),
  type: ({ x, ...windows }) => ({ ...pooledType("maxPoolPlaces", x, windows), dtype: "i32" }),
  eval: ({ x, ...windows }, out) => {
    const places = new Int32Array(sizeOf(out.shape));
    if (places.length > 0)
      maxPoolForward(x.data, allocate(x.type.dtype, places.length), places, poolShape(x.type.shape, out.shape, windows));
    return places;
  },
  batch: ({ x, examples, size, stride, padding, dilation, ceilMode }) => {
    const all = unfolded(maxPoolPlaces(folded(x, 0), { size, stride, padding, dilation, ceilMode }), 0, examples);
    return shiftedPlaces(all, -sizeOf(x.type.shape.slice(1)));
  },
  vjp: null,
});

/** Elements of x by flat row-major places, of the places' shape; 0 where a place is -1. */
export const pick: Op<(x: Operand, places: Operand) => Value> = declare<(x: Operand, places: Operand) => Value, readonly ["x", "places"]>(
  "pick",
  ["x", "places"],
  {
    family: "linear",
    dtypes: { places: "i32" },
    type: ({ x, places }) => tensorType(x.dtype, places.shape),
    eval: ({ x, places }, out) => {
      const y = allocate(out.dtype, places.data.length);
      for (let i = 0; i < y.length; i++) y[i] = places.data[i]! < 0 ? 0 : x.data[places.data[i]!]!;
      return y;
    },
    linear: ["x"],
    reach: "moves",
    batch: ({ x, places, mapped, examples }) => {
      if (!mapped.x) return pick(x, places);
      return pick(x, shiftedPlaces(everyExample(places, mapped.places, examples), sizeOf(x.type.shape.slice(1))));
    },
    formula: { x: "dX = unpick(dY)" },
    vjp: ({ ct, x, places }) => ({ x: () => unpick(ct, places, { shape: x.type.shape }), places: null }),
  },
);

/** The transpose of `pick`: adds each element of y at its place in zeros of `shape`. */
export const unpick: Op<(y: Operand, places: Operand, attrs: { readonly shape: Shape }) => Value> = declare<
  (y: Operand, places: Operand, attrs: { readonly shape: Shape }) => Value,
  readonly ["y", "places"]
>("unpick", ["y", "places"], {
  family: "linear",
  dtypes: { places: "i32" },
  type: ({ y, shape }) => tensorType(y.dtype, shape),
  eval: ({ y, places, shape }) => {
    const total = new Float64Array(sizeOf(shape));
    for (let i = 0; i < y.data.length; i++) if (places.data[i]! >= 0) total[places.data[i]!]! += y.data[i]!;
    return total;
  },
  linear: ["y"],
  batch: ({ y, places, shape, mapped, examples }) => {
    const all = shiftedPlaces(everyExample(places, mapped.places, examples), sizeOf(shape));
    return unpick(everyExample(y, mapped.y, examples), all, { shape: [examples, ...shape] });
  },
  formula: { y: "dY = pick(dY)" },
  vjp: ({ ct, places }) => ({ y: () => pick(ct, places), places: null }),
});

/** The mean under each window (PyTorch's AvgPool): padding counts as zeros in the mean unless `countIncludePad` is false. */
export const averagePool: Op<(x: Operand, attrs: AveragePoolAttrs) => Value> = declare<
  (x: Operand, attrs: AveragePoolAttrs) => Value,
  readonly ["x"],
  AverageWindows
>("averagePool", ["x"], {
  family: "contract",
  attrs: (given, { x }) => ({ ...windowsOf("averagePool", given, x), countIncludePad: given.countIncludePad ?? true }),
  type: ({ x, ...windows }) => {
    refuseBool("averagePool", "x", x);
    return pooledType("averagePool", x, windows);
  },
  eval: ({ x, countIncludePad, ...windows }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    if (y.length > 0)
      averagePoolForward(x.data, y, {
        ...poolShape(x.type.shape, out.shape, windows),
        paddingHigh: windows.padding.map(([, high]) => high),
        countIncludePad,
      });
    return y;
  },
  linear: ["x"],
  batch: ({ x, examples, size, stride, padding, ceilMode, countIncludePad, dilation }) =>
    unfolded(averagePool(folded(x, 0), { size, stride, padding, ceilMode, countIncludePad, ...spreadOf(dilation) }), 0, examples),
  formula: { x: "dX = averagePoolInput(dY)" },
  vjp: ({ ct, x, size, stride, padding, dilation, ceilMode, countIncludePad }) => ({
    x: () => averagePoolInput(ct, { size, stride, padding, dilation, ceilMode, countIncludePad, space: x.type.shape.slice(2) }),
  }),
});

/** The transpose of `averagePool`: spreads each mean's gradient over its window; `space` are the spatial sizes of the result. */
export const averagePoolInput: Op<(dy: Operand, attrs: AverageWindows & { readonly space: Shape }) => Value> = declare<
  (dy: Operand, attrs: AverageWindows & { readonly space: Shape }) => Value,
  readonly ["dy"]
>("averagePoolInput", ["dy"], {
  family: "contract",
  type: ({ dy, space }) => tensorType(dy.dtype, [...dy.shape.slice(0, 2), ...space]),
  eval: ({ dy, space: _space, countIncludePad, ...windows }, out) => {
    const dx = allocate(out.dtype, sizeOf(out.shape));
    if (dx.length > 0)
      averagePoolInputGradient(dy.data, dx, {
        ...poolShape(out.shape, dy.type.shape, windows),
        paddingHigh: windows.padding.map(([, high]) => high),
        countIncludePad,
      });
    return dx;
  },
  linear: ["dy"],
  batch: ({ dy, examples, size, stride, padding, dilation, ceilMode, countIncludePad, space }) => {
    const windows = { size, stride, padding, dilation, ceilMode, countIncludePad, space };
    return unfolded(averagePoolInput(folded(dy, 0), windows), 0, examples);
  },
  formula: { dy: "dDy = averagePool(dY)" },
  vjp: ({ ct, size, stride, padding, dilation, ceilMode, countIncludePad }) => ({
    dy: () => averagePool(ct, { size, stride, padding, ceilMode, countIncludePad, ...spreadOf(dilation) }),
  }),
});
