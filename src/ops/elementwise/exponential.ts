import { add, mul, sub, type Unary, unary } from "../arithmetic.ts";
import { reciprocal } from "./roots.ts";

/** e^x. Floats of any shape. Backward: its own result. */
export const exp: Unary = unary("exp", { f: Math.exp, d: ({ out }) => out });

/** e^x - 1, exact near 0. Backward: e^x, not out + 1, which loses every digit for very negative x. */
export const expm1: Unary = unary("expm1", { f: Math.expm1, d: ({ x }) => exp(x) });

/** The natural logarithm; NaN below 0, -infinity at 0. */
export const log: Unary = unary("log", { f: Math.log, d: ({ x }) => reciprocal(x), domain: { min: 0, open: true } });

/** log(1 + x), exact near 0. */
export const log1p: Unary = unary("log1p", { f: Math.log1p, d: ({ x }) => reciprocal(add(x, 1)), domain: { min: -1, open: true } });

function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** 1 / (1 + e^-x), without overflow on either side. Backward: out (1 - out). */
export const sigmoid: Unary = unary("sigmoid", { f: logistic, d: ({ out }) => mul(out, sub(1, out)) });

/** log(1 + e^x) as max(x, 0) + log1p(e^-|x|), which neither overflows nor loses digits. Backward: sigmoid(x). */
export const softplus: Unary = unary("softplus", {
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  d: ({ x }) => sigmoid(x),
});
