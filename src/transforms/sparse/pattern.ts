import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { ColumnSets } from "./column-sets.ts";
import { propagate } from "./reach.ts";

/**
 * Where a sparse matrix can be other than 0, by rows (compressed sparse row): row i has its entries at `rows[i]` to `rows[i + 1] - 1`, and entry k
 * stands in column `cols[k]`; columns of a row are in order.
 */
export interface Pattern {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** Where each row begins; one number more than there are rows, the last being the number of entries. */
  readonly rows: Int32Array;
  /** The column of each entry. */
  readonly cols: Int32Array;
}

/** How many elements values have together. */
export function totalOf(vs: readonly Value[]): number {
  return vs.reduce((n, v) => n + sizeOf(v.type.shape), 0);
}

/** The pattern of the derivatives of values with respect to others, both laid end to end. */
export function patternOf(outs: readonly Value[], wrt: readonly Value[]): Pattern {
  const sets = new ColumnSets();
  let column = 0;
  const seeds = wrt.map((v) => Float64Array.from({ length: sizeOf(v.type.shape) }, () => sets.single(column++)));
  const found = propagate(outs, wrt, seeds, sets);
  const rows = new Int32Array(totalOf(outs) + 1);
  let row = 0;
  const each = (visit: (set: Int32Array) => void): void => {
    outs.forEach((out, k) => {
      for (let i = 0; i < sizeOf(out.type.shape); i++) visit(sets.columns(found[k]?.[i] ?? 0));
    });
  };
  each((set) => {
    rows[row + 1] = rows[row]! + set.length;
    row++;
  });
  const cols = new Int32Array(rows[row]!);
  row = 0;
  each((set) => {
    cols.set(set, rows[row++]);
  });
  return { shape: [row, column], rows, cols };
}

/** The pattern with rows and columns exchanged. */
export function transposed({ shape: [m, n], rows, cols }: Pattern): Pattern {
  const starts = new Int32Array(n + 1);
  for (let k = 0; k < cols.length; k++) starts[cols[k]! + 1]!++;
  for (let j = 0; j < n; j++) starts[j + 1]! += starts[j]!;
  const next = starts.slice();
  const into = new Int32Array(cols.length);
  for (let i = 0; i < m; i++) for (let k = rows[i]!; k < rows[i + 1]!; k++) into[next[cols[k]!]!++] = i;
  return { shape: [n, m], rows: starts, cols: into };
}

/** The pattern of a square matrix and of its transpose together. */
export function symmetric(p: Pattern): Pattern {
  const t = transposed(p);
  const n = p.shape[0];
  const rows = new Int32Array(n + 1);
  const cols: number[] = [];
  for (let i = 0; i < n; i++) {
    const [endP, endT] = [p.rows[i + 1]!, t.rows[i + 1]!];
    for (let a = p.rows[i]!, b = t.rows[i]!; a < endP || b < endT; ) {
      const x = a < endP ? p.cols[a]! : Number.POSITIVE_INFINITY;
      const y = b < endT ? t.cols[b]! : Number.POSITIVE_INFINITY;
      cols.push(Math.min(x, y));
      if (x <= y) a++;
      if (y <= x) b++;
    }
    rows[i + 1] = cols.length;
  }
  return { shape: [n, n], rows, cols: Int32Array.from(cols) };
}
