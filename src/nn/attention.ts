import { ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bool, typeText } from "../ir/type.ts";
import { checkOptionNames } from "../notation/given.ts";
import { scaledDotProductAttention } from "../ops/composite/attention.ts";
import { logicalAnd } from "../ops/elementwise/logical.ts";
import { where } from "../ops/elementwise/select.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { split } from "../ops/linear/split.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { fold } from "../random/random.ts";
import { type DTypeOption, xavierUniform, zeros } from "./initializers.ts";
import { checkDivides, checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { affine, type LinearParams, linearInit } from "./linear.ts";
import { type RotaryOptions, rotary } from "./positions.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** Queries, keys and values in one product, in this order; each has its heads side by side. */
export interface AttentionParams<T = Value> {
  readonly qkv: LinearParams<T>;
  readonly out: LinearParams<T>;
}

/** Queries from x, keys and values from another sequence. */
export interface CrossAttentionParams<T = Value> {
  readonly q: LinearParams<T>;
  readonly kv: LinearParams<T>;
  readonly out: LinearParams<T>;
}

/** Who looks at what. */
export interface HeadOptions {
  readonly heads: number;
  /** bool (what is seen) or floats (what is added to the scores), broadcast to [..., heads, queries, keys]. */
  readonly mask?: Operand;
  /** bool [..., keys]: which keys are there at all; false for padding. */
  readonly keyMask?: Operand;
}

/** Who looks at what within one sequence. */
export interface AttentionOptions extends HeadOptions {
  /** Step i sees steps 0 .. i only. */
  readonly causal?: boolean;
  /** Rotary positions on queries and keys. */
  readonly rotary?: boolean | RotaryOptions;
}

/** Their names. */
export const attentionOptions: readonly (keyof AttentionOptions)[] = ["heads", "mask", "keyMask", "causal", "rotary"];

/** @throws GraphError, DomainError for what is no record of how a layer looks around */
export function checkAttention(who: string, options: unknown, known: readonly string[] = attentionOptions): void {
  checkOptionNames(who, options, ["dtype", ...known], "{ heads: 4, causal: true }", {
    numHeads: "heads",
    nHead: "heads",
    isCausal: "causal",
  });
}

/** [..., steps, heads size] as [..., heads, steps, size]. */
function apart(v: Value, heads: number): Value {
  const lead = v.type.shape.slice(0, -1);
  const parts = reshape(v, { shape: [...lead, heads, v.type.shape.at(-1)! / heads] });
  return transpose(parts, { axes: swapped(parts.type.shape.length) });
}

function swapped(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => (i === rank - 3 ? rank - 2 : i === rank - 2 ? rank - 3 : i));
}

/** [..., heads, steps, size] as [..., steps, heads size]. */
function together(v: Value): Value {
  const side = transpose(v, { axes: swapped(v.type.shape.length) });
  const { shape } = side.type;
  return reshape(side, { shape: [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)!] });
}

/** The masks as one: what `scaledDotProductAttention` takes. */
function maskOf(who: string, { mask, keyMask }: HeadOptions, keys: Value): { readonly mask?: Operand } {
  if (keyMask === undefined) return mask === undefined ? {} : { mask };
  const given = lift(keyMask, "bool");
  const wanted = bool(...keys.type.shape.slice(0, -1));
  if (given.type.dtype !== "bool" || given.type.shape.at(-1) !== wanted.shape.at(-1) || given.type.shape.length > wanted.shape.length)
    throw new ShapeError(`${who}: keyMask is ${typeText(given.type)}; it is ${typeText(wanted)}, true for the keys that are there`, {
      op: who,
    });
  const { shape } = given.type;
  const there = reshape(given, { shape: [...shape.slice(0, -1), 1, 1, shape.at(-1)!] });
  if (mask === undefined) return { mask: there };
  const scores = lift(mask, keys.type.dtype);
  return {
    mask: scores.type.dtype === "bool" ? logicalAnd(scores, there) : where(there, scores, scores.type.dtype === "f16" ? -6e4 : -1e30),
  };
}

function checkSequence(who: string, name: string, v: Value): void {
  if (v.type.shape.length < 2) throw new ShapeError(`${who}: ${name} is ${typeText(v.type)}; it is [..., steps, size]`, { op: who });
}

