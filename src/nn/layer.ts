import { DomainError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { checkOptionNames } from "../notation/given.ts";
import type { ConvAttrs, ConvTransposeAttrs } from "../ops/contract/conv.ts";
import { type AveragePoolAttrs, type MaxPoolAttrs, maxPool as poolLargest, averagePool as poolMean } from "../ops/contract/pool.ts";
import { type AttentionOptions, type AttentionParams, attend, attentionInit, checkAttention } from "./attention.ts";
import { convolve, type KernelOptions, kernelInit, type Rank } from "./convolution.ts";
import { checkRate, dropout as drop } from "./dropout.ts";
import { type EmbeddingParams, embeddingInit, rowsOf, type TableOptions } from "./embedding.ts";
import type { DTypeOption } from "./initializers.ts";
import { layerName } from "./layer-name.ts";
import { affine, type LinearParams, linearInit, type WeightOptions, type WeightParams } from "./linear.ts";
import {
  type BatchNormOptions,
  batchNormInit,
  channelNormInit,
  type GroupNormOptions,
  layerNormInit,
  type NormOptions,
  type NormParams,
  type NormStats,
  normalizeBatch,
  normalizeGroups,
  normalizeInstances,
  normalizeLayer,
  normalizeRms,
  rmsNormInit,
  type ScaleParams,
} from "./normalization.ts";
import { placed, positionsInit } from "./positions.ts";
import type { GruParams, LstmParams, RnnParams } from "./recurrent.ts";
import * as cells from "./recurrent.ts";
import type { Layer, Plain } from "./stack.ts";
import {
  blockOptions,
  type TransformerBlockOptions,
  type TransformerBlockParams,
  type TransformerInitOptions,
  transform,
  transformerInit,
} from "./transformer.ts";

/** A layer without statistics, of an init and a function of parameters and x that is told what errors call it. */
function plain<P>(kind: string, init: (key: Tensor) => P, apply: (params: never, x: Operand, who: string) => Value): Layer<P, {}> {
  return {
    init: (key) => ({ params: init(key), stats: {} }),
    apply: (params, x, { path }) => ({ out: apply(params as never, x, layerName(kind, params, path)), stats: {} }),
  };
}

/** `linear` in a stack. @throws DomainError, by init, for sizes below 1 */
export function linear(inputs: number, outputs: number, options: WeightOptions & { readonly bias: false }): Layer<WeightParams<Tensor>, {}>;
export function linear(inputs: number, outputs: number, options?: WeightOptions): Layer<LinearParams<Tensor>, {}>;
export function linear(inputs: number, outputs: number, options: WeightOptions = {}): Layer<LinearParams<Tensor>, {}> {
  return plain("linear", (key) => linearInit(key, inputs, outputs, options), affine);
}

/** How a convolution of a stack moves, and how its kernel begins. */
export type ConvLayerOptions = ConvAttrs & KernelOptions;
/** How a transposed convolution of a stack moves, and how its kernel begins. */
export type ConvTransposeLayerOptions = ConvTransposeAttrs & KernelOptions;
type Kernel = number | readonly number[];

function convolution(
  rank: Rank,
  transposed: boolean,
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvTransposeLayerOptions,
): Layer<LinearParams<Tensor>, {}> {
  const kind = `conv${transposed ? "Transpose" : ""}${rank}d`;
  const { dtype: _d, bias: _b, weight: _w, biasWeight: _bw, ...moves } = options;
  return plain(
    kind,
    (key) => kernelInit(kind, rank, transposed)(key, inChannels, outChannels, kernel, options),
    (p, x, who) => convolve(p, x, moves, who, rank, transposed),
  );
}

/** `conv1d` in a stack. @throws as conv1d */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(1, false, inChannels, outChannels, kernel, options);
}

/** `conv2d` in a stack: `layer.conv2d(3, 16, 3, { padding: "same" })`. @throws as conv2d */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(2, false, inChannels, outChannels, kernel, options);
}

/** `conv3d` in a stack. @throws as conv3d */
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(3, false, inChannels, outChannels, kernel, options);
}

