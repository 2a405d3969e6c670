import { type ByteOrder, byteSize, readElements, writeElements } from "../files/element-bytes.ts";
import type { DType, NumberArray } from "../ir/dtype.ts";
import { DTypeError, ParseError } from "../ir/errors.ts";
import { stridesOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { bytesOf, checkTensor } from "./given-data.ts";
import { parsePythonLiteral } from "./python-literal.ts";

/** NumPy's codes: kind and bytes. bf16 has none. */
const codes: Readonly<Record<string, DType>> = {
  f8: "f64",
  f4: "f32",
  f2: "f16",
  i8: "i64",
  i4: "i32",
  i2: "i16",
  i1: "i8",
  u8: "u64",
  u4: "u32",
  u2: "u16",
  u1: "u8",
  b1: "bool",
};
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** What to say of the kinds of NumPy arrays that are not numbers here. */
const kinds: Readonly<Record<string, string>> = {
  O: "Python objects; save an array of numbers: np.save(path, array.astype(np.float64))",
  c: "complex numbers, which are not supported; save array.real and array.imag",
  V: "raw or structured records; save each field by itself (bfloat16 as np.float32)",
  S: "bytes; save numbers",
  U: "text; save numbers",
  a: "bytes; save numbers",
  M: "dates; save array.astype(np.int64)",
  m: "time spans; save array.astype(np.int64)",
  f: "floats of an unusual width; save array.astype(np.float64)",
};

/** Where the elements of a .npy file lie, and what they are. */
export interface NpyLayout {
  readonly type: TensorType;
  readonly order: ByteOrder;
  /** Column-major. */
  readonly columns: boolean;
  /** The place of the first element. */
  readonly start: number;
}

/** What the header of a .npy file says; `bytes` are the file, or its beginning. @throws ParseError for anything that is no such header */
export function npyLayout(bytes: Uint8Array): NpyLayout {
  const { text, start } = headerOf(bytes);
  const header = parsePythonLiteral(text);
  if (!(header instanceof Map)) throw new ParseError("npy: the header must be a dict with descr, fortran_order and shape");
  const { dtype, order } = elementsOf(header.get("descr"));
  const shape: unknown = header.get("shape");
  const columns: unknown = header.get("fortran_order");
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new ParseError("npy: the header's shape must be a tuple of whole numbers, 0 or more");
  if (typeof columns !== "boolean") throw new ParseError("npy: the header's fortran_order must be True or False");
  const sizes: readonly number[] = shape.map((n: number) => n + 0);
  return { type: tensorType(dtype, sizes), order, columns, start };
}

/**
 * Reads a .npy file, versions 1 to 3, either byte order, row- or column-major. Little-endian row-major data that is aligned is a view on
 * `bytes`, which must not be changed afterwards.
 * Format: NumPy documentation, `numpy.lib.format`.
 * @throws ParseError for anything that is not such a file, is cut short or longer than its shape, or holds no numbers
 */
export function parseNpy(given: Uint8Array | ArrayBuffer): Tensor {
  const bytes = bytesOf("parseNpy", given, 'readTensorFile("x.npy")');
  const { type, order, columns, start } = npyLayout(bytes);
  checkSize(type, bytes.length - start);
  const data = readElements(type.dtype, bytes.subarray(start), order, "npy");
  return hold(type, columns ? rowMajor(data, type.shape) : data);
}

/** @throws ParseError where so many bytes after the header are not what the shape takes */
export function checkSize(type: TensorType, there: number): void {
  let size = byteSize(type.dtype) as number;
  for (const n of type.shape) size *= n;
  if (size !== there)
    throw new ParseError(
      size > there
        ? `npy: ${typeText(type)} takes ${size} bytes and the file has ${there} after its header; it is cut short`
        : `npy: ${typeText(type)} takes ${size} bytes and ${there - size} more follow; save several arrays with np.savez`,
    );
}

function headerOf(bytes: Uint8Array): { text: string; start: number } {
  if (magic.some((byte, i) => bytes[i] !== byte))
    throw new ParseError(
      bytes[0] === 0x50 && bytes[1] === 0x4b
        ? "npy: this is a zip file, as np.savez writes; call it .npz"
        : "npy: the file does not begin with \\x93NUMPY; it is no .npy file",
    );
  const cut = (): never => {
    throw new ParseError(`npy: the file ends after ${bytes.length} bytes, within its header; it is cut short`);
  };
  if (bytes.length < 10) cut();
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw new ParseError(`npy: format version ${version}.${bytes[7]}; 1, 2 and 3 are known`);
  if (version > 1 && bytes.length < 12) cut();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  if (start > bytes.length) cut();
  try {
    // Versions 1 and 2 are Latin-1; a dtype of numbers is plain ASCII in every version.
    const text = new TextDecoder(version === 3 ? "utf-8" : "latin1", { fatal: true }).decode(
      bytes.subarray(version === 1 ? 10 : 12, start),
    );
    return { text, start };
  } catch (cause) {
    throw new ParseError("npy: the header is not UTF-8", { cause });
  }
}

function elementsOf(descr: unknown): { dtype: DType; order: ByteOrder } {
  if (descr === undefined) throw new ParseError("npy: the header has no descr");
  if (typeof descr !== "string") throw new ParseError(`npy: the array holds ${kinds["V"]}`);
  const found = /^([<>|=]?)([a-zA-Z])(\d*)/.exec(descr);
  const dtype = found === null || found[0] !== descr ? undefined : codes[`${found[2]}${found[3]}`];
  if (dtype !== undefined) return { dtype, order: found?.[1] === ">" ? "big" : "little" };
  const kind = kinds[found?.[2] ?? ""];
  throw new ParseError(
    kind === undefined ? `npy: descr ${JSON.stringify(descr)} is no NumPy dtype` : `npy: the array holds ${kind} (descr '${descr}')`,
  );
}

/** Column-major elements in row-major order. */
function rowMajor(data: NumberArray, shape: readonly number[]): NumberArray {
  const out = data.slice();
  // The axes whose index moves fastest come last in `shape`; in column-major data the strides run the other way.
  const strides = stridesOf([...shape].reverse()).reverse();
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * A .npy file (version 1, little-endian, row-major), as `np.save` writes it.
 * @throws DTypeError for bf16, which NumPy has not; for 64-bit integers beyond 2^53
 */
export function serializeNpy(x: Tensor): Uint8Array<ArrayBuffer> {
  checkTensor("serializeNpy", "x", x);
  const { type, data } = x;
  const { dtype, shape } = type;
  const code = Object.keys(codes).find((key) => codes[key] === dtype);
  if (code === undefined) throw new DTypeError(`npy: NumPy has no ${dtype}; write cast(x, "f32") first, or save as safetensors`);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${byteSize(dtype) === 1 ? "|" : "<"}${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const version = dict.length + 11 > 0xffff ? 2 : 1;
  const before = version === 1 ? 10 : 12;
  const start = Math.ceil((before + dict.length + 1) / 64) * 64;
  const out = new Uint8Array(start + data.length * byteSize(dtype));
  const view = new DataView(out.buffer);
  out.set([...magic, version, 0]);
  if (version === 1) view.setUint16(8, start - before, true);
  else view.setUint32(8, start - before, true);
  out.fill(0x20, before, start - 1).set(new TextEncoder().encode(dict), before);
  out[start - 1] = 0x0a;
  writeElements(dtype, data, out, start);
  return out;
}
