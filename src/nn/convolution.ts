import { DomainError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { kindText } from "../notation/given.ts";
import { type ConvAttrs, type ConvTransposeAttrs, conv, convTranspose } from "../ops/contract/conv.ts";
import { kernelFans } from "./initializers.ts";
import { checkDivides, checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { type LinearParams, type WeightOptions, type WeightParams, weightOptions, weights } from "./linear.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** The parameters of a convolution as it takes them, with or without a bias. */
export type KernelParams = WeightParams<Operand> & { readonly b?: Operand };

/** How a kernel begins, and into how many groups its channels fall. */
export interface KernelOptions extends WeightOptions {
  readonly groups?: number;
}

/** Makes the parameters of a convolution; `kernel` is one size for all spatial axes, or one per axis. */
export interface KernelInit {
  (
    key: Tensor,
    inChannels: number,
    outChannels: number,
    kernel: number | readonly number[],
    options: KernelOptions & { readonly bias: false },
  ): WeightParams<Tensor>;
  (key: Tensor, inChannels: number, outChannels: number, kernel: number | readonly number[], options?: KernelOptions): LinearParams<Tensor>;
}

/** A convolution. */
export type Convolution = WithInit<(p: KernelParams, x: Operand, options?: ConvAttrs) => Value, KernelInit>;
/** A transposed convolution. */
export type TransposedConvolution = WithInit<(p: KernelParams, x: Operand, options?: ConvTransposeAttrs) => Value, KernelInit>;

/** How many spatial axes. */
export type Rank = 1 | 2 | 3;

function kernelSizes(who: string, kernel: number | readonly number[], rank: Rank): readonly number[] {
  const sizes = typeof kernel === "number" ? new Array<number>(rank).fill(kernel) : kernel;
  if (!Array.isArray(sizes))
    throw new DomainError(`${who}: kernel is ${kindText(kernel)}; it is one size, or a list of one per axis`, { op: who });
  if (sizes.length !== rank)
    throw new ShapeError(`${who}: kernel has ${sizes.length} sizes and there are ${rank} spatial axes; give one size, or one per axis`, {
      op: who,
    });
  checkSizes(who, Object.fromEntries(sizes.map((n, i) => [`kernel[${i}]`, n])));
  return sizes;
}

/** The init of a convolution (w [O, C / groups, ...kernel]) or of a transposed one (w [C, O / groups, ...kernel]). */
export function kernelInit(kind: string, rank: Rank, transposed: boolean): KernelInit {
  const init = (
    key: Tensor,
    inChannels: number,
    outChannels: number,
    kernel: number | readonly number[],
    given: KernelOptions = {},
  ): LinearParams<Tensor> => {
    const who = `${kind}.init`;
    checkKey(who, key);
    checkSizes(who, { inChannels, outChannels });
    // A stack hands on how the kernel moves, too.
    checkInit(who, given, [...weightOptions, "groups", "stride", "padding", "dilation", ...(transposed ? ["outputPadding"] : [])]);
    const { groups = 1, ...options } = given;
    checkDivides(who, "groups", groups, "inChannels", inChannels);
    checkDivides(who, "groups", groups, "outChannels", outChannels);
    const space = kernelSizes(who, kernel, rank);
    const shape = transposed ? [inChannels, outChannels / groups, ...space] : [outChannels, inChannels / groups, ...space];
    return weights(who, key, shape, outChannels, kernelFans(shape), options);
  };
  return init as KernelInit;
}

/** The convolution without a scope of its own. */
export function convolve(p: KernelParams, x: Operand, options: ConvTransposeAttrs, who: string, rank: Rank, transposed: boolean): Value {
  const w = lift(p.w, "f64");
  const v = lift(x, w.type.dtype);
  const { groups = 1 } = options;
  const channels = transposed ? w.type.shape[0] : (w.type.shape[1] ?? 0) * groups;
  if (w.type.shape.length !== rank + 2 || v.type.shape.length !== rank + 2 || v.type.shape[1] !== channels)
    throw new ShapeError(
      `${who}: x is ${typeText(v.type)} and w is ${typeText(w.type)}${groups === 1 ? "" : ` with groups ${groups}`}; x is [batch, ${channels}, ...space] with ${rank} spatial ${rank === 1 ? "axis" : "axes"}`,
      { op: who },
    );
  const outputs = transposed ? w.type.shape[1]! * groups : w.type.shape[0]!;
  const b = p.b === undefined ? null : lift(p.b, w.type.dtype);
  if (b !== null && (b.type.shape.length !== 1 || b.type.shape[0] !== outputs))
    throw new ShapeError(`${who}: b is ${typeText(b.type)} and w is ${typeText(w.type)}; b is [${outputs}], one number a channel`, {
      op: who,
    });
  return transposed ? convTranspose(v, w, b, options) : conv(v, w, b, options);
}

/* @__NO_SIDE_EFFECTS__ */
function convolution<O extends ConvAttrs>(
  kind: string,
  rank: Rank,
  transposed: boolean,
): WithInit<(p: KernelParams, x: Operand, options?: O) => Value, KernelInit> {
  return withInit(
    (p: KernelParams, x: Operand, options?: O): Value =>
      inLayer(kind, p, ["w"], () => convolve(p, x, options ?? {}, layerName(kind, p), rank, transposed)),
    kernelInit(kind, rank, transposed),
  );
}

/**
 * Cross-correlation along one axis: x [N, C, L], w [O, C / groups, K], b [O] or none. Options and padding as for the op `conv`.
 * `conv1d.init(key, inChannels, outChannels, kernel, { groups, bias, dtype, weight })`, by PyTorch's rule.
 * @throws ShapeError, with the layer's path, for what does not fit; DomainError for sizes below 1 or groups that do not divide the channels
 */
export const conv1d: Convolution = /* @__PURE__ */ convolution("conv1d", 1, false);
/** Cross-correlation over images: x [N, C, H, W], w [O, C / groups, KH, KW], b [O] or none. Otherwise as `conv1d`. @throws as conv1d */
export const conv2d: Convolution = /* @__PURE__ */ convolution("conv2d", 2, false);
/** Cross-correlation over volumes: x [N, C, D, H, W], w [O, C / groups, KD, KH, KW], b [O] or none. Otherwise as `conv1d`. @throws as conv1d */
export const conv3d: Convolution = /* @__PURE__ */ convolution("conv3d", 3, false);
/**
 * The transpose of a convolution along one axis, which makes an input larger: x [N, C, L], w [C, O / groups, K], b [O] or none. Options as for the
 * op `convTranspose`, `outputPadding` among them. Source: Zeiler et al., "Deconvolutional networks", 2010; PyTorch's ConvTranspose1d.
 * @throws ShapeError, with the layer's path, for what does not fit; DomainError for sizes below 1 or groups that do not divide the channels
 */
export const convTranspose1d: TransposedConvolution = /* @__PURE__ */ convolution("convTranspose1d", 1, true);
/** The transpose of `conv2d`: x [N, C, H, W], w [C, O / groups, KH, KW]. Otherwise as `convTranspose1d`. @throws as convTranspose1d */
export const convTranspose2d: TransposedConvolution = /* @__PURE__ */ convolution("convTranspose2d", 2, true);
/** The transpose of `conv3d`: x [N, C, D, H, W], w [C, O / groups, KD, KH, KW]. Otherwise as `convTranspose1d`. @throws as convTranspose1d */
export const convTranspose3d: TransposedConvolution = /* @__PURE__ */ convolution("convTranspose3d", 3, true);
