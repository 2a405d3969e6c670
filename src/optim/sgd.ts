import { DomainError } from "../ir/errors.ts";
import { add, equal, mul, sub, where } from "../ops/index.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link sgd}. */
export interface SgdNumbers {
  /** How much of the last direction is kept, 0 unless given. */
  readonly momentum?: number;
  /** How much of each gradient but the first is left out of the momentum, 0 unless given. */
  readonly dampening?: number;
  /** Nesterov's momentum, as Sutskever et al. 2013 write it. */
  readonly nesterov?: boolean;
  /** What is added to the gradient for each unit of the parameter (an L2 penalty), 0 unless given. */
  readonly weightDecay?: number;
}

const rule: Rule<Required<SgdNumbers>, "m", "rate" | "share"> = {
  name: "sgd",
  slots: ({ momentum }) => (momentum > 0 ? { m: 0 } : {}),
  // The first direction is the whole gradient, whatever the dampening.
  scalars: ({ dampening }, { rate, count }) => ({ rate, share: dampening === 0 ? rate : where(equal(count, 1), 1, 1 - dampening) }),
  leaf: ({ momentum, dampening, nesterov, weightDecay }, { p, g, slots, now }) => {
    const slope = weightDecay === 0 ? g : add(g, mul(weightDecay, p));
    if (momentum === 0) return { p: sub(p, mul(now.rate, slope)) };
    const m = add(mul(momentum, slots.m), dampening === 0 ? slope : mul(now.share, slope));
    return { p: sub(p, mul(now.rate, nesterov ? add(slope, mul(momentum, m)) : m)), m };
  },
};

/**
 * Stochastic gradient descent, `p - rate * g`; with `momentum` along `m = momentum * m + g` (Polyak 1964; Sutskever, Martens, Dahl and Hinton 2013,
 * "On the importance of initialization and momentum in deep learning"). PyTorch's SGD, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, numbers out of range, and `nesterov` without momentum or with dampening
 */
export function sgd(options: CommonOptions<SgdNumbers> & SgdNumbers): Optimizer {
  const { momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = given("sgd", options);
  if (nesterov && !(momentum > 0 && dampening === 0))
    throw new DomainError(`sgd: nesterov needs a momentum and no dampening; momentum is ${momentum} and dampening ${dampening}`);
  return optimizerOf<Required<SgdNumbers>, "m", "rate" | "share">(rule, options, { momentum, dampening, nesterov, weightDecay });
}
