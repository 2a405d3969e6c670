import type { DType } from "./dtype.ts";
import { GraphError, ShapeError } from "./errors.ts";
import { type Shape, sameShape, shapeText } from "./shape.ts";

/** What is known of a value before it is computed: its element type and its static shape. */
export interface TensorType {
  readonly kind: "type";
  readonly dtype: DType;
  readonly shape: Shape;
}

const scalars: Partial<Record<DType, TensorType>> = {};

/** The one type object of scalars of a dtype: scalar types are compared by identity first. */
export function scalarType(dtype: DType): TensorType {
  return (scalars[dtype] ??= Object.freeze({ kind: "type", dtype, shape: Object.freeze([]) as Shape }));
}

/** A type of this dtype and shape. @throws ShapeError for a size that is no whole number >= 0. */
export function tensorType(dtype: DType, shape: Shape): TensorType {
  if (shape.length === 0) return scalarType(dtype);
  for (const size of shape)
    if (!Number.isInteger(size) || size < 0)
      throw new ShapeError(`${dtype}${shapeText(shape)}: a size is ${size}; sizes are whole numbers, 0 or more`);
  return { kind: "type", dtype, shape };
}

/** The type that was given. @throws GraphError for what is none, such as a list of sizes */
export function typeGiven(op: string, x: unknown): TensorType {
  if ((x as TensorType | null | undefined)?.kind === "type") return x as TensorType;
  throw new GraphError(`${op}: a type is wanted and this is ${Array.isArray(x) ? "a list" : typeof x}; write f64(2, 3)`, {
    op,
  });
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a === b || (a.dtype === b.dtype && sameShape(a.shape, b.shape));
}

/** `f32[4,3]`: how types are written in messages and in the text form. */
export function typeText(type: TensorType): string {
  return type.dtype + shapeText(type.shape);
}

type Make = (...shape: readonly number[]) => TensorType;
/** `f64(3, 4)` is the type of 3 x 4 tensors of 64-bit floats; `f64()` of a scalar. */
export const f64: Make = (...shape) => tensorType("f64", shape);
/** 32-bit floats. */
export const f32: Make = (...shape) => tensorType("f32", shape);
/** IEEE 754 half precision: stored rounded, computed in f32. */
export const f16: Make = (...shape) => tensorType("f16", shape);
/** bfloat16: stored rounded, computed in f32. */
export const bf16: Make = (...shape) => tensorType("bf16", shape);
/** 64-bit integers, exact up to 2^53 inside. */
export const i64: Make = (...shape) => tensorType("i64", shape);
/** 32-bit integers. */
export const i32: Make = (...shape) => tensorType("i32", shape);
/** 16-bit integers. */
export const i16: Make = (...shape) => tensorType("i16", shape);
/** 8-bit integers. */
export const i8: Make = (...shape) => tensorType("i8", shape);
/** Unsigned 64-bit integers, exact up to 2^53 inside. */
export const u64: Make = (...shape) => tensorType("u64", shape);
/** Unsigned 32-bit integers. */
export const u32: Make = (...shape) => tensorType("u32", shape);
/** Unsigned 16-bit integers. */
export const u16: Make = (...shape) => tensorType("u16", shape);
/** Unsigned 8-bit integers. */
export const u8: Make = (...shape) => tensorType("u8", shape);
/** Truth values. */
export const bool: Make = (...shape) => tensorType("bool", shape);
