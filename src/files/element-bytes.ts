import type { DType, NumberArray } from "../ir/dtype.ts";
import { DTypeError, ParseError } from "../ir/errors.ts";
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from "../ir/half.ts";

export type ByteOrder = "little" | "big";

/** Bytes that one element takes in a file. */
export function byteSize(dtype: DType): 1 | 2 | 4 | 8 {
  switch (dtype) {
    case "f64":
    case "i64":
    case "u64":
      return 8;
    case "f32":
    case "i32":
    case "u32":
      return 4;
    case "f16":
    case "bf16":
    case "i16":
    case "u16":
      return 2;
    case "i8":
    case "u8":
    case "bool":
      return 1;
  }
}

function hostOrder(): ByteOrder {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";
}

/** Reverses the bytes of every element, in place. */
function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width)
    for (let i = 0; i < width >> 1; i++) {
      const first = bytes[at + i]!;
      bytes[at + i] = bytes[at + width - 1 - i]!;
      bytes[at + width - 1 - i] = first;
    }
}

/** The same bytes in the order of this machine and at an offset that typed arrays of `width` can view: themselves if they are so, else a copy. */
function viewable(bytes: Uint8Array, width: number, order: ByteOrder): Uint8Array {
  const swap = width > 1 && order !== hostOrder();
  if (!swap && bytes.byteOffset % width === 0) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // not a Buffer
  const copy = new Uint8Array(bytes);
  if (swap) swapBytes(copy, width);
  return copy;
}

/**
 * Elements from their bytes. Where the array inside has the width of the file's elements, the result is a view on `bytes` if they are aligned
 * and in this machine's order, and a copy otherwise.
 * @param bytes as many as the elements take: `byteSize(dtype)` times their number
 * @param where what the message calls the array
 * @throws ParseError for a 64-bit integer beyond 2^53
 */
export function readElements(dtype: DType, bytes: Uint8Array, order: ByteOrder, where: string): NumberArray {
  const width = byteSize(dtype);
  const own = viewable(bytes, width, order);
  const length = own.byteLength / width;
  switch (dtype) {
    case "f64":
      return new Float64Array(own.buffer, own.byteOffset, length);
    case "f32":
      return new Float32Array(own.buffer, own.byteOffset, length);
    case "i32":
      return new Int32Array(own.buffer, own.byteOffset, length);
    case "i16":
      return new Int16Array(own.buffer, own.byteOffset, length);
    case "i8":
      return new Int8Array(own.buffer, own.byteOffset, length);
    case "u32":
      return new Uint32Array(own.buffer, own.byteOffset, length);
    case "u16":
      return new Uint16Array(own.buffer, own.byteOffset, length);
    case "u8":
      return own;
    case "bool":
      return own.some((byte) => byte > 1) ? own.map((byte) => (byte === 0 ? 0 : 1)) : own;
    case "f16":
    case "bf16": {
      const bits = new Uint16Array(own.buffer, own.byteOffset, length);
      const decode = dtype === "f16" ? f16ToNumber : bf16ToNumber;
      const out = new Float32Array(length);
      for (let i = 0; i < length; i++) out[i] = decode(bits[i]!);
      return out;
    }
    case "i64":
    case "u64":
      return read64(dtype, new Uint32Array(own.buffer, own.byteOffset, length * 2), where);
  }
}

/** 64-bit integers from pairs of words: two exact products and a sum, so that no BigInt is made for each element. */
function read64(dtype: "i64" | "u64", words: Uint32Array, where: string): Float64Array {
  const low = hostOrder() === "little" ? 0 : 1;
  const out = new Float64Array(words.length / 2);
  const limit = 2 ** 21; // the high word at 2^53
  for (let i = 0; i < out.length; i++) {
    const lower = words[2 * i + low]!;
    const upper = dtype === "i64" ? words[2 * i + 1 - low]! | 0 : words[2 * i + 1 - low]!;
    if (upper > limit || upper < -limit || (upper === limit && lower > 0)) {
      const value = (BigInt(upper) << 32n) + BigInt(lower);
      throw new ParseError(
        `${where}: ${dtype} element ${i} is ${value}, beyond 2^53: 64-bit integers are exact only up to 2^53 here; save it as f64 or i32`,
      );
    }
    out[i] = upper * 2 ** 32 + lower;
  }
  return out;
}

/**
 * Writes elements as little-endian bytes to `out` at `at`.
 * @throws DTypeError for an i64/u64 element that is no whole number within 2^53
 */
export function writeElements(dtype: DType, data: NumberArray, out: Uint8Array, at: number): void {
  const width = byteSize(dtype);
  if (dtype === "f16" || dtype === "bf16") {
    const encode = dtype === "f16" ? numberToF16 : numberToBf16;
    for (let i = 0; i < data.length; i++, at += 2) {
      const bits = encode(data[i]!);
      out[at] = bits & 255;
      out[at + 1] = bits >>> 8;
    }
  } else if (dtype === "i64" || dtype === "u64") {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    for (let i = 0; i < data.length; i++, at += 8) {
      const x = data[i]!;
      if (!Number.isInteger(x) || Math.abs(x) > 2 ** 53 || (dtype === "u64" && x < 0))
        throw new DTypeError(
          `${dtype} element ${i} is ${x}; a 64-bit integer must be a whole number${dtype === "u64" ? ", 0 or more," : ""} of at most 2^53 to be written exactly`,
        );
      const upper = Math.floor(x / 2 ** 32);
      view.setUint32(at, x - upper * 2 ** 32, true);
      view.setInt32(at + 4, upper, true);
    }
  } else {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    if (width > 1 && hostOrder() === "big") swapBytes(out.subarray(at, at + data.byteLength), width);
  }
}
