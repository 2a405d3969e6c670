import type { HeldTensor, HeldTensors } from "../graph/held.ts";
import { lossInUse } from "./losses.ts";
import type { Taken } from "./messages.ts";
import type { Activation, LossName } from "./state.ts";

/** A formula for the Graph tab, and the numbers at its variables. */
export interface AsGraph {
  readonly formula: string;
  readonly values: Readonly<Record<string, string>>;
  /** How many levels of modules are open; null: as many as are comfortable. */
  readonly depth: number | null;
}
/** The same with its numbers as they are, by variable. */
export interface BatchAsGraph extends Omit<AsGraph, "values"> {
  readonly numbers: HeldTensors;
}

/** Weights and rows together are at most so many numbers, where their text goes with the address. */
export const mostNumbers = 20_000;
/** A net that has more weights than that, up to so many, still goes with the address, with some rows. The numbers of a larger one stay beside it. */
export const mostListed = 100_000;
const leastRows = 32;
/** More weights than any fully connected net of this tab has; of convolutions there may be more than a page has memory for. */
export const mostWeights = 80_000_000;
/** A unit whose whole past has at most this many weights is written from the inputs on; any other one from the layer before it. */
const mostWires = 120;

const digits = (v: number): string => {
  for (let n = 1; n < 9; n++) if (Math.fround(Number(v.toPrecision(n))) === Math.fround(v)) return String(Number(v.toPrecision(n)));
  return String(v);
};
const list = (values: ArrayLike<number>): string => `[${Array.from(values, digits).join(", ")}]`;
/** Numbers in the order of their elements, as nested lists of this shape. */
function nested(values: HeldTensor["data"], [, ...inner]: readonly number[]): string {
  if (inner.length === 0) return list(values);
  const each = inner.reduce((a, b) => a * b, 1);
  return `[${Array.from({ length: values.length / each }, (_, i) => nested(values.subarray(i * each, (i + 1) * each), inner)).join(", ")}]`;
}

/** The same graph with its numbers as text, which goes with the address. */
export function listed({ numbers, ...rest }: BatchAsGraph): AsGraph {
  const text = ({ dtype, shape, data }: HeldTensor): string => `${dtype === "i32" ? "i32 " : ""}${nested(data, shape)}`;
  return { ...rest, values: Object.fromEntries(Object.entries(numbers).map(([name, tensor]) => [name, text(tensor)])) };
}

/** A net of at most so many layers comes with them open, and what its loss is made of closed. */
const mostOpen = 6;
/** Whether the hidden layers are convolutions of 8 x 8 images. */
const isConvolved = (layers: Taken["layers"]): boolean => layers[0]!.shape.length === 4;

/** The loss over a batch, of raw outputs z and answers y. */
function lossText(task: Taken["task"], chosen: LossName): string {
  const kind = lossInUse(task.kind, chosen);
  if (task.kind === "classes")
    return kind === "hinge" ? "hinge(z, y)" : kind === "squared" ? `mean(sum((softmax(z) - y)^2, axis=1))` : "softmaxCrossEntropy(z, y)";
  if (task.kind === "number") return kind === "absolute" ? "meanAbsoluteError(z, y)" : kind === "huber" ? "huber(z, y)" : "mean((z - y)^2)";
  return kind === "hinge"
    ? "mean(relu(1 - (2*y - 1) * z))"
    : kind === "squared"
      ? "mean((tanh(z) - (2*y - 1))^2) / 2"
      : "binaryCrossEntropy(z, y)";
}

/** What is right for each row, in the form that the loss takes. */
function answersOf({ y, task, settings }: Taken): HeldTensor {
  const rows = y.length;
  if (task.kind !== "classes") return { dtype: "f32", shape: [rows, 1], data: y };
  if (lossInUse(task.kind, settings.loss) !== "squared") return { dtype: "i32", shape: [rows], data: Int32Array.from(y) };
  const data = new Float32Array(rows * task.count);
  y.forEach((c, row) => {
    data[row * task.count + c] = 1;
  });
  return { dtype: "f32", shape: [rows, task.count], data };
}

