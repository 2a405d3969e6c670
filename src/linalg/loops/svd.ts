import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import type { Block, LoopWriter, Real, RealCell, Whole, WholeCell } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { matricesIn } from "../matrices.ts";
import { eigenTemps, eigenvectors } from "./eigh.ts";
import { pointsBack } from "./orientation.ts";
import { clear, spread, turnInto } from "./rows.ts";

/** Sweeps over all pairs of columns; 6 to 10 are usual. From here on the tolerance doubles with each, so that they end whatever rounding does. */
const patience = 30;
/** Squares of shorter rows, beside elements near 1, lose digits: the host's. */
const shortest = 1e-270;

/** How far squares of rows may be from one another for their eigenvectors to be used: sums of them would take digits of what is much smaller. */
const alike = 2 ** 6;
/** Rows of a product that is symmetric: each begins at its own diagonal. */
const strip = 64;

/** Rows of which the first `length` elements count, in pairs that are made orthogonal; all `whole` elements of a row go along. */
interface Rows {
  readonly x: Block;
  readonly squares: Block;
  readonly count: number;
  readonly length: number;
  readonly whole: number;
}

function squareOf(w: LoopWriter, row: Block, length: number): RealCell {
  const square = w.total(length, [row], ([a]) => w.mul(a!, a!));
  w.if(w.not(w.less(shortest, square)), () => w.giveUp());
  return square;
}

/** The longest row from row p on goes there: what its square is. */
function bringLongest(w: LoopWriter, { x, squares, count, whole }: Rows, p: Whole): RealCell {
  const own = w.real(w.get(squares, p));
  const longest = w.whole(p);
  w.for(w.plus(p, 1), count, (q) =>
    w.if(w.less(own, w.get(squares, q)), () => {
      own.set(w.get(squares, q));
      longest.set(q);
    }),
  );
  w.if(w.before(p, longest), () => {
    w.sweep(whole, [w.part(x, p, 0), w.part(x, longest, 0)], [], ([y, z]) => [z!, y!]);
    w.put(squares, 0, longest, w.get(squares, p));
    w.put(squares, 0, p, own);
  });
  return own;
}

/** Rotates the rows after row p against it, those that `worth` names, where they are not orthogonal to the tolerance; `rotated` becomes 1 if one is. */
function rotateWith(
  w: LoopWriter,
  { x, squares, count, length, whole }: Rows,
  p: Whole,
  own: RealCell,
  tolerance: RealCell,
  rotated: WholeCell,
  worth: (q: Whole, limit: Real, body: () => void) => void,
): void {
  const a = w.part(x, p, 0);
  const least = w.real(w.mul(tolerance, w.sqrt(own)));
  w.for(w.plus(p, 1), count, (q) => {
    const other = w.real(w.get(squares, q));
    const limit = w.real(w.mul(least, w.sqrt(other)));
    worth(q, limit, () => {
      const b = w.part(x, q, 0);
      const gamma = w.total(length, [a, b], ([y, z]) => w.mul(y!, z!));
      w.if(w.less(limit, w.abs(gamma)), () => {
        rotated.set(1);
        const zeta = w.real(w.abs(w.div(w.sub(other, own), w.mul(2, gamma))));
        const size = w.real(w.div(1, w.add(zeta, w.choose(w.less(zeta, 1e9), w.sqrt(w.add(1, w.mul(zeta, zeta))), zeta))));
        // The longer row becomes longer still: the first one where they are equal.
        const longer = w.choose(w.less(own, other), w.neg(gamma), gamma);
        const t = w.real(w.choose(w.less(0, longer), w.neg(size), size));
        const c = w.real(w.div(1, w.sqrt(w.add(1, w.mul(t, t)))));
        w.sweep(whole, [a, b], [c, w.mul(c, t)], ([y, z], [c, s]) => [
          w.sub(w.mul(c!, y!), w.mul(s!, z!)),
          w.add(w.mul(s!, y!), w.mul(c!, z!)),
        ]);
        const update = (square: RealCell, change: RealCell, row: Block): void => {
          const next = w.real(w.add(square, change));
          w.if(
            w.less(w.mul(0.1, square), next),
            () => square.set(next),
            () => square.set(squareOf(w, row, length)),
          );
        };
        const change = w.real(w.mul(t, gamma));
        update(other, change, b);
        w.put(squares, 0, q, other);
        change.set(w.neg(change));
        update(own, change, a);
        least.set(w.mul(tolerance, w.sqrt(own)));
      });
    });
  });
  w.put(squares, 0, p, own);
}