/** `convTranspose1d` in a stack. @throws as convTranspose1d */
export function convTranspose1d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvTransposeLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(1, true, inChannels, outChannels, kernel, options);
}

/** `convTranspose2d` in a stack. @throws as convTranspose2d */
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvTransposeLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(2, true, inChannels, outChannels, kernel, options);
}

/** `convTranspose3d` in a stack. @throws as convTranspose3d */
export function convTranspose3d(
  inChannels: number,
  outChannels: number,
  kernel: Kernel,
  options: ConvTransposeLayerOptions = {},
): Layer<LinearParams<Tensor>, {}> {
  return convolution(3, true, inChannels, outChannels, kernel, options);
}

/** `batchNorm` in a stack, which threads its statistics. @throws as batchNorm */
export function batchNorm(
  size: number,
  options: Omit<BatchNormOptions, "train" | "across"> & DTypeOption = {},
): Layer<NormParams<Tensor>, NormStats<Tensor>> {
  checkOptionNames("layer.batchNorm", options, ["momentum", "epsilon", "dtype"], "layer.batchNorm(32)", { eps: "epsilon" });
  const { dtype, ...how } = options;
  return {
    init: () => batchNormInit(size, dtype === undefined ? {} : { dtype }),
    apply: (params, x, { train, stats, path, across }) =>
      normalizeBatch(params, stats, x, { ...how, train, across }, layerName("batchNorm", params, path)),
  };
}

/** `layerNorm` in a stack. @throws as layerNorm */
export function layerNorm(size: number | readonly number[], options: NormOptions & DTypeOption = {}): Layer<NormParams<Tensor>, {}> {
  return plain(
    "layerNorm",
    () => layerNormInit(size, options),
    (p, x, who) => normalizeLayer(p, x, options, who),
  );
}

/** `rmsNorm` in a stack. @throws as rmsNorm */
export function rmsNorm(size: number | readonly number[], options: NormOptions & DTypeOption = {}): Layer<ScaleParams<Tensor>, {}> {
  return plain(
    "rmsNorm",
    () => rmsNormInit(size, options),
    (p, x, who) => normalizeRms(p, x, options, who),
  );
}

/** `groupNorm` in a stack: `layer.groupNorm(32, { groups: 4 })`. @throws as groupNorm */
export function groupNorm(size: number, options: GroupNormOptions & DTypeOption): Layer<NormParams<Tensor>, {}> {
  checkOptionNames("layer.groupNorm", options, ["groups", "epsilon", "dtype"], "layer.groupNorm(32, { groups: 4 })", {
    numGroups: "groups",
  });
  return plain(
    "groupNorm",
    () => channelNormInit("groupNorm.init")(size, options),
    (p, x, who) => normalizeGroups(p, x, options, who),
  );
}

/** `instanceNorm` in a stack. @throws as instanceNorm */
export function instanceNorm(size: number, options: NormOptions & DTypeOption = {}): Layer<NormParams<Tensor>, {}> {
  return plain(
    "instanceNorm",
    () => channelNormInit("instanceNorm.init")(size, options),
    (p, x, who) => normalizeInstances(p, x, options, who),
  );
}

/** The key that a stack hands to a layer that drops. */
function keyFor(who: string, key: Operand | undefined): Operand {
  if (key === undefined)
    throw new DomainError(`${who}: there is no key to draw from; in training call apply(params, x, { train: true, key, stats })`, {
      op: "dropout",
    });
  return key;
}

/**
 * `dropout` in a stack: in training it draws from the key that the stack hands it, otherwise x passes as it is.
 * @throws DomainError for a rate outside [0, 1), and when training without a key
 */
export function dropout(rate: number): Layer<{}, {}> {
  checkRate(rate);
  return {
    init: () => ({ params: {}, stats: {} }),
    apply: (_, x, { train, key, path }) => {
      if (!train || rate === 0) return { out: lift(x, "f64"), stats: {} };
      return { out: drop(x, { rate, key: keyFor(layerName("dropout", {}, path), key) }), stats: {} };
    },
  };
}

