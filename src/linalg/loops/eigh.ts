import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import type { Block, LoopWriter, Real, Whole } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { matricesIn } from "../matrices.ts";
import { few, join, orthonormal, type Reflected, together } from "./qr.ts";
import { byGroups, clear, fourRows, spread, turnInto } from "./rows.ts";
import { symmetric } from "./symmetric.ts";

/** Reflections of the tridiagonal form whose updates of the rows after them are one product. */
const panel = 16;
/** Up to so many rows, which stay in the cache, a reflection changes all rows after it at once. */
const cached = 160;
/** Rows of such a product: each begins at its own diagonal. */
const strip = 64;
/** QL steps an eigenvalue may take; 2 or 3 are usual. */
const limit = 60;
/** From so many QL steps on their rotations are applied, to so many columns at a time: these rows stay in the cache for all of the steps. */
const steps = 32;
const columns = 64;
/** Magnitudes nearer than this to the largest one count as equal to it: see `kernels/orientation.ts`. */
const near = 1 - 1e-8;

/** y = a v for the symmetric a whose rows stand right of the diagonal: each is read once, for what it gives and for what its mirror does. */
function multiply(w: LoopWriter, a: Block, v: Block, y: Block, count: Whole): void {
  clear(w, y, count);
  const some = (j: Whole, many: number): void => {
    const next = w.whole(w.plus(j, many));
    const own = w.part(a, j, j);
    const [x, to] = [w.part(v, 0, j), w.part(y, 0, j)];
    const places = Array.from({ length: many }, (_, i) => i);
    const xs = places.map((i) => w.real(w.get(x, i)));
    const rows = places.map((i) => w.ahead(own, i, many));
    const sums = w.fold(w.minus(count, next), [w.ahead(x, 0, many), w.ahead(to, 0, many), ...rows], xs, many, ([z, sum, ...r], f) => ({
      sum: r.map((e) => w.mul(e, z!)),
      put: [null, r.reduce((t, e, i) => w.add(t, w.mul(e, f[i]!)), sum!)],
    }));
    for (const i of places) {
      const corner = places.reduce<Real>(
        (t, k) => w.add(t, w.mul(w.get(own, Math.min(i, k), Math.max(i, k)), xs[k]!)),
        w.add(sums[i]!, w.get(to, i)),
      );
      w.put(to, 0, i, corner);
    }
  };
  byGroups(w, 4, 0, count, (j) => some(j, 4), (j) => some(j, 1)); // biome-ignore format: one call
}

interface Tridiagonal {
  /** n by n, of which what stands right of the diagonal is read; row i becomes the vector of reflection i, from i + 1 on. */
  readonly a: Block;
  readonly taus: Block;
  readonly d: Block;
  readonly e: Block;
  /** Vectors v and w of a panel's reflections, turn and turn about, and -w and -v, so that the product of both is what they change. */
  readonly both: Block;
  readonly minus: Block;
  readonly n: number;
}

/**
 * Householder reflections to tridiagonal form: its diagonal, and what stands beside it. Source: J. J. Dongarra, D. C. Sorensen, S. J. Hammarling, "Block
 * reduction of matrices to condensed forms for eigenvalue computations", J. Comput. Appl. Math. 27 (1989); LAPACK dlatrd.
 */
