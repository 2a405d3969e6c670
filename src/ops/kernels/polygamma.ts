import { horner } from "./horner.ts";

/** The positive zero of digamma, as an exact sum of three doubles. */
export const rootOfDigamma: readonly [number, number, number] = [1569415565 / 2 ** 30, 381566830 / 2 ** 60, 9.016312093258695e-20];

/**
 * digamma on [1, 2] as (x - root)(offset + P(x - 1) / Q(x - 1)), lowest coefficients first: John Maddock's minimax fit in Boost.Math's digamma.hpp (Boost
 * Software License 1.0).
 */
export const nearRoot: { readonly offset: number; readonly above: readonly number[]; readonly below: readonly number[] } = {
  offset: 0.9955816268920898,
  above: [0.25479851061131553, -0.3255503118680449, -0.6503185377089651, -0.28919126444774784, -0.04525132144873906, -0.002071332116774595],
  below: [
    1, 2.076711702373047, 1.4606242909763516, 0.43593529692665967, 0.054151797245674226, 0.0021284987017821146, -5.578984132167551e-7,
  ],
};

function digammaOneToTwo(x: number): number {
  const [head, middle, tail] = rootOfDigamma;
  const t = x - 1;
  const g = x - head - middle - tail;
  return g * nearRoot.offset + g * (horner(t, nearRoot.above) / horner(t, nearRoot.below));
}

/** B_2k / 2k with alternating signs, from k = 1 on. */
export const digammaSeries: readonly number[] = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160];

/** The asymptotic series log x - 1/(2x) - sum B_2k / (2k x^2k) for x >= 10 (Abramowitz and Stegun 6.3.18). */
function digammaLarge(x: number): number {
  const z = 1 / (x * x);
  return Math.log(x) - 0.5 / x - z * horner(z, digammaSeries);
}

/** pi / tan(pi x) for x that is no integer, the argument reduced before pi comes in. */
function piCotangent(x: number): number {
  const r = x - Math.round(x);
  return Math.abs(r) <= 0.25 ? Math.PI / Math.tan(Math.PI * r) : Math.PI * Math.tan(Math.PI * (r > 0 ? 0.5 - r : -0.5 - r));
}

/**
 * digamma(x) = d/dx log Gamma(x). As in PyTorch and SciPy: digamma(+0) = -Infinity, digamma(-0) = +Infinity, NaN at the negative integers
 * and at -Infinity; digamma(Infinity) = Infinity. Right to a few ulp, beside its positive zero also; beside the negative zeros the error
 * is absolute.
 */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x < 0) {
    if (x === Math.floor(x)) return NaN;
    // Here the pole at 0 alone is left, and the others of what follows may be infinite.
    if (x > -(2 ** -70)) return -1 / x;
    // digamma(1 - x) - digamma(x) = pi cot(pi x), and digamma(1 - x) = digamma(-x) - 1/x, which loses no bits of a small x.
    return digamma(-x) - 1 / x - piCotangent(x);
  }
  if (x >= 10) return digammaLarge(x);
  if (Number.isNaN(x)) return x;
  let y = x;
  let carried = 0;
  while (y > 2) {
    y -= 1;
    carried += 1 / y;
  }
  if (y < 1) return digammaOneToTwo(y + 1) - 1 / y;
  return digammaOneToTwo(y) + carried;
}

/** B_2j / (2j)! for j = 1 .. 16. */
const BERNOULLI_OVER_FACTORIAL: readonly number[] = [
  0.08333333333333333, -0.001388888888888889, 3.306878306878307e-5, -8.267195767195768e-7, 2.08767569878681e-8, -5.284190138687493e-10,
  1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15, -2.174868698558062e-16, 5.5090028283602295e-18,
  -1.3954464685812522e-19, 3.534707039629467e-21, -8.953517427037546e-23, 2.267952452337683e-24, -5.744790668872202e-26,
];

/** (scale / x)^s; with scale 1 the quotient is left to the power, which rounds once. */
function term(s: number, x: number, scale: number): number {
  return scale === 1 ? x ** -s : (scale / x) ** s;
}

/** B_2j / (2j)! from j = 1 on, as many as the series needs. */
export function bernoulliOverFactorial(): readonly number[] {
  return BERNOULLI_OVER_FACTORIAL;
}

