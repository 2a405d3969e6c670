/** A number as a quotient, so that `x / 3` stays `x / 3` and does not become `0.333... * x`. The denominator is positive. */
export interface Ratio {
  readonly num: number;
  readonly den: number;
}

export const one: Ratio = { num: 1, den: 1 };

/** num / den in lowest terms when both are whole numbers that are held exactly; otherwise the quotient itself over 1. */
export function ratio(num: number, den = 1): Ratio {
  if (den === 1) return { num, den };
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den)) return { num: num / den, den: 1 };
  const divisor = commonDivisor(Math.abs(num), Math.abs(den)) * Math.sign(den);
  return { num: num / divisor, den: den / divisor };
}

function commonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export function product(a: Ratio, b: Ratio): Ratio {
  return ratio(a.num * b.num, a.den * b.den);
}

export function total(a: Ratio, b: Ratio): Ratio {
  return a.den === b.den ? ratio(a.num + b.num, a.den) : ratio(a.num * b.den + b.num * a.den, a.den * b.den);
}

export function opposite({ num, den }: Ratio): Ratio {
  return { num: -num, den };
}

/** A whole power; null where it is not finite. */
export function wholePower({ num, den }: Ratio, n: number): Ratio | null {
  const [top, bottom] = n < 0 ? [den, num] : [num, den];
  const size = Math.abs(n);
  const made = [top ** size, bottom ** size] as const;
  return made[1] === 0 || !made.every(Number.isFinite) ? null : ratio(...made);
}
