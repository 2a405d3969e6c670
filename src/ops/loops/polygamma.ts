import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { LoopWriter, Real } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { bernoulliOverFactorial, factorial } from "../kernels/polygamma.ts";

/** Higher orders are the host's: each is a longer sum. */
const highest = 12;

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

/**
 * n! zeta(n + 1, x) for x above 0, with a sign, by Euler-Maclaurin summation (DLMF 25.11.28) from the same place on for every x. Other x, and what leaves the
 * range of doubles on the way, is the host's.
 */
export function polygammaLoops(node: Node): CompiledLoops | null {
  const { order } = node.attrs as { readonly order: number };
  if (order > highest) return null;
  const s = order + 1;
  const terms = Math.ceil(12 + s / 2);
  const count = sizeOf(node.type.shape);
  // B_2j / (2j)! s (s + 1) ... (s + 2j - 2)
  const coefficients: number[] = [];
  bernoulliOverFactorial().reduce((rising, b, j) => {
    coefficients.push(b * rising);
    return rising * (s + 2 * j + 1) * (s + 2 * j + 2);
  }, s);
  const scale = (order % 2 === 0 ? -1 : 1) * factorial(order);
  return written(node, {
    operations: count * terms * 8,
    kernel(w) {
      const odd = w.fold(count, [w.operand(0, 1), w.result(0, 1)], [], 1, ([x]) => {
        const a = w.real(w.add(x!, terms));
        const base = w.real(w.div(1, powerOf(w, a, s)));
        const back = w.real(w.div(1, a));
        const z = w.real(w.mul(back, back));
        const series = coefficients.reduceRight<Real | number>((sum, c) => w.add(c, w.mul(z, sum)), 0);
        // Smallest first.
        const zeta = w.real(w.add(w.mul(base, w.add(w.mul(back, series), 0.5)), w.div(w.mul(base, a), s - 1)));
        for (let k = terms - 1; k >= 0; k--) zeta.set(w.add(zeta, w.div(1, powerOf(w, k === 0 ? x! : w.real(w.add(x!, k)), s))));
        const usual = w.both(w.less(0, x!), w.both(w.less(1e-290, zeta), w.less(zeta, Number.POSITIVE_INFINITY)));
        return { sum: [w.choose(usual, 0, 1)], put: [null, w.mul(scale, zeta)] };
      });
      w.if(w.less(0, odd[0]!), () => w.giveUp());
    },
  });
}
