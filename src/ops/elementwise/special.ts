import { allocate, isFloat } from "../../ir/dtype.ts";
import { DomainError, DTypeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { typeText } from "../../ir/type.ts";
import { chain, mul, neg, type Unary, unary, withLoops } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { digamma as digammaOf, erf as erfOf, lgamma as lgammaOf, polygamma as polygammaOf, trigamma } from "../kernels/special.ts";
import { digammaLoops, lgammaLoops } from "../loops/gamma.ts";
import { polygammaLoops } from "../loops/polygamma.ts";
import { exp } from "./exponential.ts";
import { square } from "./roots.ts";

/** Distance to the nearest pole of the gamma function: 0, -1, -2, ... */
const toPole = (x: number): number => (x > 0 ? x : Math.abs(x - Math.round(x)));

/** The error function, 2/sqrt(pi) times the integral of e^-t^2 from 0 to x. */
export const erf: Unary = unary("erf", { f: erfOf, d: ({ x }) => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x)))) });

/** log |Gamma(x)|; infinite at 0, -1, -2, ... Backward: digamma. */
export const lgamma: Unary = withLoops(unary("lgamma", { f: lgammaOf, d: ({ x }) => digamma(x), kink: toPole }), lgammaLoops);

/** The derivative of lgamma. Backward: polygamma of order 1. */
export const digamma: Unary = withLoops(
  unary("digamma", { f: digammaOf, d: ({ x }) => polygamma(x, { order: 1 }), kink: toPole }),
  digammaLoops,
);

/** Which derivative of digamma. */
export interface PolygammaAttrs {
  /** A whole number, 1 or more. */
  readonly order: number;
}

/**
 * The order-th derivative of digamma, which makes lgamma differentiable to any order. Floats.
 * @throws DomainError for an order that is no whole number from 1 on
 */
export const polygamma: Op<(x: Operand, attrs: PolygammaAttrs) => Value> = declare<
  (x: Operand, attrs: PolygammaAttrs) => Value,
  readonly ["x"]
>("polygamma", ["x"], {
  family: "unary",
  attrs: ({ order }) => {
    if (!Number.isInteger(order) || order < 1)
      throw new DomainError(`polygamma: order is ${order}; it is a whole number, 1 or more (order 0 is digamma)`, { op: "polygamma" });
    return { order };
  },
  type: ({ x }) => {
    if (!isFloat(x.dtype))
      throw new DTypeError(`polygamma: x is ${typeText(x)} and polygamma takes floating-point numbers; write cast(x, "f32")`, {
        op: "polygamma",
      });
    return x;
  },
  eval: ({ x, order }, out) => {
    const y = allocate(out.dtype, x.data.length);
    for (let i = 0; i < y.length; i++) y[i] = order === 1 ? trigamma(x.data[i]!) : polygammaOf(order, x.data[i]!);
    return y;
  },
  loops: polygammaLoops,
  batch: "elementwise",
  vjp: ({ ct, x, order }) => ({ x: chain(ct, polygamma(x, { order: order + 1 })) }),
  jvp: ({ d, x, order }) => d.x && chain(d.x, polygamma(x, { order: order + 1 })),
  local: (node) => [polygamma(node.operands[0]!, { order: (node.attrs as PolygammaAttrs).order + 1 })],
  kink: ({ x }) => toPole(x),
});
