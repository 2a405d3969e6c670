import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import type { Block, LoopWriter, Real, Whole } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { matricesIn } from "../matrices.ts";
import { byGroups, clear, fourRows, spread, turnInto } from "./rows.ts";

/** Reflections that become one, so that what they do to all other columns is a product. */
export const together = 16;
/** Up to so many are not grouped: what a column's reflection does to all others is done at once. */
export const few = 64;

/** What the reflections of an m by n matrix are found in: see {@link reflect}. */
export interface Reflected {
  /** n by m: the columns of the matrix; afterwards row j has, from its element j on, the vector of reflection j, whose first element is 1. */
  readonly x: Block;
  /** What each reflection takes of its vector's part. */
  readonly taus: Block;
  /** Where reflections are many, `together` by k: -T^T of each group. */
  readonly groups: Block;
  /** Twice the longer of k and n by `together`. */
  readonly parts: Block;
  readonly m: number;
  readonly n: number;
}

/** Lengths of temporary arrays for the reflections of an m by n matrix. */
export function reflectedTemps(m: number, n: number): readonly number[] {
  const k = Math.min(m, n);
  return [n * spread(m), k, ...(k > few ? [together * k, 2 * n * together] : [1, 1])];
}

/** Those temporary arrays, the first of which is temp `first`. */
export function reflectedOf(w: LoopWriter, first: number, m: number, n: number): Reflected {
  const k = Math.min(m, n);
  return {
    x: w.temp(first, spread(m)),
    taus: w.temp(first + 1, k),
    groups: w.temp(first + 2, k),
    parts: w.temp(first + 3, together),
    m,
    n,
  };
}

/** Rows `from` to `to` - 1 of `rows` less tau times their product with v, from v's column on. */
function reflectRows(w: LoopWriter, v: Block, rows: Block, column: Whole, count: Whole, from: Whole, to: Whole | number, tau: Real): void {
  const some = (blocks: readonly Block[]): void => {
    const all = [v, ...blocks];
    const dots = w.fold(count, all, [], blocks.length, ([y, ...xs]) => ({ sum: xs.map((x) => w.mul(x, y!)) }));
    w.sweep(
      count,
      all,
      dots.map((dot) => w.mul(tau, dot)),
      ([y, ...xs], factors) => [null, ...xs.map((x, i) => w.sub(x, w.mul(factors[i]!, y!)))],
    );
  };
  byGroups(
    w,
    4,
    from,
    to,
    (i) => some(fourRows(w, rows, i, column)),
    (i) => some([w.part(rows, i, column)]),
  );
}

/** c += a (-T) or its transpose b, of rows that a group of reflections is applied to: `rows` from column `first` on less their products. */
function applyGroup(
  w: LoopWriter,
  { parts, m }: Reflected,
  rows: Block,
  count: Whole,
  v: Block,
  t: Block,
  first: Whole,
  size: Whole,
): void {
  const long = w.whole(w.minus(m, first));
  const turned = w.part(parts, count, 0);
  clear(w, parts, w.times(count, 2 * together));
  w.addProduct(parts, rows, w.turned(v), count, size, long);
  w.addProduct(turned, parts, t, count, size, size);
  w.addProduct(rows, turned, v, count, long, size);
}

/** Makes one of the `size` reflections from `first` on: -T^T, row by row, and zeros before their vectors, which products read. */
export function join(w: LoopWriter, { x, taus, groups, parts, m }: Reflected, first: Whole, size: Whole): void {
  const [v, t] = [w.part(x, first, first), w.part(groups, 0, first)];
  w.for(0, size, (j) => clear(w, w.part(v, j, 0), j));
  clear(w, parts, together * together);
  w.addProduct(parts, v, w.turned(v), size, size, w.minus(m, first));
  w.for(0, size, (j) => {
    const row = w.part(t, j, 0);
    const tau = w.real(w.get(taus, w.plus(first, j)));
    clear(w, row, size);
    w.for(0, j, (i) =>
      w.sweep(w.plus(i, 1), [row, w.part(t, i, 0)], [w.mul(tau, w.get(parts, i, j))], ([y, z], [f]) => [w.sub(y!, w.mul(f!, z!)), null]),
    );
    w.put(row, 0, j, w.neg(tau));
  });
}

/**
 * The reflections that make the matrix an upper triangle, which goes to `r`, k by n: column by column, and what a group of them does to the columns
 * after them at once. Gives up where an element is not finite, or squares leave the range of doubles. The diagonal has the sign opposite to the pivot's,
 * a column that is 0 below the diagonal is left as it is: as `householderQr`.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 5.2; R. Schreiber, C. Van Loan, "A storage-efficient WY representation for
 * products of Householder transformations", SIAM J. Sci. Stat. Comput. 10 (1989).
 */
