import type { Draw } from "../../src/check/draws.ts";
import { bool, f64, i32, type Tensor, tensor } from "../../src/index.ts";
import type { Interval } from "../../src/ir/op.ts";

/** Arguments of a call, and how far operands may be moved (per operand, in order) where the declaration does not say. */
export interface Sample {
  readonly args: readonly unknown[];
  readonly room?: readonly (number | null)[];
  /** For functions that take operands in other ways than as arguments. */
  readonly f?: (...xs: never[]) => unknown;
}

/** Draws a call of an op. */
export type Sampler = (d: Draw) => Sample;

export type Shape = readonly number[];

export function pick<T>(d: Draw, from: readonly T[]): T {
  return from[d.whole(0, from.length - 1)]!;
}

export function chance(d: Draw, p: number): boolean {
  return d.fraction() < p;
}

/** A shape of rank `least` to `most`: sizes 1, primes, now and then 0; never many elements. */
export function shapeOf(d: Draw, least = 0, most = 4, sizes: readonly number[] = [1, 2, 3, 5, 7]): number[] {
  const rank = d.whole(least, most);
  const shape: number[] = [];
  let n = 1;
  for (let i = 0; i < rank; i++) {
    const size = sizes.includes(0) || !chance(d, 0.03) ? pick(d, sizes) : 0;
    shape.push(n * size > 60 ? 1 : size);
    n *= Math.max(1, shape[i]!);
  }
  return shape;
}

/** Shapes without an axis of size 0. */
export function someShape(d: Draw, least = 0, most = 4): number[] {
  return shapeOf(d, least, most).map((s) => Math.max(1, s));
}

/** A shape that broadcasts into `shape`: leading axes left out, sizes set to 1. */
export function narrower(d: Draw, shape: Shape): number[] {
  const kept = chance(d, 0.4) ? shape : shape.slice(d.whole(0, shape.length));
  return kept.map((s) => (chance(d, 0.25) ? 1 : s));
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((n, s) => n * s, 1);
}

/** Either sign, 1e-3 to 1e3, half of them of middling size. */
export function signed(d: Draw, most = 1e3): number {
  const size = chance(d, 0.5) ? 10 ** (1.6 * d.fraction() - 1) : 10 ** (6 * d.fraction() - 3);
  const x = Math.min(size, most * (0.5 + 0.5 * d.fraction()));
  return chance(d, 0.5) ? -x : x;
}

/** A number inside an interval, now and then near one of its ends or near a whole number, never on an end. */
export function inside(d: Draw, { min, max, nonzero }: Interval, most: number): number {
  for (;;) {
    const near = 10 ** (-3 * d.fraction());
    const way = d.fraction();
    let x = signed(d, most);
    if (min !== undefined && max !== undefined) x = way < 0.2 ? min + near : way < 0.4 ? max - near : min + (max - min) * d.fraction();
    else if (min !== undefined) x = way < 0.2 ? min + near : min + Math.abs(x);
    else if (max !== undefined) x = way < 0.2 ? max - near : max - Math.abs(x);
    else if (way < 0.2) x = Math.round(x) + (chance(d, 0.5) ? near : -near);
    if ((min === undefined || x - min > 5e-4) && (max === undefined || max - x > 5e-4) && (nonzero !== true || Math.abs(x) > 5e-4))
      return x;
  }
}

export function made(shape: Shape, element: () => number): Tensor {
  return tensor(Float64Array.from({ length: sizeOf(shape) }, element), f64(...shape));
}

/** A tensor of either sign. */
export function anyTensor(d: Draw, shape: Shape, most = 1e3): Tensor {
  return made(shape, () => signed(d, most));
}

/** A tensor of middling numbers, 0.1 to 3 in size: for functions that multiply many. */
export function mild(d: Draw, shape: Shape): Tensor {
  return made(shape, () => (chance(d, 0.5) ? -1 : 1) * (0.1 + 2.9 * d.fraction()));
}

/** Numbers no two of which are nearer than `gap`, in a random order: nothing ties when each moves less than half of it. */
export function distinct(d: Draw, shape: Shape, gap = 0.5): Tensor {
  const n = sizeOf(shape);
  const order = permutation(d, n);
  return made(shape, () => gap * (order.pop()! - n / 2 + 0.3 * d.fraction()) + 0.1);
}

export function permutation(d: Draw, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = d.whole(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export function truths(d: Draw, shape: Shape): Tensor {
  return tensor(
    Uint8Array.from({ length: sizeOf(shape) }, () => d.whole(0, 1)),
    bool(...shape),
  );
}

/** Indices into an axis of this size, negative ones among them. */
export function places(d: Draw, shape: Shape, size: number): Tensor {
  return wholes(shape, () => d.whole(-size, size - 1));
}

export function wholes(shape: Shape, element: () => number): Tensor {
  return tensor(Int32Array.from({ length: sizeOf(shape) }, element), i32(...shape));
}

/** An axis, negative half of the time. */
export function axisOf(d: Draw, rank: number): number {
  return d.whole(-rank, rank - 1);
}

/** Attributes of a reduction: all axes, one or several; with and without keepDims. */
export function axes(d: Draw, rank: number): { axis?: number | number[]; keepDims?: boolean } {
  const way = rank === 0 ? 0 : d.whole(0, 2);
  const axis =
    way === 0
      ? {}
      : way === 1
        ? { axis: axisOf(d, rank) }
        : {
            axis: permutation(d, rank)
              .slice(0, d.whole(1, rank))
              .map((a) => (chance(d, 0.5) ? a : a - rank)),
          };
  return { ...axis, ...(chance(d, 0.5) && { keepDims: chance(d, 0.7) }) };
}
