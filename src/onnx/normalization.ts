import type { DType } from "../ir/dtype.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import {
  add,
  batchMoments,
  batchNormalization,
  cast,
  div,
  equal,
  expand,
  groupNormalization,
  instanceNormalization,
  logSoftmax,
  max,
  mean,
  mul,
  norm,
  pad,
  pow,
  reshape,
  rsqrt,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  where,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

function to(x: Value, dtype: DType): Value {
  return x.type.dtype === dtype ? x : cast(x, dtype);
}

/** The dtype in which a normalisation computes: `stash_type`, but never below the data's own. */
function stash(n: Application): DType {
  const { dtype } = n.get(0).type;
  const asked = dtypeOfElement(n.int("stash_type", 1), "attribute stash_type");
  return dtype === "f64" ? "f64" : asked;
}

/** Normalised over all axes from `axis` on, then scale and bias, which broadcast; the mean and the inverse deviation are further results. */
function layerNorm(n: Application): readonly Value[] {
  const x = n.get(0);
  const { shape, dtype } = x.type;
  const first = n.axis(n.int("axis", -1), shape.length);
  const axis = shape.map((_, i) => i).slice(first);
  const wide = to(x, stash(n));
  const center = mean(wide, { axis, keepDims: true });
  const centered = sub(wide, center);
  const inverse = rsqrt(add(mean(square(centered), { axis, keepDims: true }), n.float("epsilon", 1e-5)));
  const normal = to(mul(centered, inverse), dtype);
  const scaled = mul(normal, n.get(1));
  const bias = n.maybe(2);
  return [bias === null ? scaled : add(scaled, bias), center, inverse];
}

function rmsNorm(n: Application): Value {
  const x = n.get(0);
  const { shape, dtype } = x.type;
  const axis = shape.map((_, i) => i).slice(n.axis(n.int("axis", -1), shape.length));
  const wide = to(x, stash(n));
  const inverse = rsqrt(add(mean(square(wide), { axis, keepDims: true }), n.float("epsilon", 1e-5)));
  return mul(to(mul(wide, inverse), dtype), n.get(1));
}

/**
 * With running statistics, or (training) with those of the batch, and then the running ones moved on. Statistics and parameters may have another
 * dtype than the data.
 */
function batchNorm(n: Application): readonly Value[] {
  const x = n.get(0);
  const { dtype } = x.type;
  const epsilon = n.float("epsilon", 1e-5);
  const training = n.opset >= 14 ? n.int("training_mode", 0) !== 0 : n.opset < 7 ? n.int("is_test", 0) === 0 : n.wanted > 1;
  const parameters = [1, 2, 3, 4].map((i) => n.get(i)) as [Value, Value, Value, Value];
  if (x.type.shape.length === 1) n.refuse("its data has no axis of channels");
  const [scale, bias, center, variance] = parameters.map((p) => to(p, dtype)) as [Value, Value, Value, Value];
  if (!training) return [batchNormalization(x, scale, bias, center, variance, { epsilon })];
  const now = batchMoments(x);
  const momentum = n.float("momentum", 0.9);
  const moved = (running: Value, fresh: Value): Value => add(mul(running, momentum), mul(to(fresh, running.type.dtype), 1 - momentum));
  const results = [
    batchNormalization(x, scale, bias, now.mean, now.variance, { epsilon }),
    moved(n.get(3), now.mean),
    moved(n.get(4), now.variance),
  ];
  return n.opset >= 14 ? results : [...results, now.mean, now.variance];
}

function groupNorm(n: Application): Value {
  const x = n.get(0);
  const groups = n.int("num_groups", 1);
  const epsilon = n.float("epsilon", 1e-5);
  const [scale, bias] = [n.get(1), n.get(2)];
  const channels = x.type.shape[1]!;
  if (n.opset >= 21) return groupNormalization(x, scale, bias, { groups, epsilon });
  // Before operator set 21 there is one scale a group.
  const spread = (p: Value): Value =>
    p.type.shape[0] === channels
      ? p
      : reshape(expand(reshape(p, { shape: [groups, 1] }), { shape: [groups, channels / groups] }), { shape: [channels] });
  return groupNormalization(x, spread(scale), spread(bias), { groups, epsilon });
}

/** Each element over a power of the squares of its neighbours among the channels. */
function responseNorm(n: Application): Value {
  const x = n.get(0);
  const size = n.int("size", 1);
  const { shape } = x.type;
  const low = Math.floor((size - 1) / 2);
  const high = Math.ceil((size - 1) / 2);
  const channels = shape[1]!;
  const squares = pad(square(x), { pads: shape.map((_, i) => (i === 1 ? [low, high] : [0, 0])) });
  let total: Value | null = null;
  for (let k = 0; k < size; k++) {
    const part = slice(squares, { axis: 1, start: k, end: k + channels });
    total = total === null ? part : add(total, part);
  }
  const around = add(mul(total ?? squares, n.float("alpha", 1e-4) / size), n.float("bias", 1));
  return div(x, pow(around, lift(n.float("beta", 0.75), x.type.dtype)));
}

/** x over its norm along an axis; 0 where the norm is. */
function lengthNorm(n: Application): Value {
  const x = n.get(0);
  const length = norm(x, { axis: [n.axis(n.int("axis", -1), x.type.shape.length)], keepDims: true, ord: n.int("p", 2) });
  const none = equal(length, 0);
  return where(none, 0, div(x, where(none, lift(1, x.type.dtype), length)));
}

function meanVariance(n: Application): Value {
  const x = n.get(0);
  const axis = n.ints("axes")?.map((a) => n.axis(a, x.type.shape.length)) ?? [0, 2, 3];
  const centered = sub(x, mean(x, { axis, keepDims: true }));
  return div(centered, add(sqrt(mean(square(centered), { axis, keepDims: true })), 1e-9));
}

/** Below operator set 13, over all axes from `axis` on together. */
/* @__NO_SIDE_EFFECTS__ */
function distribution(f: (x: Value, attrs: { readonly axis: number }) => Value): (n: Application) => Value {
  return (n) => {
    const x = n.get(0);
    const { shape } = x.type;
    const old = n.opset < 13;
    const axis = n.axis(n.int("axis", old ? 1 : -1), shape.length);
    if (!old) return f(x, { axis });
    const rows = reshape(x, { shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] });
    return reshape(f(rows, { axis: 1 }), { shape });
  };
}

/**
 * softmax for a model that puts NaN aside: PyTorch writes attention as `Where(IsNaN(p), 0, p)` of a p = softmax(scores) with rows that are masked altogether. Their numbers are NaN as in
 * softmax, but the derivative, which the Where makes 0, does not meet one: 0 times NaN would be NaN.
 */
function softmaxOrNaN(x: Value, attrs: { readonly axis: number }): Value {
  const number = (value: number): Value => lift(value, x.type.dtype);
  const masked = equal(max(x, { ...attrs, keepDims: true }), number(Number.NEGATIVE_INFINITY));
  return where(masked, number(Number.NaN), softmax(where(masked, number(0), x), attrs));
}

/** Normalisations and distributions. */
export const normalization: Family = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  InstanceNormalization: (n) => instanceNormalization(n.get(0), n.get(1), n.get(2), { epsilon: n.float("epsilon", 1e-5) }),
  LRN: responseNorm,
  LayerNormalization: layerNorm,
  LogSoftmax: distribution(logSoftmax),
  LpNormalization: lengthNorm,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: rmsNorm,
  Softmax: (n) => distribution(n.doubted ? softmaxOrNaN : softmax)(n),
};
