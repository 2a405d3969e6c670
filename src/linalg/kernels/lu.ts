import { exchange } from "./exchange.ts";
import { type Block, subtractProduct } from "./product.ts";
import { solveBlock, solveTriangle } from "./triangular.ts";

/** P a = L U with partial pivoting, in one array: L below the diagonal (ones on it), U on and above it. */
export interface Factored {
  readonly lu: Float64Array;
  readonly n: number;
  /** Row i of P a is row `order[i]` of a. */
  readonly order: Int32Array;
  /** The determinant of P: 1 or -1. */
  readonly parity: number;
  /** The first pivot that is exactly 0, counted from 0; -1 when there is none. */
  readonly zeroAt: number;
}

/** So many columns are eliminated one by one; more are cut in two, and what joins the halves is a triangular solve and a product. */
const narrow = 8;

/**
 * Overwrites a with its LU factors. A column without a pivot other than 0 is passed over, as LAPACK does, so that the determinant is 0; NaN counts
 * as the largest pivot, so that it spreads and is not taken for a singular matrix.
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 3.4.1; by halves of the columns: S. Toledo, "Locality of reference in LU
 * decomposition with partial pivoting", SIAM J. Matrix Anal. Appl. 18 (1997).
 */
export function factor(a: Float64Array, n: number): Factored {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const found = { lu: a, n, order, parity: 1, zeroAt: -1 };
  factorColumns(found, 0, n);
  return found;
}

type Factoring = { -readonly [K in keyof Factored]: Factored[K] };

/** Columns `from` to `to` of the rows from `from` on, which the columns before have been eliminated from. Rows are exchanged whole. */
function factorColumns(found: Factoring, from: number, to: number): void {
  const { lu, n } = found;
  if (to - from <= narrow) {
    eliminate(found, from, to);
    return;
  }
  const middle = from + 4 * ((to - from) >> 3);
  factorColumns(found, from, middle);
  const block = (i: number, j: number): Block => ({ data: lu, at: i * n + j, row: n, column: 1 });
  const count = middle - from;
  const right = to - middle;
  solveBlock(block(from, from), count, block(from, middle), right, true, true);
  subtractProduct(block(middle, middle), block(middle, from), block(from, middle), n - middle, right, count);
  factorColumns(found, middle, to);
}

/** The same, one column after the other. */
function eliminate(found: Factoring, from: number, to: number): void {
  const { lu: a, n, order } = found;
  for (let k = from; k < to; k++) {
    let pivotRow = k;
    let best = Math.abs(a[k * n + k]!);
    for (let i = k + 1; i < n && !Number.isNaN(best); i++) {
      const size = Math.abs(a[i * n + k]!);
      if (size > best || Number.isNaN(size)) {
        best = size;
        pivotRow = i;
      }
    }
    if (best === 0) {
      if (found.zeroAt < 0) found.zeroAt = k;
      continue;
    }
    if (pivotRow !== k) {
      found.parity = -found.parity;
      const kept = order[k]!;
      order[k] = order[pivotRow]!;
      order[pivotRow] = kept;
      exchange(a, k * n, pivotRow * n, n);
    }
    const pivot = a[k * n + k]!;
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const ratio = a[row + k]! / pivot;
      a[row + k] = ratio;
      for (let j = k + 1, p = k * n; j < to; j++) a[row + j]! -= ratio * a[p + j]!;
    }
  }
}

/** Writes the solution of a x = b, or a^T x = b, to x; both n by `columns`. `x` must not be `b`. */
export function solveFactored({ lu, n, order }: Factored, b: Float64Array, x: Float64Array, columns: number, transpose: boolean): void {
  if (!transpose) {
    for (let i = 0; i < n; i++) x.set(b.subarray(order[i]! * columns, (order[i]! + 1) * columns), i * columns);
    solveTriangle(lu, n, x, columns, { lower: true, transpose: false, unitDiagonal: true });
    solveTriangle(lu, n, x, columns, { lower: false, transpose: false, unitDiagonal: false });
    return;
  }
  const z = b.slice(0, n * columns);
  solveTriangle(lu, n, z, columns, { lower: false, transpose: true, unitDiagonal: false });
  solveTriangle(lu, n, z, columns, { lower: true, transpose: true, unitDiagonal: true });
  for (let i = 0; i < n; i++) x.set(z.subarray(i * columns, (i + 1) * columns), order[i]! * columns);
}

/** The determinant as a sign and the logarithm of its magnitude, which neither overflows nor underflows: 0 and -Infinity for a singular matrix. */
export function signAndLog({ lu, n, parity }: Factored): { readonly sign: number; readonly logAbsDet: number } {
  let sign = parity;
  let log = 0;
  for (let i = 0; i < n; i++) {
    const pivot = lu[i * (n + 1)]!;
    sign *= Math.sign(pivot);
    log += Math.log(Math.abs(pivot));
  }
  return { sign: sign === 0 ? 0 : sign, logAbsDet: log };
}

/** The determinant: the signed product of the pivots. */
export function determinantOf({ lu, n, parity }: Factored): number {
  let product = parity;
  for (let i = 0; i < n; i++) product *= lu[i * (n + 1)]!;
  // A determinant of 0 has no sign.
  return product === 0 ? 0 : product;
}