/** scale^s times the Hurwitz zeta function sum 1/(x + k)^s, x > 0 and s >= 2 an integer, by Euler-Maclaurin summation (DLMF 25.11.28). */
function hurwitzZeta(s: number, x: number, scale: number): number {
  // Enough terms that the Bernoulli series, whose terms shrink by ((s + 2j) / (2 pi a))^2, ends below rounding.
  const from = 12 + 0.5 * s;
  let count = x < from ? Math.ceil(from - x) : 0;
  const a = x + count;
  const base = term(s, a, scale);
  let factor = (base * s) / a;
  let tail = 0;
  for (let j = 0; j < BERNOULLI_OVER_FACTORIAL.length; j++) {
    tail += BERNOULLI_OVER_FACTORIAL[j]! * factor;
    factor *= ((s + 2 * j + 1) / a) * ((s + 2 * j + 2) / a);
  }
  // Smallest first.
  let sum = tail + 0.5 * base + (base * a) / (s - 1);
  while (count > 0) {
    count--;
    sum += term(s, x + count, scale);
  }
  return sum;
}

/** n! as a double; Infinity from 171 on. */
export function factorial(n: number): number {
  let product = 1;
  for (let k = 2; k <= n && product < Infinity; k++) product *= k;
  return product;
}

/** n! zeta(n + 1, x) for x > 0. */
function scaledZeta(n: number, x: number): number {
  if (x === Infinity) return 0;
  const zeta = hurwitzZeta(n + 1, x, 1);
  if (n <= 170 && zeta > 1e-290 && zeta < Infinity) return factorial(n) * zeta;
  // n! or zeta leaves the range of doubles; n! / x^(n+1) as a product of n + 1 quotients need not.
  let lead = 1 / x;
  for (let k = 1; k <= n; k++) lead *= k / x;
  return lead * hurwitzZeta(n + 1, x, x);
}

/**
 * The polynomial P_n, lowest coefficient first, that gives the n-th derivative of pi cot(pi x) as pi^(n+1) P_n(cot(pi x)): P_0(c) = c and
 * P_{n+1}(c) = -(1 + c^2) P_n'(c). The coefficients of one P_n share a sign, and each other one is 0.
 */
export function cotangentPolynomial(n: number): Float64Array {
  let coefficients = new Float64Array(n + 2);
  let next = new Float64Array(n + 2);
  coefficients[1] = 1;
  for (let order = 0; order < n; order++) {
    next.fill(0);
    for (let power = 1; power <= order + 1; power++) {
      const slope = power * coefficients[power]!;
      next[power - 1] = next[power - 1]! - slope;
      next[power + 1] = next[power + 1]! - slope;
    }
    [coefficients, next] = [next, coefficients];
  }
  return coefficients;
}

function piCotangentDerivative(n: number, x: number): number {
  const coefficients = cotangentPolynomial(n);
  const c = piCotangent(x) / Math.PI;
  let value = 0;
  for (let power = n + 1; power >= 0; power--) value = value * c + coefficients[power]!;
  return value * Math.PI ** (n + 1);
}

/**
 * The n-th derivative of digamma, psi^(n)(x) = (-1)^(n+1) n! zeta(n + 1, x) (Abramowitz and Stegun 6.4.10); polygamma(0, x) is digamma(x).
 * Negative x by the reflection psi^(n)(x) = (-1)^n psi^(n)(1 - x) - d^n/dx^n pi cot(pi x) (6.4.7). At the poles 0, -1, -2, ... the value is
 * (-1)^(n+1) Infinity, the limit from the right, as in PyTorch; NaN at -Infinity; 0 at Infinity. n is a whole number, n >= 0.
 */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x);
  const sign = n % 2 === 0 ? -1 : 1;
  if (x > 0) return sign * scaledZeta(n, x);
  if (Number.isNaN(x) || x === -Infinity) return NaN;
  if (x === Math.floor(x)) return sign * Infinity;
  return -scaledZeta(n, 1 - x) - piCotangentDerivative(n, x);
}

/** The derivative of digamma, polygamma(1, x): positive everywhere, +Infinity at the poles. */
export function trigamma(x: number): number {
  return polygamma(1, x);
}
