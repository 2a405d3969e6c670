import { add, div, exp, mul, rsqrt, sqrt, sub } from "../ops/index.ts";
import { biasOf, meanSquare, towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link nadam}. */
export interface NadamNumbers {
  /** How much of the mean of gradients is kept, once momentum has risen to it; 0.9 unless given. */
  readonly beta1?: number;
  /** How much of the mean of squared gradients is kept, 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root of the mean square, 1e-8 unless given. */
  readonly epsilon?: number;
  /** How fast momentum rises from half of beta1 to beta1, 0.004 unless given. */
  readonly momentumDecay?: number;
  /** An L2 penalty, 0 unless given. */
  readonly weightDecay?: number;
}

type Full = Required<NadamNumbers>;
type Scalar = "product" | "slope" | "mean" | "root";

const rule: Rule<Full, "m" | "v", Scalar> = {
  name: "nadam",
  slots: () => ({ m: 0, v: 0 }),
  // The product of the momenta so far has no closed form.
  kept: { product: 1 },
  scalars: ({ beta1, beta2, momentumDecay }, { rate, count, kept }) => {
    const momentum = (t: typeof count) => mul(beta1, sub(1, mul(0.5, exp(mul(Math.log(0.96) * momentumDecay, t)))));
    const now = momentum(count);
    const next = momentum(add(count, 1));
    const product = mul(kept.product, now);
    return {
      product,
      slope: div(mul(rate, sub(1, now)), sub(1, product)),
      mean: div(mul(rate, next), sub(1, mul(product, next))),
      root: rsqrt(biasOf(beta2, count)),
    };
  },
  leaf: ({ beta1, beta2, epsilon, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    const m = towards(slots.m, slope, beta1);
    const v = meanSquare(slots.v, slope, beta2);
    // Two steps, one after the other, as PyTorch takes them: the recorded trajectory has a gradient that is 0 but for rounding, which Adam makes large.
    const spread = add(mul(now.root, sqrt(v)), epsilon);
    return { p: sub(sub(p, div(mul(now.slope, slope), spread)), div(mul(now.mean, m), spread)), m, v };
  },
};

/**
 * NAdam: Adam with Nesterov's momentum, which rises over time (Dozat 2016, "Incorporating Nesterov Momentum into Adam"). PyTorch's NAdam, number for
 * number; its usual rate is 2e-3.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function nadam(options: CommonOptions<NadamNumbers> & NadamNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentumDecay = 4e-3, weightDecay = 0 } = given("nadam", options);
  return optimizerOf<Full, "m" | "v", Scalar>(rule, options, { beta1, beta2, epsilon, momentumDecay, weightDecay });
}