function tridiagonal(w: LoopWriter, { a, taus, d, e, both, minus, n }: Tridiagonal): void {
  const paneled = n > cached;
  const size = paneled ? panel : 1;
  w.for(
    0,
    n - 1,
    (first) => {
      const end = w.whole(w.least(w.plus(first, size), n - 1));
      w.for(first, end, (i) => {
        const next = w.whole(w.plus(i, 1));
        const count = w.whole(w.minus(n, next));
        const row = w.part(a, i, i);
        const done = w.whole(w.times(2, w.minus(i, first)));
        /** Rows of what the reflections before have changed, times numbers, are added to `to`. */
        const addRows = (to: Block, from: Whole, length: Whole, factor: (p: Whole) => Real): void =>
          byGroups(
            w,
            4,
            0,
            done,
            (p) =>
              w.sweep(
                length,
                [to, ...fourRows(w, minus, p, from)],
                [0, 1, 2, 3].map((more) => factor(w.plus(p, more))),
                ([x, ...r], f) => [r.reduce((t, y, k) => w.add(t, w.mul(y, f[k]!)), x!)],
              ),
            (p) => w.sweep(length, [to, w.part(minus, p, from)], [factor(p)], ([x, y], [f]) => [w.add(x!, w.mul(y!, f!))]),
          );
        if (paneled) addRows(row, i, w.whole(w.plus(count, 1)), (p) => w.get(both, p, i));
        w.put(d, 0, i, w.get(row, 0));
        const v = w.ahead(row, 0, 1);
        const alpha = w.real(w.get(v, 0));
        const below = w.ahead(row, 0, 2);
        const rest = w.whole(w.minus(count, 1));
        const squares = w.total(rest, [below], ([x]) => w.mul(x!, x!));
        const [beta, tau] = [w.real(alpha), w.real(0)];
        // The numbers are near 1: what is this small changes nothing.
        w.if(w.less(1e-300, squares), () => {
          const root = w.real(w.sqrt(w.add(squares, w.mul(alpha, alpha))));
          beta.set(w.choose(w.less(alpha, 0), root, w.neg(root)));
          tau.set(w.div(w.sub(beta, alpha), beta));
          w.sweep(rest, [below], [w.sub(alpha, beta)], ([x], [by]) => [w.div(x!, by!)]);
        });
        w.put(e, 0, i, beta);
        w.put(taus, 0, i, tau);
        w.put(v, 0, 0, 1);
        const [copy, y] = [w.part(both, done, next), w.part(both, w.plus(done, 1), next)];
        multiply(w, w.part(a, next, next), v, y, count);
        if (paneled) {
          const dots = w.part(minus, 2 * panel, 0);
          byGroups(
            w,
            4,
            0,
            done,
            (p) => {
              const some = w.fold(count, [v, ...fourRows(w, both, p, next)], [], 4, ([x, ...r]) => ({ sum: r.map((z) => w.mul(x!, z)) }));
              some.map((dot, more) => w.put(dots, 0, w.plus(p, more), dot));
            },
            (p) =>
              w.put(
                dots,
                0,
                p,
                w.total(count, [v, w.part(both, p, next)], ([x, z]) => w.mul(x!, z!)),
              ),
          );
          addRows(y, next, count, (p) => w.get(dots, p));
        }
        const half = w.real(
          w.mul(
            w.mul(0.5, w.mul(tau, tau)),
            w.total(count, [v, y], ([x, z]) => w.mul(x!, z!)),
          ),
        );
        w.sweep(count, [y, v], [tau, half], ([z, x], [t, h]) => [w.sub(w.mul(t!, z!), w.mul(h!, x!))]);
        if (paneled)
          w.sweep(count, [v, y, copy, w.part(minus, done, next), w.part(minus, w.plus(done, 1), next)], [], ([x, z]) => [
            null,
            null,
            x!,
            w.neg(z!),
            w.neg(x!),
          ]);
        else {
          const update = (j: Whole, many: number): void => {
            const [own, x, z] = [w.part(a, w.plus(next, j), w.plus(next, j)), w.part(v, 0, j), w.part(y, 0, j)];
            const places = Array.from({ length: many }, (_, k) => k);
            w.sweep(
              w.minus(count, j),
              [x, z, ...places.map((k) => w.ahead(own, k, 0))],
              [...places.map((k) => w.get(x, k)), ...places.map((k) => w.get(z, k))],
              ([x, z, ...r], f) => [null, null, ...r.map((t, k) => w.sub(t, w.add(w.mul(f[k]!, z!), w.mul(f[many + k]!, x!))))],
            );
          };
          byGroups(w, 4, 0, count, (j) => update(j, 4), (j) => update(j, 1)); // biome-ignore format: one call
        }
      });
      if (paneled)
        w.for(
          end,
          n,
          (i) => {
            const rest = w.whole(w.minus(n, i));
            const count = w.times(2, w.minus(end, first));
            w.addProduct(w.part(a, i, i), w.turned(w.part(both, 0, i)), w.part(minus, 0, i), w.least(rest, strip), rest, count);
          },
          strip,
        );
    },
    size,
  );
  if (n > 0) w.put(d, 0, n - 1, w.get(a, n - 1, n - 1));
  if (n > 0) w.put(e, 0, n - 1, 0);
}

