import { scan } from "../control/scan.ts";
import { isFloat } from "../ir/dtype.ts";
import type { Value } from "../ir/node.ts";
import { tensorType } from "../ir/type.ts";
import { add, cast, concat, conv, exp, matmul, mul, reshape, silu, slice, sub, sum, transpose, unsqueeze, zeros } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/** A convolution of each channel over what came before, with the last positions carried from call to call. */
function causalConv(n: Application): readonly Value[] {
  const [x, w, bias] = [n.get(0), n.get(1), n.maybe(2)];
  const [batch, channels] = x.type.shape as readonly [number, number, number];
  const before = w.type.shape[2]! - 1;
  const past = n.maybe(3) ?? zeros(tensorType(x.type.dtype, [batch, channels, before]));
  const whole = before === 0 ? x : concat([past, x], { axis: 2 });
  const word = n.text("activation", "none");
  if (word !== "none" && word !== "silu" && word !== "swish") n.refuse(`activation ${word} is none of none, silu and swish`);
  const { dtype } = x.type;
  // In f32 throughout, where a result of 16 bits in between would cost two units in the last place.
  const [a, b, c] = [whole, w, bias].map((v) => (v === null || dtype === "f64" ? v : cast(v, "f32"))) as [Value, Value, Value | null];
  const out = conv(a, b, c, { groups: channels });
  return [cast(word === "none" ? out : silu(out), dtype), slice(whole, { axis: 2, start: whole.type.shape[2]! - before })];
}

/** [batch, time, heads * size] as rows over time: [time, batch, heads, size]. */
function overTime(x: Value, heads: number): Value {
  const [batch, time, width] = x.type.shape as readonly [number, number, number];
  return transpose(reshape(x, { shape: [batch, time, heads, width / heads] }), { axes: [1, 0, 2, 3] });
}

/**
 * Attention as a recurrence over a state of one matrix a head, by the rule of `update_rule`. Source: ONNX Operators.md, LinearAttention; Yang et al. 2024,
 * arXiv:2412.06464. One loop, in f32 at least.
 */
function linearAttention(n: Application): readonly Value[] {
  const [queries, keys, values] = [n.get(0), n.get(1), n.get(2)];
  const [qHeads, heads] = [n.int("q_num_heads", 0), n.int("kv_num_heads", 0)];
  if (qHeads <= 0 || heads <= 0 || qHeads % heads !== 0) n.refuse(`${qHeads} heads of queries do not share ${heads} heads of keys evenly`);
  const rule = n.text("update_rule", "gated_delta");
  if (rule !== "linear" && rule !== "gated" && rule !== "delta" && rule !== "gated_delta")
    n.refuse(`update_rule ${rule} is none of linear, gated, delta and gated_delta`);
  const [gated, delta] = [rule.startsWith("gated"), rule.endsWith("delta")];
  const { dtype } = queries.type;
  const inner = dtype === "f64" ? "f64" : "f32";
  const wide = (v: Value): Value => (v.type.dtype === inner ? v : cast(v, inner));
  const [batch, time, width] = queries.type.shape as readonly [number, number, number];
  const size = width / qHeads;
  const group = qHeads / heads;
  const rows = {
    q: overTime(wide(queries), qHeads),
    k: overTime(wide(keys), heads),
    v: overTime(wide(values), heads),
    ...(gated && { g: overTime(wide(n.get(4)), heads) }),
    ...(delta && { b: overTime(wide(n.get(5)), n.shape(5)[2] === 1 ? 1 : heads) }),
  };
  const out = rows.v.type.shape[3]!;
  const past = n.maybe(3);
  const scale = n.float("scale", 0) || 1 / Math.sqrt(size);
  const { carry, out: all } = scan(
    ({ s }: { s: Value }, row: { q: Value; k: Value; v: Value; g?: Value; b?: Value }) => {
      const kept = row.g === undefined ? s : mul(s, unsqueeze(exp(row.g), { axis: 3 }));
      const k = unsqueeze(row.k, { axis: 3 });
      const v = row.b === undefined ? row.v : mul(row.b, sub(row.v, sum(mul(kept, k), { axis: [2] })));
      const next = add(kept, mul(k, unsqueeze(v, { axis: 2 })));
      const q = reshape(row.q, { shape: [batch, heads, group, size] });
      return { carry: { s: next }, out: reshape(mul(matmul(q, next), scale), { shape: [batch, qHeads * out] }) };
    },
    { s: past === null ? zeros(tensorType(inner, [batch, heads, size, out])) : wide(past) },
    rows,
  );
  const joined = reshape(transpose(all as Value, { axes: [1, 0, 2] }), { shape: [batch, time, qHeads * out] });
  const back = (v: Value, to: Value["type"]["dtype"]): Value => (v.type.dtype === to || !isFloat(to) ? v : cast(v, to));
  return [back(joined, dtype), back(carry.s, past?.type.dtype ?? dtype)];
}

/** What stands in the place of attention in recurrent language models. */
export const linearAttending: Family = { CausalConvWithState: causalConv, LinearAttention: linearAttention };
