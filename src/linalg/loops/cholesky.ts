import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { written } from "../../loops/writer.ts";
import { matricesIn } from "../matrices.ts";
import { symmetric } from "./symmetric.ts";

/** Rows whose pivots are taken one by one; what they take from the rows after them is a product. */
const together = 32;
/** Rows of such a product: each begins at its own diagonal. */
const strip = 64;

/**
 * The Cholesky factor by rows of its transpose U: row k divided by its root, taken from the rows after it. What is not positive is the host's.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 4.2.9.
 */
export function choleskyLoops(node: Node): CompiledLoops {
  const { type } = node;
  const n = type.shape.at(-1)!;
  return written(node, {
    temps: [n * n, together * n],
    products: n,
    operations: (matricesIn(type) * n ** 3) / 3,
    kernel(w) {
      const [a, y] = [w.operand(0, n), w.result(0, n)];
      const [u, minus] = [w.temp(0, n), w.temp(1, n)];
      const steps = [n * n];
      w.each(
        [matricesIn(type)],
        [
          { block: a, steps },
          { block: y, steps },
        ],
        () => {
          symmetric(w, a, u, n);
          w.for(
            0,
            n,
            (first) => {
              const end = w.whole(w.least(w.plus(first, together), n));
              w.for(first, end, (k) => {
                const pivot = w.real(w.get(u, k, k));
                w.if(w.not(w.less(0, pivot)), () => w.giveUp());
                const row = w.part(u, k, k);
                w.sweep(w.minus(n, k), [row], [w.sqrt(pivot)], ([x], [root]) => [w.div(x!, root!)]);
                w.for(w.plus(k, 1), end, (i) => {
                  const factor = w.get(u, k, i);
                  w.sweep(w.minus(n, i), [w.part(u, i, i), w.part(u, k, i)], [factor], ([x, z], [f]) => [w.sub(x!, w.mul(f!, z!)), null]);
                });
              });
              w.if(w.before(end, n), () => {
                const count = w.whole(w.minus(end, first));
                w.for(first, end, (k) =>
                  w.sweep(w.minus(n, end), [w.part(minus, w.minus(k, first), end), w.part(u, k, end)], [], ([, x]) => [w.neg(x!), null]),
                );
                w.for(
                  end,
                  n,
                  (i) => {
                    const rest = w.whole(w.minus(n, i));
                    w.addProduct(w.part(u, i, i), w.turned(w.part(minus, 0, i)), w.part(u, first, i), w.least(rest, strip), rest, count);
                  },
                  strip,
                );
              });
            },
            together,
          );
          w.for(0, n, (i) =>
            w.for(0, n, (j) =>
              w.if(
                w.before(i, j),
                () => w.put(y, i, j, 0),
                () => w.put(y, i, j, w.get(u, j, i)),
              ),
            ),
          );
        },
      );
    },
  });
}
