import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import { full } from "../ops/linear/constants.ts";
import { diag } from "../ops/linear/diag.ts";
import { reshape } from "../ops/linear/reshape.ts";

/** The unit directions of a value's type, one for each element, on axis 0: the identity matrix with its columns shaped like the value. */
export function directionsOf(v: Value): Value {
  const n = sizeOf(v.type.shape);
  return reshape(diag(full(tensorType(v.type.dtype, [n]), 1)), { shape: [n, ...v.type.shape] });
}
