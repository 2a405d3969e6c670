import { DTypeError } from "../../ir/errors.ts";
import { type TensorType, typeText } from "../../ir/type.ts";

/** @throws DTypeError for truth values, which products and sums do not take */
export function refuseBool(op: string, operand: string, type: TensorType): void {
  if (type.dtype === "bool")
    throw new DTypeError(`${op}: ${operand} is ${typeText(type)} and ${op} takes numbers; write cast(${operand}, "f32")`, { op });
}
