import type { Block, LoopWriter, Real, RealCell, Whole } from "../../loops/language.ts";
import { byTwos, few, lessFour, solveBlocks, solveRows, stride, together } from "./triangular.ts";

/** P a = L U as the kernels use it. */
export interface Factors {
  /** L below the diagonal (ones on it), U on and above it. */
  readonly lu: Block;
  /** Row i of P a is row `order[i]` of a. */
  readonly order: Block;
  /** The determinant of P: 1 or -1. */
  readonly parity: RealCell;
}

export const blocked = (n: number): boolean => n > few;

/** Columns whose panels are factored before the columns after them lose a product: of large matrices not all, as each product goes through all of the rest. */
const wideOf = (n: number): number => (n > 700 ? 128 : n);

/** What {@link factors} needs, as the first temporary arrays of a kernel. */
export const temps = (n: number): number[] => {
  if (!blocked(n)) return [n, n * n];
  const own = [2 * n + together, together * stride(n), n * stride(n)];
  return wideOf(n) < n ? [...own, wideOf(n) * stride(n)] : own;
};

/** The largest number of a column, times so much and the number of rows, is what rounding may leave of a pivot that should be 0. */
const noise = 2 ** -50;

export const lower = { forward: true, unitDiagonal: true };

/** The columns of a matrix that are eliminated one after the other: rows of `columns`, with elements from `first` on. */
interface Panel {
  readonly columns: Block;
  readonly first: Whole | number;
  readonly count: Whole | number;
  readonly n: number;
  readonly order: Block;
  readonly parity: RealCell;
  /** What a pivot must be above, by its column, and where the row that it came from is kept, by its place in the panel. */
  readonly least: Block | null;
  readonly taken: Block | null;
}

/** The column at place c, of which what the columns from `from` on take is yet to be taken. */
function eliminate(w: LoopWriter, { columns, first, count, n, order, parity, least, taken }: Panel, from: Whole, c: Whole): void {
  const row = w.whole(w.plus(first, c));
  const own = w.part(columns, c, 0);
  w.for(from, c, (q) => {
    const next = w.whole(w.plus(w.plus(first, q), 1));
    w.sweep(w.minus(n, next), [w.part(own, 0, next), w.part(columns, q, next)], [w.get(own, w.minus(next, 1))], ([x, z], [f]) => [
      w.sub(x!, w.mul(f!, z!)),
      null,
    ]);
  });
  const best = w.real(w.abs(w.get(own, row)));
  const at = w.whole(row);
  const next = w.whole(w.plus(row, 1));
  w.for(next, n, (i) => {
    const size = w.real(w.abs(w.get(own, i)));
    w.if(w.less(best, size), () => {
      best.set(size);
      at.set(i);
    });
  });
  const bound = least === null ? 0 : w.get(least, row);
  w.if(w.not(w.both(w.less(bound, best), w.less(best, Number.POSITIVE_INFINITY))), () => w.giveUp());
  if (taken !== null) w.put(taken, 0, c, w.toReal(at));
  w.if(w.not(w.same(at, row)), () => {
    parity.set(w.neg(parity));
    const kept = w.real(w.get(order, row));
    w.put(order, 0, row, w.get(order, at));
    w.put(order, 0, at, kept);
    w.sweep(count, [row, at].map((i) => w.turned(w.part(columns, 0, i))), [], ([x, y]) => [y!, x!]); // biome-ignore format: one call
  });
  w.sweep(w.minus(n, next), [w.part(own, 0, next)], [w.get(own, row)], ([x], [pivot]) => [w.div(x!, pivot!)]);
}

/** All columns of a panel: four, and then what these take from those after them. */
function eliminateAll(w: LoopWriter, panel: Panel): void {
  const { columns, first, count, n } = panel;
  w.for(
    0,
    count,
    (from) => {
      const end = w.whole(w.least(w.plus(from, 4), count));
      w.for(from, end, (c) => eliminate(w, panel, from, c));
      w.if(w.before(end, count), () => {
        const rows = [0, 1, 2, 3].map((i) => w.whole(w.plus(w.plus(first, from), i)));
        const below = w.whole(w.plus(rows[3]!, 1));
        const factors = rows.map((row, i) => rows.slice(0, i).map((_, s) => w.real(w.get(columns, w.plus(from, s), row))));
        const sources = rows.map((_, s) => w.part(columns, w.plus(from, s), below));
        byTwos(w, end, w.whole(count), (targets) => {
          const taken = targets.flatMap((j) => {
            const solved: Real[] = [];
            rows.forEach((row, i) => {
              const x = w.real(solved.reduce((rest, z, s) => w.sub(rest, w.mul(factors[i]![s]!, z)), w.get(columns, j, row)));
              w.put(columns, j, row, x);
              solved.push(x);
            });
            return solved;
          });
          lessFour(w, w.minus(n, below), targets.map((j) => w.part(columns, j, below)), sources, taken); // biome-ignore format: one call
        });
      });
    },
    4,
  );
}

