import { allocate, checkDType, type DType, dtypeOf, isFloat, isInteger, type NumberArray, type TypedArray } from "./dtype.ts";
import { DTypeError, ShapeError } from "./errors.ts";
import { roundToBf16, roundToF16 } from "./half.ts";
import { shapeText, sizeOf } from "./shape.ts";
import { type TensorType, tensorType, typeGiven, typeText } from "./type.ts";

/** Concrete data: a type and its elements in row-major order. 64-bit integers are exact integers in a Float64Array (`bigints` converts). */
export interface Tensor {
  readonly kind: "tensor";
  readonly type: TensorType;
  readonly data: NumberArray;
}

/** A number, a truth value, or nested lists of them, all rows of one length. */
export type Nested = number | boolean | readonly Nested[];

/** What an engine holds for a value: scalars as plain numbers, everything else as a tensor. */
export type Held = number | Tensor;

const exact = 9007199254740992;

/**
 * Rounds elements to what `dtype` can hold where their array is wider than the dtype (f16, bf16, i64, u64); other arrays round by themselves.
 * @throws DTypeError when a 64-bit integer has left the exact range of +-2^53.
 */
export function settle(dtype: DType, data: NumberArray): NumberArray {
  if (dtype === "f16") for (let i = 0; i < data.length; i++) data[i] = roundToF16(data[i]!);
  else if (dtype === "bf16") for (let i = 0; i < data.length; i++) data[i] = roundToBf16(data[i]!);
  else if (dtype === "i64" || dtype === "u64") {
    for (let i = 0; i < data.length; i++) {
      const v = data[i]!;
      if (v === 0) data[i] = 0; // whole numbers have no -0
      if (!Number.isInteger(v) || Math.abs(v) > exact || (dtype === "u64" && v < 0))
        throw new DTypeError(
          `${dtype}: element ${i} is ${v}; 64-bit integers are whole numbers, exact up to 2^53 here; use f64 or smaller numbers`,
        );
    }
  }
  return data;
}

/** Rounds one number as storing it in an array of `dtype` would. */
export function settleNumber(dtype: DType, x: number): number {
  switch (dtype) {
    case "f64":
      return x;
    case "f32":
      return Math.fround(x);
    case "i32":
      return x | 0;
    case "bool":
      return x ? 1 : 0;
    default: {
      const cell = allocate(dtype, 1);
      cell[0] = x;
      return settle(dtype, cell)[0]!;
    }
  }
}

/** A tensor over `data` as it is, without a copy and without checks: for code that owns the array. */
export function hold(type: TensorType, data: NumberArray): Tensor {
  return { kind: "tensor", type, data };
}

/** A tensor whose elements are not in memory: `absent` throws what to do about it. */
export function holdAbsent(type: TensorType, absent: () => never): Tensor {
  return {
    kind: "tensor",
    type,
    get data(): NumberArray {
      return absent();
    },
  };
}

/** A held scalar as a tensor, on demand. */
export function dense(held: Held, type: TensorType): Tensor {
  if (typeof held !== "number") return held;
  const data = allocate(type.dtype, 1);
  data[0] = held;
  return { kind: "tensor", type, data };
}

/** The first element of what is held. */
export function numberOf(held: Held): number {
  return typeof held === "number" ? held : held.data[0]!;
}

export function isTypedArray(x: unknown): x is TypedArray {
  return ArrayBuffer.isView(x) && !(x instanceof DataView);
}

function measure(data: Nested): number[] {
  const shape: number[] = [];
  for (let level: Nested = data; Array.isArray(level); level = level[0] as Nested) {
    shape.push(level.length);
    if (level.length === 0) break;
    if (shape.length > 64) throw new ShapeError("tensor: lists are nested deeper than 64; is one inside itself?");
  }
  return shape;
}

function fill(into: NumberArray, data: Nested, shape: readonly number[], depth: number, at: number, where: string): number {
  if (depth === shape.length) {
    if (typeof data !== "number" && typeof data !== "boolean")
      throw new ShapeError(
        `tensor: element ${where || "[]"} is ${Array.isArray(data) ? `a list of ${data.length}` : typeof data}, others there are numbers; all rows must have one shape`,
      );
    into[at] = data === true ? 1 : data === false ? 0 : data;
    return at + 1;
  }
  if (!Array.isArray(data))
    throw new ShapeError(`tensor: element ${where || "[]"} is ${typeof data}, others there are lists; all rows must have one shape`);
  if (data.length !== shape[depth])
    throw new ShapeError(
      `tensor: row ${where || "[]"} has ${data.length} elements and the first row has ${shape[depth]}; all rows must have one length`,
    );
  for (let i = 0; i < data.length; i++) at = fill(into, data[i] as Nested, shape, depth + 1, at, `${where}[${i}]`);
  return at;
}