/** Sweeps until no pair of rows was rotated. */
function untilOrthogonal(
  w: LoopWriter,
  { x, squares, count, length }: Rows,
  sweep: (tolerance: RealCell, rotated: WholeCell) => void,
): void {
  const tolerance = w.real(Math.sqrt(length) * Number.EPSILON);
  const sweeps = w.whole(0);
  w.forever((leave) => {
    sweeps.set(w.plus(sweeps, 1));
    w.if(w.before(patience, sweeps), () => tolerance.set(w.mul(2, tolerance)));
    w.for(0, count, (i) => w.put(squares, 0, i, squareOf(w, w.part(x, i, 0), length)));
    const rotated = w.whole(0);
    sweep(tolerance, rotated);
    w.if(w.same(rotated, 0), leave);
  });
}

/**
 * Rotates pairs of rows until all are orthogonal. The longest row that is left goes first, which saves sweeps.
 * Source: P. P. M. de Rijk, "A one-sided Jacobi algorithm for computing the singular value decomposition on a vector computer", SIAM J. Sci. Stat.
 * Comput. 10 (1989).
 */
function makeOrthogonal(w: LoopWriter, rows: Rows): void {
  untilOrthogonal(w, rows, (tolerance, rotated) =>
    w.for(0, rows.count - 1, (p) => rotateWith(w, rows, p, bringLongest(w, rows, p), tolerance, rotated, (_, __, body) => body())),
  );
}

/** The inner products of rows, right of the diagonal. */
function products(w: LoopWriter, x: Block, to: Block, count: number, length: number): void {
  clear(w, to, count * to.row);
  w.for(
    0,
    count,
    (i) => {
      const [rows, rest] = [w.part(x, i, 0), w.whole(w.minus(count, i))];
      w.addProduct(w.part(to, i, i), rows, w.turned(rows), w.least(rest, strip), rest, length);
    },
    strip,
  );
}

/** As {@link makeOrthogonal} for rows that are almost orthogonal: all their products at once say which pairs are worth a look. */
function finish(w: LoopWriter, rows: Rows, dots: Block): void {
  const { x, count, length } = rows;
  untilOrthogonal(w, rows, (tolerance, rotated) => {
    w.for(0, count - 1, (p) => void bringLongest(w, rows, p));
    products(w, x, dots, count, length);
    w.for(0, count - 1, (p) => {
      const own = w.real(w.get(rows.squares, p));
      const line = w.part(dots, p, 0);
      rotateWith(w, rows, p, own, tolerance, rotated, (q, limit, body) => w.if(w.less(limit, w.abs(w.get(line, q))), body));
    });
  });
}

/** A power of two that brings a size near 1. */
function powerToward(w: LoopWriter, given: RealCell): RealCell {
  const scale = w.real(1);
  const far = 2 ** 16;
  w.forever((leave) => {
    const size = w.real(w.mul(given, scale));
    w.if(
      w.less(size, 1 / far),
      () => scale.set(w.mul(scale, far)),
      () => w.if(w.less(far, size), () => scale.set(w.div(scale, far)), leave),
    );
  });
  return scale;
}

/**
 * The singular value decomposition by one-sided Jacobi rotations: the columns of a matrix, or its rows where it is wide, are made orthogonal. What is not
 * finite, or has a column of 0, is the host's.
 * Source: J. Demmel, K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13 (1992).
 */
