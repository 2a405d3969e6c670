import { allocate, type DType, isArrayOf } from "../ir/dtype.ts";
import { ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, settle, type Tensor } from "../ir/tensor.ts";
import { sameType, type TensorType, typeText } from "../ir/type.ts";
import type { Wire } from "./library.ts";

/** C's name for how elements of a dtype lie in memory here. */
export function wireOf(dtype: DType): Wire {
  switch (dtype) {
    case "f64":
    case "i64":
    case "u64":
      return "f64";
    case "f32":
    case "f16":
    case "bf16":
      return "f32";
    case "bool":
      return "u8";
    default:
      return dtype;
  }
}

/** Memory for a result. */
export function place(what: string, type: TensorType, into: Tensor | undefined): Tensor {
  if (into === undefined) return hold(type, allocate(type.dtype, sizeOf(type.shape)));
  if (!sameType(into.type, type) || !isArrayOf(type.dtype, into.data))
    throw new ShapeError(`${what}: into is ${typeText(into.type)}, and the result is ${typeText(type)}; give memory of that type`);
  return into;
}

/** Elements rounded to their dtype, where their array is wider. */
export function settled(x: Tensor): Tensor {
  settle(x.type.dtype, x.data);
  return x;
}

/** Where each part begins. */
export function startsOf(counts: Int32Array): Int32Array {
  const starts = new Int32Array(counts.length);
  for (let i = 1; i < counts.length; i++) starts[i] = starts[i - 1]! + counts[i - 1]!;
  return starts;
}

/** @throws ShapeError for rows that are not one number for each rank, and do not add up to a type's axis 0 */
export function checkRows(what: string, rows: readonly number[], size: number, type: TensorType | null): void {
  const total = rows.reduce((a, b) => a + b, 0);
  const fits = rows.length === size && rows.every((n) => Number.isInteger(n) && n >= 0);
  if (!fits || (type !== null && total !== (type.shape[0] ?? -1)))
    throw new ShapeError(
      `${what}: rows are ${rows.join(", ")}${type === null ? "" : ` for ${typeText(type)}`}; there is one number for each of the ${size} ranks, and together they are axis 0`,
    );
}
