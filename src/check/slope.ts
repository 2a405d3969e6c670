/** A derivative found by differences. */
export interface Slope {
  readonly value: number;
  /** What the extrapolation says about its own error. */
  readonly error: number;
  /** The smallest step that `value` was made from. */
  readonly step: number;
}

/** One-sided derivatives, and whether they disagree for a reason that smaller steps do not remove. */
export interface Sides {
  readonly left: number;
  readonly right: number;
  readonly kink: boolean;
}

/**
 * The derivative of `f` at 0 by central differences with steps `first`, `first / 2`, ..., extrapolated to step 0; of all extrapolations the one
 * that agrees best with its neighbours is taken, so the step is chosen by convergence.
 * Source: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
 */
export function slopeOf(f: (t: number) => number, first: number, rounds = 8): Slope {
  let best: Slope = { value: Number.NaN, error: Number.POSITIVE_INFINITY, step: first };
  let before: number[] = [];
  let step = first;
  for (let i = 0; i < rounds; i++, step /= 2) {
    const row = [(f(step) - f(-step)) / (2 * step)];
    for (let j = 1, power = 4; j <= i; j++, power *= 4) {
      const value = (power * row[j - 1]! - before[j - 1]!) / (power - 1);
      row.push(value);
      const error = Math.max(Math.abs(value - row[j - 1]!), Math.abs(value - before[j - 1]!));
      if (error < best.error) best = { value, error, step };
    }
    before = row;
  }
  return best;
}

/** Slopes from the left and from the right at 0, extrapolated once, at two steps: at a kink they stay apart, elsewhere they meet. */
export function sidesOf(f: (t: number) => number, step: number, tolerance: number): Sides {
  const middle = f(0);
  const side = (h: number): number => 2 * ((f(h / 2) - middle) / (h / 2)) - (f(h) - middle) / h;
  const [right, left] = [side(step), side(-step)];
  const [nearRight, nearLeft] = [side(step / 8), side(-step / 8)];
  const apart = Math.abs(right - left);
  const nearApart = Math.abs(nearRight - nearLeft);
  const scale = Math.max(Math.abs(nearRight), Math.abs(nearLeft), 1e-12);
  const noise = (64 * 2.3e-16 * Math.abs(middle)) / (step / 16);
  return { left: nearLeft, right: nearRight, kink: nearApart > tolerance * scale + noise && nearApart > 0.5 * apart };
}
