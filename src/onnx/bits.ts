import type { DType } from "../ir/dtype.ts";
import { constant, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { tensor } from "../ir/tensor.ts";
import { add, cast, div, floor, gather, greaterEqual, less, logicalOr, mod, mul, sub, sum, unsqueeze, where } from "../ops/index.ts";
import type { Application, Family, Rule } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

/** How many bits a whole number has; of 64 those that are exact here. */
const widths: Readonly<Partial<Record<DType, number>>> = { u8: 8, i8: 8, u16: 16, i16: 16, u32: 32, i32: 32, u64: 53, i64: 54 };

function isSigned(dtype: DType): boolean {
  return dtype.startsWith("i");
}

function widthOf(n: Application, { type: { dtype } }: Value): number {
  return widths[dtype] ?? n.refuse(`its operand 0 is ${dtype}; bits are those of whole numbers`);
}

/** The bits of whole numbers on a last axis, the lowest first: floor and remainder count those of negative numbers as two's complement has them. */
function bitsOf(n: Application, x: Value): Value {
  const powers = constant(tensor(Float64Array.from({ length: widthOf(n, x) }, (_, k) => 2 ** k)));
  return mod(floor(div(unsqueeze(cast(x, "f64"), { axis: -1 }), powers)), 2);
}

/** Whole numbers of a dtype from their bits; the highest one counts down where there is a sign. */
function fromBits(bits: Value, dtype: DType): Value {
  const width = bits.type.shape.at(-1)!;
  const weights = Float64Array.from({ length: width }, (_, k) => (isSigned(dtype) && k === width - 1 ? -(2 ** k) : 2 ** k));
  return cast(sum(mul(bits, constant(tensor(weights))), { axis: [-1] }), dtype);
}

/* @__NO_SIDE_EFFECTS__ */
function bitwise(f: (x: Value, y: Value) => Value): Rule {
  return (n) => fromBits(f(bitsOf(n, n.get(0)), bitsOf(n, n.get(1))), n.dtype(0));
}

/**
 * A shift by bits, the sign filling up from the left. By less than 0 or by all bits and more nothing is left but the sign of a shift to the right, as in ONNX's
 * reference.
 */
function bitShift(n: Application): Value {
  const [x, y] = [n.get(0), n.get(1)];
  const { dtype } = x.type;
  const exact = widthOf(n, x);
  const width = dtype.endsWith("64") ? 64 : exact;
  const [wide, by] = [cast(x, "f64"), cast(y, "f64")];
  const out = logicalOr(less(by, 0), greaterEqual(by, width));
  // A table, as powers may be a unit off in the last place where they are computed.
  const factor = gather(constant(tensor(Float64Array.from({ length: width }, (_, k) => 2 ** k))), cast(where(out, 0, by), "i32"));
  const left = n.text("direction", "LEFT") === "LEFT";
  if (!left) {
    const rest = isSigned(dtype) ? where(less(wide, 0), lift(-1, "f64"), lift(0, "f64")) : lift(0, "f64");
    return cast(where(out, rest, floor(div(wide, factor))), dtype);
  }
  // What is shifted out is dropped, and the highest bit that stays is the sign.
  const whole = 2 ** width;
  const low = mod(mul(wide, factor), whole);
  const kept = isSigned(dtype) ? where(greaterEqual(low, whole / 2), sub(low, whole), low) : low;
  return cast(where(out, 0, kept), dtype);
}

/** The same bits as another whole number of that size. */
function sameBits(n: Application): Value {
  const to = dtypeOfElement(n.int("to", 0), "attribute to of BitCast");
  const from = n.dtype(0);
  if (from === to) return n.get(0);
  if (from === "bool" && to === "u8") return cast(n.get(0), to);
  if (widths[to] === undefined || widths[from] === undefined || from.slice(1) !== to.slice(1))
    n.refuse(`it takes the bits of ${from} for ${to}; only whole numbers of one size are supported`);
  return cast(n.get(0), to);
}

/** Operators on the bits of whole numbers. */
export const bits: Family = {
  BitCast: sameBits,
  BitShift: bitShift,
  BitwiseAnd: bitwise(mul),
  BitwiseNot: (n) => sub(isSigned(n.dtype(0)) ? -1 : 2 ** widthOf(n, n.get(0)) - 1, n.get(0)),
  BitwiseOr: bitwise((x, y) => sub(add(x, y), mul(x, y))),
  BitwiseXor: bitwise((x, y) => mod(add(x, y), 2)),
};