/**
 * The factors of n rows, as `factor`: panels of columns, that lie as rows meanwhile, then the rows right of them, and the rest as a product. Pivots that
 * are 0 or not finite, or near 0 where products round otherwise than the reference kernel does, are the host's. `whole`: L is wanted, too.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 3.4.7.
 */
export function factors(w: LoopWriter, a: Block, n: number, whole: boolean): Factors {
  const [order, columns] = [w.temp(0, 1), w.temp(1, blocked(n) ? stride(n) : n)];
  const parity = w.real(1);
  const vector = w.turned(order);
  w.for(0, n, (i) => w.put(vector, 0, i, w.toReal(i)));
  if (!blocked(n)) {
    w.for(0, n, (i) => w.sweep(n, [w.turned(w.part(columns, 0, i)), w.part(a, i, 0)], [], ([, x]) => [x!, null]));
    eliminateAll(w, { columns, first: 0, count: n, n, order: vector, parity, least: null, taken: null });
    return { lu: w.turned(columns), order: vector, parity };
  }
  const u = w.temp(2, stride(n));
  const least = w.ahead(vector, 0, n);
  const taken = w.ahead(vector, 0, 2 * n);
  w.sweep(n, [least], [], () => [w.mul(0, 0)]);
  w.for(0, n, (i) => w.sweep(n, [w.part(u, i, 0), w.part(a, i, 0), least], [], ([, x, m]) => [x!, null, w.max(m!, w.abs(x!))]));
  w.sweep(n, [least], [noise * n], ([m], [f]) => [w.mul(m!, f!)]);
  const wide = wideOf(n);
  const kept = whole || wide < n;
  const panel = (begin: Whole | number, stop: Whole | number): void =>
    w.for(
      begin,
      stop,
      (first) => {
        const end = w.whole(w.least(w.plus(first, together), stop));
        const count = w.whole(w.minus(end, first));
        w.for(first, n, (i) => w.sweep(count, [w.turned(w.part(columns, 0, i)), w.part(u, i, first)], [], ([, x]) => [x!, null]));
        eliminateAll(w, { columns, first, count, n, order: vector, parity, least, taken });
        w.for(0, count, (c) => {
          const [row, at] = [w.whole(w.plus(first, c)), w.whole(w.toWhole(w.get(taken, c)))];
          const from = kept ? 0 : end;
          w.if(w.not(w.same(row, at)), () =>
            w.sweep(kept ? n : w.minus(n, end), [w.part(u, row, from), w.part(u, at, from)], [], ([x, y]) => [y!, x!]),
          );
        });
        w.for(first, kept ? n : end, (i) =>
          w.sweep(count, [w.part(u, i, first), w.turned(w.part(columns, 0, i))], [], ([, x]) => [x!, null]),
        );
        w.if(w.before(end, stop), () => {
          const right = w.part(u, first, end);
          const [below, beside] = [w.whole(w.minus(n, end)), w.whole(w.minus(stop, end))];
          solveRows(w, w.turned(w.part(columns, 0, first)), right, count, beside, lower);
          w.for(0, count, (c) => w.sweep(below, [w.part(columns, c, end)], [], ([x]) => [w.neg(x!)]));
          w.addProduct(w.part(u, end, end), w.turned(w.part(columns, 0, end)), right, below, beside, count);
        });
      },
      together,
    );
  if (wide >= n) panel(0, n);
  else
    w.for(
      0,
      n,
      (begin) => {
        const stop = w.whole(w.least(w.plus(begin, wide), n));
        panel(begin, stop);
        w.if(w.before(stop, n), () => {
          const [count, rest] = [w.whole(w.minus(stop, begin)), w.whole(w.minus(n, stop))];
          const right = w.part(u, begin, stop);
          solveBlocks(w, w.part(u, begin, begin), right, count, rest, columns, lower);
          const minus = w.temp(3, stride(n));
          w.for(0, count, (i) => w.sweep(rest, [w.part(minus, i, 0), w.part(right, i, 0)], [], ([, x]) => [w.neg(x!), null]));
          w.addProduct(w.part(u, stop, stop), w.part(u, stop, begin), minus, rest, rest, count);
        });
      },
      wide,
    );
  return { lu: u, order: vector, parity };
}
