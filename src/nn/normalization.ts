import { evaluate } from "../evaluate/evaluate.ts";
import { DomainError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { checkOptionNames } from "../notation/given.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import {
  batchMoments,
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  rmsNormalization,
} from "../ops/composite/normalization.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { square } from "../ops/elementwise/roots.ts";
import { maximum } from "../ops/elementwise/select.ts";
import { stop } from "../ops/identity.ts";
import { concat } from "../ops/linear/concat.ts";
import { ones, zeros } from "../ops/linear/constants.ts";
import { at, slice } from "../ops/linear/slice.ts";
import { expand } from "../ops/linear/sum.ts";
import type { DTypeOption } from "./initializers.ts";
import { checkDivides, checkInit, checkSizes, checkTrain } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** What a normalised value is multiplied by. */
export interface ScaleParams<T = Value> {
  readonly scale: T;
}

/** What a normalised value is multiplied by, and what is added to it. */
export interface NormParams<T = Value> extends ScaleParams<T> {
  readonly shift: T;
}

/** The running mean and the running, unbiased variance of each channel. */
export interface NormStats<T = Value> {
  readonly mean: T;
  readonly variance: T;
}

/** What is added to the variance; 1e-5 when left out. */
export interface NormOptions {
  readonly epsilon?: number;
}

/** Whether `batchNorm` normalises by the batch (and learns from it) or by the running statistics. */
export interface BatchNormOptions extends NormOptions {
  readonly train: boolean;
  /** The weight of a batch in the running statistics; 0.1 when left out. */
  readonly momentum?: number;
  /**
   * Sums over the ranks that have rows of one batch, as `train` gives them in `context.across`: mean and variance are then those of the whole batch. Left out, or
   * undefined, those of x.
   */
  readonly across?: ((x: Value) => Value) | undefined;
}

type SizeInit<P> = (size: number, options?: DTypeOption) => P;

function scaleAndShift(who: string, shape: readonly number[], options: DTypeOption): NormParams<Tensor> {
  checkSizes(who, Object.fromEntries(shape.map((n) => ["size", n])));
  // A stack hands on how it normalises, too.
  checkInit(who, options, ["epsilon", "groups"]);
  const { dtype = "f32" } = options;
  return evaluate({ scale: ones(tensorType(dtype, shape)), shift: zeros(tensorType(dtype, shape)) });
}

/** How a layer normalises. @throws GraphError, DomainError for what is no record of it */
function checkedNorm<O>(who: string, options: O, known: readonly string[], example: string): O {
  checkOptionNames(who, options, ["epsilon", ...known], example, { eps: "epsilon", numGroups: "groups", training: "train" });
  return options;
}

/** Checks that x has channels, and that a layer's numbers are one per channel. */
function checkChannels(who: string, x: Value, numbers: Readonly<Record<string, Operand>>): void {
  const { shape } = x.type;
  if (shape.length < 2) throw new ShapeError(`${who}: x is ${typeText(x.type)}; channels are axis 1 of [N, C, ...]`, { op: who });
  for (const [name, parameter] of Object.entries(numbers)) {
    const { type } = lift(parameter, x.type.dtype);
    if (type.shape.length !== 1 || type.shape[0] !== shape[1])
      throw new ShapeError(
        `${who}: ${name} is ${typeText(type)} and x is ${typeText(x.type)}; ${name} has one number for each of x's ${shape[1]} channels`,
        {
          op: who,
        },
      );
  }
}

/** What `batchNorm` gives: the normalised x, and the statistics to go on with. */
export interface BatchNormed {
  readonly out: Value;
  readonly stats: NormStats;
}

interface Moments {
  readonly mean: Value;
  readonly variance: Value;
  /** n / (n - 1) for the n numbers of a channel. */
  readonly unbiased: number | Value;
}

