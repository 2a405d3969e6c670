import type { Draw } from "../../src/check/draws.ts";
import * as ops from "../../src/index.ts";
import { call, constant, evaluate, f64, graph, type Tensor, tensor, type Value } from "../../src/index.ts";
import { axisOf, chance, permutation, pick, sizeOf, wholes } from "../laws/sample.ts";

/** One line of a program: a value made of earlier ones. */
interface Line {
  readonly text: string;
  readonly from: readonly number[];
  readonly apply: (xs: readonly Value[]) => Value;
}

/** A random function of tensors: lines of ops over inputs and earlier lines. */
export interface RandomProgram {
  readonly inputs: readonly Tensor[];
  /** The program as text, for reports. */
  readonly text: string;
  /** Which ops it has. */
  readonly used: ReadonlySet<string>;
  run(xs: readonly Value[]): Value[];
}

type Move = (d: Draw, x: Value, other: (shape?: readonly number[]) => number) => Omit<Line, "from"> & { readonly with?: readonly number[] };

const one = (name: string, f: (x: Value) => Value): Move => {
  return () => ({ text: name, apply: ([x]) => f(x!) });
};

const named = (functions: Readonly<Record<string, (x: Value) => Value>>): readonly Move[] =>
  Object.entries(functions).map(([name, f]) => one(name, f));

/** x made positive and not small, so that poles and edges of domains are far. */
const positive = (x: Value): Value => ops.add(ops.square(x), 0.5);
/** x brought into -0.9..0.9. */
const inner = (x: Value): Value => ops.mul(0.9, ops.tanh(x));

const smooth: readonly Move[] = [
  ...named({
    neg: ops.neg,
    square: ops.square,
    sin: ops.sin,
    cos: ops.cos,
    tanh: ops.tanh,
    sigmoid: ops.sigmoid,
    softplus: ops.softplus,
    erf: ops.erf,
    atan: ops.atan,
    gelu: ops.gelu,
    silu: ops.silu,
    mish: ops.mish,
  }),
  one("exp", (x) => ops.exp(inner(x))),
  one("expm1", (x) => ops.expm1(inner(x))),
  one("tan", (x) => ops.tan(inner(x))),
  one("sinh", (x) => ops.sinh(inner(x))),
  one("cosh", (x) => ops.cosh(inner(x))),
  one("asin", (x) => ops.asin(inner(x))),
  one("acos", (x) => ops.acos(inner(x))),
  one("log", (x) => ops.log(positive(x))),
  one("log1p", (x) => ops.log1p(positive(x))),
  one("sqrt", (x) => ops.sqrt(positive(x))),
  one("rsqrt", (x) => ops.rsqrt(positive(x))),
  one("reciprocal", (x) => ops.reciprocal(positive(x))),
  one("lgamma", (x) => ops.lgamma(positive(x))),
  one("digamma", (x) => ops.digamma(positive(x))),
  (d) => {
    const power = pick(d, [0, 1, 2, 3, -1, 0.5]);
    return { text: `pow ${power}`, apply: ([x]) => (power === 0.5 || power < 0 ? ops.pow(positive(x!), power) : ops.pow(x!, power)) };
  },
];

const bent: readonly Move[] = [
  ...named({
    abs: ops.abs,
    relu: ops.relu,
    selu: ops.selu,
    hardSigmoid: ops.hardSigmoid,
    hardSwish: ops.hardSwish,
    sign: ops.sign,
    floor: ops.floor,
  }),
  one("leakyRelu", (x) => ops.leakyRelu(x, { slope: 0.2 })),
  one("elu", (x) => ops.elu(x, { alpha: 0.5 })),
  one("celu", (x) => ops.celu(x, { alpha: 2 })),
  one("clip", (x) => ops.clip(x, { min: -0.7, max: 0.9 })),
];

const pairs: Readonly<Record<string, (x: Value, y: Value) => Value>> = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: (x, y) => ops.div(x, positive(y)),
  pow: (x, y) => ops.pow(positive(x), inner(y)),
  atan2: (x, y) => ops.atan2(x, positive(y)),
  maximum: ops.maximum,
  minimum: ops.minimum,
  where: (x, y) => ops.where(ops.greater(x, y), ops.sin(x), y),
  huber: (x, y) => ops.huber(x, y, { reduction: "none" }),
};

const both: Move = (d, x, other) => {
  const name = pick(d, Object.keys(pairs));
  return { text: name, with: [other(x.type.shape)], apply: ([a, b]) => pairs[name]!(a!, b!) };
};

