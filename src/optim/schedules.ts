import { DomainError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { checkOptionNames, kindText, type OtherNames } from "../notation/given.ts";
import { add, cos, div, exp, floor, greater, greaterEqual, less, log, maximum, minimum, mul, pow, sub, where } from "../ops/index.ts";
import type { Plateau } from "./plateau.ts";
import { checkRate, type Rate } from "./rate.ts";

/** A rate as a function of the steps taken before this one, an f64 scalar that is 0 at the first step. Part of the graph, compiled with it. */
export type Schedule = (step: Value) => Value;

function need(ok: boolean, who: string, name: string, x: unknown, rule: string): void {
  if (!ok) throw new DomainError(`${who}: ${name} is ${String(x)}; it has to be ${rule}`);
}

function needRate(who: string, name: string, x: number, zero: boolean): void {
  const ok = x < Number.POSITIVE_INFINITY && (zero ? x >= 0 : x > 0);
  need(ok, who, name, x, zero ? "a rate, a number of 0 or more" : "a rate, a number above 0");
}

function needSteps(who: string, name: string, x: number, least: number = 1): void {
  need(Number.isInteger(x) && x >= least, who, name, x, `a whole number of steps, ${least} or more`);
}

function needFactor(who: string, x: number): void {
  need(x > 0 && x < Number.POSITIVE_INFINITY, who, "factor", x, "a number above 0 that rates are multiplied by");
}

/** What other libraries call them. */
const otherNames: OtherNames = {
  lr: "from",
  rate: "from",
  learningRate: "from",
  maxLr: "peak",
  gamma: "factor",
  stepSize: "every",
  milestones: "at",
  tMax: "steps",
  totalSteps: "steps",
  totalIters: "steps",
  epochs: "steps",
  etaMin: "to",
  warmupSteps: "warmup",
  pctStart: "warmup",
  tMult: "factor",
};

/** factor^n for whole or real n */
function power(factor: number, n: Value): Value {
  return exp(mul(Math.log(factor), n));
}

/** From `from` where `share` is 0 to `to` where it is 1, along half a cosine. */
function along(from: number, to: number, share: Value): Value {
  return add(to, mul((from - to) / 2, add(1, cos(mul(Math.PI, share)))));
}

/** The part of `steps` that is over, at most 1. */
function done(step: Value, steps: number): Value {
  return minimum(div(step, steps), 1);
}

/**
 * A rate that falls by `factor` at every `every`th step, or at the steps listed in `at`. PyTorch's StepLR and MultiStepLR.
 * @throws DomainError for numbers out of range, and unless one of `every` and `at` is given
 */
export function step(options: {
  readonly from: number;
  readonly factor: number;
  readonly every?: number;
  readonly at?: readonly number[];
}): Schedule {
  checkOptionNames("step", options, ["from", "factor", "every", "at"], "step({ from: 0.1, factor: 0.1, every: 300 })", otherNames);
  const { from, factor, every, at } = options;
  if (at !== undefined && !Array.isArray(at)) throw new DomainError(`step: at is ${kindText(at)}; it is a list of steps: at: [300, 600]`);
  needRate("step", "from", from, false);
  needFactor("step", factor);
  if ((every === undefined) === (at === undefined)) throw new DomainError("step: give either every, as 30, or at, as [30, 60, 90]");
  if (every !== undefined) needSteps("step", "every", every);
  for (const x of at ?? []) needSteps("step", "an entry of at", x, 0);
  return (now) => {
    if (every !== undefined) return mul(from, power(factor, floor(div(now, every))));
    let rate = lift(from, "f64");
    for (const x of at!) rate = mul(rate, where(greaterEqual(now, x), factor, 1));
    return rate;
  };
}

/** `from * factor^step`. PyTorch's ExponentialLR. @throws DomainError for numbers out of range */
export function exponential(options: { readonly from: number; readonly factor: number }): Schedule {
  checkOptionNames("exponential", options, ["from", "factor"], "exponential({ from: 0.1, factor: 0.999 })", otherNames);
  const { from, factor } = options;
  needRate("exponential", "from", from, false);
  needFactor("exponential", factor);
  return (now) => mul(from, power(factor, now));
}

/** A straight line from `from` to `to` over `steps` steps, then `to`. PyTorch's LinearLR. @throws DomainError for numbers out of range */
export function ramp(options: { readonly from: number; readonly to: number; readonly steps: number }): Schedule {
  checkOptionNames("ramp", options, ["from", "to", "steps"], "ramp({ from: 0.1, to: 0.01, steps: 1000 })", otherNames);
  const { from, to, steps } = options;
  needRate("ramp", "from", from, true);
  needRate("ramp", "to", to, true);
  needSteps("ramp", "steps", steps);
  return (now) => add(from, mul(to - from, done(now, steps)));
}

/**
 * `from * (1 - step / steps)^power` down to 0, and 0 from then on. PyTorch's PolynomialLR.
 * @throws DomainError for numbers out of range
 */
export function polynomial(options: { readonly from: number; readonly steps: number; readonly power?: number }): Schedule {
  checkOptionNames("polynomial", options, ["from", "steps", "power"], "polynomial({ from: 0.1, steps: 1000 })", otherNames);
  const { from, steps, power: exponent = 1 } = options;
  needRate("polynomial", "from", from, false);
  needSteps("polynomial", "steps", steps);
  need(exponent > 0 && exponent < Number.POSITIVE_INFINITY, "polynomial", "power", exponent, "a number above 0");
  return (now) => mul(from, pow(sub(1, done(now, steps)), exponent));
}

/**
 * Half a cosine from `from` down to `to` (0 unless given), reached after `steps` steps and kept; the first `warmup` of them rise to `from` as
 * {@link warmup} does. Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, without restarts; PyTorch's CosineAnnealingLR, which goes up again.
 * @throws DomainError for numbers out of range
 */
export function cosine(options: {
  readonly from: number;
  readonly steps: number;
  readonly to?: number;
  readonly warmup?: number;
}): Schedule {
  checkOptionNames("cosine", options, ["from", "steps", "to", "warmup"], "cosine({ from: 0.1, steps: 1000 })", otherNames);
  const { from, steps, to = 0, warmup: rise = 0 } = options;
  needRate("cosine", "from", from, false);
  needRate("cosine", "to", to, true);
  needSteps("cosine", "steps", steps);
  need(
    Number.isInteger(rise) && rise >= 0 && rise < steps,
    "cosine",
    "warmup",
    rise,
    `a whole number of steps, fewer than the ${steps} of all`,
  );
  const fall: Schedule = (now) => along(from, to, done(now, steps - rise));
  return rise === 0 ? fall : (warmup(fall, rise) as Schedule);
}

/**
 * Half cosines from `from` down to `to`, again and again: the first over `steps` steps, each next one `factor` times as long. Loshchilov and Hutter
 * 2017, "SGDR", arXiv:1608.03983; PyTorch's CosineAnnealingWarmRestarts.
 * @throws DomainError for numbers out of range
 */
export function cosineRestarts(options: {
  readonly from: number;
  readonly steps: number;
  readonly to?: number;
  readonly factor?: number;
}): Schedule {
  checkOptionNames("cosineRestarts", options, ["from", "steps", "to", "factor"], "cosineRestarts({ from: 0.1, steps: 100 })", otherNames);
  const { from, steps, to = 0, factor = 1 } = options;
  needRate("cosineRestarts", "from", from, false);
  needRate("cosineRestarts", "to", to, true);
  needSteps("cosineRestarts", "steps", steps);
  need(Number.isInteger(factor) && factor >= 1, "cosineRestarts", "factor", factor, "a whole number, 1 or more");
  return (now) => {
    const rounds = div(now, steps);
    if (factor === 1) return along(from, to, sub(rounds, floor(rounds)));
    // The periods before number n take (factor^n - 1) / (factor - 1) of the first one.
    const n = floor(add(mul(log(add(1, mul(factor - 1, rounds))), 1 / Math.log(factor)), 1e-9));
    const length = power(factor, n);
    return along(from, to, maximum(div(sub(rounds, div(sub(length, 1), factor - 1)), length), 0));
  };
}

/**
 * Up to `peak` over the first `warmup` of the steps (a share, 0.3 unless given) from `peak / 25`, then down to a 10,000th of that, along half
 * cosines or straight lines. Smith and Topin 2018, "Super-Convergence", arXiv:1708.07120; PyTorch's OneCycleLR, number for number.
 * @throws DomainError for numbers out of range
 */
export function oneCycle(options: {
  readonly peak: number;
  readonly steps: number;
  readonly warmup?: number;
  readonly from?: number;
  readonly to?: number;
  readonly shape?: "cosine" | "linear";
}): Schedule {
  const known = ["peak", "steps", "warmup", "from", "to", "shape"];
  checkOptionNames("oneCycle", options, known, "oneCycle({ peak: 0.1, steps: 1000 })", { ...otherNames, lr: "peak", rate: "peak" });
  const { peak, steps, warmup: share = 0.3, from = peak / 25, to = from / 1e4, shape = "cosine" } = options;
  needRate("oneCycle", "peak", peak, false);
  needRate("oneCycle", "from", from, true);
  needRate("oneCycle", "to", to, true);
  needSteps("oneCycle", "steps", steps, 2);
  need(share >= 0 && share <= 1, "oneCycle", "warmup", share, "a share of the steps, from 0 to 1");
  need(shape === "cosine" || shape === "linear", "oneCycle", "shape", shape, '"cosine" or "linear"');
  const top = share * steps - 1;
  const end = steps - 1;
  const between = (a: number, b: number, part: Value): Value => (shape === "cosine" ? along(a, b, part) : add(a, mul(b - a, part)));
  return (now) => {
    const fall = between(peak, to, minimum(div(sub(now, top), end - top), 1));
    return top <= 0 ? fall : where(greater(now, top), fall, between(from, peak, minimum(div(now, top), 1)));
  };
}

/**
 * A rate that rises in a straight line over the first `steps` steps to where `rate` begins, which goes on from there: step 0 takes 1 / (steps + 1) of
 * it. Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677.
 * @throws DomainError for numbers out of range, and for a rate that follows a metric
 */
export function warmup(rate: Rate, steps: number): Schedule {
  checkRate(rate, "warmup");
  needSteps("warmup", "steps", steps);
  if (isPlateau(rate)) throw new DomainError("warmup: a plateau has no steps to begin with; warm up a number or a schedule");
  return (now) => {
    const then = typeof rate === "number" ? lift(rate, "f64") : rate(maximum(sub(now, steps), 0));
    return where(less(now, steps), mul(then, div(add(now, 1), steps + 1)), then);
  };
}

function isPlateau(rate: Rate): rate is Plateau {
  return typeof rate === "object";
}
