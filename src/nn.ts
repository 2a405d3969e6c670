export {
  type Convolution,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type KernelInit,
  type KernelOptions,
  type KernelParams,
  type TransposedConvolution,
} from "./nn/convolution.ts";
export { type DropoutOptions, dropout } from "./nn/dropout.ts";
export type { DTypeOption, Fans, Initializer, Nonlinearity } from "./nn/initializers.ts";
export * as initializers from "./nn/initializers.ts";
export * as layer from "./nn/layer.ts";
export { type LinearInit, type LinearParams, linear, type WeightOptions, type WeightParams } from "./nn/linear.ts";
export {
  type BatchNormed,
  type BatchNormOptions,
  batchNorm,
  type GroupNormOptions,
  groupNorm,
  instanceNorm,
  layerNorm,
  type NormOptions,
  type NormParams,
  type NormStats,
  rmsNorm,
  type ScaleParams,
} from "./nn/normalization.ts";
export { type Layer, type LayerCall, type LayerResult, type ParamsOf, type Plain, residual, type StatsOf, sequential } from "./nn/stack.ts";
export type { WithInit } from "./nn/with-init.ts";
