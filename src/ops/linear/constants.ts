import { allocate, type DType, isFloat } from "../../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../../ir/errors.ts";
import { constantOf, lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { hold } from "../../ir/tensor.ts";
import { type TensorType, tensorType, typeGiven, typeText } from "../../ir/type.ts";
import { expand } from "./sum.ts";

/**
 * A tensor of this type with one number everywhere: `full(f32(2, 3), 0.5)`. The number may be a scalar Value; its gradient is then the sum.
 * @throws ShapeError when `value` is no scalar; DTypeError when it has another dtype
 */
export function full(type: TensorType, value: Operand): Value {
  return filled("full", type, value);
}

function filled(op: string, given: TensorType, value: Operand): Value {
  const type = typeGiven(op, given);
  const v = lift(value, type.dtype);
  if (v.type.shape.length > 0)
    throw new ShapeError(`full: value is ${typeText(v.type)}; it is a scalar; write expand(value, { shape })`, { op: "full" });
  if (v.type.dtype !== type.dtype)
    throw new DTypeError(`full: value is ${typeText(v.type)} and the type is ${typeText(type)}; write cast(value, "${type.dtype}")`, {
      op: "full",
    });
  return type.shape.length === 0 ? v : expand(v, { shape: type.shape });
}

/** Zeros of a type: `zeros(f32(2, 3))`. */
export function zeros(type: TensorType): Value {
  return filled("zeros", type, 0);
}

/** Ones of a type: `ones(f32(2, 3))`. */
export function ones(type: TensorType): Value {
  return filled("ones", type, 1);
}

/** The element type of a range; i32 when left out. */
export interface RangeAttrs {
  readonly dtype?: DType;
}

/**
 * Equally spaced numbers, the end left out: `range(3)` is 0 1 2, `range(1, 4)` 1 2 3, `range(0, 1, 0.25, { dtype: "f64" })` 0 0.25 0.5 0.75.
 * They are indices, i32, unless `dtype` says more. Element i is `start + i * step`.
 * @throws DomainError for a step of 0; DTypeError for fractions in a whole-number dtype
 */
export function range(end: number, attrs?: RangeAttrs): Value;
export function range(start: number, end: number, attrs?: RangeAttrs): Value;
export function range(start: number, end: number, step: number, attrs?: RangeAttrs): Value;
export function range(...given: readonly (number | RangeAttrs | undefined)[]): Value {
  const numbers = given.filter((x) => typeof x === "number");
  const dtype = given.find((x) => typeof x === "object")?.dtype ?? "i32";
  const start = numbers.length > 1 ? numbers[0]! : 0;
  const end = numbers[numbers.length > 1 ? 1 : 0];
  const step = numbers[2] ?? 1;
  if (end === undefined || !Number.isFinite(start) || !Number.isFinite(end) || !Number.isFinite(step) || step === 0)
    throw new DomainError(`range: start ${start}, end ${end ?? "missing"}, step ${step}; all are finite numbers and step is not 0`, {
      op: "range",
    });
  if (!isFloat(dtype) && !(Number.isInteger(start) && Number.isInteger(step)))
    throw new DTypeError(`range: start ${start} and step ${step} are not whole and the dtype is ${dtype}; write { dtype: "f64" }`, {
      op: "range",
    });
  const count = Math.max(0, Math.ceil((end - start) / step));
  const data = allocate(dtype, count);
  for (let i = 0; i < count; i++) data[i] = start + i * step;
  const type = tensorType(dtype, [count]);
  return constantOf(hold(type, data), type);
}
