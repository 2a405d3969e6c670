import type { DType, NumberArray } from "../../ir/dtype.ts";
import type { Value } from "../../ir/node.ts";
import { type Shape, sameShape, sizeOf, stridesOf } from "../../ir/shape.ts";

/** A stretch of engine memory that holds one value. */
export interface Buffer {
  readonly dtype: DType;
  length: number;
  /**
   * slot: its address is in the program's table (inputs and outputs, rows and carries of loops); fixed: written once; scratch: shared with buffers
   * whose lives do not overlap; turn: each thread's own, with the rows of one turn; same: another buffer, until all places are known.
   */
  place: "slot" | "fixed" | "scratch" | "turn" | "same";
  /** Number of the slot, or byte offset from the program's base, or from a thread's own memory. */
  offset: number;
  /** The steps between which it is alive. */
  first: number;
  last: number;
  data: NumberArray | null;
  /** The value that the elements of a fixed buffer are, where they are one of the graph's; null once the program is made. */
  source: Value | null;
  /** The buffer that it is, seen from the body of a loop or branch. */
  same: Buffer | null;
  /** Other elements lie right behind its own, so that no vector may run over its end. */
  tight: boolean;
  /** It is written by loops alone, which can keep to the last element. */
  looped: boolean;
  /** What it takes the place of, where nobody reads that after the loop that writes this. */
  over: Buffer | null;
}

/** The first step of a buffer that no step has touched: a small whole number, which takes no room of its own. */
export const unborn: number = 2 ** 30 - 1;

/** Elements of a buffer read with strides: what reshape, transpose, expand, slice and split give, without a copy. */
export interface View {
  readonly buffer: Buffer;
  readonly shape: Shape;
  /** In elements; 0 along broadcast axes, negative where an axis is reversed. */
  readonly strides: readonly number[];
  readonly offset: number;
  /** Elements from the rows of one turn to those of the next, where steps are run on rows in turn. */
  readonly turn?: number;
  /** After how many turns it begins anew; 0 or absent where it does not. */
  readonly wrap?: number;
  /** Each so many turns have a stretch of their own, of so many elements. */
  readonly stretch?: readonly [turns: number, length: number];
}

/** The shape and the strides of single elements. */
export const noAxes: Shape = [];

/** A whole buffer in row-major order. */
export function wholeView(buffer: Buffer, shape: Shape): View {
  return { buffer, shape, strides: shape.length === 0 ? noAxes : stridesOf(shape), offset: 0 };
}

function inOrder({ shape, strides }: View): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}

/** Whether a view is its whole buffer in order. */
export function isWhole(view: View): boolean {
  return view.offset === 0 && sizeOf(view.shape) === view.buffer.length && (view.buffer.length === 0 || inOrder(view));
}

/** The view with the strides of a larger shape that it broadcasts to. */
export function alignedTo(view: View, shape: Shape): View {
  if (sameShape(view.shape, shape)) return view;
  const lead = shape.length - view.shape.length;
  const strides = shape.map((size, i) => (i < lead || (view.shape[i - lead] === 1 && size !== 1) ? 0 : view.strides[i - lead]!));
  return { ...view, shape, strides };
}

/** A reshaped view, or null where the elements do not lie evenly enough: axes are matched from the front, group by group. */
export function reshaped(view: View, shape: Shape): View | null {
  if (sizeOf(shape) === 0) return { ...view, shape, strides: stridesOf(shape) };
  if (inOrder(view)) return { ...view, shape, strides: stridesOf(shape) };
  const from: number[] = [];
  const steps: number[] = [];
  view.shape.forEach((size, i) => {
    if (size !== 1) {
      from.push(size);
      steps.push(view.strides[i]!);
    }
  });
  const strides = new Array<number>(shape.length).fill(0);
  let i = 0;
  let j = 0;
  while (i < from.length || j < shape.length) {
    while (j < shape.length && shape[j] === 1) j++;
    if (i >= from.length) break;
    let [p, q, to, upto] = [from[i]!, shape[j] ?? 1, i + 1, j + 1];
    while (p !== q) {
      if (p < q) p *= from[to++] ?? Number.POSITIVE_INFINITY;
      else q *= shape[upto++] ?? Number.POSITIVE_INFINITY;
      if (!Number.isFinite(p) || !Number.isFinite(q)) return null;
    }
    for (let k = i; k + 1 < to; k++) if (steps[k] !== steps[k + 1]! * from[k + 1]!) return null;
    let step = steps[to - 1]!;
    for (let k = upto - 1; k >= j; k--) {
      strides[k] = step;
      step *= shape[k]!;
    }
    i = to;
    j = upto;
  }
  return { ...view, shape, strides };
}

/** Part of an axis: elements `start + i * step`. */
export function sliced(view: View, axis: number, start: number, step: number, shape: Shape): View {
  return {
    ...view,
    shape,
    strides: view.strides.map((s, i) => (i === axis ? s * step : s)),
    offset: view.offset + start * view.strides[axis]!,
  };
}

/** A value as a view of an operand's elements, null when it is none. `of` finds where a value lies; it is asked only if the op makes views. */
export function viewOf(v: Value, of: (operand: Value) => View): View | null {
  const { op, operands, attrs } = v.node;
  const { shape } = v.type;
  const x = operands[0];
  if (x === null || x === undefined) return null;
  switch (op.name) {
    case "identity":
    case "stop":
    case "customGradient":
      return of(x);
    case "reshape":
      return reshaped(of(x), shape);
    case "expand":
      return alignedTo(of(x), shape);
    case "transpose": {
      const { axes } = attrs as { readonly axes: readonly number[] };
      const view = of(x);
      return { ...view, shape, strides: axes.map((a) => view.strides[a]!) };
    }
    case "slice": {
      const { axis, start, step } = attrs as { readonly axis: number; readonly start: number; readonly step: number };
      return sliced(of(x), axis, start, step, shape);
    }
    case "split": {
      const { axis, sizes } = attrs as { readonly axis: number; readonly sizes: readonly number[] };
      const start = sizes.slice(0, v.index).reduce((a, b) => a + b, 0);
      return sliced(of(x), axis, start, 1, shape);
    }
    case "unstack": {
      const { axis } = attrs as { readonly axis: number };
      const view = of(x);
      return {
        ...view,
        shape,
        strides: view.strides.filter((_, i) => i !== axis),
        offset: view.offset + v.index * view.strides[axis]!,
      };
    }
    case "flip": {
      const { axis } = attrs as { readonly axis: readonly number[] };
      let view = of(x);
      if (sizeOf(shape) === 0) return { ...view, shape };
      for (const a of axis) view = sliced(view, a, shape[a]! - 1, -1, shape);
      return view;
    }
    default:
      return null;
  }
}