/** The net over a batch, as tensors: a module a layer, then the loss. Of convolutions, the rows are images of one channel. */
export function batchAsGraph(taken: Taken): BatchAsGraph {
  const { layers, x, y, task, settings } = taken;
  const isImage = isConvolved(layers);
  const rows = y.length;
  const numbers: Record<string, HeldTensor> = {
    X: { dtype: "f32", shape: isImage ? [rows, 1, 8, 8] : [rows, x.length / Math.max(1, rows)], data: x },
  };
  const lines: string[] = [];
  let before = "X";
  layers.forEach(({ name, w, b, shape }, i) => {
    const n = i + 1;
    const last = i === layers.length - 1;
    numbers[`W${n}`] = { dtype: "f32", shape, data: w };
    numbers[`b${n}`] = { dtype: "f32", shape: [b.length], data: b };
    lines.push(`## ${name}: W${n}, b${n}`);
    if (isImage && last) {
      lines.push(`p = reshape(maxPool(${before}, size=2), shape=[-1, ${shape[0]!}])`);
      before = "p";
    }
    const inner = shape.length === 4 ? `conv(${before}, W${n}, b${n}, padding=1)` : `${before} @ W${n} + b${n}`;
    before = last ? "z" : `h${n}`;
    lines.push(`${before} = ${last || settings.activation === "identity" ? inner : `${settings.activation}(${inner})`}`);
  });
  lines.push("## loss");
  numbers["y"] = answersOf(taken);
  const data = lossText(task, settings.loss);
  if (settings.penalty === "none") lines.push(`L = ${data}`);
  else {
    const costs = layers.map((_, i) => (settings.penalty === "l1" ? `sum(abs(W${i + 1}))` : `sum(W${i + 1}^2)`)).join(" + ");
    const penalty = settings.penalty === "l1" ? costs : `(${costs}) / 2`;
    lines.push(`D = ${data}`, "## penalty", `P = ${penalty}`, "##", `L = D + ${digits(settings.penaltyRate)} * P`);
  }
  return { formula: lines.join("\n"), numbers, depth: isImage ? 0 : layers.length <= mostOpen ? 1 : null };
}

/** Numbers that the values of a batch's graph may have together: the Graph tab takes 2,000,000, and this counts them from above but roughly. */
const mostComputed = 1_000_000;
/** Of a unit and row: the product, the sum, and what the activation and the loss are made of. */
const perUnit = 6;
/** Products of a weight and a number that a forward pass of a net beside the address may take: the readable engine computes both passes of so many in about a second. */
const mostProducts = 64_000_000;

/** The rows of a batch that a graph can have, and whether its numbers are listed in the address. No rows: so many are the weights. */
export function fittingRows(taken: Taken): { readonly rows: number; readonly isListed: boolean } {
  const { layers, y } = taken;
  const inputs = taken.x.length / Math.max(1, y.length);
  const weights = weightsIn(taken);
  const units = layers.reduce((n, { b, shape }) => n + b.length * (shape.length === 4 ? 64 : 1), 0);
  if (weights > mostListed) {
    if (weights > mostWeights) return { rows: 0, isListed: false };
    const products = layers.reduce((n, { w, shape }) => n + w.length * (shape.length === 4 ? 64 : 1), 0);
    const quick = Math.floor(Math.min(mostProducts / products, mostComputed / (inputs + perUnit * units)));
    return { rows: Math.min(y.length, Math.max(1, quick)), isListed: false };
  }
  const beside = Math.max(leastRows, Math.floor((mostNumbers - weights) / (inputs + 1)));
  const computed = Math.floor((mostComputed - perUnit * weights) / (inputs + perUnit * units));
  return { rows: Math.max(0, Math.min(y.length, beside, computed)), isListed: true };
}

