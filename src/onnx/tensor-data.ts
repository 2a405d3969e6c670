import { byteSize, readElements } from "../files/element-bytes.ts";
import { allocate, type DType, isFloat, type NumberArray } from "../ir/dtype.ts";
import { DTypeError, GraphError, ParseError } from "../ir/errors.ts";
import { bf16ToNumber, f16ToNumber } from "../ir/half.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, holdAbsent, settle, type Tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import type { TensorMessage } from "./schema.ts";
import { wholeOf } from "./wire.ts";

/** Element types of TensorProto by their numbers; those that are no dtype here by name alone. */
const elementTypes: Readonly<Record<number, DType | { readonly no: string }>> = {
  1: "f32",
  2: "u8",
  3: "i8",
  4: "u16",
  5: "i16",
  6: "i32",
  7: "i64",
  8: { no: "STRING" },
  9: "bool",
  10: "f16",
  11: "f64",
  12: "u32",
  13: "u64",
  14: { no: "COMPLEX64" },
  15: { no: "COMPLEX128" },
  16: "bf16",
  17: { no: "FLOAT8E4M3FN" },
  18: { no: "FLOAT8E4M3FNUZ" },
  19: { no: "FLOAT8E5M2" },
  20: { no: "FLOAT8E5M2FNUZ" },
  21: { no: "UINT4" },
  22: { no: "INT4" },
  23: { no: "FLOAT4E2M1" },
  24: { no: "FLOAT8E8M0" },
  25: { no: "UINT2" },
  26: { no: "INT2" },
};

/** ONNX's number of a dtype. */
export function elementNumber(dtype: DType): number {
  return Number(Object.keys(elementTypes).find((n) => elementTypes[Number(n)] === dtype));
}

/** The dtype of an ONNX element type. @throws DTypeError, with its name, for one that is none here */
export function dtypeOfElement(number: number | undefined, where: string): DType {
  const found = elementTypes[number ?? 0];
  if (typeof found === "string") return found;
  throw new DTypeError(
    `onnx: ${where} has element type ${found === undefined ? `${number ?? 0}, which no version of ONNX has` : found.no}; supported are float, double, float16, bfloat16, bool and whole numbers of 8 to 64 bits: export the model unquantised, in one of these`,
  );
}

/** More elements than any file may ask for before they are there. */
const most = 2 ** 31;

/** The shape that a tensor message claims. @throws ParseError for sizes that are none */
function shapeOfMessage(message: TensorMessage, where: string): number[] {
  const dims = [...(message.dims ?? [])];
  for (const size of dims)
    if (!Number.isInteger(size) || size < 0) throw new ParseError(`onnx: ${where} has a size of ${size} in [${dims.join(",")}]`);
  if (sizeOf(dims) > most) throw new ParseError(`onnx: ${where} claims ${sizeOf(dims)} elements; at most ${most} are read`);
  return dims;
}

/** i64 and u64 from their bytes, with the ends of the range cut to what is exact here. */
function wholes(bytes: Uint8Array, signed: boolean, where: string): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float64Array(bytes.length / 8);
  for (let i = 0; i < out.length; i++) out[i] = wholeOf(view.getUint32(8 * i, true), view.getUint32(8 * i + 4, true), signed, where);
  return out;
}

/** Elements from one of the typed lists of a message. */
function listed(dtype: DType, message: TensorMessage): readonly number[] | undefined {
  if (dtype === "f32") return message.float_data;
  if (dtype === "f64") return message.double_data;
  if (dtype === "i64") return message.int64_data;
  if (dtype === "u64" || dtype === "u32") return message.uint64_data;
  const bits = message.int32_data;
  if (dtype === "f16") return bits?.map((b) => f16ToNumber(b & 0xffff));
  if (dtype === "bf16") return bits?.map((b) => bf16ToNumber(b & 0xffff));
  if (dtype === "bool") return bits?.map((b) => (b === 0 ? 0 : 1));
  return bits;
}

/** @throws ParseError for a number of bytes that does not fill the shape of a tensor message, DTypeError for element types that are none here */
export function checkBytes(message: TensorMessage, where: string, count: number): void {
  const dtype = dtypeOfElement(message.data_type, where);
  const shape = shapeOfMessage(message, where);
  const wanted = sizeOf(shape) * byteSize(dtype);
  if (count !== wanted)
    throw new ParseError(`onnx: ${where} is ${dtype}[${shape.join(",")}], which takes ${wanted} bytes, and has ${count}`);
}

/** Fewer elements are read with the file: shapes and settings are computed from them. */
const leastAbsent = 2 ** 12;

/**
 * A floating-point tensor message as a Tensor without its elements, for looking at a model before its weights are read; null for a small one and for
 * other dtypes.
 */
export function absentTensor(message: TensorMessage, where: string): Tensor | null {
  const dtype = dtypeOfElement(message.data_type, where);
  const shape = shapeOfMessage(message, where);
  if (!isFloat(dtype) || sizeOf(shape) < leastAbsent) return null;
  return holdAbsent(tensorType(dtype, shape), () => {
    throw new GraphError(`onnx: the numbers of ${where} were left in the file; an outline has shapes alone, onnx.read reads the numbers`);
  });
}

/**
 * A tensor message as a Tensor. Raw bytes that are aligned for their elements become a view; others are copied once.
 * @param external the bytes of data that stand in another file
 * @throws DTypeError for element types that are none here; ParseError for data that does not fill the shape
 */
export function tensorOf(message: TensorMessage, where: string, external?: Uint8Array): Tensor {
  const dtype = dtypeOfElement(message.data_type, where);
  const shape = shapeOfMessage(message, where);
  const size = sizeOf(shape);
  if (message.segment !== undefined)
    throw new ParseError(`onnx: ${where} is stored in segments, which no exporter writes; save the model anew`);
  const type = tensorType(dtype, shape);
  const raw = external ?? message.raw_data;
  if (raw !== undefined) {
    checkBytes(message, where, raw.length);
    const data: NumberArray =
      dtype === "i64" || dtype === "u64" ? wholes(raw, dtype === "i64", `onnx: ${where}`) : readElements(dtype, raw, "little", where);
    return hold(type, data);
  }
  const list = listed(dtype, message) ?? [];
  if (list.length !== size)
    throw new ParseError(`onnx: ${where} is ${dtype}[${shape.join(",")}], which has ${size} elements, and lists ${list.length}`);
  const data = allocate(dtype, size);
  for (let i = 0; i < size; i++) data[i] = list[i]!;
  return hold(type, settle(dtype, data));
}
