import type { DType, NumberArray } from "../../ir/dtype.ts";
import { type Held, hold } from "../../ir/tensor.ts";
import type { TensorType } from "../../ir/type.ts";

/** A value on its way between threads: its elements; both sides know the type. */
export type Wired = number | NumberArray;

/** A tensor that stays with the worker, by its number. */
export interface Ref {
  readonly ref: number;
}

/** What an engine asks of its worker. */
export type Request =
  | { readonly kind: "prepare"; readonly program: number; readonly text: string; readonly tensors: Readonly<Record<string, WiredTensor>> }
  | {
      readonly kind: "run";
      readonly call: number;
      readonly program: number;
      readonly values: readonly (Wired | Ref)[];
      /** Where results stay: their numbers, by their places. */
      readonly into: readonly (Ref | null)[];
    }
  | { readonly kind: "put"; readonly call: number; readonly tensors: readonly (WiredTensor & Ref)[] }
  | { readonly kind: "get"; readonly call: number; readonly refs: readonly number[] }
  | { readonly kind: "drop"; readonly refs: readonly number[] }
  | { readonly kind: "dispose"; readonly program: number };

/** A constant beside a graph's text. */
export interface WiredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NumberArray;
}

/** What a worker answers: results, those that do not stay there, or what went wrong by the name of its class. */
export type Answer =
  | { readonly call: number; readonly results: readonly Wired[] }
  | { readonly call: number; readonly failure: { readonly code: string; readonly message: string } };

/** The elements alone, in memory of their own that can be handed over. */
export function wired(held: Held): Wired {
  return typeof held === "number" ? held : ownElements(held.data);
}

/** The same elements, copied where their memory holds others too or is shared. */
export function ownElements(data: NumberArray): NumberArray {
  return data.byteLength === data.buffer.byteLength && data.buffer instanceof ArrayBuffer ? data : data.slice();
}

/** The value of a type from its elements. */
export function unwired(value: Wired, type: TensorType): Held {
  return typeof value === "number" ? value : hold(type, value);
}

/** The memory of elements, for handing over instead of copying. */
export function memoryOf(values: readonly Wired[]): ArrayBuffer[] {
  return values.flatMap((v) => (typeof v === "number" ? [] : [v.buffer as ArrayBuffer]));
}
