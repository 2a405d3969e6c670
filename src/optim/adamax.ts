import { abs, add, div, maximum, mul, sub } from "../ops/index.ts";
import { biasOf, towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link adamax}. */
export interface AdamaxNumbers {
  /** How much of the mean of gradients is kept, 0.9 unless given. */
  readonly beta1?: number;
  /** How much of the largest magnitude is kept, 0.999 unless given. */
  readonly beta2?: number;
  /** Added to each magnitude, 1e-8 unless given. */
  readonly epsilon?: number;
  /** An L2 penalty, 0 unless given. */
  readonly weightDecay?: number;
}

const rule: Rule<Required<AdamaxNumbers>, "m" | "u", "step"> = {
  name: "adamax",
  slots: () => ({ m: 0, u: 0 }),
  scalars: ({ beta1 }, { rate, count }) => ({ step: div(rate, biasOf(beta1, count)) }),
  leaf: ({ beta1, beta2, epsilon, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    const m = towards(slots.m, slope, beta1);
    const u = maximum(mul(beta2, slots.u), add(abs(slope), epsilon));
    return { p: sub(p, div(mul(now.step, m), u)), m, u };
  },
};

/**
 * Adamax: Adam with the largest magnitude so far, which decays, in place of the root mean square (Kingma and Ba 2015, arXiv:1412.6980, algorithm 2).
 * PyTorch's Adamax, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function adamax(options: CommonOptions<AdamaxNumbers> & AdamaxNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = given("adamax", options);
  return optimizerOf<Required<AdamaxNumbers>, "m" | "u", "step">(rule, options, { beta1, beta2, epsilon, weightDecay });
}
