export { add, binary, div, mul, neg, sub, unary } from "./arithmetic.ts";
export { celu, elu, gelu, hardSigmoid, hardSwish, leakyRelu, mish, selu, silu } from "./composite/activation.ts";
export { type AttentionAttrs, scaledDotProductAttention } from "./composite/attention.ts";
export { type ClassLabelsAttrs, classLabels } from "./composite/class-labels.ts";
export { type CrossEntropyAttrs, hinge, type LabelLossAttrs, negativeLogLikelihood, softmaxCrossEntropy } from "./composite/label-loss.ts";
export {
  type BinaryCrossEntropyAttrs,
  binaryCrossEntropy,
  huber,
  klDivergence,
  meanAbsoluteError,
  meanSquaredError,
  smoothL1,
} from "./composite/loss.ts";
export {
  batchMoments,
  batchNormalization,
  type EpsilonAttrs,
  type GroupAttrs,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  type NormalizationAttrs,
  rmsNormalization,
} from "./composite/normalization.ts";
export { cosineEmbedding, type MarginAttrs, marginRanking, type TripletAttrs, tripletMargin } from "./composite/pair-loss.ts";
export type { LossAttrs } from "./composite/reduction.ts";
export { logSoftmax, type SoftmaxAttrs, softmax } from "./composite/softmax.ts";
export { type ConvAttrs, type ConvTransposeAttrs, conv, convInput, convTranspose, convWeight } from "./contract/conv.ts";
export { einsum } from "./contract/einsum.ts";
export { cross, dot, matmul } from "./contract/matmul.ts";
export {
  type AveragePoolAttrs,
  averagePool,
  averagePoolInput,
  type MaxPoolAttrs,
  maxPool,
  maxPoolPlaces,
  type PoolAttrs,
  pick,
  unpick,
} from "./contract/pool.ts";
export type { Padding } from "./contract/window-attrs.ts";
export { type CastAttrs, cast } from "./elementwise/cast.ts";
export { equal, greater, greaterEqual, isNaN, less, lessEqual, notEqual } from "./elementwise/comparison.ts";
export { exp, expm1, log, log1p, sigmoid, softplus } from "./elementwise/exponential.ts";
export { logicalAnd, logicalNot, logicalOr, logicalXor } from "./elementwise/logical.ts";
export { pow } from "./elementwise/power.ts";
export { relu } from "./elementwise/relu.ts";
export { reciprocal, rsqrt, sqrt, square } from "./elementwise/roots.ts";
export { abs, ceil, floor, mod, round, sign } from "./elementwise/rounding.ts";
export { type ClipAttrs, clip, maximum, minimum, where } from "./elementwise/select.ts";
export { digamma, erf, lgamma, type PolygammaAttrs, polygamma } from "./elementwise/special.ts";
export { acos, asin, atan, atan2, cos, cosh, sin, sinh, tan, tanh } from "./elementwise/trigonometric.ts";
export { identity, stop } from "./identity.ts";
export { concat, stack } from "./linear/concat.ts";
export { full, ones, type RangeAttrs, range, zeros } from "./linear/constants.ts";
export { type CumsumAttrs, cumsum } from "./linear/cumsum.ts";
export { diag } from "./linear/diag.ts";
export { type FlipAttrs, flip } from "./linear/flip.ts";
export { gather, scatterAdd } from "./linear/gather.ts";
export { gatherElements, type ScatterAttrs, scatterElements } from "./linear/gather-elements.ts";
export { type GatherNDAttrs, gatherND, type ScatterNDAttrs, scatterND } from "./linear/gather-nd.ts";
export { type OneHotAttrs, oneHot } from "./linear/one-hot.ts";
export { type PadAttrs, type PadMode, pad, type UnpadAttrs, unpad } from "./linear/pad.ts";
export { reshape } from "./linear/reshape.ts";
export { at, slice, unslice } from "./linear/slice.ts";
export { type SplitAttrs, split, type UnstackAttrs, unstack } from "./linear/split.ts";
export { squeeze, unsqueeze } from "./linear/squeeze.ts";
export { expand, sum } from "./linear/sum.ts";
export { type TileAttrs, tile } from "./linear/tile.ts";
export { transpose } from "./linear/transpose.ts";
export { type DiagonalAttrs, tril, triu } from "./linear/triangle.ts";
export { argMax, argMin } from "./reduce/arg-extremes.ts";
export { max, min } from "./reduce/extremes.ts";
export { logSumExp } from "./reduce/log-sum-exp.ts";
export { mean, type VarianceAttrs, variance } from "./reduce/mean.ts";
export { type NormAttrs, norm } from "./reduce/norm.ts";
export { prod } from "./reduce/prod.ts";
export { type SortAttrs, type Sorted, sort, type TopKAttrs, topK } from "./reduce/sort.ts";
