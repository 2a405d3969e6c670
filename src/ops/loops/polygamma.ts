import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Block, LoopWriter, Real, RealCell, Test } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { bernoulliOverFactorial, cotangentPolynomial, factorial } from "../kernels/polygamma.ts";
import { cotangentPi } from "./sine-pi.ts";

/** Up to this order powers are products, and n! and they are hardly ever out of range. */
const low = 12;
/** Higher orders are the host's: the powers of 2 and of a little more, which still count, would leave the range of doubles. */
const highest = 900;

/** A whole power, 1 or more. */
function powerOf(w: LoopWriter, x: Real, s: number): Real {
  let square = x;
  let product: Real | null = null;
  for (let rest = s; rest > 0; rest >>= 1) {
    if (rest & 1) product = product === null ? square : w.mul(product, square);
    if (rest > 1) square = w.real(w.mul(square, square));
  }
  return product!;
}

/** B_2j / (2j)! s (s + 1) ... (s + 2j - 2), the first `count` of them. */
function coefficientsOf(s: number, count: number): number[] {
  const coefficients: number[] = [];
  bernoulliOverFactorial().reduce((rising, b, j) => {
    coefficients.push(b * rising);
    return rising * (s + 2 * j + 1) * (s + 2 * j + 2);
  }, s);
  return coefficients.slice(0, count);
}

/** The sum of a^-s, (a + 1)^-s and so on, by Euler-Maclaurin summation (DLMF 25.11.28) for large a; `base` is the power of a, in whatever unit. */
function tailOf(w: LoopWriter, a: Real, base: Real, s: number, coefficients: readonly (Real | number)[]): RealCell {
  const back = w.real(w.div(1, a));
  const z = w.real(w.mul(back, back));
  const series = coefficients.reduceRight<Real | number>((sum, c) => w.add(c, w.mul(z, sum)), 0);
  return w.real(w.add(w.mul(base, w.add(w.mul(back, series), 0.5)), w.div(w.mul(base, a), s - 1)));
}

/** From where on the series of {@link tailOf} ends below rounding. */
function farFrom(s: number): number {
  return 12 + s / 2;
}

/** zeta(s, x) for x above 0 and a small s, from the same place on for every x. */
function lowZeta(w: LoopWriter, x: Real, s: number): RealCell {
  const terms = Math.ceil(farFrom(s));
  const a = w.real(w.add(x, terms));
  const zeta = tailOf(w, a, w.real(w.div(1, powerOf(w, a, s))), s, coefficientsOf(s, 12));
  // Smallest first.
  for (let k = terms - 1; k >= 0; k--) zeta.set(w.add(zeta, w.div(1, powerOf(w, k === 0 ? x : w.real(w.add(x, k)), s))));
  return zeta;
}

/** Low orders: n! zeta(n + 1, x) with a sign; below 0 by the reflection psi^(n)(x) = -n! zeta(n + 1, 1 - x) - d^n/dx^n pi cot(pi x). */
function lowOrder(w: LoopWriter, n: number, sign: number, from: Block, to: Block, count: number): void {
  const scale = factorial(n);
  const all = (body: (x: Real) => readonly [Real, Test]): void => {
    const odd = w.fold(count, [from, to], [], 1, ([x]) => {
      const [y, usual] = body(x!);
      return { sum: [w.choose(usual, 0, 1)], put: [null, y] };
    });
    w.if(w.less(0, odd[0]!), () => w.giveUp());
  };
  const within = (zeta: Real): Test => w.both(w.less(1e-290, zeta), w.less(zeta, Number.POSITIVE_INFINITY));
  const slopes = [...cotangentPolynomial(n)].filter((c) => c !== 0).map((c) => c * Math.PI ** (n + 1));
  const negative = w.total(count, [from], ([x]) => w.choose(w.less(x!, 0), 1, 0));
  w.if(
    w.less(0, negative),
    () =>
      all((x) => {
        const minus = w.less(x, 0);
        const zeta = lowZeta(w, w.real(w.choose(minus, w.sub(1, x), x)), n + 1);
        const [c, u] = cotangentPi(w, w.real(w.abs(x)));
        const square = w.real(w.mul(c, c));
        const even = slopes.reduceRight<Real | number>((sum, slope) => w.add(slope, w.mul(square, sum)), 0);
        // Of |x| the cotangent is that of x with the other sign.
        const slope = n % 2 === 0 ? w.neg(w.mul(c, even)) : (even as Real);
        const value = w.real(w.sub(w.mul(-scale, zeta), slope));
        const reflected = w.both(w.less(0, u), w.less(w.abs(value), Number.POSITIVE_INFINITY));
        return [w.choose(minus, value, w.mul(sign * scale, zeta)), w.both(within(zeta), w.either(w.less(0, x), w.both(minus, reflected)))];
      }),
    () =>
      all((x) => {
        const zeta = lowZeta(w, x, n + 1);
        return [w.mul(sign * scale, zeta), w.both(w.less(0, x), within(zeta))];
      }),
  );
}