const reductions: Readonly<Record<string, (x: Value, attrs: { readonly axis: readonly number[]; readonly keepDims: boolean }) => Value>> = {
  sum: ops.sum,
  mean: ops.mean,
  logSumExp: ops.logSumExp,
  norm: ops.norm,
  variance: ops.variance,
  max: ops.max,
  min: ops.min,
  prod: ops.prod,
};

/** Reductions over some axes. */
const reduction: Move = (d, x) => {
  const rank = x.type.shape.length;
  const name = pick(d, Object.keys(reductions));
  const axis = permutation(d, rank).slice(0, d.whole(Math.min(1, rank), rank));
  const keepDims = chance(d, 0.4);
  const attrs = { axis: axis.map((a) => (chance(d, 0.5) ? a : a - rank)), keepDims };
  const from = (v: Value): Value =>
    name === "norm" ? ops.add(ops.square(v), 0.1) : name === "prod" ? ops.add(1, ops.mul(0.5, inner(v))) : v;
  return { text: `${name} ${JSON.stringify(attrs)}`, apply: ([v]) => reductions[name]!(from(v!), attrs) };
};

const moves: readonly Move[] = [
  (d, x) => {
    const axes = permutation(d, x.type.shape.length);
    return { text: `transpose ${axes}`, apply: ([v]) => ops.transpose(v!, { axes }) };
  },
  (d, x) => {
    const n = sizeOf(x.type.shape);
    const p = pick(
      d,
      [1, 2, 3, 5].filter((k) => n % k === 0),
    );
    const shape = chance(d, 0.5) ? [p, -1] : [n];
    return n === 0 ? { text: "identity", apply: ([v]) => v! } : { text: `reshape ${shape}`, apply: ([v]) => ops.reshape(v!, { shape }) };
  },
  (d, x) => {
    const axis = axisOf(d, x.type.shape.length + 1);
    return { text: `unsqueeze ${axis}`, apply: ([v]) => ops.unsqueeze(v!, { axis }) };
  },
  (d, x) => {
    const shape = [d.whole(1, 2), ...x.type.shape];
    return { text: `expand ${shape}`, apply: ([v]) => ops.expand(v!, { shape }) };
  },
];

/** Moves that need an axis. */
const along: readonly ((axis: number, size: number, d: Draw, x: Value) => Omit<Line, "from">)[] = [
  (axis, size, d) => {
    const step = pick(d, [1, 2, -1, -2]);
    const attrs = { axis, step, ...(chance(d, 0.5) && (step > 0 ? { start: d.whole(0, size - 1) } : { end: -size - 1 })) };
    return { text: `slice ${JSON.stringify(attrs)}`, apply: ([v]) => ops.slice(v!, attrs) };
  },
  (axis, _, d) => {
    const attrs = { axis, exclusive: chance(d, 0.3), reverse: chance(d, 0.5) };
    return { text: `cumsum ${JSON.stringify(attrs)}`, apply: ([v]) => ops.cumsum(v!, attrs) };
  },
  (axis) => ({ text: `flip ${axis}`, apply: ([v]) => ops.flip(v!, { axis }) }),
  (axis, size, d) => {
    const indices = wholes([d.whole(1, 3)], () => d.whole(-size, size - 1));
    return { text: `gather ${indices.data} ${axis}`, apply: ([v]) => ops.gather(v!, indices, { axis }) };
  },
  (axis, size, d) => {
    const indices = wholes([size], () => d.whole(-size, size - 1));
    return { text: `scatterAdd ${indices.data} ${axis}`, apply: ([v]) => ops.scatterAdd(v!, indices, ops.sin(v!), { axis }) };
  },
  (axis, size, d, x) => {
    const indices = wholes(x.type.shape, () => d.whole(-size, size - 1));
    return { text: `gatherElements ${indices.data} ${axis}`, apply: ([v]) => ops.gatherElements(v!, indices, { axis }) };
  },
  (axis, size, d) => {
    const first = d.whole(0, size);
    const order = chance(d, 0.5);
    return {
      text: `split and concat ${first} ${axis} ${order}`,
      apply: ([v]) => {
        const [a, b] = ops.split(v!, { axis, sizes: [first, size - first] });
        return ops.concat(order ? [a!, ops.cos(b!)] : [b!, a!, a!], { axis });
      },
    };
  },
  (axis, size) => ({
    text: `unstack and stack ${axis}`,
    apply: ([v]) => {
      const parts = ops.unstack(v!, { axis });
      return ops.stack([parts[0]!, ops.tanh(parts[size - 1]!)], { axis });
    },
  }),
  (axis) => ({ text: `sort ${axis}`, apply: ([v]) => ops.sort(v!, { axis, descending: axis < 0 }).values }),
  (axis, size, d) => {
    const k = d.whole(1, size);
    return { text: `topK ${k} ${axis}`, apply: ([v]) => ops.topK(v!, { k, axis, largest: k % 2 === 0 }).values };
  },
  (axis, size, d, x) => {
    const mode = size > 1 ? pick(d, ["constant", "reflect", "edge"] as const) : "constant";
    const at = axis < 0 ? axis + x.type.shape.length : axis;
    const pads = x.type.shape.map((_, i): [number, number] => (i === at ? [d.whole(0, Math.min(2, size - 1)), d.whole(0, 1)] : [0, 0]));
    return { text: `pad ${mode} ${pads.join(" ")}`, apply: ([v]) => ops.pad(v!, { pads, mode }) };
  },
  (_, __, d, x) => {
    const repeats = x.type.shape.map(() => d.whole(1, 2));
    return { text: `tile ${repeats}`, apply: ([v]) => ops.tile(v!, { repeats }) };
  },
  (axis) => ({ text: `softmax ${axis}`, apply: ([v]) => ops.softmax(v!, { axis }) }),
  (axis) => ({ text: `logSoftmax ${axis}`, apply: ([v]) => ops.logSoftmax(v!, { axis }) }),
  (_, size) => ({ text: "layerNormalization", apply: ([v]) => (size < 2 ? ops.sin(v!) : ops.layerNormalization(v!, { epsilon: 0.1 })) }),
];

