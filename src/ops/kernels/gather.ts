import type { NumberArray } from "../../ir/dtype.ts";
import { type Shape, stridesOf } from "../../ir/shape.ts";
import { type AxisLayout, offsetsOf } from "./walk.ts";

/** Called with an index outside -size..size-1, its position among the indices (row-major), and the size of the axis. Must throw. */
export type OutOfBounds = (index: number, position: number, size: number) => never;

/** What a scatter does with an element that is already there. */
export type ScatterReduction = "none" | "add";

/** x is [batches, ...sizes, inner]; indices are [batches, count, sizes.length]; slices are [batches, count, inner]. */
export interface SliceLayout {
  readonly batches: number;
  readonly sizes: readonly number[];
  readonly inner: number;
  readonly count: number;
}

function placeOf(index: number, position: number, size: number, fail: OutOfBounds): number {
  const place = index < 0 ? index + size : index;
  if (!(place >= 0 && place < size)) fail(index, position, size);
  return place;
}

function placesOf(indices: NumberArray, size: number, fail: OutOfBounds): Int32Array {
  const places = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) places[i] = placeOf(indices[i]!, i, size, fail);
  return places;
}

function copySlice(src: NumberArray, from: number, dst: NumberArray, to: number, count: number): void {
  if (count >= 32) dst.set(src.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) dst[to + i] = src[from + i]!;
}

function addSlice(src: NumberArray, from: number, dst: NumberArray, to: number, count: number): void {
  for (let i = 0; i < count; i++) dst[to + i]! += src[from + i]!;
}

/** Where sums are kept until they are complete: a double copy of a Float32Array, else the array itself. */
function accumulatorOf(dst: NumberArray): NumberArray {
  return dst instanceof Float32Array ? Float64Array.from(dst) : dst;
}

/** dst[o, j, r] = x[o, indices[j], r], as np.take. Negative indices count from the end. `x` has `layout`; `dst` is [outer, indices.length, inner]. */
export function gatherInto(dst: NumberArray, x: NumberArray, layout: AxisLayout, indices: NumberArray, fail: OutOfBounds): void {
  const { outer, size, inner } = layout;
  const places = placesOf(indices, size, fail);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < places.length; j++) {
      copySlice(x, (o * size + places[j]!) * inner, dst, to, inner);
      to += inner;
    }
  }
}

/** dst[o, indices[j], r] += updates[o, j, r]: the transpose of {@link gatherInto}. Sums in double and rounds once. */
export function scatterAddInto(dst: NumberArray, layout: AxisLayout, indices: NumberArray, updates: NumberArray, fail: OutOfBounds): void {
  const { outer, size, inner } = layout;
  const places = placesOf(indices, size, fail);
  const sums = accumulatorOf(dst);
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < places.length; j++) {
      addSlice(updates, from, sums, (o * size + places[j]!) * inner, inner);
      from += inner;
    }
  }
  if (sums !== dst) dst.set(sums);
}

/** For each index its element's offset in an array of `shape`: its own coordinates, the one at `axis` replaced by the index. */
function elementOffsets(shape: Shape, axis: number, indices: NumberArray, indexShape: Shape, fail: OutOfBounds): Int32Array {
  const strides = stridesOf(shape);
  const step = strides[axis]!;
  strides[axis] = 0;
  const offsets = offsetsOf(indexShape, strides);
  for (let i = 0; i < offsets.length; i++) offsets[i]! += placeOf(indices[i]!, i, shape[axis]!, fail) * step;
  return offsets;
}

/**
 * dst[..., j, ...] = x[..., indices[..., j, ...], ...] at `axis`, as np.take_along_axis, torch.gather and ONNX GatherElements. `indices` and `dst`
 * have `indexShape`, of the rank of `shape` and no larger off the axis.
 */
export function gatherElementsInto(
  dst: NumberArray,
  x: NumberArray,
  shape: Shape,
  axis: number,
  indices: NumberArray,
  indexShape: Shape,
  fail: OutOfBounds,
): void {
  const offsets = elementOffsets(shape, axis, indices, indexShape, fail);
  for (let i = 0; i < offsets.length; i++) dst[i] = x[offsets[i]!]!;
}

/**
 * The opposite direction of {@link gatherElementsInto}, as torch.scatter and ONNX ScatterElements: "none" stores, the last of several updates in
 * row-major order winning, "add" adds, in double, rounding once. `dst` holds the operand beforehand.
 */
export function scatterElementsInto(
  dst: NumberArray,
  shape: Shape,
  axis: number,
  indices: NumberArray,
  updates: NumberArray,
  indexShape: Shape,
  reduction: ScatterReduction,
  fail: OutOfBounds,
): void {
  const offsets = elementOffsets(shape, axis, indices, indexShape, fail);
  if (reduction === "none") {
    for (let i = 0; i < offsets.length; i++) dst[offsets[i]!] = updates[i]!;
    return;
  }
  const sums = accumulatorOf(dst);
  for (let i = 0; i < offsets.length; i++) sums[offsets[i]!]! += updates[i]!;
  if (sums !== dst) dst.set(sums);
}

/** For each index tuple the offset of its slice. `position` in errors counts single indices. */
function sliceOffsets(layout: SliceLayout, indices: NumberArray, fail: OutOfBounds): Int32Array {
  const { batches, sizes, inner, count } = layout;
  const depth = sizes.length;
  let slices = 1;
  for (const size of sizes) slices *= size;
  const offsets = new Int32Array(batches * count);
  for (let tuple = 0; tuple < offsets.length; tuple++) {
    let slice = 0;
    for (let level = 0; level < depth; level++) {
      const position = tuple * depth + level;
      slice = slice * sizes[level]! + placeOf(indices[position]!, position, sizes[level]!, fail);
    }
    offsets[tuple] = (Math.floor(tuple / count) * slices + slice) * inner;
  }
  return offsets;
}

/** dst[b, j] = x[b, ...indices[b, j]], slices of `inner` elements, as ONNX GatherND. */
export function gatherNDInto(dst: NumberArray, x: NumberArray, layout: SliceLayout, indices: NumberArray, fail: OutOfBounds): void {
  const offsets = sliceOffsets(layout, indices, fail);
  for (let i = 0; i < offsets.length; i++) copySlice(x, offsets[i]!, dst, i * layout.inner, layout.inner);
}

/** dst[b, ...indices[b, j]] = or += updates[b, j], as ONNX ScatterND; ties and rounding as {@link scatterElementsInto}. */
export function scatterNDInto(
  dst: NumberArray,
  layout: SliceLayout,
  indices: NumberArray,
  updates: NumberArray,
  reduction: ScatterReduction,
  fail: OutOfBounds,
): void {
  const { inner } = layout;
  const offsets = sliceOffsets(layout, indices, fail);
  if (reduction === "none") {
    for (let i = 0; i < offsets.length; i++) copySlice(updates, i * inner, dst, offsets[i]!, inner);
    return;
  }
  const sums = accumulatorOf(dst);
  for (let i = 0; i < offsets.length; i++) addSlice(updates, i * inner, sums, offsets[i]!, inner);
  if (sums !== dst) dst.set(sums);
}
