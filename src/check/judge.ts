import { sidesOf, slopeOf } from "./slope.ts";
import type { Thresholds } from "./thresholds.ts";

/**
 * "pass": analytic and numeric agree. "look": they differ more than rounding explains, or no step gives a number to trust. "fail": the gradient
 * is wrong. "kink": the slopes from the left and from the right differ, or the value jumps (at order 2: the gradient does, because the function has
 * a kink there), and the analytic one lies between the slopes on both sides.
 */
export type Verdict = "pass" | "look" | "fail" | "kink";

/** What a comparison of one slope found. */
export interface Judged {
  readonly analytic: number;
  readonly numeric: number;
  readonly error: number;
  readonly verdict: Verdict;
  readonly step: number;
}

/** Compares an analytic slope of `f` at 0 with differences of it, the largest of which has the step `first`. */
export function judge(f: (t: number) => number, analytic: number, first: number, limit: Thresholds, precision: "f64" | "f32"): Judged {
  const slope = slopeOf(f, first);
  const epsilon = precision === "f64" ? 2.3e-16 : 1.2e-7;
  // Rounding in f32 hides a kink from steps as small as those that f64 sees it at.
  const sides = sidesOf(f, precision === "f64" ? first / 64 : first, { tolerance: precision === "f64" ? 1e-5 : 5e-2, unit: epsilon });
  // Rounding in f itself shows as this much slope: an error below it says nothing.
  const noise = (8 * epsilon * Math.abs(f(0))) / slope.step + 1e-14;
  // Where the curvature changes at the point, central differences come near slowly and the sides agree at once.
  const meet =
    !sides.kink && Math.abs(sides.left - sides.right) <= limit.pass * Math.max(Math.abs(sides.left), Math.abs(sides.right)) + sides.noise;
  const slow = slope.error > limit.pass * Math.abs(slope.value);
  const numeric = slow && meet ? (sides.left + sides.right) / 2 : slope.value;
  const blur = slow && meet ? sides.noise : noise;
  const row = (verdict: Verdict, error: number): Judged => ({ analytic, numeric, error, verdict, step: slope.step });
  const apart = Math.abs(analytic - numeric);
  const error = apart === 0 ? 0 : apart / Math.max(Math.abs(analytic), Math.abs(numeric));
  if (sides.kink) {
    const [low, high] = [Math.min(sides.left, sides.right), Math.max(sides.left, sides.right)];
    const slack = 1e-3 * (high - low) + limit.look * Math.max(Math.abs(low), Math.abs(high)) + sides.noise;
    return row(analytic >= low - slack && analytic <= high + slack ? "kink" : "fail", error);
  }
  if (!Number.isFinite(numeric) || !Number.isFinite(slope.error) || !Number.isFinite(f(0)))
    return row("look", Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  if (!Number.isFinite(analytic)) return row("fail", Number.POSITIVE_INFINITY);
  if (error <= limit.pass || apart <= blur) return row("pass", error);
  return row(error <= limit.look || apart <= 10 * slope.error ? "look" : "fail", error);
}
