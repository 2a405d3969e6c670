import type { NumberArray } from "../../ir/dtype.ts";

/** How a matrix lies in its array: element (i, j) at offset + i * row + j * column. */
export interface MatrixLayout {
  readonly offset: number;
  readonly row: number;
  readonly column: number;
}

/** A batch of products: batch axes with the strides of each operand along them (0 where broadcast), and the layouts of the first matrices. */
export interface BatchedProduct {
  readonly batch: readonly number[];
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: MatrixLayout & { readonly batch: readonly number[] };
  readonly b: MatrixLayout & { readonly batch: readonly number[] };
  /** Row-major results stand one after the other from here on; by default 0. */
  readonly cOffset?: number;
}

/** Rows and columns of the block that the inner loop holds in registers. */
const BLOCK = 4;

/** Operands packed for the inner loop: plain doubles in the order in which it reads them. Kept between products. */
let packedA: Float64Array = /* @__PURE__ */ new Float64Array(0);
let packedB: Float64Array = /* @__PURE__ */ new Float64Array(0);

/** Writes `count` rows from `first` on, k long, to `packed` as [k][BLOCK], zeros beyond the last row. Columns of B pack as rows with the strides swapped. */
function pack(
  packed: Float64Array,
  at: number,
  src: NumberArray,
  start: number,
  row: number,
  step: number,
  count: number,
  k: number,
): void {
  for (let r = 0; r < BLOCK; r++) {
    if (r >= count) {
      for (let p = 0; p < k; p++) packed[at + p * BLOCK + r] = 0;
      continue;
    }
    let from = start + r * row;
    for (let p = 0; p < k; p++) {
      packed[at + p * BLOCK + r] = src[from]!;
      from += step;
    }
  }
}

/** The 4 by 4 block of products of the packed rows at `pa` and columns at `pb`, stored or added at `c`. */
function block(a: Float64Array, pa: number, b: Float64Array, pb: number, k: number, sums: Float64Array): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let p = 0; p < k; p++) {
    const b0 = b[pb]!;
    const b1 = b[pb + 1]!;
    const b2 = b[pb + 2]!;
    const b3 = b[pb + 3]!;
    const a0 = a[pa]!;
    const a1 = a[pa + 1]!;
    const a2 = a[pa + 2]!;
    const a3 = a[pa + 3]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
    pa += BLOCK;
    pb += BLOCK;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
  sums[8] = s20;
  sums[9] = s21;
  sums[10] = s22;
  sums[11] = s23;
  sums[12] = s30;
  sums[13] = s31;
  sums[14] = s32;
  sums[15] = s33;
}

/** Few rows, or few products altogether: packing would cost more than it saves. One dot product after the other, without packing. */
function smallProduct(
  a: NumberArray,
  la: MatrixLayout,
  b: NumberArray,
  lb: MatrixLayout,
  c: NumberArray,
  lc: MatrixLayout,
  m: number,
  k: number,
  n: number,
  add: boolean,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let pa = la.offset + i * la.row;
      let pb = lb.offset + j * lb.column;
      let sum = 0;
      for (let p = 0; p < k; p++) {
        sum += a[pa]! * b[pb]!;
        pa += la.column;
        pb += lb.row;
      }
      const at = lc.offset + i * lc.row + j * lc.column;
      c[at] = add ? c[at]! + sum : sum;
    }
  }
}

/** One row times a matrix whose rows are contiguous, row by row of b, so that memory is read in order; the same sums in the same order. */
function rowProduct(
  a: NumberArray,
  la: MatrixLayout,
  i: number,
  b: NumberArray,
  lb: MatrixLayout,
  sums: Float64Array,
  k: number,
  n: number,
): void {
  sums.fill(0, 0, n);
  let pa = la.offset + i * la.row;
  for (let p = 0; p < k; p++) {
    const x = a[pa]!;
    pa += la.column;
    let pb = lb.offset + p * lb.row;
    for (let j = 0; j < n; j++) {
      sums[j]! += x * b[pb]!;
      pb += lb.column;
    }
  }
}

/**
 * c = a b, or c += a b with `add`, for one pair of matrices, a of m by k and b of k by n, under any strides (a transpose is swapped strides).
 *
 * Every element is the sum over p = 0, 1, ... of a[i,p] b[p,j] in double, from the left, whatever the path, and is rounded once when stored: the
 * result depends on neither sizes nor strides. `c` must not share memory with `a` or `b`.
 */