/** Attention within x without a scope of its own. */
export function attend(p: AttentionParams<Operand>, x: Operand, options: AttentionOptions, who: string): Value {
  const v = lift(x, lift(p.qkv.w, "f64").type.dtype);
  checkSequence(who, "x", v);
  checkDivides(who, "heads", options.heads, "the size", (lift(p.qkv.w, "f64").type.shape[1] ?? 0) / 3);
  const [q, k, value] = split(
    scope("qkv", () => affine(p.qkv, v, `${who}.qkv`)),
    { parts: 3, axis: -1 },
  ).map((part) => apart(part, options.heads)) as [Value, Value, Value];
  const turn = (part: Value): Value => (options.rotary ? rotary(part, typeof options.rotary === "object" ? options.rotary : {}) : part);
  const seen = scaledDotProductAttention(turn(q), turn(k), value, { causal: options.causal ?? false, ...maskOf(who, options, v) });
  return scope("out", () => affine(p.out, together(seen), `${who}.out`));
}

/** The parameters of attention within a sequence. */
export function attentionInit(key: Tensor, size: number, options: DTypeOption = {}): AttentionParams<Tensor> {
  checkKey("attention.init", key);
  checkSizes("attention.init", { size });
  checkInit("attention.init", options, attentionOptions);
  const { dtype = "f32" } = options;
  return {
    qkv: linearInit(fold(key, "qkv"), size, 3 * size, { dtype, weight: xavierUniform(), biasWeight: zeros() }),
    out: linearInit(fold(key, "out"), size, size, { dtype, biasWeight: zeros() }),
  };
}

/**
 * Multi-head attention within a sequence x [..., steps, size]: every step looks at every step it is allowed to see. `causal` hides later steps, `mask` and
 * `keyMask` what they say, `rotary` turns queries and keys by position. A step that sees nothing gets the plain mean, not NaN.
 * `attention.init(key, size, { dtype })`, as PyTorch's MultiheadAttention: w of qkv by Xavier over [size, 3 size], biases 0.
 * Source: Vaswani et al., "Attention is all you need", 2017.
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for heads that do not divide the size
 */
export const attention: WithInit<
  (p: AttentionParams<Operand>, x: Operand, options: AttentionOptions) => Value,
  (key: Tensor, size: number, options?: DTypeOption) => AttentionParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: AttentionParams<Operand>, x: Operand, options: AttentionOptions): Value =>
    inLayer("attention", p, ["qkv", "out"], () => {
      checkAttention("attention", options);
      return attend(p, x, options, layerName("attention", p));
    }),
  attentionInit,
);

/**
 * Multi-head attention from x [..., queries, size] to another sequence [..., keys, contextSize]. `crossAttention.init(key, size, contextSize?, { dtype })`.
 * Source: Vaswani et al., "Attention is all you need", 2017.
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for heads that do not divide the size
 */
export const crossAttention: WithInit<
  (p: CrossAttentionParams<Operand>, x: Operand, context: Operand, options: HeadOptions) => Value,
  (key: Tensor, size: number, contextSize?: number, options?: DTypeOption) => CrossAttentionParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: CrossAttentionParams<Operand>, x: Operand, context: Operand, options: HeadOptions): Value => {
    const who = layerName("crossAttention", p);
    return inLayer("crossAttention", p, ["q", "kv", "out"], () => {
      checkAttention("crossAttention", options);
      const dtype = lift(p.q.w, "f64").type.dtype;
      const [v, c] = [lift(x, dtype), lift(context, dtype)];
      checkSequence(who, "x", v);
      checkSequence(who, "context", c);
      checkDivides(who, "heads", options.heads, "the size", lift(p.q.w, dtype).type.shape[1] ?? 0);
      const q = apart(
        scope("q", () => affine(p.q, v, `${who}.q`)),
        options.heads,
      );
      const [k, value] = split(
        scope("kv", () => affine(p.kv, c, `${who}.kv`)),
        { parts: 2, axis: -1 },
      ).map((part) => apart(part, options.heads)) as [Value, Value];
      const seen = scaledDotProductAttention(q, k, value, maskOf(who, options, c));
      return scope("out", () => affine(p.out, together(seen), `${who}.out`));
    });
  },
  (key: Tensor, size: number, contextSize: number = size, given: DTypeOption = {}): CrossAttentionParams<Tensor> => {
    checkKey("crossAttention.init", key);
    checkSizes("crossAttention.init", { size, contextSize });
    checkInit("crossAttention.init", given);
    const { dtype = "f32" } = given;
    const options = { dtype, weight: xavierUniform(), biasWeight: zeros() };
    return {
      q: linearInit(fold(key, "q"), size, size, options),
      kv: linearInit(fold(key, "kv"), contextSize, 2 * size, options),
      out: linearInit(fold(key, "out"), size, size, { dtype, biasWeight: zeros() }),
    };
  },
);
