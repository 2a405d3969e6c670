/**
 * What a relative error of a gradient means. Below `pass` analytic and numeric agree; below `look` they deserve a look; above it the gradient is
 * wrong.
 */
export interface Thresholds {
  readonly pass: number;
  readonly look: number;
}

/** All numbers that a check, a health report, the command line and a page judge by. `docs/health.md` has them with their sources. */
export interface ThresholdTable {
  /**
   * Gradient checks of functions computed in f64. Source: Stanford CS231n, "Neural Networks Part 3", gradient checks: above 1e-2 the gradient is
   * probably wrong, above 1e-4 it should make uncomfortable (too high unless there are kinks), 1e-7 and less is what makes happy, for central
   * differences in double precision. Between `look` and `fail` the lecture leaves it open; the extrapolated differences of `checkGradients` reach
   * further than plain ones, so it says "fail" from `look` on, and tells kinks apart by their one-sided slopes.
   */
  readonly f64: Thresholds & { readonly fail: number };
  /** The same where the function computes in f32, whose rounding differences magnify. Ours, measured. */
  readonly f32: Thresholds & { readonly fail: number };
  /** The same across a kink. Source: as `f64`: 1e-4 is usually fine there, above 1e-2 it is wrong. */
  readonly kinks: { readonly pass: number; readonly fail: number };
  /** The norm of an update over the norm of the weights. Source: CS231n, "Neural Networks Part 3", ratio of weights to updates: around 1e-3. */
  readonly updateToWeight: { readonly aim: number; readonly low: number; readonly high: number };
  /** The share of units that are off for every sample of the batch. Source: CS231n, "Neural Networks Part 1", on dying ReLUs (up to 40 % seen); the limit is ours. */
  readonly deadUnits: number;
  /** `share` of the elements whose local derivative is below `slope` times the largest one. Source: Glorot and Bengio, 2010; the limits are ours. */
  readonly saturation: { readonly share: number; readonly slope: number };
  /** The root mean square of a parameter's gradient. Ours. */
  readonly gradient: { readonly vanishing: number; readonly exploding: number };
  /** The same of the gradient at a layer's result, over that `over` layers nearer to the loss. Ours. */
  readonly layers: { readonly over: number; readonly vanishing: number; readonly exploding: number };
  /** How far the loss of the first step may be from that of guessing, as a share of it. Source of the check: CS231n, "Neural Networks Part 3", sanity checks. */
  readonly firstLoss: number;
  /** The root mean square of data that meets weights. Source of the check: CS231n, "Backpropagation": data times 1000 makes gradients times 1000; the limits are ours. */
  readonly inputScale: { readonly low: number; readonly high: number };
  /** How many units in the last place, at a tensor's largest element, two computations of it may differ by. Ours: sums in another order. */
  readonly ulps: number;
}

/** The one table of thresholds. */
export const thresholds: ThresholdTable = {
  f64: { pass: 1e-7, look: 1e-4, fail: 1e-2 },
  f32: { pass: 1e-3, look: 3e-2, fail: 0.3 },
  kinks: { pass: 1e-4, fail: 1e-2 },
  updateToWeight: { aim: 1e-3, low: 1e-5, high: 1e-1 },
  deadUnits: 0.5,
  saturation: { share: 0.5, slope: 0.01 },
  gradient: { vanishing: 1e-7, exploding: 1e3 },
  layers: { over: 3, vanishing: 1e-2, exploding: 1e2 },
  firstLoss: 0.2,
  inputScale: { low: 1e-2, high: 10 },
  ulps: 256,
};
