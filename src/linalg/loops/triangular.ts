import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import type { Block, LoopWriter, Real, Whole, WholeCell } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import type { Triangle } from "../kernels/triangular.ts";
import { byGroups } from "./rows.ts";
import { copyRows, overSystems, systemsOf } from "./systems.ts";

/** How a triangle is read: downwards if it is a lower one as it lies before the solver, else upwards; with ones on its diagonal, or what is there. */
export interface Way {
  readonly forward: boolean;
  readonly unitDiagonal: boolean;
}

/** Rows that are solved before the rows after them lose a product. */
export const together = 32;
/** Systems of so many rows need no products. */
export const few = 48;

/** A power of two in elements from row to row puts all of a column in the same few places of a cache. */
export const stride = (n: number): number => (n % 32 === 0 ? n + 8 : n);

/** Rows of `targets` less four rows times numbers each: `factors` has four for every target. */
export function lessFour(
  w: LoopWriter,
  count: Whole | number,
  targets: readonly Block[],
  sources: readonly Block[],
  factors: readonly Real[],
): void {
  w.sweep(count, [...targets, ...sources], factors, (elements, f) =>
    elements.map((x, i) =>
      i < targets.length
        ? sources.reduce<Real>((sum, _, s) => w.sub(sum, w.mul(f[i * sources.length + s]!, elements[targets.length + s]!)), x)
        : null,
    ),
  );
}

/** The body for `from` and every second whole number after it with the one after that, then for what is left: the last alone. */
export function byTwos(w: LoopWriter, from: Whole, to: Whole, body: (rows: readonly Whole[]) => void): void {
  byGroups(w, 2, from, to, (i) => body([i, w.whole(w.plus(i, 1))]), (i) => body([i])); // biome-ignore format: one call
}

/** Four rows of so many columns, whose places in t are given, solved in one pass. */
export function solveFour(
  w: LoopWriter,
  t: Block,
  rows: readonly Whole[],
  lines: readonly Block[],
  columns: Whole | number,
  unitDiagonal: boolean,
): void {
  const factors: Real[] = [];
  for (let i = 0; i < 4; i++) for (let j = 0; j <= i; j++) factors.push(i === j && unitDiagonal ? w.real(1) : w.get(t, rows[i]!, rows[j]!));
  w.sweep(columns, lines, factors, (elements, f) => {
    const solved: Real[] = [];
    elements.forEach((element, i) => {
      const at = (i * (i + 1)) / 2;
      const rest = solved.reduce((sum, z, j) => w.sub(sum, w.mul(f[at + j]!, z)), element);
      solved.push(w.real(unitDiagonal ? rest : w.div(rest, f[at + i]!)));
    });
    return solved;
  });
}

/**
 * Overwrites `count` rows of x, each of `columns`, with the solution of t x = x: four rows at once, which the rows after them lose then.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 3.1.5.
 */
export function solveRows(w: LoopWriter, t: Block, x: Block, count: Whole | number, columns: Whole | number, way: Way): void {
  const { forward, unitDiagonal } = way;
  const place = (s: Whole | number): WholeCell => w.whole(forward ? s : w.minus(w.minus(count, 1), s));
  const line = (row: Whole): Block => w.part(x, row, 0);
  byGroups(
    w,
    4,
    0,
    count,
    (s) => {
      const rows = [0, 1, 2, 3].map((i) => place(w.plus(s, i)));
      const lines = rows.map(line);
      solveFour(w, t, rows, lines, columns, unitDiagonal);
      byTwos(w, w.plus(s, 4), w.whole(count), (next) => {
        const targets = next.map(place);
        lessFour(w, columns, targets.map(line), lines, targets.flatMap((q) => rows.map((r) => w.get(t, q, r)))); // biome-ignore format: one call
      });
    },
    (s) => {
      const row = place(s);
      if (!unitDiagonal) w.sweep(columns, [line(row)], [w.get(t, row, row)], ([z], [pivot]) => [w.div(z!, pivot!)]);
      w.for(w.plus(s, 1), count, (q) => {
        const target = place(q);
        w.sweep(columns, [line(target), line(row)], [w.get(t, target, row)], ([z, y], [f]) => [w.sub(z!, w.mul(f!, y!)), null]);
      });
    },
  );
}

