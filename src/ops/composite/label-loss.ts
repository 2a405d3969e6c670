import { isInteger } from "../../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { axisOf, sameShape } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { add, div, mul, neg, sub } from "../arithmetic.ts";
import { known } from "../define.ts";
import { cast } from "../elementwise/cast.ts";
import { equal, greaterEqual, notEqual } from "../elementwise/comparison.ts";
import { relu } from "../elementwise/relu.ts";
import { clip, maximum, where } from "../elementwise/select.ts";
import { gather } from "../linear/gather.ts";
import { gatherElements } from "../linear/gather-elements.ts";
import { reshape } from "../linear/reshape.ts";
import { sum } from "../linear/sum.ts";
import { transpose } from "../linear/transpose.ts";
import { classLabels } from "./class-labels.ts";
import { type LossAttrs, reduced } from "./reduction.ts";
import { logSoftmax } from "./softmax.ts";

/** What losses of integer labels share. */
export interface LabelLossAttrs extends LossAttrs {
  /** One number a class: samples of the class count so much. */
  readonly weights?: Operand;
  /** The label of samples that do not count; -1 when left out (PyTorch's is -100). */
  readonly ignoreIndex?: number;
  /** The axis of the classes; the last one when left out. */
  readonly axis?: number;
}

const labelAttrs = ["weights", "ignoreIndex", "axis", "reduction"] as const;

/** How much of the probability goes to all classes alike. */
export interface CrossEntropyAttrs extends LabelLossAttrs {
  /** From 0 to 1; 0 when left out. Source: Szegedy et al., "Rethinking the Inception architecture", 2016. */
  readonly labelSmoothing?: number;
}

interface Labelled {
  /** Which labels count. */
  readonly counts: Value;
  readonly index: Value;
  /** Each sample's score of its label. */
  readonly own: Value;
  /** Each sample's weight, if there are weights. */
  readonly weight: Value | null;
}

/** Scores with the class axis last. */
function classesLast(who: string, scores: Value, axis: number | undefined): Value {
  const rank = scores.type.shape.length;
  if (rank === 0) throw new ShapeError(`${who}: the scores are a scalar; classes are the last axis`, { op: who });
  const at = axis === undefined ? rank - 1 : axisOf(who, axis, rank);
  if (scores.type.shape[at] === 0)
    throw new ShapeError(`${who}: the scores are ${typeText(scores.type)} and axis ${at} is that of the classes; there are none`, {
      op: who,
    });
  if (at === rank - 1) return scores;
  return transpose(scores, { axes: [...scores.type.shape.flatMap((_, i) => (i === at ? [] : [i])), at] });
}

function weightsOf(who: string, weights: Operand | undefined, scores: Value): Value | null {
  if (weights === undefined) return null;
  const w = lift(weights, scores.type.dtype);
  const classes = scores.type.shape.at(-1)!;
  if (w.type.shape.length !== 1 || w.type.shape[0] !== classes)
    throw new ShapeError(
      `${who}: weights are ${typeText(w.type)} and there are ${classes} classes; weights are [${classes}], one a class`,
      {
        op: who,
      },
    );
  return w;
}

/** Labels checked, which of them count, and each sample's score of its label; all with the class axis, the last one, kept at size 1. */
function labelled(who: string, scores: Value, labels: Operand, { ignoreIndex = -1, weights }: LabelLossAttrs): Labelled {
  const given = lift(labels, "i32");
  const { shape } = scores.type;
  if (!isInteger(given.type.dtype) || !sameShape(given.type.shape, shape.slice(0, -1)))
    throw new (isInteger(given.type.dtype) ? ShapeError : DTypeError)(
      `${who}: labels are ${typeText(given.type)} beside ${typeText(scores.type)}; they are i32[${shape.slice(0, -1).join()}], one class per sample`,
      { op: who },
    );
  if (!Number.isInteger(ignoreIndex)) throw new DomainError(`${who}: ignoreIndex is ${ignoreIndex}; it is a whole number`, { op: who });
  const usual = ignoreIndex === -1;
  const classes = shape[shape.length - 1]!;
  const checked = classLabels(given, { classes, loss: who, ...(usual ? {} : { ignoreIndex }) });
  const column = reshape(checked, { shape: [...given.type.shape, 1] });
  // What is ignored may have any class's score. That an index is in range shows in the graph: engines need not look again.
  const index = clip(column, { min: 0, max: Math.max(0, classes - 1) });
  const w = weightsOf(who, weights, scores);
  return {
    counts: usual ? greaterEqual(column, 0) : notEqual(column, ignoreIndex),
    index,
    own: gatherElements(scores, index, { axis: -1 }),
    weight: w && gather(w, index),
  };
}

