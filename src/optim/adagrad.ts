import { add, div, mul, sqrt, square, sub } from "../ops/index.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link adagrad}. */
export interface AdagradNumbers {
  /** Divides the rate by 1 + rateDecay * (steps before), 0 unless given. */
  readonly rateDecay?: number;
  /** What sums of squares begin with, 0 unless given. */
  readonly start?: number;
  /** Added to the root of the sum, 1e-10 unless given. */
  readonly epsilon?: number;
  /** An L2 penalty, 0 unless given. */
  readonly weightDecay?: number;
}

const rule: Rule<Required<AdagradNumbers>, "v", "rate"> = {
  name: "adagrad",
  slots: ({ start }) => ({ v: start }),
  scalars: ({ rateDecay }, { rate, count }) => ({ rate: rateDecay === 0 ? rate : div(rate, add(1, mul(rateDecay, sub(count, 1)))) }),
  leaf: ({ epsilon, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    const v = add(slots.v, square(slope));
    return { p: sub(p, div(mul(now.rate, slope), add(sqrt(v), epsilon))), v };
  },
};

/**
 * Adagrad: gradients over the root of the sum of all their squares (Duchi, Hazan and Singer 2011, "Adaptive Subgradient Methods", JMLR 12).
 * PyTorch's Adagrad, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function adagrad(options: CommonOptions<AdagradNumbers> & AdagradNumbers): Optimizer {
  const { rateDecay = 0, start = 0, epsilon = 1e-10, weightDecay = 0 } = given("adagrad", options);
  return optimizerOf<Required<AdagradNumbers>, "v", "rate">(rule, options, { rateDecay, start, epsilon, weightDecay });
}