/**
 * The same for n rows, most of it as products; `minus` has room for `together` rows of `columns`. `within`: t is lower triangular, and so are x and the
 * solution, as of a unit matrix.
 */
export function solveBlocks(
  w: LoopWriter,
  t: Block,
  x: Block,
  n: Whole | number,
  columns: Whole | number,
  minus: Block,
  way: Way,
  within: boolean = false,
): void {
  if (typeof n === "number" && n <= few) {
    solveRows(w, t, x, n, columns, way);
    return;
  }
  w.for(
    0,
    n,
    (done) => {
      const count = w.whole(w.least(w.minus(n, done), together));
      const rest = w.whole(w.minus(w.minus(n, done), count));
      const first = w.whole(way.forward ? done : rest);
      const next = w.whole(way.forward ? w.plus(first, count) : 0);
      const own = w.part(x, first, 0);
      const wide = within ? next : columns;
      solveRows(w, w.part(t, first, first), own, count, wide, way);
      w.if(w.before(0, rest), () => {
        w.for(0, count, (i) => w.sweep(wide, [w.part(minus, i, 0), w.part(own, i, 0)], [], ([, z]) => [w.neg(z!), null]));
        w.addProduct(w.part(x, next, 0), w.part(t, next, first), minus, rest, wide, count);
      });
    },
    together,
  );
}

/** The same for one right side of n elements that lie side by side: by dot products where rows of t do so too, else column by column. */
export function solveVector(w: LoopWriter, t: Block, x: Block, n: number, { forward, unitDiagonal }: Way): void {
  w.for(0, n, (s) => {
    const i = forward ? s : w.whole(w.minus(n - 1, s));
    const byRows = t.column === 1;
    // What is solved already, or what is yet to be.
    const from = w.whole(byRows === forward ? 0 : w.plus(i, 1));
    const count = w.whole(byRows === forward ? i : w.minus(n - 1, i));
    const over = (x: Real): Real => (unitDiagonal ? x : w.div(x, w.get(t, i, i)));
    const others = w.part(x, 0, from);
    if (byRows) {
      const sum = w.total(count, [w.part(t, i, from), others], ([f, z]) => w.mul(f!, z!));
      w.put(x, 0, i, over(w.sub(w.get(x, 0, i), sum)));
    } else {
      const solved = w.real(over(w.get(x, 0, i)));
      w.put(x, 0, i, solved);
      w.sweep(count, [others, w.turned(w.part(t, from, i))], [solved], ([z, f], [y]) => [w.sub(z!, w.mul(f!, y!)), null]);
    }
  });
}

/** The same for any number of columns. */
export function solveInPlace(w: LoopWriter, t: Block, x: Block, n: number, columns: number, minus: Block, way: Way): void {
  if (columns === 1) solveVector(w, t, x, n, way);
  else solveBlocks(w, t, x, n, columns, minus, way);
}

/** `triangularSolve`. A 0 on the diagonal is the host's. */
export function triangularLoops(node: Node): CompiledLoops {
  const systems = systemsOf(node);
  const { n, columns, count, doubles } = systems;
  const { lower, transpose, unitDiagonal } = node.attrs as unknown as Triangle;
  const way = { forward: lower !== transpose, unitDiagonal };
  return written(node, {
    temps: [together * columns, ...(doubles ? [] : [n * n, n * columns])],
    products: n > few && columns > 1 ? Math.max(n, columns) : 0,
    operations: count * n * n * columns,
    kernel(w) {
      overSystems(
        w,
        systems,
        (a) => {
          if (!unitDiagonal) w.for(0, n, (i) => w.if(w.not(w.unequal(w.get(a, i, i), 0)), () => w.giveUp()));
          if (doubles) return a;
          const own = w.temp(1, n);
          copyRows(w, a, own, n, n);
          return own;
        },
        (a, b, y) => {
          const x = doubles ? y : w.temp(2, columns);
          copyRows(w, b, x, n, columns);
          solveInPlace(w, transpose ? w.turned(a) : a, x, n, columns, w.temp(0, columns), way);
          if (!doubles) copyRows(w, x, y, n, columns);
        },
      );
    },
  });
}
