import type { Draw } from "../../../src/check/draws.ts";
import {
  abs,
  add,
  argMax,
  cast,
  concat,
  cond,
  cos,
  cumsum,
  div,
  erf,
  exp,
  expand,
  flip,
  gather,
  graph,
  greater,
  less,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  mul,
  neg,
  pad,
  relu,
  reshape,
  scan,
  scatterAdd,
  sigmoid,
  sin,
  slice,
  softmax,
  softplus,
  sort,
  split,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
  variance,
  vjp,
  where,
  whileLoop,
} from "../../../src/index.ts";
import { allocate } from "../../../src/ir/dtype.ts";
import { broadcast, sizeOf } from "../../../src/ir/shape.ts";
import { hold } from "../../../src/ir/tensor.ts";
import { tensorType } from "../../../src/ir/type.ts";

/** What graphs are drawn from: sizes of axes, the ranks of operands, the most elements of a value (what was multiplied too often says nothing of an engine) and of ops. */
interface Extent {
  readonly sizes: readonly number[];
  readonly ranks: readonly [number, number];
  readonly mostElements: number;
  readonly mostOps: number;
}
/** Every shape that is hard for a compiler, and small. */
const sizes = [0, 1, 1, 2, 3, 5, 7, 13, 16, 17];
const small: Extent = { sizes, ranks: [0, 3], mostElements: 3000, mostOps: 24 };
/** Many rows, too large for a cache: steps run on some of them at a time, and results take the place of what nobody reads any more. */
const wide: Extent = { sizes: [13, 31, 64, 100], ranks: [2, 3], mostElements: 40_000, mostOps: 9 };

/** A value, and whether both engines have it to the last bit: only such may sit on a kink. */
interface Made {
  readonly v: Value;
  readonly exact: boolean;
}
type Step = (x: Made, d: Draw, all: readonly Made[]) => Made | null;

const smooth =
  (f: (x: Value) => Value): Step =>
  ({ v }) => ({ v: f(v), exact: false });
const exactly =
  (f: (x: Value, d: Draw) => Value): Step =>
  ({ v, exact }, d) => ({ v: f(v, d), exact });
/** Kinked ops take exact values alone. */
const kinked =
  (f: (x: Value, d: Draw) => Value): Step =>
  (x, d) =>
    x.exact ? { v: f(x.v, d), exact: true } : null;
const axisIn = (v: Value, d: Draw): number => d.whole(0, v.type.shape.length - 1);
const along =
  (f: (x: Value, axis: number, d: Draw) => Value | null, exact = false): Step =>
  (x, d) => {
    if (x.v.type.shape.length === 0) return null;
    const made = f(x.v, axisIn(x.v, d), d);
    return made && { v: made, exact: exact && x.exact };
  };
const some =
  (f: (x: Value, axis: number) => Value): Step =>
  (x, d) => {
    if (x.v.type.shape.length === 0) return null;
    const axis = axisIn(x.v, d);
    return x.v.type.shape[axis] === 0 ? null : { v: f(x.v, axis), exact: false };
  };
const two =
  (f: (x: Value, y: Value) => Value, exact = false): Step =>
  (x, d, all) => {
    const y = all[d.whole(0, all.length - 1)]!;
    const shape = broadcast(x.v.type.shape, y.v.type.shape);
    return shape === null || (exact && !(x.exact && y.exact)) ? null : { v: f(x.v, y.v), exact };
  };
const places = (d: Draw, count: number, size: number): Tensor =>
  tensor(
    Int32Array.from({ length: count }, () => d.whole(-size, size - 1)),
    tensorType("i32", [count]),
  );

