import type { Block, LoopWriter, Test } from "../../loops/language.ts";

/** Whether the first of the largest of `count` elements side by side is negative: as in kernels/orientation.ts. */
export function pointsBack(w: LoopWriter, x: Block, count: number): Test {
  const most = w.real(0);
  w.for(0, count, (i) => most.set(w.max(most, w.abs(w.get(x, i)))));
  most.set(w.mul(1 - 1e-8, most));
  const first = w.real(0);
  const i = w.whole(0);
  w.forever((leave) => {
    first.set(w.get(x, i));
    i.set(w.plus(i, 1));
    w.if(w.either(w.atMost(most, w.abs(first)), w.same(i, count)), leave);
  });
  return w.less(first, 0);
}