/** Losses per sample, 0 where the label is ignored. A mean is over what counts (`number`, the weights or the samples), and 0 when nothing does. */
function overLabels(
  who: string,
  losses: Value,
  { counts, weight }: { readonly counts: Value; readonly weight: Value | null },
  reduction: LossAttrs["reduction"],
): Value {
  const each = reshape(where(counts, losses, 0), { shape: losses.type.shape.slice(0, -1) });
  if (reduction !== undefined && reduction !== "mean") return reduced(who, each, reduction);
  if (weight === null) {
    const number = cast(maximum(sum(counts), 1), each.type.dtype);
    return div(sum(each), number);
  }
  const total = sum(where(counts, weight, 0));
  return div(sum(each), where(equal(total, 0), 1, total));
}

/**
 * The multiclass support vector machine loss of CS231n: the sum over classes j other than the label y of max(0, s_j - s_y + margin), PyTorch's
 * `multi_margin_loss` times the number of classes. `scores` are floats [..., classes], `labels` i32 [...]; a label of -1 is ignored. `weights` multiply
 * the losses of each class; a mean is over the samples. Exactly on the hinge the derivative is 0.
 * @throws DomainError when evaluated for a label that is no class; ShapeError and DTypeError for labels or weights that do not fit
 */
export function hinge(scores: Operand, labels: Operand, attrs: LabelLossAttrs & { readonly margin?: number } = {}): Value {
  const who = "hinge";
  const { margin = 1, reduction, axis } = known(who, attrs, ["margin", ...labelAttrs]);
  const given = lift(scores, "f64");
  return scope(who, () => {
    const s = classesLast(who, given, axis);
    const marked = labelled(who, s, labels, attrs);
    // The label's own term is max(0, margin), which its difference of 0 gives to every sample alike.
    const all = sum(relu(add(sub(s, marked.own), margin)), { axis: -1, keepDims: true });
    const losses = sub(all, Math.max(0, margin));
    return overLabels(who, marked.weight ? mul(marked.weight, losses) : losses, { ...marked, weight: null }, reduction);
  });
}

/** The mean of the labels' negative log probabilities, weighted, and smoothed over all classes. */
function likelihood(who: string, logP: Value, labels: Operand, attrs: CrossEntropyAttrs): Value {
  const { reduction, labelSmoothing: smooth = 0 } = attrs;
  const marked = labelled(who, logP, labels, attrs);
  const losses = neg(marked.own);
  const weighted = marked.weight ? mul(marked.weight, losses) : losses;
  if (smooth === 0) return overLabels(who, weighted, marked, reduction);
  const w = weightsOf(who, attrs.weights, logP);
  const alike = neg(sum(w ? mul(w, logP) : logP, { axis: -1, keepDims: true }));
  return overLabels(who, add(mul(1 - smooth, weighted), mul(smooth / logP.type.shape.at(-1)!, alike)), marked, reduction);
}

/**
 * The negative log probability of each label, of log probabilities [..., classes]: PyTorch's `nll_loss`. `labels` are i32 classes [...]; -1, or
 * `ignoreIndex`, is ignored. With `weights` a mean is the weighted one.
 * @throws DomainError when evaluated for a label that is no class; ShapeError and DTypeError for labels or weights that do not fit
 */
export function negativeLogLikelihood(logP: Operand, labels: Operand, attrs: LabelLossAttrs = {}): Value {
  const who = "negativeLogLikelihood";
  const given = lift(logP, "f64");
  const { axis } = known(who, attrs, labelAttrs);
  return scope(who, () => likelihood(who, classesLast(who, given, axis), labels, attrs));
}

/**
 * The negative log likelihood of softmax(logits) [..., classes], stable for any logits. `labels` are i32 classes [...] (-1, or `ignoreIndex`, is
 * ignored, and counts not in the mean) or probabilities of the logits' type. `weights` are one number a class, and a mean over integer labels is the
 * weighted one; `labelSmoothing` gives a share of the probability to all classes alike; `axis` is that of the classes. As PyTorch's `cross_entropy`.
 * @throws DomainError when evaluated for a label that is no class, and for a smoothing outside [0, 1]; ShapeError and DTypeError for labels or
 * weights that do not fit
 */
export function softmaxCrossEntropy(logits: Operand, labels: Operand, attrs: CrossEntropyAttrs = {}): Value {
  const who = "softmaxCrossEntropy";
  const { reduction, labelSmoothing: smooth = 0, axis } = known(who, attrs, ["labelSmoothing", ...labelAttrs]);
  if (!(smooth >= 0 && smooth <= 1))
    throw new DomainError(
      `${who}: labelSmoothing is ${smooth}; it is the share of probability that goes to all classes alike, from 0 to 1`,
      {
        op: who,
      },
    );
  const given = lift(logits, "f64");
  const y = lift(labels, given.type.dtype);
  return scope(who, () => {
    const z = classesLast(who, given, axis);
    const logP = logSoftmax(z);
    if (y.type.dtype !== z.type.dtype || !sameShape(y.type.shape, given.type.shape)) return likelihood(who, logP, y, attrs);
    const target = classesLast(who, y, axis);
    const share = smooth === 0 ? target : add(mul(1 - smooth, target), smooth / z.type.shape.at(-1)!);
    const w = weightsOf(who, attrs.weights, z);
    return reduced(who, neg(sum(mul(w ? mul(w, share) : share, logP), { axis: -1 })), reduction);
  });
}
