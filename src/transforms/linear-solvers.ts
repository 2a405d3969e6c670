import { ensureOp } from "../control/ensure.ts";
import { whileLoop } from "../control/while-loop.ts";
import { constant } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { dot } from "../ops/contract/matmul.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { greater, less } from "../ops/elementwise/comparison.ts";
import { logicalAnd } from "../ops/elementwise/logical.ts";
import { sqrt } from "../ops/elementwise/roots.ts";
import { maximum, where } from "../ops/elementwise/select.ts";
import { full, zeros } from "../ops/linear/constants.ts";

/** A linear map of vectors. */
export type Apply = (v: Value) => Value;

function one(like: Value): Value {
  return full({ ...like.type, shape: [] }, 1);
}

/** Relative residuals at which the iterations stop, and which are still let through. */
function precision(b: Value): { readonly goal: number; readonly most: number } {
  return b.type.dtype === "f64" ? { goal: 1e-12, most: 1e-6 } : { goal: 1e-6, most: 1e-3 };
}

function rounds(b: Value): number {
  return 100 + 10 * sizeOf(b.type.shape);
}

function checked(apply: Apply, x: Value, b: Value, method: string): Value {
  const r = sub(b, apply(x));
  const tiny = b.type.dtype === "f64" ? 1e-300 : 1e-30;
  const relative = sqrt(div(dot(r, r), maximum(dot(b, b), tiny)));
  return ensureOp(x, relative, {
    most: precision(b).most,
    lesson: `implicit: ${method} did not solve the linear system of the derivative; use { linear: "dense" }, or look whether the solution is unique`,
  });
}

/**
 * The x with `apply(x) = b` for a symmetric positive definite map, by conjugate gradients.
 * Source: M. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
 * @throws NumericError, when it runs, if it does not get there
 */
export function conjugateGradient(apply: Apply, b: Value): Value {
  const { goal } = precision(b);
  const bb = dot(b, b);
  const { x } = whileLoop(
    ({ rr, k }) => logicalAnd(greater(rr, mul(bb, goal * goal)), less(k, rounds(b))),
    ({ x, r, p, rr, k }) => {
      const ap = apply(p);
      const alpha = div(rr, dot(p, ap));
      const next = sub(r, mul(alpha, ap));
      const nextRr = dot(next, next);
      return { x: add(x, mul(alpha, p)), r: next, p: add(next, mul(div(nextRr, rr), p)), rr: nextRr, k: add(k, 1) };
    },
    { x: zeros(b.type), r: b, p: b, rr: bb, k: constant(0, "i32") },
  );
  return checked(apply, x, b, "conjugate gradients");
}

/**
 * The x with `apply(x) = b` for any invertible map, by stabilized biconjugate gradients: two applications a round, and no transpose.
 * Source: H. van der Vorst, "Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG for the solution of nonsymmetric linear systems", 1992.
 * @throws NumericError, when it runs, if it does not get there
 */
export function stabilizedBiconjugateGradient(apply: Apply, b: Value): Value {
  const { goal } = precision(b);
  const bb = dot(b, b);
  const zero = zeros(b.type);
  const { x } = whileLoop(
    ({ r, k }) => logicalAnd(greater(dot(r, r), mul(bb, goal * goal)), less(k, rounds(b))),
    ({ x, r, p, v, rho, alpha, omega, k }) => {
      const nextRho = dot(b, r);
      const beta = mul(div(nextRho, rho), div(alpha, omega));
      const nextP = add(r, mul(beta, sub(p, mul(omega, v))));
      const nextV = apply(nextP);
      const nextAlpha = div(nextRho, dot(b, nextV));
      const s = sub(r, mul(nextAlpha, nextV));
      const t = apply(s);
      const tt = dot(t, t);
      // Where s is zero already, the solution is found and there is nothing to stabilize.
      const nextOmega = where(greater(tt, 0), div(dot(t, s), maximum(tt, Number.MIN_VALUE)), cast(0, b.type.dtype));
      return {
        x: add(x, add(mul(nextAlpha, nextP), mul(nextOmega, s))),
        r: sub(s, mul(nextOmega, t)),
        p: nextP,
        v: nextV,
        rho: nextRho,
        alpha: nextAlpha,
        omega: nextOmega,
        k: add(k, 1),
      };
    },
    { x: zero, r: b, p: zero, v: zero, rho: one(b), alpha: one(b), omega: one(b), k: constant(0, "i32") },
  );
  return checked(apply, x, b, "biconjugate gradients");
}
