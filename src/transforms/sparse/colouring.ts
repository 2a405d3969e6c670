import { type Pattern, transposed } from "./pattern.ts";

/** A colour for each row or column, 0 .. count - 1, and how many there are. */
export interface Colouring {
  readonly colours: Int32Array;
  readonly count: number;
}

/** Rows by number of entries, most first, ties in order: late rows of many entries would find most colours taken. */
function largestFirst({ shape: [n], rows }: Pattern): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  return order.sort((a, b) => rows[b + 1]! - rows[b]! - (rows[a + 1]! - rows[a]!) || a - b);
}

/** The smallest colour that `turn` did not forbid. */
function smallest(forbidden: Int32Array, turn: number): number {
  let c = 0;
  while (forbidden[c] === turn) c++;
  return c;
}

/**
 * Columns in groups no two of which have an entry in one row, so that one direction that is 1 in a whole group shows each of its entries apart
 * (Curtis, Powell, Reid, "On the estimation of sparse Jacobian matrices", 1974): a distance-2 colouring of the columns, greedy, columns with most
 * entries first (Gebremedhin, Manne, Pothen, "What color is your Jacobian?", SIAM Review 47, 2005, algorithm 3.2). A column without entries takes
 * part in none: its colour is -1.
 * @param limit give up beyond this many colours: null
 */
export function columnColouring(pattern: Pattern, limit: number = Number.POSITIVE_INFINITY): Colouring | null {
  const byColumn = transposed(pattern);
  const n = pattern.shape[1];
  const colours = new Int32Array(n).fill(-1);
  const forbidden = new Int32Array(n + 1).fill(-1);
  let count = 0;
  for (const j of largestFirst(byColumn)) {
    if (byColumn.rows[j] === byColumn.rows[j + 1]) break;
    for (let a = byColumn.rows[j]!; a < byColumn.rows[j + 1]!; a++) {
      const i = byColumn.cols[a]!;
      for (let b = pattern.rows[i]!; b < pattern.rows[i + 1]!; b++) {
        const c = colours[pattern.cols[b]!]!;
        if (c >= 0) forbidden[c] = j;
      }
    }
    const c = smallest(forbidden, j);
    colours[j] = c;
    if (c + 1 > count) count = c + 1;
    if (count >= limit) return null;
  }
  return { colours, count };
}

/**
 * Columns of a symmetric matrix in groups, such that each entry can be read off by itself from its own column's group or from that of its mirror: a
 * star colouring, in which neighbours differ and no path of four has two colours (Coleman, Moré, 1984; greedy: Gebremedhin, Manne, Pothen, 2005,
 * algorithm 4.1), vertices with most neighbours first. It takes fewer groups than a distance-2 colouring: an arrow needs two, not all.
 */
export function starColouring(pattern: Pattern): Colouring {
  const { rows, cols } = pattern;
  const n = pattern.shape[0];
  const colours = new Int32Array(n).fill(-1);
  const forbidden = new Int32Array(n + 2).fill(-1);
  let count = 0;
  for (const v of largestFirst(pattern)) {
    if (rows[v] === rows[v + 1]) break;
    for (let a = rows[v]!; a < rows[v + 1]!; a++) {
      const w = cols[a]!;
      if (w === v) continue;
      const own = colours[w]!;
      if (own >= 0) forbidden[own] = v;
      for (let b = rows[w]!; b < rows[w + 1]!; b++) {
        const x = cols[b]!;
        const c = colours[x]!;
        if (x === v || x === w || c < 0 || forbidden[c] === v) continue;
        if (own < 0 || endsInColour(pattern, colours, x, w, own)) forbidden[c] = v;
      }
    }
    const c = smallest(forbidden, v);
    colours[v] = c;
    if (c + 1 > count) count = c + 1;
  }
  return { colours, count };
}

/** Whether a neighbour of x other than w has this colour: the path v, w, x and it would have two colours. */
function endsInColour({ rows, cols }: Pattern, colours: Int32Array, x: number, w: number, colour: number): boolean {
  for (let k = rows[x]!; k < rows[x + 1]!; k++) {
    const y = cols[k]!;
    if (y !== w && y !== x && colours[y] === colour) return true;
  }
  return false;
}

/** For each entry (i, j) of a symmetric pattern the column to read it from: j itself, or i where another neighbour of i has j's colour. */
export function readFrom({ shape: [n], rows, cols }: Pattern, { colours, count }: Colouring): Uint8Array {
  const mirrored = new Uint8Array(cols.length);
  const seen = new Int32Array(count);
  for (let i = 0; i < n; i++) {
    seen.fill(0);
    for (let k = rows[i]!; k < rows[i + 1]!; k++) seen[colours[cols[k]!]!]!++;
    for (let k = rows[i]!; k < rows[i + 1]!; k++) mirrored[k] = cols[k] !== i && seen[colours[cols[k]!]!]! > 1 ? 1 : 0;
  }
  return mirrored;
}
