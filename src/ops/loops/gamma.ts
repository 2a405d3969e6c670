import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { LoopWriter, Real, RealCell } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { stirlingSeries } from "../kernels/log-gamma.ts";
import { digammaSeries, nearRoot, rootOfDigamma } from "../kernels/polygamma.ts";
import { cotangentPi, fraction, polynomial, sinPi } from "./sine-pi.ts";

/**
 * log Gamma(x) / ((x - 1) (x - 2)) from 0.75 to 2.5 as a quotient of polynomials in x - 0.75, whose coefficients are positive, so that none of their sums loses
 * digits: it goes through that function at 17 Chebyshev points, and is within 4e-17 of it.
 */
const [above, below] = [
  [
    0.6504990445801452, 2.6409615141709097, 4.181248765501851, 3.2758842923830938, 1.3331047517495185, 0.2710091294594683,
    0.024138966319639327, 0.0006805992516382112, 1.3112096016253469e-6,
  ],
  [
    1, 4.601576190530628, 8.468224628234807, 7.98678779620257, 4.118574967957917, 1.1500209111963826, 0.16196344433439597,
    0.009786797434260768, 0.0001712525360921221,
  ],
] as const;

/** x less by as many as take it to `most` and not further below: exact. */
function lowered(w: LoopWriter, x: Real, most: number): Real {
  return w.add(x, w.min(0, w.floor(w.sub(most, x))));
}

/** log Gamma(x) for x from 0 on, infinity too. */
function logGamma(w: LoopWriter, x: Real): Real {
  const small = w.less(x, 0.75);
  // Gamma(y + 1) = y Gamma(y) from 2.5 to 8.
  const y = w.real(lowered(w, x, 2.5));
  const product = w.real(1);
  for (let step = 1; step <= 6; step++) {
    const down = w.real(w.sub(x, step));
    product.set(w.mul(product, w.choose(w.less(1.5, down), down, 1)));
  }
  const large = w.atMost(8, x);
  const log = w.real(w.log(w.choose(w.either(small, large), x, product)));
  // log Gamma(x) = log Gamma(x + 1) - log x: what is small need not be added to 1.
  const a = w.real(w.choose(small, x, w.sub(y, 1)));
  const t = w.real(w.add(a, 0.25));
  const ratio = w.div(polynomial(w, t, above), polynomial(w, t, below));
  const near = w.real(w.add(w.mul(w.mul(a, w.sub(a, 1)), ratio), w.choose(small, w.neg(log), log)));
  const z = w.real(w.div(1, x));
  const square = w.real(w.mul(z, z));
  const series = w.add(w.mul(z, polynomial(w, square, stirlingSeries)), 0.4189385332046727);
  return w.choose(large, w.add(w.mul(w.sub(x, 0.5), w.sub(log, 1)), series), near);
}

/** A function of each element. Those below 0 take longer: only where there are some are all computed as if they were. */
function overElements(
  node: Node,
  operations: number,
  positive: (w: LoopWriter, x: Real) => Real,
  reflected: (w: LoopWriter, size: RealCell, y: Real) => Real,
): CompiledLoops {
  const count = sizeOf(node.type.shape);
  return written(node, {
    operations: count * operations,
    kernel(w) {
      const [from, to] = [w.operand(0, 1), w.result(0, 1)];
      const go = (f: (x: Real) => Real): unknown => w.fold(count, [from, to], [], 0, ([x]) => ({ sum: [], put: [null, f(x!)] }));
      const negative = w.total(count, [from], ([x]) => w.choose(w.less(x!, 0), 1, 0));
      w.if(
        w.less(0, negative),
        () =>
          go((x) => {
            const size = w.real(w.abs(x));
            const minus = w.less(x, 0);
            // The positive function sees -0 as it is.
            const y = w.real(positive(w, w.real(w.choose(minus, size, x))));
            return w.choose(minus, reflected(w, size, y), y);
          }),
        () => go((x) => positive(w, x)),
      );
    },
  });
}

/** log |Gamma(x)| of every number; those below 0 by Gamma(x) Gamma(-x) = -pi / (x sin(pi x)). */
export function lgammaLoops(node: Node): CompiledLoops {
  return overElements(node, 90, logGamma, (w, size, y) => {
    const [, u] = fraction(w, size);
    const sine = w.real(sinPi(w, u));
    // Large ones are whole: the other logarithm may be infinite, too.
    const pole = w.atMost(sine, 0);
    const turned = w.sub(w.log(w.div(Math.PI, w.mul(sine, size))), y);
    return w.choose(w.less(size, 2 ** -70), y, w.choose(w.either(pole, w.less(Number.MAX_VALUE, size)), Number.POSITIVE_INFINITY, turned));
  });
}

/** digamma(x) for x from 0 on, -0 and infinity too. */
function psi(w: LoopWriter, x: Real): Real {
  const inverse = w.real(w.div(1, x));
  const small = w.less(x, 1);
  // digamma(y + 1) = digamma(y) + 1 / y from 2 to 10.
  const y = w.real(lowered(w, x, 2));
  const carried = w.real(0);
  for (let step = 1; step <= 8; step++) {
    const down = w.real(w.sub(x, step));
    carried.set(w.add(carried, w.choose(w.less(1, down), w.div(1, down), 0)));
  }
  y.set(w.choose(small, w.add(x, 1), y));
  const [head, middle, tail] = rootOfDigamma;
  const t = w.real(w.sub(y, 1));
  const g = w.real(w.sub(w.sub(w.sub(y, head), middle), tail));
  const ratio = w.div(polynomial(w, t, nearRoot.above), polynomial(w, t, nearRoot.below));
  const near = w.add(w.add(w.mul(g, nearRoot.offset), w.mul(g, ratio)), w.choose(small, w.neg(inverse), carried));
  const z = w.real(w.mul(inverse, inverse));
  const far = w.sub(w.sub(w.log(x), w.mul(0.5, inverse)), w.mul(z, polynomial(w, z, digammaSeries)));
  return w.choose(w.less(x, 10), near, far);
}

/** digamma of every number; those below 0 by digamma(x) = digamma(-x) - 1 / x - pi cot(pi x). */
export function digammaLoops(node: Node): CompiledLoops {
  return overElements(node, 110, psi, (w, size, y) => {
    const [cotangent, u] = cotangentPi(w, size);
    const inverse = w.real(w.div(1, size));
    const turned = w.add(w.add(y, inverse), w.mul(Math.PI, cotangent));
    // Poles; and beside that at 0 nothing but the pole is left, while the other two would be infinite.
    return w.choose(w.less(size, 2 ** -70), inverse, w.choose(w.less(0, u), turned, Number.NaN));
  });
}
