import type { DType } from "../../ir/dtype.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** Bits behind the point of a floating-point number. */
const bits: Readonly<Partial<Record<DType, number>>> = { f64: 52, f32: 23, f16: 10, bf16: 7 };

/** How far two tensors are apart. */
export interface Apart {
  /** The largest difference, in units in the last place of the largest element: rounding of sums in another order stays small here. */
  readonly ulps: number;
  /** The largest difference in units in the last place of the element itself: large where an element is near 0 by cancellation. */
  readonly elementUlps: number;
  /** Where the largest difference is, as a flat row-major index; -1 for none. */
  readonly at: number;
}

/** One unit in the last place at a number of a dtype. */
export function ulpAt(x: number, dtype: DType): number {
  const fraction = bits[dtype] ?? 0;
  if (x === 0 || !Number.isFinite(x)) return dtype === "f64" ? 5e-324 : 2 ** -149;
  return 2 ** (Math.floor(Math.log2(Math.abs(x))) - fraction);
}

/** The dtype with fewer digits: what two computations can agree in. */
export function coarser(a: DType, b: DType): DType {
  return (bits[a] ?? 99) <= (bits[b] ?? 99) ? a : b;
}

/** The distance of two tensors of one shape, in the units of `dtype`. NaN beside NaN, and equal infinities, are no difference. */
export function apart(ours: Tensor["data"], theirs: Tensor["data"], dtype: DType): Apart {
  let largest = 0;
  let difference = 0;
  let elementUlps = 0;
  let at = -1;
  const rounded = dtype === "f32" ? Math.fround : (x: number): number => x;
  for (let i = 0; i < ours.length; i++) {
    const [a, b] = [rounded(ours[i]!), rounded(theirs[i]!)];
    const size = Math.max(Math.abs(a), Math.abs(b));
    if (Number.isFinite(size) && size > largest) largest = size;
    if (Object.is(a, b) || a === b) continue;
    const d = Math.abs(a - b);
    if (!Number.isFinite(d)) return { ulps: Number.POSITIVE_INFINITY, elementUlps: Number.POSITIVE_INFINITY, at: i };
    if (d > difference) [difference, at] = [d, i];
    elementUlps = Math.max(elementUlps, d / ulpAt(size, dtype));
  }
  return { ulps: difference === 0 ? 0 : difference / ulpAt(largest, dtype), elementUlps, at };
}
