/** A point along a direction: how far, the value there, and the slope along the direction; what else belongs to it rides along. */
export interface Along {
  readonly t: number;
  readonly value: number;
  readonly slope: number;
}

/** How much a step has to lower the value, and how much of the slope it may leave. */
const lowers = 1e-4;
const flattens = 0.9;
const mostTries = 60;

/**
 * A step that satisfies the strong Wolfe conditions: Nocedal and Wright, "Numerical Optimization" (2nd ed. 2006), algorithms 3.5 and 3.6, with cubic
 * interpolation kept inside the bracket. Where values differ by no more than `noise`, slopes decide (Hager and Zhang 2005, "A new conjugate gradient
 * method with guaranteed descent", the approximate Wolfe conditions): close to a minimum differences of values are rounding. Points where value or
 * slope is not finite count as infinitely high. Null when no step lowers the value.
 */
export function lineSearch<A extends Along>(at: (t: number) => A, start: Along, first: number, noise: number): A | null {
  const { value: value0, slope: slope0 } = start;
  let best: A | null = null;
  const look = (t: number): A => {
    const a = at(t);
    if (isFine(a) && a.value <= value0 && (best === null || a.value < best.value)) best = a;
    return a;
  };
  const high = (a: Along): boolean => !isFine(a) || a.value > value0 + lowers * a.t * slope0;
  const holds = (a: A): boolean => {
    if (!isFine(a)) return false;
    if (!high(a) && Math.abs(a.slope) <= -flattens * slope0) return true;
    return a.value <= value0 + noise && a.slope >= flattens * slope0 && a.slope <= (2 * lowers - 1) * slope0;
  };

  /** Narrows a bracket: `low` satisfies the first condition and has the lowest value seen, and its slope points to `far`. */
  const zoom = (low: Along, far: Along, tries: number): A | null => {
    for (; tries < mostTries; tries++) {
      const t = between(low, far);
      if (t === low.t || t === far.t) return best;
      const a = look(t);
      if (holds(a)) return a;
      if (high(a) || a.value >= low.value) far = a;
      else {
        if (a.slope * (far.t - low.t) >= 0) far = low;
        low = a;
      }
    }
    return best;
  };

  let before: Along = start;
  let t = first;
  for (let tries = 0; tries < mostTries; tries++) {
    const a = look(t);
    if (holds(a)) return a;
    if (high(a) || (tries > 0 && a.value >= before.value)) return zoom(before, a, tries);
    if (a.slope >= 0) return zoom(a, before, tries);
    // Downhill still: further on, by the cubic where it says so, at least twice and at most ten times as far.
    const guess = cubic(before, a);
    before = a;
    t = guess > 2 * t ? Math.min(guess, 10 * t) : 2 * t;
  }
  return best;
}

function isFine({ value, slope }: Along): boolean {
  return Number.isFinite(value) && Number.isFinite(slope);
}

/** The minimiser of the cubic through two points with their slopes (Nocedal and Wright, 3.59); NaN where there is none. */
function cubic(a: Along, b: Along): number {
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t);
  const d2 = Math.sign(b.t - a.t) * Math.sqrt(d1 * d1 - a.slope * b.slope);
  return b.t - ((b.t - a.t) * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
}

/** A point inside a bracket, a tenth of it away from the ends; its middle where the cubic is of no use. */
function between(low: Along, far: Along): number {
  const width = far.t - low.t;
  if (!isFine(far)) return low.t + width / 4;
  const share = (cubic(low, far) - low.t) / width;
  return low.t + width * (Number.isNaN(share) ? 0.5 : Math.min(0.9, Math.max(0.1, share)));
}