export function product(
  a: NumberArray,
  la: MatrixLayout,
  b: NumberArray,
  lb: MatrixLayout,
  c: NumberArray,
  lc: MatrixLayout,
  m: number,
  k: number,
  n: number,
  add = false,
): void {
  if (m * n * k < 512 || n === 1) {
    smallProduct(a, la, b, lb, c, lc, m, k, n, add);
    return;
  }
  if (m < BLOCK) {
    if (packedA.length < n) packedA = new Float64Array(n);
    const sums = packedA;
    for (let i = 0; i < m; i++) {
      rowProduct(a, la, i, b, lb, sums, k, n);
      const to = lc.offset + i * lc.row;
      for (let j = 0; j < n; j++) c[to + j * lc.column] = add ? c[to + j * lc.column]! + sums[j]! : sums[j]!;
    }
    return;
  }
  blockedProduct(a, la, b, lb, c, lc, m, k, n, add);
}

const blockSums: Float64Array = /* @__PURE__ */ new Float64Array(BLOCK * BLOCK);

function blockedProduct(
  a: NumberArray,
  la: MatrixLayout,
  b: NumberArray,
  lb: MatrixLayout,
  c: NumberArray,
  lc: MatrixLayout,
  m: number,
  k: number,
  n: number,
  add: boolean,
): void {
  // Columns of b in panels of about 256 KiB, which stay in the cache while all rows of a pass by.
  const panel = Math.max(BLOCK, Math.min(Math.ceil(n / BLOCK) * BLOCK, Math.floor(32768 / k / BLOCK) * BLOCK));
  if (packedA.length < k * BLOCK) packedA = new Float64Array(k * BLOCK);
  if (packedB.length < k * panel) packedB = new Float64Array(k * panel);
  const pa = packedA;
  const pb = packedB;
  const sums = blockSums;
  for (let first = 0; first < n; first += panel) {
    const width = Math.min(panel, n - first);
    for (let j = 0; j < width; j += BLOCK)
      pack(pb, j * k, b, lb.offset + (first + j) * lb.column, lb.column, lb.row, Math.min(BLOCK, width - j), k);
    for (let i = 0; i < m; i += BLOCK) {
      const rows = Math.min(BLOCK, m - i);
      pack(pa, 0, a, la.offset + i * la.row, la.row, la.column, rows, k);
      for (let j = 0; j < width; j += BLOCK) {
        block(pa, 0, pb, j * k, k, sums);
        const columns = Math.min(BLOCK, width - j);
        for (let r = 0; r < rows; r++) {
          let at = lc.offset + (i + r) * lc.row + (first + j) * lc.column;
          for (let s = 0; s < columns; s++) {
            const sum = sums[r * BLOCK + s]!;
            c[at] = add ? c[at]! + sum : sum;
            at += lc.column;
          }
        }
      }
    }
  }
}

/** The products of a batch, with broadcasting by strides of 0; `c` is row-major [...batch, m, n]. Sums as {@link product}. */
export function batchedProduct(a: NumberArray, b: NumberArray, c: NumberArray, shape: BatchedProduct): void {
  const { batch, m, k, n } = shape;
  const rank = batch.length;
  let count = 1;
  for (const size of batch) count *= size;
  const place = new Array<number>(rank).fill(0);
  const la = { offset: shape.a.offset, row: shape.a.row, column: shape.a.column };
  const lb = { offset: shape.b.offset, row: shape.b.row, column: shape.b.column };
  const lc = { offset: shape.cOffset ?? 0, row: n, column: 1 };
  for (let item = 0; item < count; item++) {
    product(a, la, b, lb, c, lc, m, k, n);
    lc.offset += m * n;
    for (let axis = rank - 1; axis >= 0; axis--) {
      la.offset += shape.a.batch[axis]!;
      lb.offset += shape.b.batch[axis]!;
      if (++place[axis]! < batch[axis]!) break;
      la.offset -= shape.a.batch[axis]! * batch[axis]!;
      lb.offset -= shape.b.batch[axis]! * batch[axis]!;
      place[axis] = 0;
    }
  }
}
