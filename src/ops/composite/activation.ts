import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { add, div, mul } from "../arithmetic.ts";
import { known } from "../define.ts";
import { greaterEqual, less, lessEqual } from "../elementwise/comparison.ts";
import { expm1, sigmoid, softplus } from "../elementwise/exponential.ts";
import { square } from "../elementwise/roots.ts";
import { clip, where } from "../elementwise/select.ts";
import { erf } from "../elementwise/special.ts";
import { tanh } from "../elementwise/trigonometric.ts";

/** x above 0, `slope` x elsewhere. Its derivative at 0 is `slope`. */
export function leakyRelu(x: Operand, attrs: { readonly slope?: number } = {}): Value {
  const { slope = 0.01 } = known("leakyRelu", attrs, ["slope"]);
  const v = lift(x, "f64");
  return scope("leakyRelu", () => where(lessEqual(v, 0), mul(slope, v), v));
}

/** `outer` (e^(x / width) - 1) where x <= 0 and `gain` x above. The exponential is taken of 0 where it is not used, so that it cannot overflow. */
function exponentialUnit(v: Value, gain: number, outer: number, width: number): Value {
  const low = lessEqual(v, 0);
  const inner = where(low, v, 0);
  return where(low, mul(outer, expm1(width === 1 ? inner : div(inner, width))), gain === 1 ? v : mul(gain, v));
}

/** x above 0, alpha (e^x - 1) elsewhere. Its derivatives at 0 are those from the left. Source: Clevert et al., 2015. */
export function elu(x: Operand, attrs: { readonly alpha?: number } = {}): Value {
  const { alpha = 1 } = known("elu", attrs, ["alpha"]);
  return scope("elu", () => exponentialUnit(lift(x, "f64"), 1, alpha, 1));
}

/** elu with the two constants that keep mean 0 and variance 1 from layer to layer. Source: Klambauer et al., 2017. */
export function selu(x: Operand): Value {
  const alpha = 1.6732632423543772;
  const gain = 1.0507009873554805;
  return scope("selu", () => exponentialUnit(lift(x, "f64"), gain, gain * alpha, 1));
}

/** x above 0, alpha (e^(x / alpha) - 1) elsewhere: elu with a continuous derivative for every alpha. Source: Barron, 2017. */
export function celu(x: Operand, attrs: { readonly alpha?: number } = {}): Value {
  const { alpha = 1 } = known("celu", attrs, ["alpha"]);
  return scope("celu", () => exponentialUnit(lift(x, "f64"), 1, alpha, alpha));
}

/** x times the normal distribution function of x; "tanh" is the approximation of GPT-2. Source: Hendrycks and Gimpel, 2016. */
export function gelu(x: Operand, attrs: { readonly approximate?: "none" | "tanh" } = {}): Value {
  const { approximate = "none" } = known("gelu", attrs, ["approximate"]);
  const v = lift(x, "f64");
  return scope("gelu", () => {
    const curve =
      approximate === "none" ? erf(mul(v, Math.SQRT1_2)) : tanh(mul(Math.sqrt(2 / Math.PI), add(v, mul(0.044715, mul(v, square(v))))));
    return mul(mul(0.5, v), add(1, curve));
  });
}

/** x sigmoid(x), also called swish. */
export function silu(x: Operand): Value {
  const v = lift(x, "f64");
  return scope("silu", () => mul(v, sigmoid(v)));
}

/** x tanh(softplus(x)). Source: Misra, 2019. */
export function mish(x: Operand): Value {
  const v = lift(x, "f64");
  return scope("mish", () => mul(v, tanh(softplus(v))));
}

/** 0 up to -3, 1 from 3 on, x / 6 + 1/2 between. Its derivative on both edges is 0. */
export function hardSigmoid(x: Operand): Value {
  const v = lift(x, "f64");
  return scope("hardSigmoid", () => where(lessEqual(v, -3), 0, where(greaterEqual(v, 3), lift(1, v.type.dtype), add(mul(v, 1 / 6), 0.5))));
}

/** x hardSigmoid(x): 0 up to -3, x from 3 on, x (x + 3) / 6 between. On the edges the derivative is that from the outside, as in PyTorch 2. */
export function hardSwish(x: Operand): Value {
  const v = lift(x, "f64");
  return scope("hardSwish", () => {
    // Held to where it is used, so that 0 times infinity does not come back through it.
    const inner = clip(v, { min: -3, max: 3 });
    return where(lessEqual(v, -3), 0, where(less(v, 3), mul(inner, div(add(inner, 3), 6)), v));
  });
}