/**
 * Mean and variance of a batch of which x is one part: from those of the parts, weighted by what they have (Chan, Golub and LeVeque 1979, "Updating formulae and a
 * pairwise algorithm for computing sample variances"), in one sum over all. It is in f64 and from `near` on, a number that all parts have alike, so that
 * nothing is lost where the mean is large beside the deviation.
 */
function momentsAcross(x: Value, near: Value, count: number, across: (x: Value) => Value): Moments {
  const own = batchMoments(x);
  const [size] = own.mean.type.shape as readonly [number];
  const from = stop(cast(near, "f64"));
  const off = sub(cast(own.mean, "f64"), from);
  const sums = across(concat([mul(count, off), mul(count, add(cast(own.variance, "f64"), square(off))), expand(count, { shape: [1] })]));
  const all = at(sums, 2 * size);
  const shift = div(slice(sums, { start: 0, end: size }), all);
  const spread = sub(div(slice(sums, { start: size, end: 2 * size }), all), square(shift));
  const { dtype } = x.type;
  // A whole batch of one number has no variance: it stays 0.
  const unbiased = cast(stop(div(all, maximum(sub(all, 1), 1))), dtype);
  return { mean: cast(add(from, shift), dtype), variance: cast(spread, dtype), unbiased };
}

/** Batch normalisation without a scope of its own. */
export function normalizeBatch(
  p: NormParams<Operand>,
  stats: NormStats<Operand>,
  x: Operand,
  { train, momentum = 0.1, epsilon = 1e-5, across }: BatchNormOptions,
  who: string,
): BatchNormed {
  const scale = lift(p.scale, "f64");
  const v = lift(x, scale.type.dtype);
  const running = { mean: lift(stats.mean, scale.type.dtype), variance: lift(stats.variance, scale.type.dtype) };
  checkChannels(who, v, { scale, shift: p.shift, ...running });
  checkTrain(who, train);
  if (!(momentum >= 0 && momentum <= 1))
    throw new DomainError(`${who}: momentum is ${momentum}; it is the weight of a batch, between 0 and 1`, { op: "batchNorm" });
  if (!train) return { out: batchNormalization(v, scale, p.shift, running.mean, running.variance, { epsilon }), stats: running };
  const { shape } = v.type;
  const count = shape[1] === 0 ? 0 : sizeOf(shape) / shape[1]!;
  if (count < (across === undefined ? 2 : 1))
    throw new ShapeError(
      `${who}: x is ${typeText(v.type)}, ${count === 0 ? "no number" : "one number"} a channel, which has no variance; train on batches of 2 or more (leave out a smaller last one), or use the running statistics: { train: false }`,
      { op: "batchNorm" },
    );
  const { mean, variance, unbiased }: Moments =
    across === undefined ? { ...batchMoments(v), unbiased: count / (count - 1) } : momentsAcross(v, running.mean, count, across);
  const blend = (old: Value, now: Value): Value => add(mul(1 - momentum, old), mul(momentum, stop(now)));
  return {
    out: batchNormalization(v, scale, p.shift, mean, variance, { epsilon }),
    stats: { mean: blend(running.mean, mean), variance: blend(running.variance, mul(unbiased, variance)) },
  };
}

/** Scale 1, shift 0, mean 0, variance 1. */
export function batchNormInit(size: number, options: DTypeOption = {}): { params: NormParams<Tensor>; stats: NormStats<Tensor> } {
  const { scale, shift } = scaleAndShift("batchNorm.init", [size], options);
  return { params: { scale, shift }, stats: evaluate({ mean: zeros(shift.type), variance: ones(scale.type) }) };
}

