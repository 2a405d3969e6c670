import { DTypeError } from "./errors.ts";

/** Element types. Computed in f64, f32, i32 and bool; the others are stored types (see `docs/numerics.md`). */
export type DType = "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i16" | "i8" | "u64" | "u32" | "u16" | "u8" | "bool";

/** The arrays that hold elements inside: f16/bf16 as rounded numbers in a Float32Array, i64/u64 as exact integers in a Float64Array. */
export type NumberArray =
  | Float64Array<ArrayBufferLike>
  | Float32Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Int8Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>;

/** What a user may hand in as elements. */
export type TypedArray = NumberArray | BigInt64Array<ArrayBufferLike> | BigUint64Array<ArrayBufferLike>;

export const dtypes: readonly DType[] = ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8", "bool"];

/** @throws DTypeError for what is none, such as another library's `float32` */
export function checkDType(who: string, dtype: DType): void {
  if (!dtypes.includes(dtype)) throw new DTypeError(`${who}: ${String(dtype)} is no dtype; write one of ${dtypes.join(", ")}`, { op: who });
}

/** Whether the dtype has derivatives. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f64" || dtype === "f32" || dtype === "f16" || dtype === "bf16";
}

/** Whether the dtype holds whole numbers (bool is not one of them). */
export function isInteger(dtype: DType): boolean {
  return !isFloat(dtype) && dtype !== "bool";
}

/** The whole numbers that a dtype holds; 64-bit ones as far as they are exact here. */
export const wholeRanges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  i64: [-(2 ** 53), 2 ** 53],
  u64: [0, 2 ** 53],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  u16: [0, 2 ** 16 - 1],
  i8: [-128, 127],
  u8: [0, 255],
};

/** A zero-filled array that holds `length` elements of `dtype` inside. */
export function allocate(dtype: DType, length: number): NumberArray {
  switch (dtype) {
    case "f64":
    case "i64":
    case "u64":
      return new Float64Array(length);
    case "f32":
    case "f16":
    case "bf16":
      return new Float32Array(length);
    case "i32":
      return new Int32Array(length);
    case "i16":
      return new Int16Array(length);
    case "i8":
      return new Int8Array(length);
    case "u32":
      return new Uint32Array(length);
    case "u16":
      return new Uint16Array(length);
    case "u8":
    case "bool":
      return new Uint8Array(length);
  }
}

/** Whether an array is of the kind that holds elements of `dtype` inside. */
export function isArrayOf(dtype: DType, data: NumberArray): boolean {
  switch (dtype) {
    case "f64":
    case "i64":
    case "u64":
      return data instanceof Float64Array;
    case "f32":
    case "f16":
    case "bf16":
      return data instanceof Float32Array;
    case "i32":
      return data instanceof Int32Array;
    case "i16":
      return data instanceof Int16Array;
    case "i8":
      return data instanceof Int8Array;
    case "u32":
      return data instanceof Uint32Array;
    case "u16":
      return data instanceof Uint16Array;
    case "u8":
    case "bool":
      return data instanceof Uint8Array;
  }
}

/** The dtype a typed array has by itself; a Uint8Array is u8, never bool. */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float64Array) return "f64";
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint8Array) return "u8";
  if (data instanceof BigInt64Array) return "i64";
  if (data instanceof BigUint64Array) return "u64";
  if (data instanceof Int16Array) return "i16";
  if (data instanceof Int8Array) return "i8";
  if (data instanceof Uint16Array) return "u16";
  if (data instanceof Uint32Array) return "u32";
  throw new DTypeError(`data is ${Object.prototype.toString.call(data).slice(8, -1)}; use one of the numeric typed arrays`);
}