const matrices: readonly Move[] = [
  (_, x, other) => {
    void x;
    return {
      text: "matmul with a transpose",
      with: [other()],
      apply: ([a, b]) => ops.matmul(a!, ops.mul(ops.mean(b!), ops.transpose(a!, { axes: swapped(a!) }))),
    };
  },
  (_, x) => {
    const { shape } = x.type;
    const v = tensor(Float64Array.from({ length: shape[shape.length - 1]! }, (_, i) => Math.sin(i + 1)));
    return { text: "matmul with a vector", apply: ([a]) => ops.matmul(a!, v) };
  },
  (d) => {
    const [upper, offset] = [chance(d, 0.5), d.whole(-1, 1)];
    return { text: `${upper ? "triu" : "tril"} ${offset}`, apply: ([a]) => (upper ? ops.triu : ops.tril)(a!, { offset }) };
  },
  () => ({ text: "einsum ...ij,...kj->...ik", apply: ([a]) => ops.einsum("...ij,...kj->...ik", a!, ops.cos(a!)) }),
  () => ({
    text: "attention",
    apply: ([a]) => ops.scaledDotProductAttention(a!, ops.sin(a!), ops.cos(a!), { causal: true }),
  }),
  (d, x) => {
    const { shape } = x.type;
    const [rows, columns] = [shape[shape.length - 2]!, shape[shape.length - 1]!];
    const images = sizeOf(shape.slice(0, -2));
    const w = tensor(
      Float64Array.from({ length: 4 }, (_, i) => Math.cos(3 * i + 1)),
      f64(1, 1, 2, 2),
    );
    const kind = pick(d, ["conv", "maxPool", "averagePool"] as const);
    const attrs = {
      size: 2,
      stride: d.whole(1, 2),
      padding: [
        [1, 0],
        [0, 1],
      ] as [number, number][],
      ceilMode: chance(d, 0.5),
    };
    const image = (v: Value): Value => ops.reshape(v, { shape: [images, 1, rows, columns] });
    if (rows < 2 || columns < 2 || images === 0) return { text: "sin", apply: ([a]) => ops.sin(a!) };
    return {
      text: `${kind} ${attrs.stride} ${attrs.ceilMode}`,
      apply: ([a]) =>
        kind === "conv"
          ? ops.conv(image(a!), w, { stride: attrs.stride, padding: attrs.padding })
          : kind === "maxPool"
            ? ops.maxPool(image(a!), attrs)
            : ops.averagePool(image(a!), attrs),
    };
  },
];

function swapped(v: Value): number[] {
  const rank = v.type.shape.length;
  return [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];
}

/** A few lines as a graph of their own, applied as one node, once or twice. */
const region: Move = (d, x) => {
  const inside = Array.from({ length: d.whole(1, 3) }, () => pick(d, smooth)(d, x, () => 0));
  const twice = chance(d, 0.5);
  return {
    text: `call {${inside.map((l) => l.text).join("; ")}}${twice ? " twice" : ""}`,
    apply: ([v]) => {
      const body = graph({ a: v!.type }, ({ a }) => ({
        b: ops.mul(
          0.5,
          inside.reduce((y, l) => l.apply([y]), a),
        ),
      }));
      const once = call(body, { a: v! }).b;
      return twice ? call(body, { a: once }).b : once;
    },
  };
};

