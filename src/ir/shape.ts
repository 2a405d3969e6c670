import { ShapeError } from "./errors.ts";

export type Shape = readonly number[];

/** The number of elements: the product of the sizes; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `[4,3]`, as it stands after the dtype in messages and in the text form. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/**
 * NumPy's broadcasting rule: shapes are aligned at the right; sizes must be equal or 1. Returns null where they do not fit, so that the
 * caller can name its operands. Source: NumPy user guide, "General broadcasting rules".
 */
export function broadcast(a: Shape, b: Shape): Shape | null {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = Math.max(a.length, b.length);
  const out: number[] = new Array(rank);
  for (let i = 1; i <= rank; i++) {
    const p = a[a.length - i] ?? 1;
    const q = b[b.length - i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) return null;
    out[rank - i] = p === 1 ? q : p;
  }
  return sameShape(out, a) ? a : sameShape(out, b) ? b : out;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Strides with which an array of shape `from` is read as if it had shape `to`: 0 along broadcast axes. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((size, i) => (i < lead || (from[i - lead] === 1 && size !== 1) ? 0 : own[i - lead]!));
}

/** A non-negative axis; negative ones count from the end. */
export function axisOf(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(
      rank === 0
        ? `${op}: axis ${axis} of a scalar; a scalar has no axes, leave axis out`
        : `${op}: axis ${axis} is out of range for rank ${rank}; axes are -${rank}..${rank - 1}`,
      { op },
    );
  return axis < 0 ? axis + rank : axis;
}

/** Sorted, distinct, non-negative axes; all of them when `axis` is left out. */
export function axesOf(op: string, axis: number | readonly number[] | undefined, rank: number): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const axes = (Array.isArray(axis) ? (axis as readonly number[]) : [axis as number]).map((a) => axisOf(op, a, rank)).sort((a, b) => a - b);
  for (let i = 1; i < axes.length; i++)
    if (axes[i] === axes[i - 1])
      throw new ShapeError(`${op}: axis ${axes[i]} is named twice in [${String(axis)}]; name each axis once`, { op });
  return axes;
}

/** The shape left when `axes` are reduced: size 1 with `keepDims`, gone without. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  const out: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (!axes.includes(i)) out.push(shape[i]!);
    else if (keepDims) out.push(1);
  }
  return out;
}
