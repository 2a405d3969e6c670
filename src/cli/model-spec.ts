import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import * as layer from "../nn/layer.ts";
import { type Layer, type LayerResult, type Plain, sequential } from "../nn/stack.ts";
import { gelu } from "../ops/composite/activation.ts";
import { sigmoid } from "../ops/elementwise/exponential.ts";
import { relu } from "../ops/elementwise/relu.ts";
import { tanh } from "../ops/elementwise/trigonometric.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { UsageError } from "./usage-error.ts";

/** A model named on the command line: what goes in and comes out, and its layers. */
export interface SpecModel {
  /** Numbers in a row of the data. */
  readonly inputs: number;
  /** Numbers that come out: classes, or 1 for a regression. */
  readonly outputs: number;
  readonly init: (key: Tensor) => { readonly params: unknown; readonly stats: unknown };
  readonly apply: (
    params: Values<unknown>,
    x: Operand,
    call: {
      readonly train: boolean;
      readonly key: Operand;
      readonly stats: Values<unknown>;
      readonly across?: ((x: Value) => Value) | undefined;
    },
  ) => LayerResult<unknown>;
}

type Part = Layer<unknown, unknown> | Plain;
const activations: Readonly<Record<string, Plain>> = { relu, tanh, sigmoid, gelu };
/** What the message of every fault ends with. */
const forms = "write mlp:64-32-10, or conv:8x8x1-16c3-p2-32c3-p2-64-10; after a comma relu, tanh, gelu or sigmoid, batchnorm, dropout=0.2";
const largest = 2 ** 24;

function refuse(spec: string, what: string): never {
  const shown = spec.length > 60 ? `${spec.slice(0, 60)}…` : spec;
  throw new UsageError(`--model ${shown}: ${what}; ${forms}`, "train");
}

interface Extras {
  readonly activation: Plain;
  readonly batchNorm: boolean;
  readonly dropout: number;
}

function extrasIn(spec: string, words: readonly string[]): Extras {
  let activation: Plain = relu;
  let batchNorm = false;
  let dropout = 0;
  for (const word of words) {
    const rate = /^dropout=(.+)$/.exec(word);
    if (Object.hasOwn(activations, word)) activation = activations[word]!;
    else if (word === "batchnorm") batchNorm = true;
    else if (rate !== null && Number(rate[1]) >= 0 && Number(rate[1]) < 1) dropout = Number(rate[1]);
    else refuse(spec, rate === null ? `there is no ${word}` : `${word} is no share from 0 on and below 1`);
  }
  return { activation, batchNorm, dropout };
}

function sizeIn(spec: string, text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || n > largest) refuse(spec, `"${text}" is no size`);
  return n;
}

/**
 * A model from its description. `mlp:64-32-10` is dense layers of these sizes; `conv:8x8x1-16c3-p2-64-10` takes rows of 8 x 8 x 1 numbers, row by row with
 * the channels of a pixel together, through convolutions (`16c3`: 16 kernels of 3 x 3, as large an image out as in), largest of 2 x 2 (`p2`), and dense
 * layers. Between layers stands the activation.
 * @throws UsageError for what is no such description
 */
export function modelOf(spec: string): SpecModel {
  const [head = "", ...words] = spec.split(",").map((word) => word.trim());
  const [, kind, body] = /^(mlp|conv):(.+)$/.exec(head) ?? [];
  if (kind === undefined || body === undefined) refuse(spec, "it is no model");
  const extras = extrasIn(spec, words);
  const parts: Record<string, Part> = {};
  const [first = "", ...rest] = body!.split("-");
  if (rest.length === 0) refuse(spec, "it has no layer; give the size of the input and of the output at least");
  const state: Shaped = { parts, image: null, width: 0, depth: 0 };
  if (kind === "mlp") state.width = sizeIn(spec, first);
  else begin(spec, first, state);
  const inputs = state.width;
  for (const [i, token] of rest.entries()) addLayer(spec, token, state, extras, i === rest.length - 1);
  if (state.image !== null) refuse(spec, "it ends in an image; its last layer is the number of outputs");
  const stack = sequential(parts) as Layer<unknown, unknown>;
  return { inputs, outputs: state.width, init: (key) => stack.init(key), apply: (params, x, call) => stack.apply(params, x, call) };
}

interface Shaped {
  readonly parts: Record<string, Part>;
  /** Channels, height and width while it is an image. */
  image: readonly [number, number, number] | null;
  /** Numbers in a row. */
  width: number;
  depth: number;
}

function begin(spec: string, text: string, state: Shaped): void {
  const sizes = text.split("x");
  if (sizes.length !== 2 && sizes.length !== 3) refuse(spec, `"${text}" is no height x width x channels`);
  const [h, w, c] = [...sizes, "1"].map((size) => sizeIn(spec, size)) as [number, number, number];
  state.image = [c, h, w];
  state.width = sizeOf([c, h, w]);
  state.parts["image"] = (x) => asImage(x as Value, [c, h, w]);
}

/** Rows as images: [rows, h * w * c] to [rows, c, h, w]. */
function asImage(x: Value, [c, h, w]: readonly [number, number, number]): Value {
  const rows = x.type.shape[0]!;
  const image = reshape(x, { shape: c === 1 ? [rows, 1, h, w] : [rows, h, w, c] });
  return c === 1 ? image : transpose(image, { axes: [0, 3, 1, 2] });
}

function addLayer(spec: string, token: string, state: Shaped, { activation, batchNorm, dropout }: Extras, last: boolean): void {
  const { parts } = state;
  const n = ++state.depth;
  const [, channels, kernel] = /^(\d+)c(\d+)$/i.exec(token) ?? [];
  const [, pool] = /^p(\d+)$/i.exec(token) ?? [];
  if (channels !== undefined || pool !== undefined) {
    if (state.image === null) refuse(spec, `${token} needs an image, and there are rows of ${state.width} numbers`);
    const [c, h, w] = state.image!;
    if (pool !== undefined) {
      const size = sizeIn(spec, pool);
      if (size > h || size > w) refuse(spec, `${token} does not fit an image of ${h} x ${w}`);
      parts[`pool${n}`] = layer.maxPool({ size: [size, size], stride: [size, size] });
      state.image = [c, Math.floor(h / size), Math.floor(w / size)];
    } else {
      const out = sizeIn(spec, channels!);
      parts[`conv${n}`] = layer.conv2d(c, out, sizeIn(spec, kernel!), { padding: "same" });
      if (batchNorm) parts[`norm${n}`] = layer.batchNorm(out);
      parts[`act${n}`] = activation;
      state.image = [out, h, w];
    }
    state.width = sizeOf(state.image);
    return;
  }
  const out = sizeIn(spec, token);
  if (state.image !== null) {
    const { width } = state;
    parts["flat"] = (x) => reshape(x, { shape: [(x as Value).type.shape[0]!, width] });
    state.image = null;
  }
  parts[`fc${n}`] = layer.linear(state.width, out);
  state.width = out;
  if (last) return;
  if (batchNorm) parts[`norm${n}`] = layer.batchNorm(out);
  parts[`act${n}`] = activation;
  if (dropout > 0) parts[`drop${n}`] = layer.dropout(dropout);
}
