import { DomainError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold } from "../../ir/tensor.ts";
import { div, mul } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { cast } from "../elementwise/cast.ts";
import { equal } from "../elementwise/comparison.ts";
import { pow } from "../elementwise/power.ts";
import { abs, sign } from "../elementwise/rounding.ts";
import { where } from "../elementwise/select.ts";
import { type Axes, type AxisAttrs, sum } from "../linear/sum.ts";
import { axesIn, checkFloats, placesOver, reduced, reducedType, restored } from "./reduction.ts";

/** Attributes of `norm`. */
export interface NormAttrs extends AxisAttrs {
  /** The p of the p-norm: a number above 0, or Infinity for the largest magnitude. 2 when left out. */
  readonly ord?: number;
}

interface Normed extends Axes {
  readonly ord: number;
}

/** d norm / d x, 0 where the norm is 0; zeros and their second derivatives never divide by zero. Source: PyTorch's `norm_backward`. */
function direction(x: Value, out: Value, axis: readonly number[], ord: number): Value {
  const whole = restored(out, x.type.shape, axis);
  if (ord === 1) return sign(x);
  if (ord === Number.POSITIVE_INFINITY) {
    const mask = cast(equal(abs(x), whole), x.type.dtype);
    return mul(sign(x), div(mask, sum(mask, { axis, keepDims: true })));
  }
  const safe = where(equal(whole, 0), 1, whole);
  if (ord === 2) return where(equal(whole, 0), 0, div(x, safe));
  const ratio = where(equal(x, 0), 1, div(abs(x), safe));
  return mul(sign(x), pow(ratio, ord - 1));
}

/**
 * The p-norm of the elements over axes (all when left out): `(sum |x|^ord)^(1/ord)`; no power overflows on the way. 0 for no elements.
 * Backward: `dX = sign(X) (|X| / Y)^(ord - 1) dY`, which is X / Y dY for ord 2; 0 where the norm is 0; for ord Infinity ties share equally.
 * @throws DomainError for an ord that is not above 0; DTypeError for anything but floats
 */
export const norm: Op<(x: Operand, attrs?: NormAttrs) => Value> = declare<(x: Operand, attrs?: NormAttrs) => Value, readonly ["x"], Normed>(
  "norm",
  ["x"],
  {
    family: "reduce",
    attrs: (given, { x }) => {
      const ord = given.ord ?? 2;
      if (!(ord > 0))
        throw new DomainError(`norm: ord is ${ord}; it is a number above 0, or Infinity for the largest magnitude`, { op: "norm" });
      return { ...axesIn("norm", given, x), ord };
    },
    type: ({ x, axis, keepDims }) => {
      checkFloats("norm", x);
      return reducedType(x, { axis, keepDims });
    },
    eval: ({ x, axis, ord }, out) => {
      const size = new Float64Array(x.data.length);
      for (let i = 0; i < size.length; i++) size[i] = Math.abs(x.data[i]!);
      const sizes = hold({ kind: "type", dtype: "f64", shape: x.type.shape }, size);
      if (ord === 1) return reduced("sum", sizes, axis, out);
      const tops = sizeOf(x.type.shape) === 0 ? new Float64Array(sizeOf(out.shape)) : reduced("max", sizes, axis, out);
      if (ord === Number.POSITIVE_INFINITY) return tops;
      const sums = new Float64Array(tops.length);
      const places = placesOver(x.type.shape, axis);
      for (let i = 0; i < size.length; i++) {
        const q = places[i]!;
        const top = tops[q]!;
        if (top === 0 || !Number.isFinite(top)) continue;
        const ratio = size[i]! / top;
        sums[q]! += ord === 2 ? ratio * ratio : ratio ** ord;
      }
      for (let q = 0; q < sums.length; q++) {
        const top = tops[q]!;
        if (top === 0 || !Number.isFinite(top)) sums[q] = top;
        else sums[q] = top * (ord === 2 ? Math.sqrt(sums[q]!) : sums[q]! ** (1 / ord));
      }
      return sums;
    },
    reach: "lines",
    batch: ({ x, axis, keepDims, ord }) => norm(x, { axis: axis.map((a) => a + 1), keepDims, ord }),
    formula: { x: "dX = X / Y dY (ord 2); sign(X) (|X| / Y)^(ord - 1) dY" },
    vjp: ({ ct, x, out, axis, ord }) => ({ x: mul(restored(ct, x.type.shape, axis), direction(x, out, axis, ord)) }),
    jvp: ({ d, x, out, axis, keepDims, ord }) => d.x && sum(mul(d.x, direction(x, out, axis, ord)), { axis, keepDims }),
  },
);
