import { allocate } from "../ir/dtype.ts";
import { sizeOf } from "../ir/shape.ts";
import { type Held, hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType } from "../ir/type.ts";

/** The type of so many rows of a type. */
export function rowsOf(type: TensorType, rows: number): TensorType {
  return tensorType(type.dtype, [rows, ...type.shape]);
}

/** The type of one row along axis 0. */
export function rowOf(type: TensorType): TensorType {
  return tensorType(type.dtype, type.shape.slice(1));
}

/** A tensor row by row, for kernels: scalar rows are numbers, other rows are views. */
export class Rows {
  readonly data: Tensor["data"];
  readonly #type: TensorType;
  readonly #size: number;
  readonly #scalar: boolean;
  /** Rows of `of`, or of zeros. */
  constructor(type: TensorType, of?: Tensor) {
    this.#type = rowOf(type);
    this.#size = sizeOf(this.#type.shape);
    this.#scalar = this.#type.shape.length === 0;
    this.data = of === undefined ? allocate(type.dtype, sizeOf(type.shape)) : of.data;
  }
  take(row: number): Held {
    if (this.#scalar) return this.data[row]!;
    return hold(this.#type, this.data.subarray(row * this.#size, (row + 1) * this.#size));
  }
  put(row: number, held: Held): void {
    if (typeof held === "number") this.data[row] = held;
    else this.data.set(held.data, row * this.#size);
  }
}