interface Rotated {
  /** Rows that are rotated: the vectors. */
  readonly z: Block;
  readonly d: Block;
  readonly e: Block;
  /** Cosines and sines of a step in a row. */
  readonly turns: Block;
  /** Between which rows a step rotates. */
  readonly ranges: Block;
  readonly n: number;
}

/** The rotations of `count` QL steps, on all rows of some columns before the next columns, four rotations in one reading. */
function rotate(w: LoopWriter, { z, turns, ranges, n }: Rotated, count: Whole): void {
  w.for(
    0,
    n,
    (column) => {
      const width = w.whole(w.least(columns, w.minus(n, column)));
      w.for(0, count, (q) => {
        const [first, i] = [w.whole(w.toWhole(w.get(ranges, q, 0))), w.whole(w.toWhole(w.get(ranges, q, 1)))];
        const some = (many: number): void =>
          w.forever((leave) => {
            w.if(w.before(i, w.plus(first, many)), leave);
            i.set(w.minus(i, many));
            const [rows, turn] = [w.part(z, i, column), w.part(turns, q, w.times(2, i))];
            const places = Array.from({ length: many + 1 }, (_, k) => k);
            w.sweep(
              width,
              places.map((k) => w.ahead(rows, k, 0)),
              places.flatMap((k) => (k < many ? [w.get(turn, 2 * k), w.get(turn, 2 * k + 1)] : [])),
              (x, f) => {
                const out: Real[] = [];
                let y = x[many]!;
                for (let k = many - 1; k >= 0; k--) {
                  const [c, s] = [f[2 * k]!, f[2 * k + 1]!];
                  out[k + 1] = w.add(w.mul(s, x[k]!), w.mul(c, y));
                  y = w.real(w.sub(w.mul(c, x[k]!), w.mul(s, y)));
                }
                out[0] = y;
                return out;
              },
            );
          });
        some(4);
        some(1);
      });
    },
    columns,
  );
}

/**
 * Implicit QL on the tridiagonal matrix, the rotations applied to the rows of z. Gives up where an eigenvalue does not settle. Source: J. H. Wilkinson,
 * C. Reinsch, "Handbook for Automatic Computation II: Linear Algebra", 1971, tql2, as in EISPACK.
 */
