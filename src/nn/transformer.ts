import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import type { Tensor } from "../ir/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { gelu } from "../ops/composite/activation.ts";
import { fold } from "../random/random.ts";
import { type AttentionOptions, type AttentionParams, attend, attentionInit, checkAttention } from "./attention.ts";
import { dropout } from "./dropout.ts";
import type { DTypeOption } from "./initializers.ts";
import { checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { affine, type LinearParams, linearInit } from "./linear.ts";
import { layerNormInit, type NormParams, normalizeLayer } from "./normalization.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** A block of a transformer: attention and a two-layer net, each after a normalisation and around a way past it. */
export interface TransformerBlockParams<T = Value> {
  readonly ln1: NormParams<T>;
  readonly attn: AttentionParams<T>;
  readonly ln2: NormParams<T>;
  readonly up: LinearParams<T>;
  readonly down: LinearParams<T>;
}

/** How a block looks around, what bends its inner layer, and what it drops in training. */
export interface TransformerBlockOptions extends AttentionOptions {
  /** `gelu` when left out. */
  readonly activation?: (x: Operand) => Value;
  /** After attention and after the two-layer net; in training only. */
  readonly dropout?: { readonly rate: number; readonly key: Operand };
  readonly epsilon?: number;
}

/** Their names. */
export const blockOptions: readonly string[] = ["heads", "mask", "keyMask", "causal", "rotary", "activation", "dropout", "epsilon"];

/** How wide a block's inner layer is. */
export interface TransformerInitOptions extends DTypeOption {
  /** 4 times the size when left out. */
  readonly hidden?: number;
}

/** A block without a scope of its own. */
export function transform(p: TransformerBlockParams<Operand>, x: Operand, options: TransformerBlockOptions, who: string): Value {
  const { activation = gelu, dropout: drop, epsilon = 1e-5 } = options;
  const part = (name: string, v: Value): Value => (drop === undefined ? v : dropout(v, { rate: drop.rate, key: fold(drop.key, name) }));
  const v = lift(x, lift(p.ln1.scale, "f64").type.dtype);
  const near = scope("ln1", () => normalizeLayer(p.ln1, v, { epsilon }, `${who}.ln1`));
  const seen = add(
    v,
    part(
      "attn",
      scope("attn", () => attend(p.attn, near, options, `${who}.attn`)),
    ),
  );
  const inner = scope("ln2", () => normalizeLayer(p.ln2, seen, { epsilon }, `${who}.ln2`));
  const wide = activation(scope("up", () => affine(p.up, inner, `${who}.up`)));
  return add(
    seen,
    part(
      "mlp",
      scope("down", () => affine(p.down, wide, `${who}.down`)),
    ),
  );
}

/** The parameters of a block. */
export function transformerInit(key: Tensor, size: number, options: TransformerInitOptions = {}): TransformerBlockParams<Tensor> {
  checkKey("transformerBlock.init", key);
  checkSizes("transformerBlock.init", { size });
  checkInit("transformerBlock.init", options, ["hidden", ...blockOptions]);
  const { dtype = "f32", hidden = 4 * size } = options;
  checkSizes("transformerBlock.init", { size, hidden });
  return {
    ln1: layerNormInit(size, { dtype }),
    attn: attentionInit(fold(key, "attn"), size, { dtype }),
    ln2: layerNormInit(size, { dtype }),
    up: linearInit(fold(key, "up"), size, hidden, { dtype }),
    down: linearInit(fold(key, "down"), hidden, size, { dtype }),
  };
}

/**
 * A pre-norm transformer block on x [..., steps, size]: `x + attention(layerNorm(x))`, then `x + down(gelu(up(layerNorm(x))))`; with `causal` a block of
 * GPT-2, without one of an encoder. `transformerBlock.init(key, size, { hidden, dtype })`. Source: Vaswani et al., 2017; Xiong et al., "On layer
 * normalization in the transformer architecture", 2020 (the norm first).
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for heads that do not divide the size
 */
export const transformerBlock: WithInit<
  (p: TransformerBlockParams<Operand>, x: Operand, options: TransformerBlockOptions) => Value,
  (key: Tensor, size: number, options?: TransformerInitOptions) => TransformerBlockParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: TransformerBlockParams<Operand>, x: Operand, options: TransformerBlockOptions): Value =>
    inLayer("transformerBlock", p, ["ln1", "attn", "ln2", "up", "down"], () => {
      checkAttention("transformerBlock", options, blockOptions);
      return transform(p, x, options, layerName("transformerBlock", p));
    }),
  transformerInit,
);