const steps: readonly Step[] = [
  smooth((x) => tanh(x)),
  // Of what is bounded: the sine of a large number says more of the number's last place than of the engine.
  smooth((x) => sin(mul(3, tanh(x)))),
  smooth((x) => mul(cos(mul(3, tanh(x))), 1.5)),
  smooth((x) => sigmoid(x)),
  smooth((x) => softplus(x)),
  smooth((x) => erf(x)),
  smooth((x) => exp(neg(softplus(x)))),
  smooth((x) => tanh(square(x))),
  exactly((x) => neg(x)),
  exactly((x) => reshape(x, { shape: [-1] })),
  exactly((x) => transpose(x)),
  exactly((x) => flip(x)),
  exactly((x, d) => expand(x, { shape: [d.whole(1, 3), ...x.type.shape] })),
  exactly((x) => stack([x, x], { axis: 0 })),
  kinked((x) => relu(x)),
  kinked((x) => abs(x)),
  kinked((x) => where(greater(x, 0.25), x, mul(x, 0.5))),
  kinked((x, d) => cast(greater(x, d.fraction()), x.type.dtype)),
  two((x, y) => maximum(x, y), true),
  two((x, y) => add(x, y)),
  two((x, y) => sub(x, y)),
  two((x, y) => mul(tanh(x), y)),
  two((x, y) => div(x, add(1.5, square(y)))),
  along((x, axis) => concat([x, x], { axis }), true),
  along((x, axis, d) => slice(x, { axis, start: d.whole(0, 2), step: d.whole(1, 2) }), true),
  along((x, axis, d) => slice(x, { axis, step: -d.whole(1, 3) }), true),
  along((x, axis) => pad(x, { pads: x.type.shape.map((_, i) => (i === axis ? [1, 2] : [0, 0])) }), true),
  along((x, axis, d) => (x.type.shape[axis]! === 0 ? null : gather(x, places(d, d.whole(0, 5), x.type.shape[axis]!), { axis })), true),
  along((x, axis) => (x.type.shape[axis]! < 2 ? null : split(x, { axis, sizes: [1, x.type.shape[axis]! - 1] })[1]!), true),
  along((x, axis) => sum(x, { axis })),
  along((x, axis) => tanh(sum(x, { axis, keepDims: true }))),
  along((x, axis) => cumsum(tanh(x), { axis })),
  along((x, axis, d) => {
    const count = x.type.shape[axis]!;
    if (count === 0) return null;
    const shape = x.type.shape.map((s, i) => (i === axis ? 3 : s));
    const zero = sum(mul(expand(reshape(x, { shape: [1, ...x.type.shape] }), { shape: [1, ...x.type.shape] }), 0));
    return scatterAdd(expand(zero, { shape }), places(d, count, 3), x, { axis });
  }),
  some((x, axis) => softmax(x, { axis })),
  some((x, axis) => logSoftmax(x, { axis })),
  some((x, axis) => logSumExp(x, { axis })),
  some((x, axis) => mean(x, { axis })),
  some((x, axis) => variance(x, { axis, keepDims: true })),
  (x, d) => (x.exact && !x.v.type.shape.includes(0) && x.v.type.shape.length > 0 ? { v: max(x.v, { axis: axisIn(x.v, d) }), exact: true } : null),
  (x, d) => (x.exact && x.v.type.shape.length > 0 ? { v: sort(x.v, { axis: axisIn(x.v, d) }).values, exact: true } : null),
  (x, d) =>
    x.exact && !x.v.type.shape.includes(0) && x.v.type.shape.length > 0
      ? { v: cast(argMax(x.v, { axis: axisIn(x.v, d) }), x.v.type.dtype), exact: true }
      : null,
  (x, d) => {
    const { shape, dtype } = x.v.type;
    if (shape.length === 0) return null;
    const inner = shape[shape.length - 1]!;
    const w = drawn(dtype as "f32" | "f64", [inner, sizes[d.whole(0, sizes.length - 1)]!], d);
    return { v: matmul(tanh(x.v), w), exact: false };
  },
  // A loop over rows, whose outs are used and whose last carry is, too.
  along((x, _, d) => {
    const start = tanh(sum(x, { axis: 0 }));
    const options = { reverse: d.whole(0, 1) === 1, ...(d.whole(0, 1) === 1 ? { checkpointEvery: d.whole(1, 4) } : {}) };
    const step = (c: Value, row: Value) => ({ carry: tanh(add(mul(c, 0.7), row)), out: mul(c, row) });
    const { carry, out } = scan(step, start, x, options);
    return add(out as unknown as Value, mul(carry, 0.5));
  }),
  (x, d) => {
    const rounds = d.whole(0, 5);
    const made = whileLoop(({ i }) => less(i, rounds), ({ i, y }) => ({ i: add(i, 1), y: mul(tanh(y), 1.25) }), { i: 0, y: x.v }, { limit: 20 });
    return { v: made.y, exact: false };
  },
  (x, d) => {
    if (!x.exact || sizeOf(x.v.type.shape) === 0) return null;
    const first = reshape(slice(reshape(x.v, { shape: [-1] }), { axis: 0, start: 0, end: 1 }), { shape: [] });
    return { v: cond(greater(first, d.fraction() - 0.5), () => tanh(x.v), () => cond(less(first, -0.5), () => x.v, () => mul(sigmoid(x.v), x.v))), exact: false };
  },
  (x) => {
    const { shape } = x.v.type;
    if (shape.length < 2) return null;
    const axes = shape.map((_, i) => (i === shape.length - 1 ? i - 1 : i === shape.length - 2 ? i + 1 : i));
    return { v: tanh(matmul(x.v, transpose(x.v, { axes }))), exact: false };
  },
]; // biome-ignore format: one a line

