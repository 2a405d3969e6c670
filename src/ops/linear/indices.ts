import { isInteger } from "../../ir/dtype.ts";
import { DomainError, DTypeError } from "../../ir/errors.ts";
import { type Shape, stridesOf } from "../../ir/shape.ts";
import { type TensorType, typeText } from "../../ir/type.ts";
import type { OutOfBounds } from "../kernels/gather.ts";

/** The axis that indices point into, 0 when left out. */
export interface AxisAttr {
  readonly axis?: number;
}

/** Refuses indices that are not whole numbers. @throws DTypeError */
export function checkIndices(op: string, indices: TensorType): void {
  if (isInteger(indices.dtype)) return;
  throw new DTypeError(`${op}: indices is ${typeText(indices)}; indices are whole numbers; write cast(indices, "i32")`, { op });
}

/**
 * What a kernel calls for an index outside its axis. `axisAt` tells which axis of x the index at a flat position is for.
 * @throws DomainError that names the element, its value, the axis and its size
 */
export function outOfRange(op: string, indices: TensorType, axisAt: (position: number) => number): OutOfBounds {
  return (index, position, size) => {
    const range = size === 0 ? "an empty axis has no indices" : `indices are -${size}..${size - 1}`;
    throw new DomainError(
      `${op}: indices${placeText(indices.shape, position)} is ${index} and axis ${axisAt(position)} of x has size ${size}; ${range}`,
      { op },
    );
  };
}

/** `[2,1]`: the coordinates of a flat position; nothing for a scalar. */
export function placeText(shape: Shape, position: number): string {
  if (shape.length === 0) return "";
  const strides = stridesOf(shape);
  return `[${shape.map((size, i) => Math.floor(position / strides[i]!) % size).join(",")}]`;
}