function moveFor(d: Draw, x: Value, kinks: boolean, other: (shape?: readonly number[]) => number): ReturnType<Move> {
  const { shape } = x.type;
  const way = d.fraction();
  if (way < 0.25) return pick(d, smooth)(d, x, other);
  if (way < 0.33) return kinks ? pick(d, bent)(d, x, other) : pick(d, smooth)(d, x, other);
  if (way < 0.53) return both(d, x, other);
  if (way < 0.63) return reduction(d, x, other);
  if (way < 0.7) return pick(d, moves)(d, x, other);
  if (way < 0.75) return region(d, x, other);
  if (way < 0.85 && shape.length >= 2) return pick(d, matrices)(d, x, other);
  if (shape.length === 0) return pick(d, smooth)(d, x, other);
  const axis = axisOf(d, shape.length);
  const size = shape.at(axis)!;
  return size === 0 ? pick(d, smooth)(d, x, other) : pick(d, along)(axis, size, d, x);
}

/**
 * Draws a program of `length` lines. Values are kept below 6 in size and 48 elements, so that a chain of any length stays well conditioned. Without
 * `kinks`, no op of it has one at a value that moves with the inputs (ties excepted, which have measure zero).
 */
export function randomProgram(d: Draw, length: number, kinks: boolean): RandomProgram {
  const count = d.whole(1, 3);
  const inputs = Array.from({ length: count }, () => {
    const shape = pick(d, [[], [3], [2, 3], [3, 3], [1, 3], [2, 1, 3], [2, 2, 2], [5]]);
    return tensor(
      Float64Array.from({ length: sizeOf(shape) }, () => 4 * d.fraction() - 2),
      f64(...shape),
    );
  });
  const lines: Line[] = [];
  const values: Value[] = inputs.map((t) => constant(t));
  const put = (line: Line): void => {
    const v = line.apply(line.from.map((i) => values[i]!));
    evaluate(v);
    lines.push(line);
    values.push(v);
  };
  const fits = (shape: readonly number[], to: readonly number[]): boolean =>
    shape.length <= to.length && shape.every((s, i) => s === 1 || s === to[to.length - shape.length + i]);
  while (lines.length < length) {
    // Recent values more often, so that programs grow deep, and old ones too, so that branches sum.
    const at = chance(d, 0.6) ? values.length - 1 : d.whole(0, values.length - 1);
    const x = values[at]!;
    const other = (shape?: readonly number[]): number => {
      const able = values.flatMap((v, i) => (shape === undefined || fits(v.type.shape, shape) ? [i] : []));
      return able.length === 0 ? at : pick(d, able);
    };
    const { text, apply, with: more = [] } = moveFor(d, x, kinks, other);
    put({ text, apply, from: [at, ...more] });
    const made = values.length - 1;
    const shape = values[made]!.type.shape;
    const n = sizeOf(shape);
    if (n > 48) put({ text: "mean 0", from: [made], apply: ([v]) => ops.mean(v!, { axis: 0 }) });
    const { data } = evaluate(values.at(-1)!) as Tensor;
    let top = 0;
    for (const v of data) top = Math.max(top, Math.abs(v));
    if (!(top < 6))
      put({
        text: "mul 1/top and tanh",
        from: [values.length - 1],
        apply: ([v]) => ops.tanh(ops.mul(v!, Number.isFinite(top) ? 1 / top : 0)),
      });
  }
  const last = values.length - 1;
  const outputs = [last, ...(chance(d, 0.4) ? [d.whole(count, last)] : [])];
  const name = (i: number): string => (i < count ? `x${i}` : `v${i - count}`);
  return {
    inputs,
    used: new Set(lines.map((l) => l.text.split(" ")[0]!)),
    text: `inputs ${inputs.map((t) => `f64[${t.type.shape}] ${t.data}`).join("; ")}\n${lines.map((l, i) => `v${i} = ${l.text} (${l.from.map(name)})`).join("\n")}\noutputs ${outputs.map(name)}`,
    run: (xs) => {
      const all: Value[] = [...xs];
      for (const { from, apply } of lines) all.push(apply(from.map((i) => all[i]!)));
      return outputs.map((i) => all[i]!);
    },
  };
}
