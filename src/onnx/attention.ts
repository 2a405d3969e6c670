import type { DType } from "../ir/dtype.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import {
  add,
  cast,
  concat,
  div,
  equal,
  exp,
  expand,
  gather,
  lessEqual,
  logicalAnd,
  matmul,
  max,
  mul,
  pad,
  range,
  reshape,
  slice,
  stop,
  sub,
  sum,
  tanh,
  transpose,
  unsqueeze,
  where,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

const never: number = Number.NEGATIVE_INFINITY;

/** [batch, positions, heads * size] as [batch, heads, positions, size]. */
function byHeads(x: Value, heads: number): Value {
  const [batch, positions, width] = x.type.shape as readonly [number, number, number];
  return transpose(reshape(x, { shape: [batch, positions, heads, width / heads] }), { axes: [0, 2, 1, 3] });
}

/** Each head of keys or values as often as there are heads of queries for it. */
function repeated(x: Value, copies: number): Value {
  if (copies === 1) return x;
  const [batch, heads, positions, size] = x.type.shape as readonly [number, number, number, number];
  const wide = expand(reshape(x, { shape: [batch, heads, 1, positions, size] }), { shape: [batch, heads, copies, positions, size] });
  return reshape(wide, { shape: [batch, heads * copies, positions, size] });
}

/** softmax over the last axis that is 0 in a row of -infinity. */
function shares(scores: Value): Value {
  const top = stop(max(scores, { axis: [-1], keepDims: true }));
  const from = where(equal(top, never), 0, top);
  const e = exp(sub(scores, from));
  const total = sum(e, { axis: [-1], keepDims: true });
  return div(e, where(equal(total, 0), 1, total));
}

interface Positions {
  readonly queries: number;
  readonly keys: number;
  /** How many keys stand before the first query: a scalar, or one for each example, [batch, 1, 1, 1]. */
  readonly offset: Value;
}

/** Which keys each query may see by its place: bool, broadcasting to [batch, heads, queries, keys]; null where all may be seen. */
function seen(n: Application, { queries, keys, offset }: Positions): Value | null {
  const place = add(reshape(range(queries), { shape: [queries, 1] }), offset);
  const key = range(keys);
  const [left, right] = [n.int("left_window_size", -1), n.int("right_window_size", -1)];
  const rules = [
    n.int("is_causal", 0) !== 0 ? lessEqual(key, place) : null,
    left >= 0 ? lessEqual(sub(place, left), key) : null,
    right >= 0 ? lessEqual(key, add(place, right)) : null,
  ];
  return rules.reduce((a, b) => (a === null ? b : b === null ? a : logicalAnd(a, b)), null);
}

/** The mask widened to all keys: what it does not speak of is not seen. */
function widened(mask: Value, keys: number): Value {
  const missing = keys - mask.type.shape.at(-1)!;
  if (missing <= 0) return mask;
  const rank = mask.type.shape.length;
  const pads = mask.type.shape.map((_, i): [number, number] => (i === rank - 1 ? [0, missing] : [0, 0]));
  return mask.type.dtype === "bool" ? cast(pad(cast(mask, "i32"), { pads }), "bool") : pad(mask, { pads, value: never });
}

/** Scores with what may not be seen at -infinity. */
function biased(n: Application, scores: Value, past: number): Value {
  const [batch, , queries, keys] = scores.type.shape as readonly [number, number, number, number];
  const lengths = n.maybe(6);
  const valid = lengths === null ? null : reshape(cast(lengths, "i32"), { shape: [batch, 1, 1, 1] });
  const offset = valid === null ? lift(past, "i32") : sub(valid, queries);
  let out = scores;
  const mask = n.maybe(3);
  if (mask !== null) {
    const wide = widened(mask, keys);
    out =
      wide.type.dtype === "bool"
        ? where(wide, out, never)
        : add(out, wide.type.dtype === out.type.dtype ? wide : cast(wide, out.type.dtype));
  }
  const visible = seen(n, { queries, keys, offset });
  if (visible !== null) out = where(visible, out, never);
  if (valid !== null) out = where(lessEqual(add(range(keys), 1), valid), out, never);
  return out;
}

