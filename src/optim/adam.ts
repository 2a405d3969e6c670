import type { Value } from "../ir/node.ts";
import { add, div, expm1, maximum, mul, neg, rsqrt, sqrt, square, sub } from "../ops/index.ts";
import { type CommonOptions, given, type LeafStep, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link adam} and {@link adamW}. */
export interface AdamNumbers {
  /** How much of the mean of gradients is kept, 0.9 unless given. */
  readonly beta1?: number;
  /** How much of the mean of squared gradients is kept, 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root of the mean square, 1e-8 unless given. */
  readonly epsilon?: number;
  /** Divides by the largest mean square so far (Reddi, Kale and Kumar 2018, "On the Convergence of Adam and Beyond"). */
  readonly amsgrad?: boolean;
  /** For `adam` an L2 penalty, 0 unless given; for `adamW` what shrinks the parameters apart from the gradient, 0.01 unless given. */
  readonly weightDecay?: number;
}

type Full = Required<AdamNumbers>;
type Slot = "m" | "v" | "vmax";
type Scalar = "rate" | "step" | "root";

/** 1 - beta^count, exact to the last places also where beta^count is close to 1. */
export function biasOf(beta: number, count: Value): Value {
  return neg(expm1(mul(Math.log(beta), count)));
}

/** An average that forgets: x + (1 - kept) (y - x). */
export function towards(x: Value, y: Value, kept: number): Value {
  return add(x, mul(1 - kept, sub(y, x)));
}

/** kept * x + (1 - kept) y^2 */
export function meanSquare(x: Value, y: Value, kept: number): Value {
  return add(mul(kept, x), mul(1 - kept, square(y)));
}

function slots({ amsgrad }: Full): { readonly [K in Slot]?: number } {
  return amsgrad ? { m: 0, v: 0, vmax: 0 } : { m: 0, v: 0 };
}

function scalars({ beta1, beta2 }: Full, { rate, count }: { readonly rate: Value; readonly count: Value }): Record<Scalar, Value> {
  return { rate, step: div(rate, biasOf(beta1, count)), root: rsqrt(biasOf(beta2, count)) };
}

/** The step along bias-corrected moments from where decay left the parameter. */
function moved({ beta1, beta2, epsilon, amsgrad }: Full, p: Value, g: Value, { slots: old, now }: LeafStep<Slot, Scalar>) {
  const m = towards(old.m, g, beta1);
  const v = meanSquare(old.v, g, beta2);
  const vmax = amsgrad ? maximum(old.vmax, v) : v;
  const next = sub(p, div(mul(now.step, m), add(mul(now.root, sqrt(vmax)), epsilon)));
  return amsgrad ? { p: next, m, v, vmax } : { p: next, m, v };
}

const penalised: Rule<Full, Slot, Scalar> = {
  name: "adam",
  slots,
  scalars,
  leaf: (s, step) => moved(s, step.p, s.weightDecay === 0 ? step.g : add(step.g, mul(s.weightDecay, step.p)), step),
};

const decoupled: Rule<Full, Slot, Scalar> = {
  name: "adamW",
  slots,
  scalars,
  leaf: (s, step) => moved(s, s.weightDecay === 0 ? step.p : sub(step.p, mul(mul(s.weightDecay, step.now.rate), step.p)), step.g, step),
};

/**
 * Adam: steps along the mean of gradients over the root of the mean of their squares, both corrected for their start at 0 (Kingma and Ba 2015,
 * arXiv:1412.6980, algorithm 1; the step count of the state is its t). PyTorch's Adam, number for number.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function adam(options: CommonOptions<AdamNumbers> & AdamNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false, weightDecay = 0 } = given("adam", options);
  return optimizerOf<Full, Slot, Scalar>(penalised, options, { beta1, beta2, epsilon, amsgrad, weightDecay });
}

/**
 * Adam with weight decay that does not go through the moments: parameters shrink by `rate * weightDecay` of themselves (Loshchilov and Hutter 2019,
 * arXiv:1711.05101, algorithm 2 as PyTorch's AdamW has it). `decay` names the parameters that shrink, such as `["*.w"]`; all unless given.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function adamW(options: CommonOptions<AdamNumbers> & AdamNumbers): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false, weightDecay = 0.01 } = given("adamW", options);
  return optimizerOf<Full, Slot, Scalar>(decoupled, options, { beta1, beta2, epsilon, amsgrad, weightDecay });
}