/**
 * Batch normalisation of x [N, C] or [N, C, ...space]: each channel to mean 0 and variance 1, times scale plus shift. With `train` it takes mean and
 * variance of the batch and blends them into the running ones, which come back as `stats`; without, it takes the running ones and gives them back.
 * As PyTorch: momentum 0.1 is the weight of the batch, the running variance is unbiased (times n / (n - 1)), epsilon 1e-5; no gradient goes through
 * the statistics. Where a batch is spread over ranks, `across` makes mean and variance those of the whole batch, and gradients with them. `batchNorm.init(size, { dtype })` gives `{ params, stats }`. Source: Ioffe, Szegedy, "Batch normalization", 2015.
 * @throws ShapeError, with the layer's path, for sizes that do not fit, and when training on one number a channel; DomainError for a momentum
 * outside [0, 1] and a `train` that is no plain truth value
 */
export const batchNorm: WithInit<
  (p: NormParams<Operand>, stats: NormStats<Operand>, x: Operand, options: BatchNormOptions) => BatchNormed,
  SizeInit<{ params: NormParams<Tensor>; stats: NormStats<Tensor> }>
> = /* @__PURE__ */ withInit(
  (p: NormParams<Operand>, stats: NormStats<Operand>, x: Operand, options: BatchNormOptions): BatchNormed =>
    inLayer("batchNorm", p, ["scale", "shift"], () =>
      normalizeBatch(
        p,
        stats,
        x,
        checkedNorm("batchNorm", options, ["train", "momentum", "across"], "{ train: true }"),
        layerName("batchNorm", p),
      ),
    ),
  batchNormInit,
);

/** The last axes of x, as many as the parameter has; checked. */
function lastAxes(who: string, x: Value, parameter: Value): number[] {
  const [shape, own] = [x.type.shape, parameter.type.shape];
  const from = shape.length - own.length;
  if (own.length === 0 || from < 0 || own.some((n, i) => n !== shape[from + i]))
    throw new ShapeError(
      `${who}: scale is ${typeText(parameter.type)} and x is ${typeText(x.type)}; the last ${own.length === 1 ? "axis" : "axes"} of x must be as in scale`,
      { op: who },
    );
  return own.map((_, i) => from + i);
}

/** Layer normalisation without a scope of its own. */
export function normalizeLayer(p: NormParams<Operand>, x: Operand, { epsilon = 1e-5 }: NormOptions, who: string): Value {
  const scale = lift(p.scale, "f64");
  const v = lift(x, scale.type.dtype);
  return layerNormalization(v, scale, p.shift, { axis: lastAxes(who, v, scale), epsilon });
}

/** Scale 1 and shift 0 for the last axes of these sizes. */
export function layerNormInit(size: number | readonly number[], options: DTypeOption = {}): NormParams<Tensor> {
  return scaleAndShift("layerNorm.init", Array.isArray(size) ? size : [size as number], options);
}

/**
 * Layer normalisation: each example to mean 0 and variance 1 over the last axes of x, as many as `scale` has, times scale plus shift.
 * `layerNorm.init(size, { dtype })`, the size a number or a list. Source: Ba, Kiros, Hinton, "Layer normalization", 2016.
 * @throws ShapeError, with the layer's path, where x does not end in the shape of `scale`
 */
export const layerNorm: WithInit<
  (p: NormParams<Operand>, x: Operand, options?: NormOptions) => Value,
  (size: number | readonly number[], options?: DTypeOption) => NormParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: NormParams<Operand>, x: Operand, options: NormOptions = {}): Value =>
    inLayer("layerNorm", p, ["scale", "shift"], () => normalizeLayer(p, x, options, layerName("layerNorm", p))),
  layerNormInit,
);

/** Root-mean-square normalisation without a scope of its own. */
export function normalizeRms(p: ScaleParams<Operand>, x: Operand, { epsilon = 1e-5 }: NormOptions, who: string): Value {
  const scale = lift(p.scale, "f64");
  const v = lift(x, scale.type.dtype);
  return rmsNormalization(v, scale, { axis: lastAxes(who, v, scale), epsilon });
}

/** Scale 1 for the last axes of these sizes. */
export function rmsNormInit(size: number | readonly number[], options: DTypeOption = {}): ScaleParams<Tensor> {
  return { scale: scaleAndShift("rmsNorm.init", Array.isArray(size) ? size : [size as number], options).scale };
}

