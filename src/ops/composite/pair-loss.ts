import { isInteger } from "../../ir/dtype.ts";
import { DomainError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { add, div, mul, sub } from "../arithmetic.ts";
import { known } from "../define.ts";
import { cast } from "../elementwise/cast.ts";
import { equal } from "../elementwise/comparison.ts";
import { sqrt, square } from "../elementwise/roots.ts";
import { clip, minimum, where } from "../elementwise/select.ts";
import { sum } from "../linear/sum.ts";
import { norm } from "../reduce/norm.ts";
import { type LossAttrs, reduced } from "./reduction.ts";

/** How far apart things have to be before they cost nothing. */
export interface MarginAttrs extends LossAttrs {
  readonly margin?: number;
}

/** What is above 0, with PyTorch's derivative on the edge: that of the side that costs something. */
function cost(v: Value): Value {
  return clip(v, { min: 0 });
}

/** 1 and -1 as numbers of a dtype. */
function signs(y: Operand, like: Value): Value {
  const v = lift(y, like.type.dtype);
  return isInteger(v.type.dtype) ? cast(v, like.type.dtype) : v;
}

/**
 * For pairs of vectors [..., size] and y of 1 (alike) or -1 (not alike), [...]: 1 - cos for those alike, max(0, cos - margin) for the others, 0 for any
 * other y. `margin` 0 when left out. 1e-12 is added to the squares of lengths, as in PyTorch's `cosine_embedding_loss`.
 */
export function cosineEmbedding(a: Operand, b: Operand, y: Operand, attrs: MarginAttrs = {}): Value {
  const { margin = 0, reduction } = known("cosineEmbedding", attrs, ["margin", "reduction"]);
  const v = lift(a, "f64");
  return scope("cosineEmbedding", () => {
    const length = (x: Operand): Value => add(sum(square(x), { axis: -1 }), 1e-12);
    const cos = div(sum(mul(v, b), { axis: -1 }), sqrt(mul(length(v), length(b))));
    const side = signs(y, v);
    const apart = where(equal(side, -1), cost(sub(cos, margin)), 0);
    return reduced("cosineEmbedding", where(equal(side, 1), sub(1, cos), apart), reduction);
  });
}

/** max(0, margin - y (a - b)), over all elements: a should be the larger where y is 1, b where it is -1. `margin` 0 when left out. Operands broadcast. */
export function marginRanking(a: Operand, b: Operand, y: Operand, attrs: MarginAttrs = {}): Value {
  const { margin = 0, reduction } = known("marginRanking", attrs, ["margin", "reduction"]);
  return scope("marginRanking", () => {
    const d = sub(a, b);
    return reduced("marginRanking", cost(sub(margin, mul(signs(y, d), d))), reduction);
  });
}

/** How distances are taken, and whether that between positive and negative counts. */
export interface TripletAttrs extends MarginAttrs {
  /** The norm; 2 when left out. */
  readonly ord?: number;
  /** Added to each difference, so that the distance of equal vectors has a slope; 1e-6 when left out. */
  readonly epsilon?: number;
  /** The negative counts as near as it is to anchor or positive, whichever is less. Source: Balntas et al., 2016. */
  readonly swap?: boolean;
}

/**
 * max(0, |anchor - positive| - |anchor - negative| + margin) of vectors [..., size]; `margin` 1 when left out. As PyTorch's `triplet_margin_loss`.
 * Source: Schroff, Kalenichenko, Philbin, "FaceNet", 2015.
 * @throws DomainError for a norm whose order is not above 0
 */
export function tripletMargin(anchor: Operand, positive: Operand, negative: Operand, attrs: TripletAttrs = {}): Value {
  const {
    margin = 1,
    ord = 2,
    epsilon = 1e-6,
    swap = false,
    reduction,
  } = known("tripletMargin", attrs, ["margin", "ord", "epsilon", "swap", "reduction"]);
  const who = "tripletMargin";
  if (!(ord > 0)) throw new DomainError(`${who}: ord is ${ord}; the order of a norm is above 0`, { op: who });
  return scope(who, () => {
    const distance = (x: Operand, y: Operand): Value => norm(add(sub(x, y), epsilon), { ord, axis: -1 });
    const near = distance(anchor, positive);
    const far = distance(anchor, negative);
    const least = swap ? minimum(far, distance(positive, negative)) : far;
    return reduced(who, cost(add(sub(near, least), margin)), reduction);
  });
}
