import { add, div, mul, sqrt, sub } from "../ops/index.ts";
import { meanSquare } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link adadelta}. */
export interface AdadeltaNumbers {
  /** How much of both running means is kept, 0.9 unless given. */
  readonly rho?: number;
  /** Added under both roots, 1e-6 unless given. */
  readonly epsilon?: number;
  /** An L2 penalty, 0 unless given. */
  readonly weightDecay?: number;
}

const rule: Rule<Required<AdadeltaNumbers>, "v" | "moved", "rate"> = {
  name: "adadelta",
  slots: () => ({ v: 0, moved: 0 }),
  scalars: (_, { rate }) => ({ rate }),
  leaf: ({ rho, epsilon, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    const v = meanSquare(slots.v, slope, rho);
    const delta = mul(sqrt(div(add(slots.moved, epsilon), add(v, epsilon))), slope);
    return { p: sub(p, mul(now.rate, delta)), v, moved: meanSquare(slots.moved, delta, rho) };
  },
};

/**
 * Adadelta: steps in the units of the steps before, by running means of squares of both (Zeiler 2012, arXiv:1212.5701; its rate is 1).
 * PyTorch's Adadelta, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function adadelta(options: CommonOptions<AdadeltaNumbers> & AdadeltaNumbers): Optimizer {
  const { rho = 0.9, epsilon = 1e-6, weightDecay = 0 } = given("adadelta", options);
  return optimizerOf<Required<AdadeltaNumbers>, "v" | "moved", "rate">(rule, options, { rho, epsilon, weightDecay });
}