/**
 * x over its root mean square along its last axes, as many as `scale` has, times scale. `rmsNorm.init(size, { dtype })`.
 * Source: Zhang, Sennrich, "Root mean square layer normalization", 2019.
 * @throws ShapeError, with the layer's path, where x does not end in the shape of `scale`
 */
export const rmsNorm: WithInit<
  (p: ScaleParams<Operand>, x: Operand, options?: NormOptions) => Value,
  (size: number | readonly number[], options?: DTypeOption) => ScaleParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: ScaleParams<Operand>, x: Operand, options: NormOptions = {}): Value =>
    inLayer("rmsNorm", p, ["scale"], () => normalizeRms(p, x, options, layerName("rmsNorm", p))),
  rmsNormInit,
);

/** How many groups of channels are normalised, each by itself. */
export interface GroupNormOptions extends NormOptions {
  readonly groups: number;
}

/** Group normalisation without a scope of its own. */
export function normalizeGroups(p: NormParams<Operand>, x: Operand, { groups, epsilon = 1e-5 }: GroupNormOptions, who: string): Value {
  const scale = lift(p.scale, "f64");
  const v = lift(x, scale.type.dtype);
  checkChannels(who, v, { scale, shift: p.shift });
  checkDivides(who, "groups", groups, "the number of channels", v.type.shape[1]!);
  return groupNormalization(v, scale, p.shift, { groups, epsilon });
}

/** Scale 1 and shift 0 for each channel. */
export function channelNormInit(who: string): SizeInit<NormParams<Tensor>> {
  return (size, options = {}) => scaleAndShift(who, [size], options);
}

/**
 * Group normalisation of x [N, C, ...]: mean 0 and variance 1 over each group of channels of each example, times scale plus shift, which are one
 * number a channel. `groupNorm.init(channels, { dtype })`. Source: Wu, He, "Group normalization", 2018.
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for groups that do not divide the channels
 */
export const groupNorm: WithInit<
  (p: NormParams<Operand>, x: Operand, options: GroupNormOptions) => Value,
  SizeInit<NormParams<Tensor>>
> = /* @__PURE__ */ withInit(
  (p: NormParams<Operand>, x: Operand, options: GroupNormOptions): Value =>
    inLayer("groupNorm", p, ["scale", "shift"], () =>
      normalizeGroups(p, x, checkedNorm("groupNorm", options, ["groups"], "{ groups: 4 }"), layerName("groupNorm", p)),
    ),
  /* @__PURE__ */ channelNormInit("groupNorm.init"),
);

/** Instance normalisation without a scope of its own. */
export function normalizeInstances(p: NormParams<Operand>, x: Operand, { epsilon = 1e-5 }: NormOptions, who: string): Value {
  const scale = lift(p.scale, "f64");
  const v = lift(x, scale.type.dtype);
  checkChannels(who, v, { scale, shift: p.shift });
  return instanceNormalization(v, scale, p.shift, { epsilon });
}

/**
 * Instance normalisation of x [N, C, ...]: mean 0 and variance 1 over each channel of each example, times scale plus shift.
 * `instanceNorm.init(channels, { dtype })`. Source: Ulyanov, Vedaldi, Lempitsky, "Instance normalization", 2016.
 * @throws ShapeError, with the layer's path, for sizes that do not fit
 */
export const instanceNorm: WithInit<
  (p: NormParams<Operand>, x: Operand, options?: NormOptions) => Value,
  SizeInit<NormParams<Tensor>>
> = /* @__PURE__ */ withInit(
  (p: NormParams<Operand>, x: Operand, options: NormOptions = {}): Value =>
    inLayer("instanceNorm", p, ["scale", "shift"], () => normalizeInstances(p, x, options, layerName("instanceNorm", p))),
  /* @__PURE__ */ channelNormInit("instanceNorm.init"),
);
