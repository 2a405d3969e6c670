/** A derivative found by differences. */
export interface Slope {
  readonly value: number;
  /** What the extrapolation says about its own error. */
  readonly error: number;
  /** The smallest step that `value` was made from. */
  readonly step: number;
}

/** One-sided derivatives, and whether they or the values themselves disagree for a reason that smaller steps do not remove. */
export interface Sides {
  readonly left: number;
  readonly right: number;
  /** The slopes from the left and from the right differ, or the value jumps: there is no one derivative. */
  readonly kink: boolean;
  /** How far rounding in `f` may move `left` and `right`. */
  readonly noise: number;
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

/** What is asked of a function to call it bent: by its precision. */
export interface Bend {
  /** The relative difference of slopes, or height of a jump, from which on they count. */
  readonly tolerance: number;
  /** The rounding unit of the function's own computation. */
  readonly unit: number;
}

/**
 * Slopes from the left and from the right at 0, extrapolated once, at two steps: at a kink they stay apart, elsewhere they meet. Where the value
 * jumps (a gradient at a kink of its function does), the slopes are those beside the jump.
 */
export function sidesOf(f: (t: number) => number, step: number, { tolerance, unit }: Bend): Sides {
  const middle = f(0);
  const near = step / 8;
  const [high, low, nearHigh, nearLow] = [f(step), f(-step), f(near), f(-near)];
  const size = Math.max(Math.abs(middle), Math.abs(nearHigh), Math.abs(nearLow));
  const leap = Math.abs(nearHigh - nearLow);
  // A smooth function moves eight times less within an eighth of the step.
  if (leap > 0.8 * Math.abs(high - low) && leap > tolerance * size + 64 * unit * size) {
    const beside = (h: number): number => {
      const at = (g: number): number => (f(g) - f(g / 2)) / (g / 2);
      return 2 * at(h / 2) - at(h);
    };
    const [right, left] = [beside(step), beside(-step)];
    return { left, right, kink: true, noise: (64 * unit * size) / near };
  }
  const side = (h: number, end: number): number => 2 * ((f(h / 2) - middle) / (h / 2)) - (end - middle) / h;
  const [right, left] = [side(step, high), side(-step, low)];
  const [nearRight, nearLeft] = [side(near, nearHigh), side(-near, nearLow)];
  const apart = Math.abs(right - left);
  const nearApart = Math.abs(nearRight - nearLeft);
  const scale = Math.max(Math.abs(nearRight), Math.abs(nearLeft), 1e-12);
  const noise = (64 * unit * Math.abs(middle)) / (step / 16);
  return { left: nearLeft, right: nearRight, kink: nearApart > tolerance * scale + noise && nearApart > 0.5 * apart, noise };
}
