/** A part of an array, read as a matrix: element (i, j) is `data[at + i row + j column]`. */
export interface Block {
  readonly data: Float64Array;
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

/** Products that are taken from an element in one go: rows of b that the first-level cache holds. */
const depth = 128;

/**
 * c -= a b, for a of m by k and b of k by n; c overlaps neither. Factorizations spend their time here, in blocks of two rows and four columns that stay in
 * registers. From each element its products are taken one after the other, so that a factorization by blocks has the bits of one row by row: of two rows
 * that are equal, nothing is left of the second.
 */
export function subtractProduct(c: Block, a: Block, b: Block, m: number, n: number, k: number): void {
  for (let from = 0; from < k; from += depth) {
    const count = Math.min(depth, k - from);
    subtractPart(c, a.data, a.at + from * a.column, a.row, a.column, b.data, b.at + from * b.row, b.row, b.column, m, n, count);
  }
}

function subtractPart(
  { data: c, at: start, row: down, column: along }: Block,
  a: Float64Array,
  fromA: number,
  rowA: number,
  stepA: number,
  b: Float64Array,
  fromB: number,
  stepB: number,
  columnB: number,
  m: number,
  n: number,
  k: number,
): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const first = fromB + j * columnB;
    let i = 0;
    for (; i + 2 <= m; i += 2) {
      const to = start + i * down + j * along;
      const next = to + down;
      let s00 = c[to]!;
      let s01 = c[to + along]!;
      let s02 = c[to + 2 * along]!;
      let s03 = c[to + 3 * along]!;
      let s10 = c[next]!;
      let s11 = c[next + along]!;
      let s12 = c[next + 2 * along]!;
      let s13 = c[next + 3 * along]!;
      for (let p = 0, x = fromA + i * rowA, y = first; p < k; p++, x += stepA, y += stepB) {
        const f = a[x]!;
        const g = a[x + rowA]!;
        const y0 = b[y]!;
        const y1 = b[y + columnB]!;
        const y2 = b[y + 2 * columnB]!;
        const y3 = b[y + 3 * columnB]!;
        s00 -= f * y0;
        s01 -= f * y1;
        s02 -= f * y2;
        s03 -= f * y3;
        s10 -= g * y0;
        s11 -= g * y1;
        s12 -= g * y2;
        s13 -= g * y3;
      }
      c[to] = s00;
      c[to + along] = s01;
      c[to + 2 * along] = s02;
      c[to + 3 * along] = s03;
      c[next] = s10;
      c[next + along] = s11;
      c[next + 2 * along] = s12;
      c[next + 3 * along] = s13;
    }
    if (i === m) continue;
    const to = start + i * down + j * along;
    let s0 = c[to]!;
    let s1 = c[to + along]!;
    let s2 = c[to + 2 * along]!;
    let s3 = c[to + 3 * along]!;
    for (let p = 0, x = fromA + i * rowA, y = first; p < k; p++, x += stepA, y += stepB) {
      const f = a[x]!;
      s0 -= f * b[y]!;
      s1 -= f * b[y + columnB]!;
      s2 -= f * b[y + 2 * columnB]!;
      s3 -= f * b[y + 3 * columnB]!;
    }
    c[to] = s0;
    c[to + along] = s1;
    c[to + 2 * along] = s2;
    c[to + 3 * along] = s3;
  }
  for (; j < n; j++)
    for (let i = 0; i < m; i++) {
      const to = start + i * down + j * along;
      let s = c[to]!;
      for (let p = 0, x = fromA + i * rowA, y = fromB + j * columnB; p < k; p++, x += stepA, y += stepB) s -= a[x]! * b[y]!;
      c[to] = s;
    }
}
