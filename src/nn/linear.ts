import { ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { add } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { fold } from "../random/random.ts";
import { type DTypeOption, type Fans, type Initializer, lecunUniform } from "./initializers.ts";
import { begun, checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** A weight without a bias. */
export interface WeightParams<T = Value> {
  readonly w: T;
}

/** A weight and a bias: of `linear`, w is [inputs, outputs] and b [outputs]; of convolutions, w is a kernel and b one number a channel. */
export interface LinearParams<T = Value> extends WeightParams<T> {
  readonly b: T;
}

/** How a weight and its bias begin. */
export interface WeightOptions extends DTypeOption {
  /** False: no bias. */
  readonly bias?: boolean;
  /** How the weight begins; PyTorch's uniform within 1 / sqrt(inputs) when left out, for the bias too. */
  readonly weight?: Initializer;
  readonly biasWeight?: Initializer;
}

/** Their names, beside the dtype. */
export const weightOptions: readonly string[] = ["bias", "weight", "biasWeight"];

/** Makes the parameters of `linear`. */
export interface LinearInit {
  (key: Tensor, inputs: number, outputs: number, options: WeightOptions & { readonly bias: false }): WeightParams<Tensor>;
  (key: Tensor, inputs: number, outputs: number, options?: WeightOptions): LinearParams<Tensor>;
}

/** A weight of this shape and a bias of one number for each of `outputs`. */
export function weights(
  who: string,
  key: Tensor,
  shape: readonly number[],
  outputs: number,
  fans: Fans,
  options: WeightOptions,
): LinearParams<Tensor> {
  const { dtype = "f32", bias = true, weight = lecunUniform(), biasWeight = lecunUniform() } = options;
  const w = begun(who, "weight", weight(fold(key, "w"), tensorType(dtype, shape), fans));
  if (!bias) return { w } as LinearParams<Tensor>;
  return { w, b: begun(who, "biasWeight", biasWeight(fold(key, "b"), tensorType(dtype, [outputs]), fans)) };
}

/** `x w + b` without a scope of its own. */
export function affine(p: WeightParams<Operand> & { readonly b?: Operand }, x: Operand, who: string): Value {
  const w = lift(p.w, "f64");
  const v = lift(x, w.type.dtype);
  const [inputs, outputs] = w.type.shape;
  if (w.type.shape.length !== 2) throw new ShapeError(`${who}: w is ${typeText(w.type)}; it is [inputs, outputs]`, { op: "linear" });
  if (v.type.shape.length === 0 || v.type.shape.at(-1) !== inputs)
    throw new ShapeError(
      `${who}: x is ${typeText(v.type)} and w is ${typeText(w.type)}; the last axis of x has to be of size ${inputs}, the layer's inputs`,
      { op: "linear" },
    );
  const product = matmul(v, w);
  if (p.b === undefined) return product;
  const b = lift(p.b, w.type.dtype);
  if (b.type.shape.length !== 1 || b.type.shape[0] !== outputs)
    throw new ShapeError(`${who}: b is ${typeText(b.type)} and w is ${typeText(w.type)}; b is [${outputs}], one number an output`, {
      op: "linear",
    });
  return add(product, b);
}

/** The sizes of a fully connected layer's weight. */
export function linearInit(key: Tensor, inputs: number, outputs: number, options: WeightOptions = {}): LinearParams<Tensor> {
  checkKey("linear.init", key);
  checkSizes("linear.init", { inputs, outputs });
  checkInit("linear.init", options, weightOptions);
  return weights("linear.init", key, [inputs, outputs], outputs, { in: inputs, out: outputs }, options);
}

/**
 * A fully connected layer: `x w + b`, x [..., inputs], w [inputs, outputs] (the transpose of PyTorch's), b [outputs] or none; result [..., outputs].
 * `linear.init(key, inputs, outputs, { bias, dtype, weight })` makes the parameters as PyTorch does: uniform within 1 / sqrt(inputs).
 * @throws ShapeError, with the layer's path, for an x or a bias that does not fit; DomainError for sizes below 1
 */
export const linear: WithInit<(p: WeightParams<Operand> & { readonly b?: Operand }, x: Operand) => Value, LinearInit> =
  /* @__PURE__ */ withInit(
    (p: WeightParams<Operand> & { readonly b?: Operand }, x: Operand): Value =>
      inLayer("linear", p, ["w"], () => affine(p, x, layerName("linear", p))),
    linearInit as LinearInit,
  );
