import { DomainError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { broadcast, sameShape, sizeOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { add, div, mul, neg, sub } from "../arithmetic.ts";
import { known } from "../define.ts";
import { equal } from "../elementwise/comparison.ts";
import { log, softplus } from "../elementwise/exponential.ts";
import { square } from "../elementwise/roots.ts";
import { abs } from "../elementwise/rounding.ts";
import { clip, where } from "../elementwise/select.ts";
import { type LossAttrs, reduced } from "./reduction.ts";

/**
 * Predictions and targets may broadcast one to the other. Where both would grow, a column of predictions beside a row of targets, every prediction would be
 * compared with every target, which nobody means.
 * @throws ShapeError
 */
function checkPair(who: string, names: readonly [string, string], p: Operand, t: Operand): void {
  const [a, b] = [lift(p, "f64").type, lift(t, "f64").type];
  const both = broadcast(a.shape, b.shape);
  // Shapes that do not fit are told by the op that meets them.
  if (both === null || sameShape(both, a.shape) || sameShape(both, b.shape)) return;
  const remedy = sizeOf(a.shape) === sizeOf(b.shape) ? `: reshape(${names[0]}, { shape: [${b.shape.join()}] })` : "";
  throw new ShapeError(
    `${who}: ${names[0]} is ${typeText(a)} and ${names[1]} is ${typeText(b)}, together [${both.join()}], every prediction against every target; give them one shape${remedy}`,
    { op: who },
  );
}

/** (p - t)^2, over all elements. One operand broadcasts to the other. @throws ShapeError where both would have to, as [n, 1] and [n] */
export function meanSquaredError(p: Operand, t: Operand, attrs: LossAttrs = {}): Value {
  const { reduction } = known("meanSquaredError", attrs, ["reduction"]);
  checkPair("meanSquaredError", ["p", "t"], p, t);
  return scope("meanSquaredError", () => reduced("meanSquaredError", square(sub(p, t)), reduction));
}

/**
 * |p - t|, over all elements: PyTorch's `l1_loss`. One operand broadcasts to the other. Its derivative is 0 where p equals t.
 * @throws ShapeError where both would have to broadcast, as [n, 1] and [n]
 */
export function meanAbsoluteError(p: Operand, t: Operand, attrs: LossAttrs = {}): Value {
  const { reduction } = known("meanAbsoluteError", attrs, ["reduction"]);
  checkPair("meanAbsoluteError", ["p", "t"], p, t);
  return scope("meanAbsoluteError", () => reduced("meanAbsoluteError", abs(sub(p, t)), reduction));
}

/** What counts more in a binary cross entropy; both broadcast to the elements. */
export interface BinaryCrossEntropyAttrs extends LossAttrs {
  /** Multiplies the loss of each element. */
  readonly weights?: Operand;
  /** Multiplies what an element costs by being positive: above 1 for rare positives. */
  readonly positiveWeight?: Operand;
}

/**
 * The cross entropy of probabilities t and sigmoid(logits), over all elements, as t softplus(-z) + (1 - t) softplus(z): a sum of positive
 * terms, so nothing overflows or cancels. One operand broadcasts to the other. As PyTorch's `binary_cross_entropy_with_logits`, whose mean is over the
 * elements, not their weights.
 * @throws ShapeError where both would have to broadcast, as [n, 1] and [n]
 */
export function binaryCrossEntropy(logits: Operand, t: Operand, attrs: BinaryCrossEntropyAttrs = {}): Value {
  const { reduction, weights, positiveWeight } = known("binaryCrossEntropy", attrs, ["reduction", "weights", "positiveWeight"]);
  checkPair("binaryCrossEntropy", ["logits", "t"], logits, t);
  return scope("binaryCrossEntropy", () => {
    // A number takes the dtype of what is beside it; by itself, as in 1 - t, it would be f64.
    const { dtype } = lift(typeof t === "number" ? logits : t, "f64").type;
    const [z, p] = [lift(logits, dtype), lift(t, dtype)];
    const yes = mul(p, softplus(neg(z)));
    const each = add(positiveWeight === undefined ? yes : mul(positiveWeight, yes), mul(sub(1, p), softplus(z)));
    return reduced("binaryCrossEntropy", weights === undefined ? each : mul(weights, each), reduction);
  });
}

/**
 * q (log q - logP), over all elements, 0 where q is 0: PyTorch's `kl_div`, whose mean is over all elements too. One operand broadcasts to the other.
 * @throws ShapeError where both would have to broadcast, as [n, 1] and [n]
 */
export function klDivergence(logP: Operand, q: Operand, attrs: LossAttrs = {}): Value {
  const { reduction } = known("klDivergence", attrs, ["reduction"]);
  checkPair("klDivergence", ["logP", "q"], logP, q);
  return scope("klDivergence", () => {
    const v = typeof q === "number" && typeof logP !== "number" ? lift(q, lift(logP, "f64").type.dtype) : lift(q, "f64");
    const none = equal(v, 0);
    const one = lift(1, v.type.dtype);
    return reduced("klDivergence", where(none, 0, mul(v, sub(log(where(none, one, v)), logP))), reduction);
  });
}

/**
 * Half the square of p - t up to `delta`, from there on delta (|p - t| - delta / 2), over all elements. One operand broadcasts to the other. Source:
 * Huber, 1964.
 * @throws DomainError for a delta that is not above 0; ShapeError where both operands would have to broadcast, as [n, 1] and [n]
 */
export function huber(p: Operand, t: Operand, attrs: LossAttrs & { readonly delta?: number } = {}): Value {
  const { delta = 1, reduction } = known("huber", attrs, ["delta", "reduction"]);
  if (!(delta > 0)) throw new DomainError(`huber: delta is ${delta}; it is a number above 0`, { op: "huber" });
  checkPair("huber", ["p", "t"], p, t);
  return scope("huber", () => {
    const d = sub(p, t);
    const inner = clip(d, { min: -delta, max: delta });
    return reduced("huber", mul(inner, sub(d, mul(0.5, inner))), reduction);
  });
}

/**
 * huber with delta = beta, over beta: half the square of p - t over beta up to `beta`, from there on |p - t| - beta / 2; for a beta of 0 it is |p - t|.
 * One operand broadcasts to the other. As PyTorch's `smooth_l1_loss`. Source: Girshick, "Fast R-CNN", 2015.
 * @throws DomainError for a beta below 0; ShapeError where both operands would have to broadcast, as [n, 1] and [n]
 */
export function smoothL1(p: Operand, t: Operand, attrs: LossAttrs & { readonly beta?: number } = {}): Value {
  const { beta = 1, reduction } = known("smoothL1", attrs, ["beta", "reduction"]);
  if (!(beta >= 0)) throw new DomainError(`smoothL1: beta is ${beta}; it is a number of 0 or more`, { op: "smoothL1" });
  checkPair("smoothL1", ["p", "t"], p, t);
  if (beta === 0) return meanAbsoluteError(p, t, reduction === undefined ? {} : { reduction });
  return scope("smoothL1", () => {
    const d = sub(p, t);
    const slope = clip(div(d, beta), { min: -1, max: 1 });
    return reduced("smoothL1", mul(slope, sub(d, mul(beta / 2, slope))), reduction);
  });
}
