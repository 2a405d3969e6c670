import { isInteger } from "../../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { sameShape } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { add, div, mul, neg, sub } from "../arithmetic.ts";
import { cast } from "../elementwise/cast.ts";
import { equal, greaterEqual, lessEqual } from "../elementwise/comparison.ts";
import { log, softplus } from "../elementwise/exponential.ts";
import { relu } from "../elementwise/relu.ts";
import { square } from "../elementwise/roots.ts";
import { abs } from "../elementwise/rounding.ts";
import { maximum, where } from "../elementwise/select.ts";
import { gatherElements } from "../linear/gather-elements.ts";
import { reshape } from "../linear/reshape.ts";
import { sum } from "../linear/sum.ts";
import { mean } from "../reduce/mean.ts";
import { classLabels } from "./class-labels.ts";
import { logSoftmax } from "./softmax.ts";

/** How the losses of the samples (or elements) become the result: their mean, their sum, or as they are. */
export interface LossAttrs {
  readonly reduction?: "mean" | "sum" | "none";
}

function reduced(who: string, losses: Value, reduction: LossAttrs["reduction"] = "mean"): Value {
  if (reduction === "none") return losses;
  if (reduction === "sum") return sum(losses);
  if (reduction !== "mean") throw new DomainError(`${who}: reduction is ${String(reduction)}; it is "mean", "sum" or "none"`, { op: who });
  return mean(losses);
}

/** Labels checked, which of them count (not -1), and each sample's score of its label; all with the class axis kept at size 1. */
function labelled(who: string, scores: Value, labels: Operand): { counts: Value; index: Value; own: Value } {
  const given = lift(labels, "i32");
  const { shape } = scores.type;
  if (shape.length === 0) throw new ShapeError(`${who}: the scores are a scalar; classes are the last axis`, { op: who });
  if (!isInteger(given.type.dtype) || !sameShape(given.type.shape, shape.slice(0, -1)))
    throw new (isInteger(given.type.dtype) ? ShapeError : DTypeError)(
      `${who}: labels are ${typeText(given.type)} beside ${typeText(scores.type)}; they are i32[${shape.slice(0, -1).join()}], one class per sample`,
      { op: who },
    );
  const checked = classLabels(given, { classes: shape[shape.length - 1]!, loss: who });
  const column = reshape(checked, { shape: [...given.type.shape, 1] });
  const index = maximum(column, 0);
  return { counts: greaterEqual(column, 0), index, own: gatherElements(scores, index, { axis: -1 }) };
}

/** Losses per sample, 0 where the label is -1; the mean is over the labels that count, and 0 when none does. */
function overLabels(who: string, losses: Value, counts: Value, shape: readonly number[], reduction: LossAttrs["reduction"]): Value {
  const each = reshape(where(counts, losses, 0), { shape });
  if (reduction !== undefined && reduction !== "mean") return reduced(who, each, reduction);
  const number = cast(maximum(sum(counts), 1), each.type.dtype);
  return div(sum(each), number);
}

/**
 * The multiclass support vector machine loss of CS231n: the sum over classes j other than the label y of max(0, s_j - s_y + margin).
 * `scores` are floats [..., classes], `labels` i32 [...]; a label of -1 is ignored. Exactly on the hinge the derivative is 0.
 * @throws DomainError when evaluated for a label that is no class; ShapeError and DTypeError for labels that do not fit
 */
export function hinge(scores: Operand, labels: Operand, { margin = 1, reduction }: LossAttrs & { readonly margin?: number } = {}): Value {
  const s = lift(scores, "f64");
  return scope("hinge", () => {
    const { counts, own } = labelled("hinge", s, labels);
    // The label's own term is max(0, margin), which its difference of 0 gives to every sample alike.
    const all = sum(relu(add(sub(s, own), margin)), { axis: -1, keepDims: true });
    return overLabels("hinge", sub(all, Math.max(0, margin)), counts, s.type.shape.slice(0, -1), reduction);
  });
}

/**
 * The negative log likelihood of softmax(logits) [..., classes], stable for any logits. `labels` are i32 classes [...] (-1 is ignored, and counts
 * not in the mean) or probabilities of the logits' type.
 * @throws DomainError when evaluated for a label that is no class; ShapeError and DTypeError for labels that do not fit
 */
export function softmaxCrossEntropy(logits: Operand, labels: Operand, { reduction }: LossAttrs = {}): Value {
  const who = "softmaxCrossEntropy";
  const z = lift(logits, "f64");
  const y = lift(labels, z.type.dtype);
  return scope(who, () => {
    const logP = logSoftmax(z);
    if (y.type.dtype === z.type.dtype && sameShape(y.type.shape, z.type.shape))
      return reduced(who, neg(sum(mul(y, logP), { axis: -1 })), reduction);
    const { counts, own } = labelled(who, logP, y);
    return overLabels(who, neg(own), counts, z.type.shape.slice(0, -1), reduction);
  });
}

/** (p - t)^2, over all elements. Operands broadcast. */
export function meanSquaredError(p: Operand, t: Operand, { reduction }: LossAttrs = {}): Value {
  return scope("meanSquaredError", () => reduced("meanSquaredError", square(sub(p, t)), reduction));
}

/**
 * The cross entropy of probabilities t and sigmoid(logits), over all elements, as t softplus(-z) + (1 - t) softplus(z): a sum of positive
 * terms, so nothing overflows or cancels. Operands broadcast.
 */
export function binaryCrossEntropy(logits: Operand, t: Operand, { reduction }: LossAttrs = {}): Value {
  return scope("binaryCrossEntropy", () =>
    reduced("binaryCrossEntropy", add(mul(t, softplus(neg(logits))), mul(sub(1, t), softplus(logits))), reduction),
  );
}

/** q (log q - logP), over all elements, 0 where q is 0: PyTorch's `kl_div`, whose mean is over all elements too. Operands broadcast. */
export function klDivergence(logP: Operand, q: Operand, { reduction }: LossAttrs = {}): Value {
  return scope("klDivergence", () => {
    const v = typeof q === "number" && typeof logP !== "number" ? lift(q, lift(logP, "f64").type.dtype) : lift(q, "f64");
    const none = equal(v, 0);
    const one = lift(1, v.type.dtype);
    return reduced("klDivergence", where(none, 0, mul(v, sub(log(where(none, one, v)), logP))), reduction);
  });
}

/**
 * Half the square of p - t up to `delta`, from there on delta (|p - t| - delta / 2), over all elements. Operands broadcast. Source: Huber, 1964.
 * @throws DomainError for a delta that is not above 0
 */
export function huber(p: Operand, t: Operand, { delta = 1, reduction }: LossAttrs & { readonly delta?: number } = {}): Value {
  if (!(delta > 0)) throw new DomainError(`huber: delta is ${delta}; it is a number above 0`, { op: "huber" });
  return scope("huber", () => {
    const d = sub(p, t);
    const size = abs(d);
    return reduced("huber", where(lessEqual(size, delta), mul(0.5, square(d)), mul(delta, sub(size, delta / 2))), reduction);
  });
}
