export {
  type AttentionOptions,
  type AttentionParams,
  attention,
  type CrossAttentionParams,
  crossAttention,
  type HeadOptions,
} from "./nn/attention.ts";
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
export { type EmbeddingParams, embedding, type TableOptions } from "./nn/embedding.ts";
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
export { adaptiveAveragePool, adaptiveMaxPool, type FlattenOptions, flatten, globalAveragePool } from "./nn/pooling.ts";
export { positions, type RotaryOptions, rotary, sinusoidal, type WaveOptions } from "./nn/positions.ts";
export {
  type Cell,
  type GruParams,
  gru,
  type LstmCarry,
  type LstmParams,
  lstm,
  type RnnCarry,
  type RnnParams,
  rnn,
  type SequenceOptions,
  type SequenceResult,
} from "./nn/recurrent.ts";
export { type Layer, type LayerCall, type LayerResult, type ParamsOf, type Plain, residual, type StatsOf, sequential } from "./nn/stack.ts";
export {
  type TransformerBlockOptions,
  type TransformerBlockParams,
  type TransformerInitOptions,
  transformerBlock,
} from "./nn/transformer.ts";
export type { WithInit } from "./nn/with-init.ts";