/** `embedding` in a stack, whose x are then ids. @throws as embedding */
export function embedding(count: number, size: number, options: TableOptions = {}): Layer<EmbeddingParams<Tensor>, {}> {
  return plain("embedding", (key) => embeddingInit(key, count, size, options), rowsOf);
}

/** Learned `positions` in a stack. @throws as positions */
export function positions(count: number, size: number, options: TableOptions = {}): Layer<EmbeddingParams<Tensor>, {}> {
  return plain("positions", (key) => positionsInit(key, count, size, options), placed);
}

/** `attention` in a stack. @throws as attention */
export function attention(
  size: number,
  options: Omit<AttentionOptions, "mask" | "keyMask"> & DTypeOption,
): Layer<AttentionParams<Tensor>, {}> {
  checkAttention("layer.attention", options);
  return plain(
    "attention",
    (key) => attentionInit(key, size, options),
    (p, x, who) => attend(p, x, options, who),
  );
}

/** How a block of a stack looks around, how wide its inner layer is, and which share it drops in training. */
export interface BlockLayerOptions extends Omit<TransformerBlockOptions, "mask" | "keyMask" | "dropout">, TransformerInitOptions {
  readonly dropout?: number;
}

/** `transformerBlock` in a stack: `layer.transformerBlock(128, { heads: 4, causal: true, dropout: 0.1 })`. @throws as transformerBlock */
export function transformerBlock(size: number, given: BlockLayerOptions): Layer<TransformerBlockParams<Tensor>, {}> {
  checkAttention("layer.transformerBlock", given, ["hidden", ...blockOptions]);
  const { dropout: rate = 0, ...options } = given;
  checkRate(rate);
  return {
    init: (key) => ({ params: transformerInit(key, size, options), stats: {} }),
    apply: (params, x, { train, key, path }) => {
      const who = layerName("transformerBlock", params, path);
      if (!train || rate === 0) return { out: transform(params, x, options, who), stats: {} };
      return { out: transform(params, x, { ...options, dropout: { rate, key: keyFor(who, key) } }, who), stats: {} };
    },
  };
}

/** How a recurrent layer of a stack runs. */
export interface RecurrentOptions extends DTypeOption {
  readonly reverse?: boolean;
}

/** `rnn.over` in a stack: `h` of every step of x [..., steps, inputs]. @throws as rnn */
export function rnn(inputs: number, hidden: number, options: RecurrentOptions = {}): Layer<RnnParams<Tensor>, {}> {
  return recurrent(cells.rnn, inputs, hidden, options);
}

/** `lstm.over` in a stack: `h` of every step of x [..., steps, inputs]. @throws as lstm */
export function lstm(inputs: number, hidden: number, options: RecurrentOptions = {}): Layer<LstmParams<Tensor>, {}> {
  return recurrent(cells.lstm, inputs, hidden, options);
}

/** `gru.over` in a stack: `h` of every step of x [..., steps, inputs]. @throws as gru */
export function gru(inputs: number, hidden: number, options: RecurrentOptions = {}): Layer<GruParams<Tensor>, {}> {
  return recurrent(cells.gru, inputs, hidden, options);
}

function recurrent<P, A, O, C>(
  cell: cells.Cell<P, A, O, C>,
  inputs: number,
  hidden: number,
  { reverse = false, ...options }: RecurrentOptions,
): Layer<P, {}> {
  return {
    init: (key) => ({ params: cell.init(key, inputs, hidden, options), stats: {} }),
    apply: (params, x, { path }) => ({ out: cell.over(params as O, x, { reverse }, path).out, stats: {} }),
  };
}

/** The op `maxPool` in a stack: `layer.maxPool({ size: 2 })`. @throws as maxPool */
export function maxPool(options: MaxPoolAttrs): Plain {
  return (x) => poolLargest(x, options);
}

/** The op `averagePool` in a stack: `layer.averagePool({ size: 2 })`. @throws as averagePool */
export function averagePool(options: AveragePoolAttrs): Plain {
  return (x) => poolMean(x, options);
}