/** The first rows of a batch. */
export function firstRows(taken: Taken, rows: number): Taken {
  const { x, y } = taken;
  const inputs = x.length / Math.max(1, y.length);
  return rows >= y.length ? taken : { ...taken, x: x.slice(0, rows * inputs), y: y.slice(0, rows) };
}

/** One unit at one row, in single numbers: `unit` of `layer`; the layer after the hidden ones is the output. */
export function unitAsGraph(taken: Taken, layer: number, unit: number, row: number): AsGraph {
  const { layers, settings } = taken;
  const values: Record<string, string> = {};
  const lines: string[] = [];
  let wires = layers[layer]!.shape[0]!;
  for (let l = 0; l < layer; l++) wires += layers[l]!.w.length;
  const first = wires <= mostWires ? 0 : layer;
  let names: string[];
  if (first === 0) {
    names = [...rowOf(taken, row)].map((v, i) => {
      const name = `x${i + 1}`;
      values[name] = digits(v);
      return name;
    });
  } else {
    names = hiddenAt(taken, first, row).map((v, i) => {
      const name = `h${first}_${i + 1}`;
      values[name] = digits(v);
      return name;
    });
  }
  for (let l = first; l <= layer; l++) {
    const { w, b } = layers[l]!;
    const wanted = l === layer ? [unit] : [...b.keys()];
    const last = l === layers.length - 1;
    names = wanted.map((j) => {
      const own = last ? `z${layers[l]!.b.length === 1 ? "" : j + 1}` : `h${l + 1}_${j + 1}`;
      const terms = names.map((name, i) => {
        const weight = `w${l + 1}_${i + 1}_${j + 1}`;
        values[weight] = digits(w[i * b.length + j]!);
        return `${weight}*${name}`;
      });
      const bias = `b${l + 1}_${j + 1}`;
      values[bias] = digits(b[j]!);
      const inner = `${terms.join(" + ")} + ${bias}`;
      lines.push(`${own} = ${last || settings.activation === "identity" ? inner : `${settings.activation}(${inner})`}`);
      return own;
    });
  }
  return { formula: lines.join("\n"), values, depth: null };
}

/** The activations, by name, as plain JavaScript: only for the numbers that a part of the net begins with. */
const plain: Readonly<Record<Activation, (v: number) => number>> = {
  tanh: Math.tanh,
  relu: (v) => Math.max(0, v),
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  leakyRelu: (v) => (v > 0 ? v : 0.01 * v),
  elu: (v) => (v > 0 ? v : Math.expm1(v)),
  // x Φ(x), with the error function by its series and continued fraction's classic approximation (Abramowitz and Stegun 7.1.26, to 1.5e-7).
  gelu: (v) => {
    const a = Math.abs(v) / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * a);
    const erf = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-a * a);
    return 0.5 * v * (1 + (v < 0 ? -erf : erf));
  },
  silu: (v) => v / (1 + Math.exp(-v)),
  sin: Math.sin,
  identity: (v) => v,
};

/** What the net sees of a row. */
export function rowOf({ x, y }: Taken, row: number): Float32Array {
  const inputs = x.length / y.length;
  return x.subarray(row * inputs, (row + 1) * inputs);
}

/** What the units of a hidden layer say at a row. */
function hiddenAt(taken: Taken, count: number, row: number): number[] {
  let h = [...rowOf(taken, row)];
  for (let l = 0; l < count; l++) {
    const { w, b } = taken.layers[l]!;
    const total = [...b];
    h.forEach((v, i) => {
      for (let j = 0; j < b.length; j++) total[j]! += v * w[i * b.length + j]!;
    });
    h = total.map(plain[taken.settings.activation]);
  }
  return h;
}

/** How many weights a net has. */
export function weightsIn({ layers }: Taken): number {
  return layers.reduce((n, { w, b }) => n + w.length + b.length, 0);
}
