import { div, mul, neg, productOf, type Unary, unary } from "../arithmetic.ts";

/** The square root; NaN below 0. Its derivative at 0 is infinite, as in PyTorch. */
export const sqrt: Unary = unary("sqrt", { f: Math.sqrt, d: ({ out }) => div(0.5, out), domain: { min: 0, open: true } });

/** 1 / sqrt(x). */
export const rsqrt: Unary = unary("rsqrt", {
  f: (x) => 1 / Math.sqrt(x),
  d: ({ out }) => mul(-0.5, mul(out, square(out))),
  domain: { min: 0, open: true },
});

/** 1 / x. Floats. */
export const reciprocal: Unary = unary("reciprocal", { f: (x) => 1 / x, d: ({ out }) => neg(square(out)), domain: { nonzero: true } });

/** x^2. Numbers of any dtype; integers wrap as they do in products. */
export const square: Unary = unary("square", {
  takes: "number",
  f: (x) => x * x,
  integer: (dtype) => {
    const product = productOf(dtype);
    return (x) => product(x, x);
  },
  d: ({ x }) => mul(2, x),
});
