import type { Block, LoopWriter } from "../../loops/language.ts";

/** The symmetric part (a + a^T) / 2 of n rows, in all of `to` or in its upper triangle: as `symmetricCopy`. */
export function symmetric(w: LoopWriter, a: Block, to: Block, n: number): void {
  w.for(0, n, (i) =>
    w.for(i, n, (j) => {
      const [x, y] = [w.real(w.get(a, i, j)), w.real(w.get(a, j, i))];
      const middle = w.real(w.choose(w.unequal(x, y), w.add(w.mul(0.5, x), w.mul(0.5, y)), x));
      w.put(to, i, j, middle);
      w.put(to, j, i, middle);
    }),
  );
}
