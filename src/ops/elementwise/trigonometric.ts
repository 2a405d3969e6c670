import { add, type Binary, binary, div, mul, neg, sub, type Unary, unary } from "../arithmetic.ts";
import { equal } from "./comparison.ts";
import { logicalAnd } from "./logical.ts";
import { reciprocal, rsqrt, square } from "./roots.ts";
import { where } from "./select.ts";

const insideOne: { readonly min: number; readonly max: number; readonly open: boolean } = { min: -1, max: 1, open: true };

/** Sine; x in radians. */
export const sin: Unary = unary("sin", { f: Math.sin, d: ({ x }) => cos(x) });

/** Cosine; x in radians. */
export const cos: Unary = unary("cos", { f: Math.cos, d: ({ x }) => neg(sin(x)) });

/** Tangent; x in radians. Its poles are reported as kinks. */
export const tan: Unary = unary("tan", { f: Math.tan, d: ({ out }) => add(1, square(out)), kink: (x) => Math.abs(Math.cos(x)) });

/** (1 - x)(1 + x): 1 - x^2 without the cancellation near +-1. */
function oneMinusSquare(x: Parameters<typeof sub>[0]): ReturnType<typeof sub> {
  return mul(sub(1, x), add(1, x));
}

/** Arc sine in [-pi/2, pi/2]; NaN outside [-1, 1]. */
export const asin: Unary = unary("asin", { f: Math.asin, d: ({ x }) => rsqrt(oneMinusSquare(x)), domain: insideOne });

/** Arc cosine in [0, pi]; NaN outside [-1, 1]. */
export const acos: Unary = unary("acos", { f: Math.acos, d: ({ x }) => neg(rsqrt(oneMinusSquare(x))), domain: insideOne });

/** Arc tangent in (-pi/2, pi/2). */
export const atan: Unary = unary("atan", { f: Math.atan, d: ({ x }) => reciprocal(add(1, square(x))) });

/** Hyperbolic sine. */
export const sinh: Unary = unary("sinh", { f: Math.sinh, d: ({ x }) => cosh(x) });

/** Hyperbolic cosine. */
export const cosh: Unary = unary("cosh", { f: Math.cosh, d: ({ x }) => sinh(x) });

/** Hyperbolic tangent. Backward: 1 - out^2. */
export const tanh: Unary = unary("tanh", { f: Math.tanh, d: ({ out }) => sub(1, square(out)) });

/**
 * The angle of the point with ordinate x and abscissa y, in (-pi, pi]: `atan2(x, y)` is the angle whose tangent is x / y. Operands broadcast.
 * The derivative at the origin, where there is none, is 0, as in PyTorch since 2.0; origin and the jump across the negative abscissa are reported as kinks.
 */
export const atan2: Binary = binary("atan2", {
  f: Math.atan2,
  d: ({ x, y }) => {
    const lengths = add(square(x), square(y));
    // not lengths == 0: squares of numbers below 1e-162 vanish too, and there 0 would be silently wrong
    const origin = logicalAnd(equal(x, 0), equal(y, 0));
    return { x: () => where(origin, 0, div(y, lengths)), y: () => where(origin, 0, neg(div(x, lengths))) };
  },
  kink: (x, y) => (y > 0 ? Math.hypot(x, y) : Math.abs(x)),
});