function diagonal(w: LoopWriter, all: Rotated): void {
  const { d, e, turns, ranges, n } = all;
  const [shift, size, count] = [w.real(0), w.real(Number.EPSILON), w.whole(0)];
  w.for(0, n, (l) => {
    const el = (): Real => w.get(e, l);
    size.set(w.max(size, w.add(w.abs(w.get(d, l)), w.abs(el()))));
    const tries = w.whole(0);
    w.forever((leave) => {
      const m = w.whole(l);
      w.forever((found) => {
        w.if(w.not(w.less(w.mul(Number.EPSILON, size), w.abs(w.get(e, m)))), found);
        m.set(w.plus(m, 1));
      });
      w.if(w.same(m, l), leave);
      w.if(w.same(tries, limit), () => w.giveUp());
      tries.set(w.plus(tries, 1));
      const first = w.real(w.get(d, l));
      const [own, beside] = [w.part(d, 0, l), w.real(w.get(w.part(e, 0, l), 1))];
      const p = w.real(w.div(w.sub(w.get(own, 1), first), w.mul(2, el())));
      const root = w.real(w.sqrt(w.add(w.mul(p, p), 1)));
      const both = w.real(w.add(p, w.choose(w.less(p, 0), w.neg(root), root)));
      w.put(own, 0, 0, w.div(el(), both));
      const next = w.real(w.mul(el(), both));
      w.put(own, 0, 1, next);
      const by = w.real(w.sub(first, w.get(own, 0)));
      w.sweep(w.minus(n, w.plus(l, 2)), [w.ahead(own, 0, 2)], [by], ([x], [h]) => [w.sub(x!, h!)]);
      shift.set(w.add(shift, by));
      p.set(w.get(d, m));
      const [c, c2, c3, s, s2] = [1, 1, 1, 0, 0].map((x) => w.real(x)) as [typeof p, typeof p, typeof p, typeof p, typeof p];
      w.for(0, w.minus(m, l), (back) => {
        const i = w.whole(w.minus(w.minus(m, 1), back));
        const [di, ei] = [w.real(w.get(d, i)), w.real(w.get(e, i))];
        c3.set(c2);
        c2.set(c);
        s2.set(s);
        const [g, h] = [w.real(w.mul(c, ei)), w.real(w.mul(c, p))];
        // c di - s g as a quotient, which waits for the root alone and not for c and s.
        const over = w.real(w.sub(w.mul(p, di), w.mul(ei, g)));
        const r = w.real(w.sqrt(w.add(w.mul(p, p), w.mul(ei, ei))));
        w.put(w.part(e, 0, i), 0, 1, w.mul(s, r));
        s.set(w.div(ei, r));
        c.set(w.div(p, r));
        p.set(w.div(over, r));
        w.put(w.part(d, 0, i), 0, 1, w.add(h, w.mul(s, w.add(w.mul(c, g), w.mul(s, di)))));
        const turn = w.part(turns, count, w.times(2, i));
        w.put(turn, 0, 0, c);
        w.put(turn, 0, 1, s);
      });
      p.set(w.div(w.mul(w.neg(w.mul(w.mul(s, s2), c3)), w.mul(beside, el())), next));
      w.put(e, 0, l, w.mul(s, p));
      w.put(d, 0, l, w.mul(c, p));
      w.put(ranges, count, 0, w.toReal(l));
      w.put(ranges, count, 1, w.toReal(m));
      count.set(w.plus(count, 1));
    });
    w.put(d, 0, l, w.add(w.get(d, l), shift));
    w.put(e, 0, l, 0);
    // At the last there is nothing left to do but this.
    w.if(w.either(w.same(l, n - 1), w.before(steps - 1, count)), () => {
      rotate(w, all, count);
      count.set(0);
    });
  });
}

/** Rows of z in the order of ascending d, equal ones as they are, to `to`: each so that the first of its largest components is positive. */
function inOrder(w: LoopWriter, d: Block, z: Block, order: Block, to: Block, n: number): void {
  w.for(0, n, (i) => {
    const x = w.real(w.get(d, i));
    const place = w.whole(i);
    w.forever((found) => {
      w.if(w.same(place, 0), found);
      const before = w.part(order, 0, w.minus(place, 1));
      w.if(w.not(w.less(x, w.get(d, w.toWhole(w.get(before, 0))))), found);
      w.put(before, 0, 1, w.get(before, 0));
      place.set(w.minus(place, 1));
    });
    w.put(order, 0, place, w.toReal(i));
  });
  w.for(0, n, (i) => {
    const row = w.part(z, w.toWhole(w.get(order, i)), 0);
    const most = w.real(0);
    w.for(0, n, (j) => {
      const size = w.real(w.abs(w.get(row, j)));
      w.if(w.less(most, size), () => most.set(size));
    });
    const j = w.whole(0);
    w.forever((found) => {
      w.if(w.not(w.less(w.abs(w.get(row, j)), w.mul(near, most))), found);
      j.set(w.plus(j, 1));
    });
    const sign = w.choose(w.less(w.get(row, j), 0), -1, 1);
    w.sweep(n, [row, w.part(to, i, 0)], [sign], ([x], [f]) => [null, w.mul(x!, f!)]);
  });
}

