// The language that ops write compiled kernels of their own in: loops over arrays of doubles.
import type { Shape } from "../ir/shape.ts";

/** A number of a kernel: an expression, computed in double anew wherever it stands. What is used twice is kept in a {@link RealCell}. */
export interface Real {
  readonly real: true;
}

/** A whole number of 32 bits: an expression, as a place or a count. */
export interface Whole {
  readonly whole: true;
}

/** A condition. */
export interface Test {
  readonly test: true;
}

/** A number that is kept and can change. */
export interface RealCell extends Real {
  set(x: Real | number): void;
}

/** A whole number that is kept and can change. */
export interface WholeCell extends Whole {
  set(x: Whole | number): void;
}

/** Numbers in memory, read as a matrix of any size: element (i, j) is `i row + j column` elements after the first. Where its elements are f32, they are read and written as such. */
export interface Block {
  readonly row: number;
  readonly column: number;
}

/** Writes the code of a kernel, in order: each call of a method is a part of the code, run as often as the loops around say. */
export interface LoopWriter {
  /** Operand i, result i and temporary array i, as matrices with rows of so many elements. */
  operand(i: number, row: number): Block;
  result(i: number, row: number): Block;
  temp(i: number, row: number): Block;
  /** The part of a block that begins at (i, j): where that is, is found out here, once. */
  part(block: Block, i: Whole | number, j: Whole | number): Block;
  /** The part that begins at (i, j), which are known: it costs nothing, and moves along where `each` moves the block. */
  ahead(block: Block, i: number, j: number): Block;
  /** The same first element, with other distances from row to row and from column to column. */
  spaced(block: Block, row: number, column: number): Block;
  /** The same numbers, rows as columns. */
  turned(block: Block): Block;
  /** Element (i, j); with one index, element (0, i). */
  get(block: Block, i: Whole | number, j?: Whole | number): Real;
  /** Writes element (i, j). */
  put(block: Block, i: Whole | number, j: Whole | number, x: Real | number): void;

  real(x: Real | number): RealCell;
  whole(x: Whole | number): WholeCell;
  toReal(x: Whole): Real;
  /** Rounded toward 0. */
  toWhole(x: Real): Whole;

  add(x: Real | number, y: Real | number): Real;
  sub(x: Real | number, y: Real | number): Real;
  mul(x: Real | number, y: Real | number): Real;
  div(x: Real | number, y: Real | number): Real;
  abs(x: Real | number): Real;
  neg(x: Real | number): Real;
  sqrt(x: Real | number): Real;
  /** The smaller and the larger; NaN if one is. */
  min(x: Real | number, y: Real | number): Real;
  max(x: Real | number, y: Real | number): Real;
  floor(x: Real | number): Real;
  /** The engine's own elementary functions. */
  log(x: Real | number): Real;
  exp(x: Real | number): Real;
  pow(x: Real | number, y: Real | number): Real;

  plus(x: Whole | number, y: Whole | number): Whole;
  minus(x: Whole | number, y: Whole | number): Whole;
  times(x: Whole | number, y: Whole | number): Whole;
  least(x: Whole | number, y: Whole | number): Whole;

  /** Comparisons; of NaN all are false but `unequal`. */
  less(x: Real | number, y: Real | number): Test;
  atMost(x: Real | number, y: Real | number): Test;
  unequal(x: Real | number, y: Real | number): Test;
  before(x: Whole | number, y: Whole | number): Test;
  same(x: Whole | number, y: Whole | number): Test;
  both(x: Test, y: Test): Test;
  either(x: Test, y: Test): Test;
  not(x: Test): Test;
  /** The first where the test holds, else the second; both are computed. */
  choose(test: Test, x: Real | number, y: Real | number): Real;

  if(test: Test, then: () => void, otherwise?: () => void): void;
  /** The body with i from `from` to `to` - `step`, in steps. `to` is computed once. */
  for(from: Whole | number, to: Whole | number, body: (i: Whole) => void, step?: number): void;
  /** The body again and again, until it runs into a `leave()`. */
  forever(body: (leave: () => void) => void): void;
  /** The body for every place of `shape`, with blocks moved along: `steps` are elements a place, one for each axis. Blocks are at their beginning again after it. */
  each(shape: Shape, moved: readonly { readonly block: Block; readonly steps: readonly number[] }[], body: () => void): void;

  /**
   * `count` elements side by side of each block, in vectors: the body says what each block gets, null leaves it as it is. `fixed` are numbers that all
   * elements share. The body is written more than once, and has nothing but arithmetic and cells in it, and loops and tests of whole numbers, which are the same for all. It is fastest for doubles side by side, and
   * takes f32 and columns further apart, too. Blocks that are `ahead` of one another share what leads to them. What a count that is known does not need, is not written.
   */
  sweep(
    count: Whole | number,
    blocks: readonly Block[],
    fixed: readonly (Real | number)[],
    body: (elements: readonly Real[], fixed: readonly Real[]) => readonly (Real | null)[],
  ): void;
  /** The sum over `count` elements side by side of what the body makes of one of each block, in vectors, in several sums. */
  total(count: Whole | number, blocks: readonly Block[], body: (elements: readonly Real[]) => Real): RealCell;
  /**
   * A sweep that sums too, in one reading: `sums` totals of what the body has in `sum`, and `put` is what each block gets, nothing when left out. What the
   * body uses twice it may keep by {@link LoopWriter.real}.
   */
  fold(
    count: Whole | number,
    blocks: readonly Block[],
    fixed: readonly (Real | number)[],
    sums: number,
    body: (elements: readonly Real[], fixed: readonly Real[]) => { readonly sum: readonly Real[]; readonly put?: readonly (Real | null)[] },
  ): readonly RealCell[];
  /**
   * c += a b, a of m by k and b of k by n, doubles, in packed blocks: for sizes above ten or so. c has rows side by side and overlaps neither.
   * See `products` of `CompiledLoops`.
   */
  addProduct(c: Block, a: Block, b: Block, m: Whole | number, n: Whole | number, k: Whole | number): void;

  /** Ends the kernel: the op's reference kernel computes all of the results, or throws the error that says what is wrong. */
  giveUp(): void;
}
