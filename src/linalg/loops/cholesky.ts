import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import type { Block, LoopWriter, Real, RealCell, Whole } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { matricesIn } from "../matrices.ts";
import { overMatrices } from "./over-matrices.ts";
import { byGroups } from "./rows.ts";
import { between } from "./symmetric.ts";
import { byTwos, few, lessFour, solveFour, stride, together } from "./triangular.ts";

/** Rows that lose a product together: each such strip begins at its own diagonal. A multiple of what the engine's product takes at once. */
const strip = 60;
/** Columns that are read together where they lie across memory: what is read at once has eight doubles. */
const across = 8;

/** The upper triangle of the symmetric part (a + a^T) / 2; `room` has `across` rows. */
function symmetricPart(w: LoopWriter, a: Block, to: Block, room: Block, n: number): void {
  const row = (i: Whole, below: Block): void =>
    w.sweep(w.minus(n, i), [w.part(to, i, i), w.part(a, i, i), below], [], ([, x, y]) => [between(w, x!, y!), null, null]);
  if (n <= few) {
    w.for(0, n, (i) => row(i, w.turned(w.part(a, i, i))));
    return;
  }
  w.for(
    0,
    n,
    (first) => {
      const count = w.whole(w.least(w.minus(n, first), across));
      w.for(first, n, (j) => w.sweep(count, [w.turned(w.part(room, 0, j)), w.part(a, j, first)], [], ([, x]) => [x!, null]));
      w.for(0, count, (c) => {
        const i = w.whole(w.plus(first, c));
        row(i, w.part(room, c, i));
      });
    },
    across,
  );
}

/** The root of a pivot; one that is not above 0 is the host's, and so is one that is infinite, by which its own row is not divided there. */
function rootOf(w: LoopWriter, pivot: RealCell): RealCell {
  w.if(w.not(w.both(w.less(0, pivot), w.less(pivot, Number.POSITIVE_INFINITY))), () => w.giveUp());
  return w.real(w.sqrt(pivot));
}

/** The rows from `first` to `end` of the factor's transpose, of all their columns. */
function eliminate(w: LoopWriter, u: Block, first: Whole | number, end: Whole | number, n: number): void {
  byGroups(
    w,
    4,
    first,
    end,
    (k) => {
      const rows = [0, 1, 2, 3].map((i) => w.whole(w.plus(k, i)));
      const corner = w.part(u, k, k);
      // The triangle of the four, number by number.
      const solved: RealCell[][] = [[], [], [], []];
      for (let i = 0; i < 4; i++)
        for (let j = i; j < 4; j++) {
          let rest: Real = w.get(corner, i, j);
          for (let s = 0; s < i; s++) rest = w.sub(rest, w.mul(solved[s]![i]!, solved[s]![j]!));
          const x = w.real(rest);
          solved[i]![j] = i === j ? rootOf(w, x) : w.real(w.div(x, solved[i]![i]!));
          w.put(corner, i, j, solved[i]![j]!);
        }
      const next = w.whole(w.plus(k, 4));
      solveFour(w, w.turned(u), rows, rows.map((row) => w.part(u, row, next)), w.minus(n, next), false); // biome-ignore format: one call
      byTwos(w, next, w.whole(end), (targets) => {
        const at = targets[0]!;
        lessFour(
          w,
          w.minus(n, at),
          targets.map((q) => w.part(u, q, at)),
          rows.map((row) => w.part(u, row, at)),
          targets.flatMap((q) => rows.map((row) => w.get(u, row, q))),
        );
      });
    },
    (k) => {
      const root = rootOf(w, w.real(w.get(u, k, k)));
      w.sweep(w.minus(n, k), [w.part(u, k, k)], [root], ([x], [r]) => [w.div(x!, r!)]);
      w.for(w.plus(k, 1), end, (i) =>
        w.sweep(w.minus(n, i), [w.part(u, i, i), w.part(u, k, i)], [w.get(u, k, i)], ([x, z], [f]) => [w.sub(x!, w.mul(f!, z!)), null]),
      );
    },
  );
}

/**
 * The Cholesky factor by rows of its transpose U: four rows at once, which the rows after them lose then, beyond a panel as a product. What is not
 * positive is the host's. Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 4.2.9.
 */
export function choleskyLoops(node: Node): CompiledLoops {
  const { type } = node;
  const n = type.shape.at(-1)!;
  const blocked = n > few;
  const width = stride(n);
  return written(node, {
    temps: blocked ? [n * width, together * width] : [n * width],
    products: blocked ? n : 0,
    operations: (matricesIn(type) * n ** 3) / 3,
    kernel(w) {
      const u = w.temp(0, width);
      const minus = blocked ? w.temp(1, width) : u;
      overMatrices(w, node, (a, [y]) => {
        symmetricPart(w, a, u, minus, n);
        if (!blocked) eliminate(w, u, 0, n, n);
        else
          w.for(
            0,
            n,
            (first) => {
              const end = w.whole(w.least(w.plus(first, together), n));
              const count = w.whole(w.minus(end, first));
              eliminate(w, u, first, end, n);
              w.if(w.before(end, n), () => {
                w.for(0, count, (c) =>
                  w.sweep(w.minus(n, end), [w.part(minus, c, end), w.part(u, w.plus(first, c), end)], [], ([, x]) => [w.neg(x!), null]),
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
        w.for(0, n, (i) => {
          const next = w.whole(w.plus(i, 1));
          w.sweep(next, [w.part(y!, i, 0), w.turned(w.part(u, 0, i))], [], ([, x]) => [x!, null]);
          w.sweep(w.minus(n, next), [w.part(y!, i, next)], [], () => [w.mul(0, 0)]);
        });
      });
    },
  });
}