function attention(n: Application): readonly (Value | null)[] {
  const [q, k, v] = [n.get(0), n.get(1), n.get(2)];
  const flat = q.type.shape.length === 3;
  const head = (name: string): number => n.int(name, 0) || n.refuse(`its operands have three axes, and attribute ${name} is missing`);
  const queries = flat ? byHeads(q, head("q_num_heads")) : q;
  const newKeys = flat ? byHeads(k, head("kv_num_heads")) : k;
  const newValues = flat ? byHeads(v, head("kv_num_heads")) : v;
  const [pastKeys, pastValues] = [n.maybe(4), n.maybe(5)];
  const keys = pastKeys === null ? newKeys : concat([pastKeys, newKeys], { axis: 2 });
  const values = pastValues === null ? newValues : concat([pastValues, newValues], { axis: 2 });
  const copies = queries.type.shape[1]! / keys.type.shape[1]!;
  if (!Number.isInteger(copies))
    n.refuse(`${queries.type.shape[1]} heads of queries do not share ${keys.type.shape[1]} heads of keys evenly`);
  const { dtype } = q.type;
  const scale = n.float("scale", 1 / Math.sqrt(queries.type.shape[3]!));
  // The root of the scale on both sides, as the standard has it: products in 16 bits overflow less.
  const root = Math.sqrt(scale);
  const product = matmul(mul(queries, root), transpose(mul(repeated(keys, copies), root), { axes: [0, 1, 3, 2] }));
  const cap = n.float("softcap", 0);
  const capped = cap > 0 ? mul(tanh(div(product, cap)), cap) : product;
  const scores = biased(n, capped, pastKeys === null ? 0 : pastKeys.type.shape[2]!);
  const precise: DType = n.hasAttribute("softmax_precision")
    ? dtypeOfElement(n.int("softmax_precision", 1), "attribute softmax_precision")
    : dtype;
  const given = precise === dtype ? scores : cast(scores, precise);
  const weights = precise === dtype ? shares(given) : cast(shares(given), dtype);
  const out = matmul(weights, repeated(values, copies));
  const [batch, heads, positions, size] = out.type.shape as readonly [number, number, number, number];
  const joined = flat ? reshape(transpose(out, { axes: [0, 2, 1, 3] }), { shape: [batch, positions, heads * size] }) : out;
  const shown =
    [product, capped, scores, weights][n.int("qk_matmul_output_mode", 0)] ?? n.refuse("qk_matmul_output_mode is none of 0 to 3");
  return [joined, keys, values, shown];
}

/** Pairs of elements turned by an angle that grows with the position. Source: Su et al., 2021. */
function rotated(n: Application): Value {
  const given = n.get(0);
  const flat = given.type.shape.length === 3;
  const heads = n.int("num_heads", 0);
  if (flat && heads === 0) n.refuse("its operand has three axes, and attribute num_heads is missing");
  const [batch, positions] = flat ? [given.type.shape[0]!, given.type.shape[1]!] : [given.type.shape[0]!, given.type.shape[2]!];
  const x = flat
    ? reshape(given, { shape: [batch, positions, heads, given.type.shape[2]! / heads] })
    : transpose(given, { axes: [0, 2, 1, 3] });
  const size = x.type.shape[3]!;
  const turned = n.int("rotary_embedding_dim", 0) || size;
  const half = turned / 2;
  const table = (i: number): Value => {
    const rows = n.has(3) ? gather(n.get(i), cast(n.get(3), "i32")) : n.get(i);
    return unsqueeze(rows, { axis: 2 });
  };
  const [cos, sin] = [table(1), table(2)];
  const part = slice(x, { axis: 3, end: turned });
  const woven = n.int("interleaved", 0) !== 0;
  const first = woven ? slice(part, { axis: 3, step: 2 }) : slice(part, { axis: 3, end: half });
  const second = woven ? slice(part, { axis: 3, start: 1, step: 2 }) : slice(part, { axis: 3, start: half });
  const real = sub(mul(cos, first), mul(sin, second));
  const imaginary = add(mul(sin, first), mul(cos, second));
  const pair = woven
    ? reshape(concat([unsqueeze(real, { axis: 4 }), unsqueeze(imaginary, { axis: 4 })], { axis: 4 }), { shape: part.type.shape })
    : concat([real, imaginary], { axis: 3 });
  const out = turned === size ? pair : concat([pair, slice(x, { axis: 3, start: turned })], { axis: 3 });
  return flat ? reshape(out, { shape: given.type.shape }) : transpose(out, { axes: [0, 2, 1, 3] });
}

/** Attention whose scores and shares the model's own graphs change. */
function flexAttention(n: Application): Value {
  const [q, k, v] = [n.get(0), n.get(1), n.get(2)];
  const copies = q.type.shape[1]! / k.type.shape[1]!;
  if (!Number.isInteger(copies)) n.refuse(`${q.type.shape[1]} heads of queries do not share ${k.type.shape[1]} heads of keys evenly`);
  const { dtype } = q.type;
  const precise: DType = n.hasAttribute("softmax_precision")
    ? dtypeOfElement(n.int("softmax_precision", 1), "attribute softmax_precision")
    : dtype === "f64"
      ? "f64"
      : "f32";
  const changed = (name: string, x: Value): Value =>
    n.hasAttribute(name) ? (n.body(n.graph(name), [x], name)[0] ?? n.refuse(`graph ${name} has no output`)) : x;
  const product = matmul(q, transpose(repeated(k, copies), { axes: [0, 1, 3, 2] }));
  const scores = mul(product, n.float("scale", 1 / Math.sqrt(q.type.shape[3]!)));
  const weights = changed("prob_mod", shares(changed("score_mod", precise === dtype ? scores : cast(scores, precise))));
  return matmul(precise === dtype ? weights : cast(weights, dtype), repeated(v, copies));
}

/** Operators of ai.onnx.preview. */
export const previews: Family = { FlexAttention: flexAttention };

/** Attention and what goes with it. */
export const attending: Family = { Attention: attention, RotaryEmbedding: rotated };
