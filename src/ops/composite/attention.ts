import { isFloat } from "../../ir/dtype.ts";
import { DTypeError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { typeText } from "../../ir/type.ts";
import { add, mul } from "../arithmetic.ts";
import { matmul } from "../contract/matmul.ts";
import { known } from "../define.ts";
import { lessEqual } from "../elementwise/comparison.ts";
import { where } from "../elementwise/select.ts";
import { range } from "../linear/constants.ts";
import { reshape } from "../linear/reshape.ts";
import { transpose } from "../linear/transpose.ts";
import { softmax } from "./softmax.ts";

/** Which keys a query sees, and the factor of the scores. */
export interface AttentionAttrs {
  /** Query i sees the keys 0..i only. */
  readonly causal?: boolean;
  /** bool: the keys that are seen; floats: numbers added to the scores. Broadcasts to [..., queries, keys]. */
  readonly mask?: Operand;
  /** 1 / sqrt(size of a query) when left out. */
  readonly scale?: number;
}

/**
 * softmax(q k^T scale) v. q is [..., queries, size], k [..., keys, size], v [..., keys, width]; leading axes broadcast.
 * Scores of unseen keys become a large negative number, not -infinity: a query that sees no key at all gets the plain mean of v, not NaN.
 * Source: Vaswani et al., "Attention is all you need", 2017.
 * @throws ShapeError for operands of rank below 2; DTypeError for an integer mask
 */
export function scaledDotProductAttention(q: Operand, k: Operand, v: Operand, attrs: AttentionAttrs = {}): Value {
  const { causal = false, mask, scale } = known("scaledDotProductAttention", attrs, ["causal", "mask", "scale"]);
  const who = "scaledDotProductAttention";
  const [query, keys] = [lift(q, "f64"), lift(k, "f64")];
  const [a, b] = [query.type.shape.length, keys.type.shape.length];
  if (a < 2 || b < 2)
    throw new ShapeError(`${who}: q is ${typeText(query.type)} and k is ${typeText(keys.type)}; both are [..., positions, size]`, {
      op: who,
    });
  const unseen = query.type.dtype === "f16" ? -6e4 : -1e30;
  return scope(who, () => {
    const axes = keys.type.shape.map((_, i) => (i === b - 1 ? b - 2 : i === b - 2 ? b - 1 : i));
    let scores = mul(matmul(query, transpose(keys, { axes })), scale ?? 1 / Math.sqrt(query.type.shape[a - 1]!));
    if (causal) {
      const rows = reshape(range(query.type.shape[a - 2]!), { shape: [query.type.shape[a - 2]!, 1] });
      scores = where(lessEqual(range(keys.type.shape[b - 2]!), rows), scores, unseen);
    }
    if (mask !== undefined) {
      const seen = lift(mask, query.type.dtype);
      if (seen.type.dtype === "bool") scores = where(seen, scores, unseen);
      else if (isFloat(seen.type.dtype)) scores = add(scores, seen);
      else throw new DTypeError(`${who}: mask is ${typeText(seen.type)}; it is bool (what is seen) or floats (what is added)`, { op: who });
    }
    return matmul(softmax(scores), v);
  });
}
