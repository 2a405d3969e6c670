import { allocate, checkDType, type DType, isFloat, type NumberArray, wholeRanges } from "../../ir/dtype.ts";
import { DomainError } from "../../ir/errors.ts";
import { roundToBf16, roundToF16 } from "../../ir/half.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { tensorType } from "../../ir/type.ts";
import { applyTo, declare, type Op } from "../define.ts";

/** The dtype to convert to. */
export interface CastAttrs {
  readonly dtype: DType;
}

function toWhole(from: NumberArray, into: NumberArray, dtype: DType): NumberArray {
  const [low, high] = wholeRanges[dtype]!;
  for (let i = 0; i < into.length; i++) {
    const whole = Math.trunc(from[i]!);
    if (!(whole >= low && whole <= high))
      throw new DomainError(
        `cast: element ${i} is ${from[i]} and ${dtype} holds whole numbers from ${low} to ${high}; clip it first, or choose another dtype`,
        { op: "cast" },
      );
    into[i] = whole + 0;
  }
  return into;
}

/** Straight from the double to 16 bits: through f32 some numbers would be rounded twice. */
function toHalf(from: NumberArray, into: NumberArray, round: (x: number) => number): NumberArray {
  for (let i = 0; i < into.length; i++) into[i] = round(from[i]!);
  return into;
}

const converted: Op<(x: Operand, attrs: CastAttrs) => Value> = declare<(x: Operand, attrs: CastAttrs) => Value, readonly ["x"]>(
  "cast",
  ["x"],
  {
    family: "unary",
    type: ({ x, dtype }) => (x.dtype === dtype ? x : tensorType(dtype, x.shape)),
    eval: ({ x, dtype }, out) => {
      const from = x.data;
      const into = allocate(out.dtype, from.length);
      if (dtype === "f16") return toHalf(from, into, roundToF16);
      if (dtype === "bf16") return toHalf(from, into, roundToBf16);
      if (dtype === "bool") {
        for (let i = 0; i < into.length; i++) into[i] = from[i] === 0 ? 0 : 1;
        return into;
      }
      if (isFloat(x.type.dtype) && !isFloat(dtype)) return toWhole(from, into, dtype);
      into.set(from);
      return into;
    },
    batch: "elementwise",
    formula: { x: "dX = cast(dY)" },
    vjp: ({ ct, x, dtype }) => ({ x: isFloat(dtype) && isFloat(x.type.dtype) ? cast(ct, x.type.dtype) : null }),
    jvp: ({ d, dtype }) => (d.x !== null && isFloat(dtype) ? cast(d.x, dtype) : null),
  },
);

/** The op as a function that also takes the dtype as a bare word. Its nodes must carry the function itself, so it is not a mere wrapper. */
/* @__NO_SIDE_EFFECTS__ */
function withWord(op: typeof converted): Op<(x: Operand, to: DType | CastAttrs) => Value> {
  const call = (x: Operand, to: DType | CastAttrs): Value => {
    const dtype = typeof to === "string" ? to : to?.dtype;
    checkDType("cast", dtype);
    const v = lift(x, isFloat(dtype) ? dtype : "f64");
    return applyTo(made, [v], { dtype }) as Value;
  };
  Object.defineProperty(call, "name", { value: op.name });
  const made: Op<typeof call> = Object.assign(call, op);
  return made;
}

/**
 * x converted to another dtype: `cast(x, "f32")` or `cast(x, { dtype: "f32" })`. To a narrower float rounds to nearest, ties to even; float to
 * integer cuts toward zero; integer to integer wraps; to bool is "not 0". Float to float is differentiable (the gradient is cast back), others not.
 * @throws DTypeError for an unknown dtype; DomainError when evaluated for NaN, infinities and numbers out of an integer dtype's range
 */
export const cast: Op<(x: Operand, to: DType | CastAttrs) => Value> = /* @__PURE__ */ withWord(converted);
