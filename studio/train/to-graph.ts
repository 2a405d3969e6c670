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

/** Weights and rows together are at most so many numbers, as their text goes with the address. */
export const mostNumbers = 20_000;
/** A net that has more weights than that, up to so many, still has some rows. */
export const mostWeights = 100_000;
const leastRows = 32;
/** A unit whose whole past has at most this many weights is written from the inputs on; any other one from the layer before it. */
const mostWires = 120;

const digits = (v: number): string => {
  for (let n = 1; n < 9; n++) if (Math.fround(Number(v.toPrecision(n))) === Math.fround(v)) return String(Number(v.toPrecision(n)));
  return String(v);
};
const list = (values: readonly number[]): string => `[${values.map(digits).join(", ")}]`;
const matrix = (rows: readonly (readonly number[])[]): string => `[${rows.map(list).join(", ")}]`;
/** Numbers in the order of their elements, as nested lists of this shape. */
function nested(values: readonly number[], [, ...inner]: readonly number[]): string {
  if (inner.length === 0) return list(values);
  const each = inner.reduce((a, b) => a * b, 1);
  return `[${Array.from({ length: values.length / each }, (_, i) => nested(values.slice(i * each, (i + 1) * each), inner)).join(", ")}]`;
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

/** The net over a batch, as tensors: a module a layer, then the loss. Of convolutions, the rows are images of one channel. */
export function batchAsGraph({ layers, x, y, task, settings }: Taken): AsGraph {
  const isImage = isConvolved(layers);
  const values: Record<string, string> = { X: isImage ? nested(x.flat(), [x.length, 1, 8, 8]) : matrix(x) };
  const lines: string[] = [];
  let before = "X";
  layers.forEach(({ name, w, b, shape }, i) => {
    const n = i + 1;
    const last = i === layers.length - 1;
    values[`W${n}`] = nested(w.flat(), shape);
    values[`b${n}`] = list(b);
    lines.push(`## ${name}: W${n}, b${n}`);
    if (isImage && last) {
      lines.push(`p = reshape(maxPool(${before}, size=2), shape=[-1, ${w.length}])`);
      before = "p";
    }
    const inner = shape.length === 4 ? `conv(${before}, W${n}, b${n}, padding=1)` : `${before} @ W${n} + b${n}`;
    before = last ? "z" : `h${n}`;
    lines.push(`${before} = ${last || settings.activation === "identity" ? inner : `${settings.activation}(${inner})`}`);
  });
  lines.push("## loss");
  if (task.kind !== "classes") values["y"] = matrix(y.map((v) => [v]));
  else if (lossInUse(task.kind, settings.loss) === "squared")
    values["y"] = matrix(y.map((v) => Array.from({ length: task.count }, (_, c) => (c === v ? 1 : 0))));
  else values["y"] = `i32 ${list(y)}`;
  const data = lossText(task, settings.loss);
  if (settings.penalty === "none") lines.push(`L = ${data}`);
  else {
    const costs = layers.map((_, i) => (settings.penalty === "l1" ? `sum(abs(W${i + 1}))` : `sum(W${i + 1}^2)`)).join(" + ");
    const penalty = settings.penalty === "l1" ? costs : `(${costs}) / 2`;
    lines.push(`D = ${data}`, "## penalty", `P = ${penalty}`, "##", `L = D + ${digits(settings.penaltyRate)} * P`);
  }
  return { formula: lines.join("\n"), values, depth: isImage ? 0 : layers.length <= mostOpen ? 1 : null };
}

/** Numbers that the values of a batch's graph may have together: the Graph tab takes 2,000,000, and this counts them from above but roughly. */
const mostComputed = 1_000_000;
/** Of a unit and row: the product, the sum, and what the activation and the loss are made of. */
const perUnit = 6;

/** How many rows of a batch a graph can have: the numbers that it begins with stand in the page's address. 0: not one, so many are the weights. */
export function fittingRows(taken: Taken): number {
  const { layers, x } = taken;
  const inputs = x[0]?.length ?? 0;
  const weights = numbersIn({ ...taken, x: [] });
  const units = layers.reduce((n, { b, shape }) => n + b.length * (shape.length === 4 ? 64 : 1), 0);
  const listed = Math.max(weights <= mostWeights ? leastRows : 0, Math.floor((mostNumbers - weights) / (inputs + 1)));
  const computed = Math.floor((mostComputed - perUnit * weights) / (inputs + perUnit * units));
  return Math.max(0, Math.min(x.length, listed, computed));
}

/** The first rows of a batch. */
export function firstRows(taken: Taken, rows: number): Taken {
  const { x, y, at } = taken;
  return { ...taken, x: x.slice(0, rows), y: y.slice(0, rows), at: at.slice(0, rows) };
}

/** One unit at one row, in single numbers: `unit` of `layer`; the layer after the hidden ones is the output. */
export function unitAsGraph(taken: Taken, layer: number, unit: number, row: number): AsGraph {
  const { layers, settings } = taken;
  const values: Record<string, string> = {};
  const lines: string[] = [];
  let wires = layers[layer]!.w.length;
  for (let l = 0; l < layer; l++) wires += layers[l]!.w.length * layers[l]!.b.length;
  const first = wires <= mostWires ? 0 : layer;
  let names: string[];
  if (first === 0) {
    names = taken.x[row]!.map((_, i) => `x${i + 1}`);
    taken.x[row]!.forEach((v, i) => {
      values[names[i]!] = digits(v);
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
    const wanted = l === layer ? [unit] : b.map((_, j) => j);
    const last = l === layers.length - 1;
    names = wanted.map((j) => {
      const own = last ? `z${layers[l]!.b.length === 1 ? "" : j + 1}` : `h${l + 1}_${j + 1}`;
      const terms = names.map((name, i) => {
        const weight = `w${l + 1}_${i + 1}_${j + 1}`;
        values[weight] = digits(w[i]![j]!);
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

/** What the units of a hidden layer say at a row. */
function hiddenAt({ layers, x, settings }: Taken, count: number, row: number): number[] {
  let h = [...x[row]!];
  for (let l = 0; l < count; l++) {
    const { w, b } = layers[l]!;
    h = b.map((bias, j) => plain[settings.activation](h.reduce((total, v, i) => total + v * w[i]![j]!, bias)));
  }
  return h;
}

/** How many numbers a batch's graph would have. */
export function numbersIn({ layers, x }: Taken): number {
  return layers.reduce((n, { w, b }) => n + w.length * (w[0]?.length ?? 0) + b.length, x.length * (x[0]?.length ?? 0));
}
