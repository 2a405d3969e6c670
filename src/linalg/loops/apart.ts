import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { written } from "../../loops/writer.ts";

/** Copies values, and gives up where two neighbours, or the last and 0, are nearer than so many of the largest. */
export function apartLoops(node: Node, unit: number, zero: boolean): CompiledLoops {
  const { shape } = node.operands[0]!.type;
  const n = shape.at(-1) ?? 1;
  const count = sizeOf(shape.slice(0, -1));
  return written(node, {
    operations: 2 * n * count,
    kernel(w) {
      const [x, y] = [w.operand(0, n), w.result(0, n)];
      const steps = [n];
      w.each(
        [count],
        [
          { block: x, steps },
          { block: y, steps },
        ],
        () => {
          const most = w.real(0);
          w.for(0, n, (i) => most.set(w.max(most, w.abs(w.get(x, i)))));
          most.set(w.mul(most, n * unit));
          const before = w.real(0);
          w.for(0, n, (i) => {
            const own = w.real(w.get(x, i));
            w.if(w.both(w.before(0, i), w.atMost(w.abs(w.sub(own, before)), most)), () => w.giveUp());
            before.set(own);
            w.put(y, 0, i, own);
          });
          if (zero && n > 0) w.if(w.atMost(w.abs(before), most), () => w.giveUp());
        },
      );
    },
  });
}