function drawn(dtype: "f32" | "f64", shape: readonly number[], d: Draw): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = d.fraction() * 3 - 1.5;
  return hold(tensorType(dtype, shape), data);
}

/** Steps of many rows, of which there are more in wide graphs: loops, reductions of rows and products follow each other, as they do in networks. */
const rowSteps: readonly Step[] = [
  smooth((x) => mul(tanh(x), 1.5)),
  some((x, axis) => softmax(x, { axis: axis === 0 ? axis : x.type.shape.length - 1 })),
  some((x) => sub(x, mean(x, { axis: -1, keepDims: true }))),
  some((x) => div(x, add(1, sum(square(x), { axis: -1, keepDims: true })))),
  some((x) => mul(tanh(x), sigmoid(sum(x, { axis: 0, keepDims: true })))),
  // Channels and their statistics, over all other axes.
  some((x) => {
    const axis = x.type.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
    const centred = sub(x, mean(x, { axis, keepDims: true }));
    return div(centred, add(1, mean(square(centred), { axis, keepDims: true })));
  }),
  two((x, y) => add(tanh(x), y)),
  (x) => {
    const { shape } = x.v.type;
    if (shape.length !== 3) return null;
    return { v: tanh(matmul(softmax(matmul(tanh(x.v), transpose(tanh(x.v), { axes: [0, 2, 1] }))), x.v)), exact: false };
  },
];

/**
 * A graph of some ops over two or three tensors, with the gradients of a weighted sum of its values, and operands for it.
 * @param many tensors of many rows instead of small ones of any shape
 */
export function randomGraph(
  dtype: "f32" | "f64",
  d: Draw,
  many = false,
): { readonly g: ReturnType<typeof graph>; readonly operands: readonly Tensor[] } {
  const extent = many ? wide : small;
  const shape = (): number[] => Array.from({ length: d.whole(...extent.ranks) }, () => extent.sizes[d.whole(0, extent.sizes.length - 1)]!);
  const first = shape();
  if (sizeOf(first) > extent.mostElements) first.shift();
  // Wide operands are of one shape, so that they meet.
  const operands = Array.from({ length: d.whole(2, 3) }, (_, i) => drawn(dtype, many ? first.slice(i === 2 ? -1 : 0) : shape(), d));
  const choices = many ? [...steps, ...Array.from({ length: 12 }, () => rowSteps).flat()] : steps;
  const count = d.whole(4, extent.mostOps);
  const draws: number[] = [];
  /** The same draws each time that the function is called: it is traced more than once. */
  const again = (): Draw => {
    let at = 0;
    const fraction = (): number => {
      if (at === draws.length) draws.push(d.fraction());
      return draws[at++]!;
    };
    return { fraction, whole: (low, high) => low + Math.floor(fraction() * (high - low + 1)) };
  };
  const f = (inputs: Record<string, Value>): Record<string, Value> => {
    const own = again();
    const made: Made[] = Object.values(inputs).map((v) => ({ v, exact: true }));
    for (let i = 0; i < count; i++) {
      const x = made[own.whole(Math.max(0, made.length - 6), made.length - 1)]!;
      const next = choices[own.whole(0, choices.length - 1)]!(x, own, made);
      if (next !== null && sizeOf(next.v.type.shape) <= extent.mostElements && next.v.type.shape.length <= 5) made.push(next);
    }
    return Object.fromEntries(made.slice(-3).map(({ v }, i) => [`y${i}`, v]));
  };
  const types = Object.fromEntries(operands.map((t, i) => [`x${i}`, t.type]));
  const g = graph(types, (inputs) => {
    const at = inputs as Record<string, Value>;
    const { value, pull } = vjp((xs: Record<string, Value>) => Object.values(f(xs)).map((v, i) => sum(mul(v, 0.5 + i / 4))))(at);
    const grads = pull(value.map(() => 1) as never) as Record<string, Value>;
    return { ...f(at), ...Object.fromEntries(Object.entries(grads).map(([k, v]) => [`d${k}`, v])) };
  });
  return { g: g as never, operands };
}
