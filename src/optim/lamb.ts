import { add, div, equal, logicalOr, mul, rsqrt, sqrt, square, sub, sum, where } from "../ops/index.ts";
import { biasOf, meanSquare, towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link lamb}. */
export interface LambNumbers {
  /** How much of the mean of gradients is kept, 0.9 unless given. */
  readonly beta1?: number;
  /** How much of the mean of squared gradients is kept, 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root of the mean square, 1e-6 unless given. */
  readonly epsilon?: number;
  /** What is added to the direction for each unit of the parameter, 0 unless given. */
  readonly weightDecay?: number;
}

type Full = Required<LambNumbers>;
type Scalar = "rate" | "mean" | "root";

const rule: Rule<Full, "m" | "v", Scalar> = {
  name: "lamb",
  looksAtAll: true,
  slots: () => ({ m: 0, v: 0 }),
  scalars: ({ beta1, beta2 }, { rate, count }) => ({ rate, mean: div(1, biasOf(beta1, count)), root: rsqrt(biasOf(beta2, count)) }),
  leaf: ({ beta1, beta2, epsilon, weightDecay }, { p, g, slots, now }) => {
    const m = towards(slots.m, g, beta1);
    const v = meanSquare(slots.v, g, beta2);
    const ratio = div(mul(now.mean, m), add(mul(now.root, sqrt(v)), epsilon));
    const along = weightDecay === 0 ? ratio : add(ratio, mul(weightDecay, p));
    const [size, length] = [sqrt(sum(square(p))), sqrt(sum(square(along)))];
    // A parameter of zeros, or a step of none, has no ratio: it moves as Adam would.
    const trust = where(logicalOr(equal(size, 0), equal(length, 0)), 1, div(size, length));
    return { p: sub(p, mul(mul(now.rate, trust), along)), m, v };
  },
};

/**
 * LAMB: Adam's direction, scaled for each parameter tensor to the tensor's own norm, for large batches (You et al. 2020, "Large Batch Optimization for
 * Deep Learning", arXiv:1904.00962, algorithm 2, with the identity for its phi).
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function lamb(options: CommonOptions<LambNumbers> & LambNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0 } = given("lamb", options);
  return optimizerOf<Full, "m" | "v", Scalar>(rule, options, { beta1, beta2, epsilon, weightDecay });
}
