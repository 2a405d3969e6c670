import { DomainError } from "../../ir/errors.ts";
import { type Binary, binary, div, neg, type Unary, unary, withLoops } from "../arithmetic.ts";
import { roundHalfEven } from "../kernels/special.ts";
import { modLoops } from "../loops/mod.ts";

const toWhole = (x: number): number => Math.abs(x - Math.round(x));

/** |x|. Its derivative is sign(x), 0 at 0. */
export const abs: Unary = unary("abs", { takes: "number", f: Math.abs, d: ({ x }) => sign(x), kink: Math.abs });

/** -1, 0 or 1 by the sign of x. Its derivative is 0. */
export const sign: Unary = unary("sign", { takes: "number", f: Math.sign, d: () => 0, kink: Math.abs });

/** The largest whole number not above x. Its derivative is 0. */
export const floor: Unary = unary("floor", { takes: "number", f: Math.floor, d: () => 0, kink: toWhole });

/** The smallest whole number not below x. Its derivative is 0. */
export const ceil: Unary = unary("ceil", { takes: "number", f: Math.ceil, d: () => 0, kink: toWhole });

/** The nearest whole number, halves to the even one. Its derivative is 0. */
export const round: Unary = unary("round", { takes: "number", f: roundHalfEven, d: () => 0, kink: (x) => toWhole(x - 0.5) });

function remainder(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

function wholeRemainder(x: number, y: number): number {
  if (y === 0)
    throw new DomainError(`mod: ${x} mod 0 of integers; integers have no NaN: cast to a float first, or guard with where`, { op: "mod" });
  // + 0 keeps the negative zero of -4 % 2 out of integers.
  return remainder(x, y) + 0;
}

/**
 * The remainder of x / y with the sign of y: x - y floor(x / y), PyTorch's `remainder`. Operands broadcast. Backward: 1 for x, -floor(x / y) for y.
 * @throws DomainError when evaluated for an integer y of 0
 */
export const mod: Binary = withLoops(
  binary("mod", {
    takes: "number",
    f: remainder,
    integer: () => wholeRemainder,
    d: ({ x, y }) => ({ x: 1, y: () => neg(floor(div(x, y))) }),
    domain: { y: { nonzero: true } },
    // How far both may move before the quotient meets a whole number: y moves it by x / y^2.
    kink: (x, y) => (Math.abs(y) * toWhole(x / y)) / (1 + Math.abs(x / y)),
  }),
  modLoops,
);
