import { add, mul, sign, sub } from "../ops/index.ts";
import { towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link lion}. */
export interface LionNumbers {
  /** How much of the momentum is in the direction of a step, 0.9 unless given. */
  readonly beta1?: number;
  /** How much of the momentum is kept, 0.99 unless given. */
  readonly beta2?: number;
  /** What shrinks the parameters apart from the gradient, 0 unless given. */
  readonly weightDecay?: number;
}

const rule: Rule<Required<LionNumbers>, "m", "rate"> = {
  name: "lion",
  slots: () => ({ m: 0 }),
  scalars: (_, { rate }) => ({ rate }),
  leaf: ({ beta1, beta2, weightDecay }, { p, g, slots, now }) => {
    const along = sign(towards(slots.m, g, beta1));
    return {
      p: sub(p, mul(now.rate, weightDecay === 0 ? along : add(along, mul(weightDecay, p)))),
      m: towards(slots.m, g, beta2),
    };
  },
};

/**
 * Lion: steps of one size in every element, along the sign of a mean of gradients (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms",
 * arXiv:2302.06675, algorithm 2). Its rate is 3 to 10 times smaller, and its weight decay as much larger, than AdamW's.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function lion(options: CommonOptions<LionNumbers> & LionNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = given("lion", options);
  return optimizerOf<Required<LionNumbers>, "m", "rate">(rule, options, { beta1, beta2, weightDecay });
}
