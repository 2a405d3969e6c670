import type { DType } from "../../ir/dtype.ts";
import { DomainError } from "../../ir/errors.ts";
import { lift, literalOf } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { type Binary, binary, mul, productOf, sub } from "../arithmetic.ts";
import { equal, greaterEqual } from "./comparison.ts";
import { log } from "./exponential.ts";
import { logicalAnd } from "./logical.ts";
import { where } from "./select.ts";

/** IEEE 754's pow: 1 to any power is 1, and so is -1 to an infinite one, where ECMAScript says NaN. */
function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY))) return 1;
  return x ** y;
}

function wholePower(dtype: DType): (x: number, y: number) => number {
  const product = productOf(dtype);
  return (x, y) => {
    if (y < 0)
      throw new DomainError(`pow: ${x}^${y} of integers is no integer; cast to a float first: pow(cast(x, "f64"), ...)`, { op: "pow" });
    let result = 1;
    let factor = x;
    for (let n = y; n > 0; n = Math.floor(n / 2)) {
      if (n % 2 === 1) result = product(result, factor);
      if (n > 1) factor = product(factor, factor);
    }
    return result;
  };
}

function byBase(x: Value, y: Value): Operand {
  const n = literalOf(y);
  if (n !== null) {
    if (n === 0) return 0;
    if (n === 1) return 1;
    return n === 2 ? mul(2, x) : mul(n, pow(x, n - 1));
  }
  // At 0^0 the formula says 0 * 0^-1, which is NaN; the exponent 1 in its place gives PyTorch's 0 there and changes nothing elsewhere.
  const corner = logicalAnd(equal(x, 0), equal(y, 0));
  return mul(y, pow(x, sub(where(corner, lift(1, y.type.dtype), y), 1)));
}

function byExponent(x: Value, y: Value, out: Value): Operand {
  const base = literalOf(x);
  if (base !== null && base > 0) return mul(out, Math.log(base));
  const flat = logicalAnd(equal(x, 0), greaterEqual(y, 0));
  // The logarithm is taken of 1 where it is not used, so that no infinity comes back through the branch that was not taken.
  return where(flat, lift(0, x.type.dtype), mul(out, log(where(flat, lift(1, x.type.dtype), x))));
}

/**
 * x^y; operands broadcast. Literal exponents are simplified while the derivative is built: x^2 gives 2x and exponent 0 gives 0, and no logarithm
 * is built unless the exponent's derivative is asked for, which is 0 where x = 0 and y >= 0.
 * @throws DomainError when evaluated for integers and a negative exponent
 */
export const pow: Binary = binary("pow", {
  symbol: "^",
  takes: "number",
  f: power,
  integer: wholePower,
  d: ({ x, y, out }) => ({ x: () => byBase(x, y), y: () => byExponent(x, y, out) }),
  domain: { x: { min: 0, open: true } },
});