/** Lengths of temporary arrays for {@link eigenvectors}. */
export function eigenTemps(n: number): readonly number[] {
  const row = spread(n);
  const [paneled, grouped] = [n > cached, n - 1 > few];
  return [
    4 * n,
    (paneled ? 2 * panel : 2) * row,
    paneled ? (2 * panel + 1) * row : 0,
    grouped ? together * n : 0,
    grouped ? 2 * n * together : 0,
    2 * n * (steps + limit),
    2 * (steps + limit),
  ];
}

/**
 * The eigenvectors of a symmetric matrix as the rows of z, in no order, and its eigenvalues, which are returned. Of `a` what stands right of the diagonal is
 * read, and lost. Rows of both are `spread(n)` apart; temp `first` is the first of {@link eigenTemps}.
 */
export function eigenvectors(w: LoopWriter, a: Block, z: Block, first: number, n: number): Block {
  const [d, e, taus] = [0, 1, 2].map((i) => w.ahead(w.temp(first, n), i, 0)) as [Block, Block, Block];
  tridiagonal(w, { a, taus, d, e, both: w.temp(first + 1, a.row), minus: w.temp(first + 2, a.row), n });
  const all: Reflected = {
    x: w.ahead(a, 0, 1),
    taus,
    groups: w.temp(first + 3, n),
    parts: w.temp(first + 4, together),
    m: n - 1,
    n: n - 1,
  };
  if (n - 1 > few) w.for(0, n - 1, (group) => join(w, all, group, w.whole(w.least(together, w.minus(n - 1, group)))), together);
  clear(w, z, n);
  w.for(0, n, (i) => w.put(z, i, 0, 0));
  if (n > 0) w.put(z, 0, 0, 1);
  orthonormal(w, all, w.ahead(z, 1, 1));
  diagonal(w, { z, d, e, turns: w.temp(first + 5, 2 * n), ranges: w.temp(first + 6, 2), n });
  return d;
}

/** Eigenvalues and eigenvectors of symmetric matrices, scaled so that their numbers are near 1. Gives up where that is far away. */
export function eighLoops(node: Node): CompiledLoops {
  const { type } = node.operands[0]!;
  const n = type.shape.at(-1)!;
  const row = spread(n);
  return written(node, {
    temps: [n * row, n * row, ...eigenTemps(n)],
    products: n - 1 > few ? n : 0,
    operations: 8 * matricesIn(type) * n ** 3,
    kernel(w) {
      const [given, values, vectors] = [w.operand(0, n), w.result(0, n), w.result(1, n)];
      const [a, z] = [w.temp(0, row), w.temp(1, row)];
      const order = w.ahead(w.temp(2, n), 3, 0);
      w.each(
        [matricesIn(type)],
        [
          { block: given, steps: [n * n] },
          { block: values, steps: [n] },
          { block: vectors, steps: [n * n] },
        ],
        () => {
          symmetric(w, given, a, n);
          const sum = w.real(0);
          w.for(0, n, (i) =>
            sum.set(
              w.add(
                sum,
                w.total(n, [w.part(a, i, 0)], ([x]) => w.abs(x!)),
              ),
            ),
          );
          const scale = w.real(1);
          w.if(w.unequal(sum, 0), () => {
            w.if(w.not(w.both(w.less(1e-100, sum), w.less(sum, 1e100))), () => w.giveUp());
            sum.set(w.div(sum, n));
            w.forever((done) => {
              const now = w.real(w.mul(sum, scale));
              w.if(w.both(w.less(0.25, now), w.less(now, 4)), done);
              scale.set(w.mul(scale, w.choose(w.less(now, 1), 2, 0.5)));
            });
            w.if(w.unequal(scale, 1), () => w.for(0, n, (i) => w.sweep(n, [w.part(a, i, 0)], [scale], ([x], [f]) => [w.mul(x!, f!)])));
          });
          const d = eigenvectors(w, a, z, 2, n);
          inOrder(w, d, z, order, a, n);
          w.for(0, n, (i) => w.put(values, 0, i, w.div(w.get(d, w.toWhole(w.get(order, i))), scale)));
          turnInto(w, a, vectors, n, n);
        },
      );
    },
  });
}