function isBoolean(data: Nested): boolean {
  let level: Nested = data;
  // A list inside itself has no end; `measure` refuses it.
  for (let depth = 0; depth <= 64 && Array.isArray(level); depth++) level = (level as readonly Nested[])[0] as Nested;
  return typeof level === "boolean";
}

/**
 * Concrete data: `tensor([1, 2])` is f64[2]; `tensor([[1, 2]], "f32")` f32[1,2]; `tensor(new Float32Array(6), f32(2, 3))`. Nested lists are f64
 * (bool if they hold truth values), typed arrays keep their dtype and are one-dimensional unless `type` says more. The data is copied.
 * @throws ShapeError for ragged rows or a type of another size; DTypeError for an unknown dtype, or where the elements do not fit it.
 */
export function tensor(data: TypedArray | Nested, type?: TensorType | DType): Tensor {
  const wanted = typeof type === "string" ? type : type?.dtype;
  if (wanted !== undefined) checkDType("tensor", wanted);
  if (isTypedArray(data)) {
    const own = dtypeOf(data);
    const dtype = wanted ?? own;
    const into = typeof type === "object" ? typeGiven("tensor", type) : tensorType(dtype, [data.length]);
    if (sizeOf(into.shape) !== data.length)
      throw new ShapeError(`tensor: ${data.length} elements do not fill ${typeText(into)}, which has ${sizeOf(into.shape)}`);
    const copy = allocate(dtype, data.length);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      for (let i = 0; i < data.length; i++) copy[i] = Number(data[i]);
      if (isInteger(dtype)) checkExact(own, data);
    } else copy.set(data);
    checkFits(dtype, data, copy);
    return hold(into, settle(dtype, copy));
  }
  const dtype = wanted ?? (isBoolean(data) ? "bool" : "f64");
  const shape = measure(data);
  const into = typeof type === "object" ? typeGiven("tensor", type) : tensorType(dtype, shape);
  const copy = allocate(dtype, sizeOf(shape));
  const raw = new Float64Array(copy.length);
  fill(raw, data, shape, 0, 0, "");
  copy.set(raw);
  checkFits(dtype, raw, copy);
  if (sizeOf(into.shape) !== copy.length || (shape.length > 1 && shapeText(shape) !== shapeText(into.shape)))
    throw new ShapeError(`tensor: the data is ${shapeText(shape)} and the type is ${typeText(into)}; they must have one shape`);
  return hold(into, settle(dtype, copy));
}

/** A BigInt beyond 2^53 would be rounded on its way in, and the rounded one may look exact. */
function checkExact(dtype: DType, given: BigInt64Array | BigUint64Array): void {
  for (let i = 0; i < given.length; i++)
    if (given[i]! > BigInt(exact) || given[i]! < -BigInt(exact))
      throw new DTypeError(
        `${dtype}: element ${i} is ${given[i]}; 64-bit integers are whole numbers, exact up to 2^53 here; use f64 or smaller numbers`,
      );
}

/** Whole-number dtypes take whole numbers in range only: silently cutting 0.5 to 0 would be a wrong answer. */
function checkFits(dtype: DType, given: ArrayLike<number | bigint>, kept: NumberArray): void {
  if (isFloat(dtype)) return;
  for (let i = 0; i < kept.length; i++)
    if (Number(given[i]) !== kept[i] || (dtype === "bool" && kept[i]! > 1))
      throw new DTypeError(`tensor: element ${i} is ${given[i]}, which ${dtype} cannot hold; use another dtype`);
}

/** A 64-bit integer tensor as BigInts, for files and runtimes that want them. */
export function bigints(x: Tensor): BigInt64Array | BigUint64Array {
  const out = x.type.dtype === "u64" ? new BigUint64Array(x.data.length) : new BigInt64Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = BigInt(x.data[i]!);
  return out;
}

/** Elements as nested lists; a scalar as a number. */
export function nest(x: Tensor): Nested {
  const { shape } = x.type;
  const build = (depth: number, at: number, step: number): Nested => {
    if (depth === shape.length) return x.type.dtype === "bool" ? x.data[at] === 1 : x.data[at]!;
    const inner = step / Math.max(1, shape[depth]!);
    return Array.from({ length: shape[depth]! }, (_, i) => build(depth + 1, at + i * inner, inner));
  };
  return build(0, 0, x.data.length);
}