/** n! as a number from 1 to 2 and the power of 2 that it is multiplied by. */
function scaledFactorial(n: number): readonly [number, number] {
  let product = 1n;
  for (let k = 2; k <= n; k++) product *= BigInt(k);
  const bits = product.toString(2).length;
  return [Number((product << 64n) >> BigInt(bits - 1)) / 2 ** 64, bits - 1];
}

/** The power of 2 that takes x to between 1 and 2, of x between 2^-63 and 2^63. */
function scaleOf(w: LoopWriter, x: Real): RealCell {
  const scale = w.real(1);
  const scaled = w.real(x);
  for (const up of [false, true])
    for (let k = 32; k >= 1; k /= 2) {
      const by = w.real(up ? w.choose(w.less(scaled, 2 ** (1 - k)), 2 ** k, 1) : w.choose(w.less(scaled, 2 ** k), 1, 2 ** -k));
      scale.set(w.mul(scale, by));
      scaled.set(w.mul(scaled, by));
    }
  return scale;
}

/**
 * The same of a high order, two numbers at a time with as many terms as the smaller needs. With a power c of 2 for which c x is between 1 and 2 it is n! c^s times the
 * sum of (c (x + k))^-s. All powers of 2 are multiplied in last, by factors that are all from 1 up or all from 1 down, so that nothing leaves the range on the way
 * that comes back into it. Products of s numbers lose digits: the largest term and the tail have powers that do not.
 */
function highOrder(w: LoopWriter, n: number, sign: number, from: Block, to: Block, count: number): void {
  const s = n + 1;
  const far = farFrom(s);
  const [fraction, exponent] = scaledFactorial(n);
  const [each, more] = [Math.floor(exponent / s), exponent % s];
  w.for(
    0,
    count,
    (i) => {
      const [x, y] = [w.part(from, 0, i), w.part(to, 0, i)];
      const pair = w.whole(w.least(2, w.minus(count, i)));
      const least = w.min(w.get(x, 0), w.get(x, w.minus(pair, 1)));
      const terms = w.whole(w.least(Math.ceil(far), w.toWhole(w.max(0, w.add(w.sub(far, least), 1)))));
      const odd = w.fold(pair, [x, y], [w.toReal(terms), ...coefficientsOf(s, 16)], 1, ([x], [steps, ...coefficients]) => {
        const scale = scaleOf(w, x!);
        const power = (v: Real): Real => w.pow(w.mul(v, scale), -s);
        // One that needs no terms has none: in a sum with them it would lose digits.
        const near = w.less(x!, far);
        const a = w.real(w.add(x!, w.choose(near, steps!, 0)));
        const zeta = tailOf(w, a, w.real(power(a)), s, coefficients);
        const k = w.real(steps!);
        w.for(1, terms, () => {
          k.set(w.sub(k, 1));
          zeta.set(w.add(zeta, w.choose(near, w.div(1, powerOf(w, w.real(w.mul(w.add(x!, k), scale)), s)), 0)));
        });
        w.if(w.before(0, terms), () => zeta.set(w.add(zeta, w.choose(near, power(x!), 0))));
        const value = w.real(w.mul(sign * fraction, zeta));
        const factor = w.real(w.mul(scale, 2 ** each));
        w.for(0, s - more, () => value.set(w.mul(value, factor)));
        factor.set(w.mul(factor, 2));
        w.for(0, more, () => value.set(w.mul(value, factor)));
        return { sum: [w.choose(w.both(w.less(2 ** -63, x!), w.less(x!, 2 ** 63)), 0, 1)], put: [null, value] };
      });
      w.if(w.less(0, odd[0]!), () => w.giveUp());
    },
    2,
  );
}

/** The derivatives of digamma of numbers above 0, and up to order 12 of those below. Others, and what leaves the range of doubles on the way, are the host's. */
export function polygammaLoops(node: Node): CompiledLoops | null {
  const { order } = node.attrs as { readonly order: number };
  if (order > highest) return null;
  const count = sizeOf(node.type.shape);
  return written(node, {
    operations: count * (12 + order / 2) * 8,
    kernel: (w) => (order > low ? highOrder : lowOrder)(w, order, order % 2 === 0 ? -1 : 1, w.operand(0, 1), w.result(0, 1), count),
  });
}
