import type { LoopWriter, Real, RealCell } from "../../loops/language.ts";

/** A polynomial, lowest coefficient first: halves side by side, since in Horner's scheme each sum waits for the one before. */
export function polynomial(w: LoopWriter, x: RealCell, coefficients: readonly number[]): Real {
  const powers = new Map<number, Real>([[1, x]]);
  for (let p = 2; p < coefficients.length; p *= 2) powers.set(p, w.real(w.mul(powers.get(p / 2)!, powers.get(p / 2)!)));
  const part = (from: number, count: number): Real | number => {
    if (count === 1) return coefficients[from]!;
    let low = 1;
    while (low * 2 < count) low *= 2;
    return w.add(w.mul(part(from + low, count - low), powers.get(low)!), part(from, low));
  };
  return w.real(part(0, coefficients.length));
}

/** sin(pi u) / u for u up to 1/2 by powers of u^2, within 4e-17: through 9 Chebyshev points. */
const sines = [
  Math.PI,
  -5.167712780049969,
  2.5501640398773007,
  -0.5992645293189447,
  0.0821458865731029,
  -0.007370430505916944,
  0.0004662998161898394,
  -2.1903497074626018e-5,
  7.697826768224191e-7,
] as const;

/** sin(pi u). */
export function sinPi(w: LoopWriter, u: Real): Real {
  return w.mul(u, polynomial(w, w.real(w.mul(u, u)), sines));
}

/** How far a positive number is above a whole one, and from the nearest: both are exact, since pi comes in later. */
export function fraction(w: LoopWriter, x: Real): readonly [RealCell, RealCell] {
  const part = w.real(w.sub(x, w.floor(x)));
  return [part, w.real(w.min(part, w.sub(1, part)))];
}

/** cot(pi x) of a positive number, and how far that is from a whole one. */
export function cotangentPi(w: LoopWriter, x: Real): readonly [RealCell, RealCell] {
  const [part, u] = fraction(w, x);
  const sine = sinPi(w, u);
  const ratio = w.real(w.div(sinPi(w, w.real(w.sub(0.5, u))), sine));
  return [w.real(w.choose(w.less(part, 0.5), ratio, w.neg(ratio))), u];
}
