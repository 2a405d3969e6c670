export { add, binary, div, mul, neg, sub, unary } from "./arithmetic.ts";
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
export { reciprocal, rsqrt, sqrt, square } from "./elementwise/roots.ts";
export { abs, ceil, floor, mod, round, sign } from "./elementwise/rounding.ts";
export { type ClipAttrs, clip, maximum, minimum, where } from "./elementwise/select.ts";
export { digamma, erf, lgamma, type PolygammaAttrs, polygamma } from "./elementwise/special.ts";
export { acos, asin, atan, atan2, cos, cosh, sin, sinh, tan, tanh } from "./elementwise/trigonometric.ts";
export { identity, stop } from "./identity.ts";
export { concat, stack } from "./linear/concat.ts";
export { full, ones, type RangeAttrs, range, zeros } from "./linear/constants.ts";
export { gather, scatterAdd } from "./linear/gather.ts";
export { gatherElements, type ScatterAttrs, scatterElements } from "./linear/gather-elements.ts";
export { type GatherNDAttrs, gatherND, type ScatterNDAttrs, scatterND } from "./linear/gather-nd.ts";
export { reshape } from "./linear/reshape.ts";
export { at, slice, unslice } from "./linear/slice.ts";
export { expand, sum } from "./linear/sum.ts";
export { transpose } from "./linear/transpose.ts";
export { argMax, argMin } from "./reduce/arg-extremes.ts";
export { max, min } from "./reduce/extremes.ts";
export { logSumExp } from "./reduce/log-sum-exp.ts";
export { mean, type VarianceAttrs, variance } from "./reduce/mean.ts";
export { type NormAttrs, norm } from "./reduce/norm.ts";
export { prod } from "./reduce/prod.ts";
export { type SortAttrs, type Sorted, sort, type TopKAttrs, topK } from "./reduce/sort.ts";