export function svdLoops(node: Node): CompiledLoops | null {
  const { type } = node.operands[0]!;
  const [m, n] = type.shape.slice(-2) as [number, number];
  const [k, long] = [Math.min(m, n), Math.max(m, n)];
  const count = matricesIn(type);
  const whole = long + k;
  // From some size on, for rows of about one length, the eigenvectors of their products are where the rotations begin.
  const ahead = k >= 8 && k * long >= 256;
  return written(node, {
    temps: [k * spread(whole), k, k, ...(ahead ? [k * long, k * spread(k), k * spread(k), ...eigenTemps(k)] : [])],
    products: ahead ? long : 0,
    operations: count * k * k * (ahead ? 4 : 6) * (4 * long + 3 * k),
    kernel(w) {
      if (count * k === 0) return;
      const [a, u, s, vt] = [w.operand(0, n), w.result(0, k), w.result(1, k), w.result(2, n)];
      const [x, squares, norms] = [w.temp(0, spread(whole)), w.temp(1, k), w.temp(2, k)];
      const rows: Rows = { x, squares, count: k, length: long, whole };
      w.each(
        [count],
        [
          { block: a, steps: [m * n] },
          { block: u, steps: [m * k] },
          { block: s, steps: [k] },
          { block: vt, steps: [k * n] },
        ],
        () => {
          const sum = w.real(0);
          if (m >= n) turnInto(w, a, x, m, n);
          else w.for(0, k, (i) => w.sweep(long, [w.part(x, i, 0), w.part(a, i, 0)], [], ([, y]) => [y!, null]));
          w.for(0, k, (i) => {
            const own = w.total(long, [w.part(x, i, 0)], ([y]) => w.abs(y!));
            sum.set(w.add(sum, own));
          });
          w.if(w.not(w.both(w.less(0, sum), w.less(sum, Number.POSITIVE_INFINITY))), () => w.giveUp());
          sum.set(w.div(sum, k * long));
          const scale = powerToward(w, sum);
          w.for(0, k, (i) => {
            const row = w.part(x, i, 0);
            w.sweep(long, [row], [scale], ([y], [f]) => [w.mul(y!, f!)]);
            clear(w, w.ahead(row, 0, long), k);
            w.put(row, 0, w.plus(long, i), 1);
          });
          if (ahead) {
            const [least, most] = [w.real(Number.POSITIVE_INFINITY), w.real(0)];
            w.for(0, k, (i) => {
              const square = squareOf(w, w.part(x, i, 0), long);
              least.set(w.min(least, square));
              most.set(w.max(most, square));
            });
            w.if(
              w.less(most, w.mul(alike, least)),
              () => {
                const [copy, dots, z] = [w.temp(3, long), w.temp(4, spread(k)), w.temp(5, spread(k))];
                w.for(0, k, (i) => w.sweep(long, [w.part(copy, i, 0), w.part(x, i, 0)], [], ([, y]) => [y!, null]));
                products(w, copy, dots, k, long);
                eigenvectors(w, dots, z, 6, k);
                clear(w, x, k * x.row);
                w.addProduct(x, z, copy, k, long, k);
                w.for(0, k, (i) => w.sweep(k, [w.part(x, i, long), w.part(z, i, 0)], [], ([, y]) => [y!, null]));
                finish(w, rows, dots);
              },
              () => makeOrthogonal(w, rows),
            );
          } else makeOrthogonal(w, rows);
          w.for(0, k, (i) => w.put(norms, 0, i, w.sqrt(w.total(long, [w.part(x, i, 0)], ([y]) => w.mul(y!, y!)))));
          w.for(0, k, (to) => {
            // The largest that is left; the first of equal ones.
            const [norm, from] = [w.real(-1), w.whole(0)];
            w.for(0, k, (i) =>
              w.if(w.less(norm, w.get(norms, i)), () => {
                norm.set(w.get(norms, i));
                from.set(i);
              }),
            );
            w.put(norms, 0, from, -1);
            w.put(s, 0, to, w.div(norm, scale));
            const [longer, shorter] = [w.part(x, from, 0), w.part(x, from, long)];
            w.sweep(long, [longer], [norm], ([y], [d]) => [w.div(y!, d!)]);
            const [left, right] = m >= n ? [longer, shorter] : [shorter, longer];
            const sign = w.real(1);
            w.if(pointsBack(w, left, m), () => sign.set(-1));
            w.sweep(m, [left], [sign], ([y], [f]) => [w.add(0, w.mul(f!, y!))]);
            w.sweep(n, [right, w.part(vt, to, 0)], [sign], ([y], [f]) => [null, w.add(0, w.mul(f!, y!))]);
            w.put(squares, 0, to, w.toReal(from));
          });
          // By strips of eight rows: so many streams are written.
          w.for(
            0,
            m,
            (first) => {
              const end = w.whole(w.least(w.plus(first, 8), m));
              w.for(0, k, (to) => {
                const [left, column] = [w.part(x, w.toWhole(w.get(squares, to)), m >= n ? 0 : long), w.part(u, 0, to)];
                w.for(first, end, (i) => w.put(column, i, 0, w.get(left, i)));
              });
            },
            8,
          );
        },
      );
    },
  });
}