export function reflect(w: LoopWriter, all: Reflected, r: Block): void {
  const { x, taus, groups, m, n } = all;
  const k = Math.min(m, n);
  const grouped = k > few;
  w.for(0, n, (i) =>
    w.if(
      w.unequal(
        w.total(m, [w.part(x, i, 0)], ([y]) => w.sub(y!, y!)),
        0,
      ),
      () => w.giveUp(),
    ),
  );
  w.for(
    0,
    k,
    (first) => {
      const end = w.whole(w.least(w.plus(first, together), k));
      w.for(first, end, (j) => {
        const v = w.part(x, j, j);
        const below = w.part(v, 0, 1);
        const [count, rest] = [w.whole(w.minus(m, j)), w.whole(w.minus(m, w.plus(j, 1)))];
        const alpha = w.real(w.get(v, 0));
        const squares = w.total(rest, [below], ([y]) => w.mul(y!, y!));
        const [beta, tau] = [w.real(alpha), w.real(0)];
        const all = w.real(w.add(squares, w.mul(alpha, alpha)));
        w.if(
          w.both(w.less(1e-200, squares), w.less(all, 1e300)),
          () => {
            const root = w.real(w.sqrt(all));
            beta.set(w.choose(w.less(alpha, 0), root, w.neg(root)));
            tau.set(w.div(w.sub(beta, alpha), beta));
            w.sweep(rest, [below], [w.sub(alpha, beta)], ([y], [by]) => [w.div(y!, by!)]);
          },
          () =>
            w.if(
              w.unequal(
                w.total(rest, [below], ([y]) => w.abs(y!)),
                0,
              ),
              () => w.giveUp(),
            ),
        );
        w.put(r, j, j, beta);
        w.put(taus, 0, j, tau);
        w.put(v, 0, 0, 1);
        w.if(w.unequal(tau, 0), () => reflectRows(w, v, x, j, count, w.plus(j, 1), grouped ? end : n, tau));
      });
      // The triangle's columns stand before the vectors, whose products want zeros there.
      w.for(first, end, (j) => {
        const row = w.part(x, j, 0);
        w.for(0, j, (i) => {
          w.put(r, i, j, w.get(row, i));
          w.put(r, j, i, 0);
        });
      });
      if (!grouped) return;
      const size = w.whole(w.minus(end, first));
      join(w, all, first, size);
      const [v, t] = [w.part(x, first, first), w.part(groups, 0, first)];
      w.if(w.before(end, n), () => applyGroup(w, all, w.part(x, end, first), w.whole(w.minus(n, end)), v, w.turned(t), first, size));
    },
    together,
  );
  if (n > m)
    w.for(0, m, (i) => {
      const line = w.part(r, i, 0);
      w.for(m, n, (j) => w.put(line, 0, j, w.get(x, j, i)));
    });
}

/** The rows of Q^T, k by m, of the reflections: applied to those of the unit matrix, the last of them first. */
export function orthonormal(w: LoopWriter, all: Reflected, q: Block): void {
  const { x, taus, groups, m, n } = all;
  const k = Math.min(m, n);
  w.for(0, k, (i) => {
    clear(w, w.part(q, i, 0), m);
    w.put(q, i, i, 1);
  });
  if (k <= few)
    w.for(0, k, (back) => {
      const j = w.whole(w.minus(k - 1, back));
      const [v, own] = [w.part(x, j, j), w.part(q, j, j)];
      const tau = w.real(w.get(taus, j));
      const count = w.whole(w.minus(m, j));
      w.if(w.unequal(tau, 0), () => {
        reflectRows(w, v, q, j, count, w.plus(j, 1), k, tau);
        w.sweep(count, [own, v], [tau], ([y, z], [f]) => [w.sub(y!, w.mul(f!, z!)), null]);
      });
    });
  else
    w.for(
      0,
      k,
      (back) => {
        const first = w.whole(w.minus(Math.floor((k - 1) / together) * together, back));
        const size = w.whole(w.least(together, w.minus(k, first)));
        applyGroup(
          w,
          all,
          w.part(q, first, first),
          w.whole(w.minus(k, first)),
          w.part(x, first, first),
          w.part(groups, 0, first),
          first,
          size,
        );
      },
      together,
    );
}

/** The QR factorization: see {@link reflect}. */
export function qrLoops(node: Node): CompiledLoops {
  const { type } = node.operands[0]!;
  const [m, n] = type.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  return written(node, {
    temps: [...reflectedTemps(m, n), k * spread(m)],
    products: k > few ? Math.max(m, n) : 0,
    operations: 2 * matricesIn(type) * k * k * (Math.max(m, n) - k / 3),
    kernel(w) {
      const [a, q, r] = [w.operand(0, n), w.result(0, k), w.result(1, n)];
      const all = reflectedOf(w, 0, m, n);
      const rows = w.temp(4, spread(m));
      w.each(
        [matricesIn(type)],
        [
          { block: a, steps: [m * n] },
          { block: q, steps: [m * k] },
          { block: r, steps: [k * n] },
        ],
        () => {
          turnInto(w, a, all.x, m, n);
          reflect(w, all, r);
          orthonormal(w, all, rows);
          turnInto(w, rows, q, k, m);
        },
      );
    },
  });
}
