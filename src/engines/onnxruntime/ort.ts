import type { DType, NumberArray } from "../../ir/dtype.ts";
import { EngineError } from "../../ir/errors.ts";

/** The module `onnxruntime-node`, `onnxruntime-web` or one of its variants, which the caller imports and hands over. */
export interface Ort {
  readonly InferenceSession: unknown;
  readonly Tensor: unknown;
  readonly env?: unknown;
}

/** A tensor of ONNX Runtime, over memory of ours or of the device. */
export interface OrtTensor {
  readonly type: string;
  readonly data: NumberArray;
  readonly dims: readonly number[];
  readonly location?: string;
  getData?(release?: boolean): Promise<NumberArray>;
  dispose?(): void;
}

/** A model that ONNX Runtime made ready. */
export interface OrtSession {
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** What is used of the module. */
export interface Runtime {
  /** Whether results are written to arrays that are handed over; the builds for pages leave them as they are, without a word. */
  readonly fills: boolean;
  open(model: Uint8Array, options: object): Promise<OrtSession>;
  tensor(dtype: DType, data: NumberArray, shape: readonly number[]): OrtTensor;
}

/**
 * The dtypes that tensors have on their way in and out where it is another one than inside: JavaScript has no arrays of halves, and 64-bit integers
 * are exact integers in f64 here.
 */
export const outside: Readonly<Partial<Record<DType, DType>>> = { f16: "f32", bf16: "f32", i64: "f64", u64: "f64" };

/** The same where f64 is computed in f32, which holds whole numbers to 2^24 alone. */
export const outsideInSingles: Readonly<Partial<Record<DType, DType>>> = { f16: "f32", bf16: "f32", i64: "i32", u64: "i32", f64: "f32" };

const types: Readonly<Partial<Record<DType, string>>> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  i16: "int16",
  i8: "int8",
  u32: "uint32",
  u16: "uint16",
  u8: "uint8",
  bool: "bool",
};

interface Module {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: NumberArray, dims: readonly number[]) => OrtTensor;
}

/** The module behind our own interface. @throws EngineError for what is not ONNX Runtime */
export function runtimeOf(ort: Ort): Runtime {
  const { InferenceSession, Tensor } = (ort ?? {}) as Module;
  if (typeof InferenceSession?.create !== "function" || typeof Tensor !== "function")
    throw new EngineError(
      'onnxruntime: the first argument is the module itself: import * as ort from "onnxruntime-node" (in a page "onnxruntime-web"), then onnxruntime(ort)',
    );
  const { versions } = (ort.env ?? {}) as { readonly versions?: { readonly node?: string } };
  return {
    fills: versions?.node !== undefined,
    open: (model, options) => InferenceSession.create(model, options),
    tensor: (dtype, data, shape) => new Tensor(types[outside[dtype] ?? dtype]!, data, shape),
  };
}
