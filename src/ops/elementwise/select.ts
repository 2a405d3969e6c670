import { allocate, type DType, isFloat, isInteger } from "../../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { broadcast, broadcastStrides, sameShape, sizeOf } from "../../ir/shape.ts";
import { settleNumber } from "../../ir/tensor.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { type Binary, type BinaryDefinition, binary, eachRow } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { equal, greater, greaterEqual, less, lessEqual } from "./comparison.ts";
import { logicalAnd } from "./logical.ts";

type Where = (test: Operand, x: Operand, y: Operand) => Value;

/**
 * x where `test` holds and y elsewhere. `test` is bool, x and y have one dtype, all three broadcast. Backward: the router, the gradient goes to the
 * operand that was taken; the other gets exactly 0 there.
 * @throws DTypeError for a test that is not bool; ShapeError for shapes that do not broadcast
 */
export const where: Op<Where> = declare<Where, readonly ["test", "x", "y"]>("where", ["test", "x", "y"], {
  family: "select",
  dtypes: { test: "bool" },
  type: ({ test, x, y }) => {
    if (test.dtype !== "bool")
      throw new DTypeError(`where: test is ${typeText(test)} and must be bool; compare: where(notEqual(test, 0), x, y)`, { op: "where" });
    const both = broadcast(x.shape, y.shape);
    const shape = both && broadcast(test.shape, both);
    if (shape === null)
      throw new ShapeError(
        `where: test is ${typeText(test)}, x is ${typeText(x)} and y is ${typeText(y)}; aligned at the right, sizes must be equal or 1`,
        { op: "where" },
      );
    return sameShape(shape, x.shape) ? x : tensorType(x.dtype, shape);
  },
  eval: ({ test, x, y }, out) => {
    const z = allocate(out.dtype, sizeOf(out.shape));
    const [t, a, b] = [test.data, x.data, y.data];
    const strides = [test, x, y].map((v) => broadcastStrides(v.type.shape, out.shape));
    eachRow(out.shape, strides, (at, base, step, length) => {
      let [o, p, q] = [base[0]!, base[1]!, base[2]!];
      const [dt, dp, dq] = [step[0]!, step[1]!, step[2]!];
      for (let i = 0; i < length; i++, o += dt, p += dp, q += dq) z[at + i] = t[o] ? a[p]! : b[q]!;
    });
    return z;
  },
  batch: "elementwise",
  scalar: (test, x, y) => (test ? x! : y!),
  linear: "all",
  formula: { x: "dX = where(test, dY, 0)", y: "dY = where(test, 0, dOut)" },
  vjp: ({ ct, test }) => ({ test: null, x: () => where(test, ct, 0), y: () => where(test, 0, ct) }),
});

/** 1 where `wins` holds, 1/2 at a tie, 0 elsewhere. NaN compares false both ways and so gives 1, as in PyTorch. */
function share(loses: Binary, x: Value, y: Value): Value {
  const number = (n: number): Value => lift(n, x.type.dtype);
  return where(loses(x, y), number(0), where(equal(x, y), number(0.5), number(1)));
}

/* @__NO_SIDE_EFFECTS__ */
function choice(name: string, f: (x: number, y: number) => number, loses: Binary): Binary {
  const def: BinaryDefinition = {
    takes: "number",
    f,
    d: ({ x, y }) => ({ x: () => share(loses, x, y), y: () => share(loses, y, x) }),
    kink: (x, y) => (x === y ? 0 : Math.abs(x - y)),
  };
  return binary(name, def);
}

/** The larger of x and y; NaN wins. Operands broadcast. Backward: the router; a tie gives 1/2 to each. */
export const maximum: Binary = /* @__PURE__ */ choice("maximum", Math.max, less);
/** The smaller of x and y; NaN wins. Operands broadcast. Backward: the router; a tie gives 1/2 to each. */
export const minimum: Binary = /* @__PURE__ */ choice("minimum", Math.min, greater);

/** Bounds of `clip`; an absent one does not bound. */
export interface ClipAttrs {
  readonly min?: number;
  readonly max?: number;
}

function bound(name: string, x: number | undefined, dtype: DType): number | undefined {
  if (x === undefined) return undefined;
  const kept = settleNumber(dtype, x);
  if (Number.isNaN(x)) throw new DomainError(`clip: ${name} is NaN; leave it out for no bound`, { op: "clip" });
  if (isInteger(dtype) && kept !== x)
    throw new DTypeError(`clip: ${name} is ${x}, which ${dtype} cannot hold; use a whole number in range, or cast x to a float`, {
      op: "clip",
    });
  return kept;
}

/**
 * x held between `min` and `max`; NaN stays. Numbers of any dtype; the bounds are rounded to it. Backward: the gradient passes inside and on the
 * edges, outside it is 0.
 * @throws DomainError for min above max or NaN; DTypeError for bool, and for bounds that an integer dtype cannot hold
 */
export const clip: Op<(x: Operand, attrs?: ClipAttrs) => Value> = declare<
  (x: Operand, attrs?: ClipAttrs) => Value,
  readonly ["x"],
  ClipAttrs
>("clip", ["x"], {
  family: "unary",
  attrs: (given, { x }) => {
    if (x.dtype === "bool")
      throw new DTypeError(`clip: x is ${typeText(x)} and clip takes numbers, not truth values; write cast(x, "f32")`, { op: "clip" });
    const min = bound("min", given.min, x.dtype);
    const max = bound("max", given.max, x.dtype);
    if (min !== undefined && max !== undefined && min > max)
      throw new DomainError(`clip: min ${min} is above max ${max}; exchange them`, { op: "clip" });
    return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  },
  type: ({ x }) => x,
  eval: ({ x, min, max }, out) => {
    const low = min ?? Number.NEGATIVE_INFINITY;
    const high = max ?? Number.POSITIVE_INFINITY;
    const y = allocate(out.dtype, x.data.length);
    for (let i = 0; i < y.length; i++) y[i] = Math.min(high, Math.max(low, x.data[i]!));
    return y;
  },
  batch: "elementwise",
  kink: ({ x, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) => Math.min(Math.abs(x - min), Math.abs(x - max)),
  formula: { x: "dX = where(min <= X <= max, dY, 0)" },
  vjp: ({ ct, x, min, max }) => ({ x: route(x, ct, min, max) }),
  jvp: ({ d, x, min, max }) => d.x && route(x, d.x, min, max),
});

/** `flow` where x is inside the bounds, else 0. */
function route(x: Value, flow: Value, min: number | undefined, max: number | undefined): Value {
  const above = min === undefined ? null : greaterEqual(x, min);
  const below = max === undefined ? null : lessEqual(x, max);
  const inside = above && below ? logicalAnd(above, below) : (above ?? below);
  return inside === null || !isFloat(flow.type.dtype) ? flow : where(inside, flow, 0);
}
