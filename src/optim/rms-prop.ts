import { add, div, maximum, mul, sqrt, square, sub } from "../ops/index.ts";
import { meanSquare, towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link rmsProp}. */
export interface RmsPropNumbers {
  /** How much of the mean of squared gradients is kept (PyTorch's alpha), 0.99 unless given. */
  readonly smoothing?: number;
  /** Added to the root of the mean square, 1e-8 unless given. */
  readonly epsilon?: number;
  /** How much of the last direction is kept, 0 unless given. */
  readonly momentum?: number;
  /** Takes the square of the mean gradient from the mean square, so that what divides is a standard deviation. */
  readonly centered?: boolean;
  /** An L2 penalty, 0 unless given. */
  readonly weightDecay?: number;
}

type Full = Required<RmsPropNumbers>;

const rule: Rule<Full, "v" | "mean" | "m", "rate"> = {
  name: "rmsProp",
  slots: ({ momentum, centered }) => ({ v: 0, ...(centered ? { mean: 0 } : {}), ...(momentum > 0 ? { m: 0 } : {}) }),
  scalars: (_, { rate }) => ({ rate }),
  leaf: ({ smoothing, epsilon, momentum, centered, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    const v = meanSquare(slots.v, slope, smoothing);
    const mean = centered ? towards(slots.mean, slope, smoothing) : null;
    // Rounding can take a variance below 0, where PyTorch's root is NaN.
    const spread = sqrt(mean === null ? v : maximum(sub(v, square(mean)), 0));
    const along = div(slope, add(spread, epsilon));
    const m = momentum > 0 ? add(mul(momentum, slots.m), along) : null;
    return { p: sub(p, mul(now.rate, m ?? along)), v, ...(mean === null ? {} : { mean }), ...(m === null ? {} : { m }) };
  },
};

/**
 * RMSProp: gradients over the root of a running mean of their squares (Tieleman and Hinton 2012, lecture 6.5 of "Neural Networks for Machine
 * Learning"; centred as in Graves 2013, arXiv:1308.0850). PyTorch's RMSprop, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function rmsProp(options: CommonOptions<RmsPropNumbers> & RmsPropNumbers): Optimizer {
  const { smoothing = 0.99, epsilon = 1e-8, momentum = 0, centered = false, weightDecay = 0 } = given("rmsProp", options);
  return optimizerOf<Full, "v" | "mean" | "m", "rate">(rule, options, { smoothing, epsilon, momentum, centered, weightDecay });
}
