import type { Block, LoopWriter, Real } from "../../loops/language.ts";

/** What stands in the symmetric part for two elements that face each other: as `symmetricCopy` has it. */
export function between(w: LoopWriter, x: Real, y: Real): Real {
  return w.choose(w.unequal(x, y), w.add(w.mul(0.5, x), w.mul(0.5, y)), x);
}

/** The symmetric part (a + a^T) / 2 of n rows. */
export function symmetric(w: LoopWriter, a: Block, to: Block, n: number): void {
  w.for(0, n, (i) =>
    w.for(i, n, (j) => {
      const [x, y] = [w.real(w.get(a, i, j)), w.real(w.get(a, j, i))];
      const middle = w.real(between(w, x, y));
      w.put(to, i, j, middle);
      w.put(to, j, i, middle);
    }),
  );
}
