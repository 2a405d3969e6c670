import type { Block, LoopWriter, Whole } from "../../loops/language.ts";

/** The whole numbers from `from` to `to` - 1: by groups of so many, told by their first, and what is left one by one. */
export function byGroups(
  w: LoopWriter,
  size: number,
  from: Whole | number,
  to: Whole | number,
  group: (i: Whole) => void,
  one: (i: Whole) => void,
): void {
  const [end, next] = [w.whole(to), w.whole(from)];
  w.for(
    next,
    w.minus(end, size - 1),
    (i) => {
      group(i);
      next.set(w.plus(i, size));
    },
    size,
  );
  w.for(next, end, one);
}

/** Four rows from row i on, from column j on. */
export function fourRows(w: LoopWriter, block: Block, i: Whole, j: Whole | number): readonly Block[] {
  const first = w.part(block, i, j);
  return [0, 1, 2, 3].map((more) => w.ahead(first, more, 0));
}

/** Zeros in `count` elements side by side. */
export function clear(w: LoopWriter, block: Block, count: Whole | number): void {
  w.sweep(count, [block], [0], (_, [zero]) => [zero!]);
}

/** The transposed copy of `rows` by `columns` elements, by strips of eight rows: eight streams are read. */
export function turnInto(w: LoopWriter, from: Block, to: Block, rows: number, columns: number): void {
  w.for(
    0,
    rows,
    (first) => {
      const end = w.whole(w.least(w.plus(first, 8), rows));
      w.for(0, columns, (j) => {
        const [source, line] = [w.part(from, 0, j), w.part(to, j, 0)];
        w.for(first, end, (i) => w.put(line, 0, i, w.get(source, i, 0)));
      });
    },
    8,
  );
}

/** From row to row in a temporary array with rows of n, so that those below one another do not share few places of a cache. */
export function spread(n: number): number {
  return n < 64 ? n : (Math.floor(n / 16) * 2 + 3) * 8;
}
