import { allocate, isInteger, type NumberArray } from "../../ir/dtype.ts";
import { DTypeError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { axesOf, broadcastStrides, reducedShape, type Shape, sameShape, sizeOf } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { type Reduction, reduceStrided } from "../kernels/reduce.ts";
import { offsetsOf } from "../kernels/walk.ts";
import { reshape } from "../linear/reshape.ts";
import type { Axes, AxisAttrs } from "../linear/sum.ts";

/** Attributes of a reduction as they are stored: sorted, non-negative axes, all of them when left out. */
export function axesIn(op: string, { axis, keepDims }: AxisAttrs, x: TensorType): Axes {
  return { axis: axesOf(op, axis, x.shape.length), keepDims: keepDims ?? false };
}

/** The result type of a reduction that keeps the dtype. */
export function reducedType(x: TensorType, { axis, keepDims }: Axes): TensorType {
  return tensorType(x.dtype, reducedShape(x.shape, axis, keepDims));
}

/** How many elements each result is made of. */
export function countOver(shape: Shape, axis: readonly number[]): number {
  return axis.reduce((n, a) => n * shape[a]!, 1);
}

/** A value of a reduction's result shape with the reduced axes put back at size 1, so that it broadcasts with the operand. */
export function restored(v: Value, shape: Shape, axis: readonly number[]): Value {
  const kept = reducedShape(shape, axis, true);
  return sameShape(v.type.shape, kept) ? v : reshape(v, { shape: kept });
}

/** One of the kernel's reductions of a tensor, in double where the elements are floats. */
export function reduced(kind: Reduction, x: Tensor, axis: readonly number[], out: TensorType): NumberArray {
  const y = out.dtype === "f64" || !isInteger(out.dtype) ? new Float64Array(sizeOf(out.shape)) : allocate(out.dtype, sizeOf(out.shape));
  reduceStrided(kind, x.data, x.type.shape, axis, y);
  return y;
}

/** For each element of a tensor, in order, which result of a reduction over `axis` it belongs to. */
export function placesOver(shape: Shape, axis: readonly number[]): Int32Array {
  return offsetsOf(shape, broadcastStrides(reducedShape(shape, axis, true), shape));
}

/** Refuses truth values. @throws DTypeError */
export function checkNumbers(op: string, x: TensorType): void {
  if (x.dtype === "bool")
    throw new DTypeError(`${op}: x is ${typeText(x)} and ${op} takes numbers, not truth values; write cast(x, "i32")`, { op });
}

/** Refuses what is not a float. @throws DTypeError */
export function checkFloats(op: string, x: TensorType): void {
  if (x.dtype === "bool" || isInteger(x.dtype))
    throw new DTypeError(`${op}: x is ${typeText(x)} and ${op} takes floating-point numbers; write cast(x, "f32")`, { op });
}

/** Refuses a reduction over no elements that has no value there. @throws ShapeError */
export function checkSome(op: string, x: TensorType, axis: readonly number[], what: string): void {
  const empty = axis.find((a) => x.shape[a] === 0);
  if (empty !== undefined)
    throw new ShapeError(`${op}: x is ${typeText(x)} and axis ${empty} has no elements; ${what} of nothing is not defined`, { op });
}
