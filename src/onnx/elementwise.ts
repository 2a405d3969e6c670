import { isFloat, isInteger } from "../ir/dtype.ts";
import { constant, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import {
  abs,
  acos,
  add,
  asin,
  atan,
  cast,
  ceil,
  celu,
  clip,
  cos,
  cosh,
  div,
  elu,
  equal,
  erf,
  exp,
  floor,
  gelu,
  greater,
  greaterEqual,
  hardSwish,
  isNaN as isNotANumber,
  leakyRelu,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mish,
  mod,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  reshape,
  round,
  selu,
  sigmoid,
  sign,
  sin,
  sinh,
  softplus,
  sqrt,
  square,
  sub,
  tan,
  tanh,
  where,
} from "../ops/index.ts";
import type { Application, Family, Rule } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

/* @__NO_SIDE_EFFECTS__ */
function one(f: (x: Value) => Value): Rule {
  return (n) => f(n.get(0));
}

/* @__NO_SIDE_EFFECTS__ */
function two(f: (x: Value, y: Value) => Value): Rule {
  return (n) => f(...pair(n));
}

/* @__NO_SIDE_EFFECTS__ */
function list(f: (x: Value, y: Value) => Value): Rule {
  return (n) => n.all().reduce((x, y) => f(x, y));
}

/**
 * Two operands, aligned as operator sets below 7 did it: where `broadcast` is set, the second one's first axis lies at `axis`. From 7 on NumPy's rule
 * holds, which is ours.
 */
function pair(n: Application): [Value, Value] {
  const [x, y] = [n.get(0), n.get(1)];
  if (n.opset >= 7 || n.int("broadcast", 0) === 0 || !n.hasAttribute("axis")) return [x, y];
  const axis = n.axis(n.int("axis", 0), x.type.shape.length);
  const behind = x.type.shape.length - axis - y.type.shape.length;
  if (behind < 0) n.refuse(`operand 1 has more axes than operand 0 has from axis ${axis} on`);
  return [x, reshape(y, { shape: [...y.type.shape, ...new Array<number>(behind).fill(1)] })];
}

/**
 * `near` of numbers whose squares are far from overflowing, log(2 x) above, which then is the same to the last bit. Each is given numbers of its own side
 * alone, so that nothing infinite comes back through the other.
 */
function logarithmic(x: Value, near: (x: Value) => Value): Value {
  const steep = x.type.dtype === "f16" ? 128 : 1e10;
  const far = greater(x, steep);
  return where(far, add(log(where(far, x, lift(1, x.type.dtype))), Math.LN2), near(clip(x, { max: steep })));
}

/** log(x + sqrt(x^2 + 1)), by log1p so that small numbers keep their digits. */
function asinh(x: Value): Value {
  const below = less(x, 0);
  // Not by sign and abs, whose slopes at 0 are 0.
  const size = logarithmic(where(below, neg(x), x), (v) => {
    const squared = square(v);
    return log1p(add(v, div(squared, add(1, sqrt(add(squared, 1))))));
  });
  return where(below, neg(size), size);
}

/** log(x + sqrt(x^2 - 1)); NaN below 1. */
function acosh(x: Value): Value {
  return logarithmic(x, (v) => {
    const over = sub(v, 1);
    return log1p(add(over, mul(sqrt(over), sqrt(add(v, 1)))));
  });
}

/** log((1 + x) / (1 - x)) / 2, by log1p so that small numbers keep their digits; NaN outside of -1 to 1. */
function atanh(x: Value): Value {
  return mul(0.5, sub(log1p(x), log1p(neg(x))));
}

/** x / (1 + |x|), of which infinity is 1: beyond numbers whose square is about the largest there is, the slope is 0. */
function softsign(x: Value): Value {
  const bound = x.type.dtype === "f64" ? 1e154 : x.type.dtype === "f16" ? 6e4 : 1e19;
  const held = clip(x, { min: -bound, max: bound });
  return div(held, add(1, abs(held)));
}

/** x^y: the exponent takes the base's dtype, in which the result is. */
function power(n: Application): Value {
  const [x, y] = pair(n);
  if (x.type.dtype === y.type.dtype && isFloat(x.type.dtype)) return pow(x, y);
  // Whole numbers to a power, and mixtures, in double; the result is cut to the base's dtype as C does.
  return cast(pow(cast(x, "f64"), cast(y, "f64")), x.type.dtype);
}

/** The remainder with the sign of the divisor, or of the dividend as C's fmod. */
function remainder(n: Application): Value {
  const [x, y] = pair(n);
  if (n.int("fmod", 0) === 0) return mod(x, y);
  const size = mod(abs(x), abs(y));
  return where(less(x, 0), neg(size), size);
}

/** The number in a scalar operand that can be computed now, else the operand. */
function bound(n: Application, i: number, attribute: string): number | Value | null {
  if (n.opset < 11) return n.hasAttribute(attribute) ? n.float(attribute, 0) : null;
  if (!n.has(i)) return null;
  return n.isFixed(i) ? (n.known(i, attribute)[0] ?? null) : reshape(n.get(i), { shape: [] });
}

function clipped(n: Application): Value {
  const [x, low, high] = [n.get(0), bound(n, 1, "min"), bound(n, 2, "max")];
  if ((typeof low === "number" || low === null) && (typeof high === "number" || high === null)) {
    // ONNX: everything is `max` where the bounds cross.
    if (low !== null && high !== null && low > high) return add(mul(x, 0), lift(high, x.type.dtype));
    return clip(x, { ...(low !== null && { min: low }), ...(high !== null && { max: high }) });
  }
  const raised = low === null ? x : maximum(x, low);
  return high === null ? raised : minimum(raised, high);
}

function castTo(n: Application): Value {
  const to = dtypeOfElement(n.int("to", 0), "attribute to of Cast");
  return convert(n.get(0), to);
}

/**
 * A cast with ONNX's meaning: as ours, but floats beyond the whole numbers of 32 and 64 bits become the nearest of them. ONNX leaves them open, and exporters write casts of
 * infinities whose results a `Where` puts aside (T5's buckets of distances: log(0)).
 */
function convert(x: Value, to: Value["type"]["dtype"]): Value {
  if (x.type.dtype === to) return x;
  const range = isFloat(x.type.dtype) && Object.hasOwn(wide, to) ? wide[to] : undefined;
  if (range === undefined) return cast(x, to);
  // As doubles, which hold both ends.
  return cast(clip(x.type.dtype === "f64" ? x : cast(x, "f64"), { min: range[0], max: range[1] }), to);
}

/** The ends of the wider whole numbers; those of 64 bits are exact up to 2^53. */
const wide: Readonly<Record<string, readonly [number, number]>> = {
  i64: [-(2 ** 53), 2 ** 53],
  u64: [0, 2 ** 53],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

function isInfinite(n: Application): Value {
  const x = n.floating(0);
  const up = n.int("detect_positive", 1) !== 0 ? equal(x, Number.POSITIVE_INFINITY) : null;
  const down = n.int("detect_negative", 1) !== 0 ? equal(x, Number.NEGATIVE_INFINITY) : null;
  return up && down ? logicalOr(up, down) : (up ?? down ?? logicalNot(equal(x, x)));
}

function hardSigmoid(n: Application): Value {
  const x = n.get(0);
  return hardSigmoidOf(x, n.float("alpha", 0.2), n.float("beta", 0.5));
}

/** max(0, min(1, alpha x + beta)), its derivative 0 on both edges. */
export function hardSigmoidOf(x: Value, alpha: number, beta: number): Value {
  const line = add(mul(alpha, x), beta);
  const edge = (v: number): Value => lift(v, x.type.dtype);
  return where(lessEqual(line, 0), edge(0), where(greaterEqual(line, 1), edge(1), line));
}

function parametricRelu(n: Application): Value {
  const [x, slope] = [n.get(0), n.get(1)];
  return where(less(x, 0), mul(slope, x), x);
}

function shrink(n: Application): Value {
  const x = n.get(0);
  const [lambda, bias] = [n.float("lambd", 0.5), n.float("bias", 0)];
  return where(less(x, -lambda), add(x, bias), where(greater(x, lambda), sub(x, bias), mul(x, 0)));
}

function thresholded(n: Application): Value {
  const x = n.get(0);
  return where(greater(x, n.float("alpha", 1)), x, lift(0, x.type.dtype));
}

function mean(n: Application): Value {
  const all = n.all();
  return div(
    all.reduce((x, y) => add(x, y)),
    lift(all.length, all[0]!.type.dtype),
  );
}

function choose(n: Application): Value {
  return where(n.get(0), n.get(1), n.get(2));
}

/** Elementwise comparison of truth values too. */
function same(n: Application): Value {
  return equal(...pair(n));
}

function swish(n: Application): Value {
  const x = n.get(0);
  return mul(x, sigmoid(mul(n.float("alpha", 1), x)));
}

/* @__NO_SIDE_EFFECTS__ */
function numberOrIdentity(f: (x: Value) => Value): (x: Value) => Value {
  return (x) => (isInteger(x.type.dtype) ? x : f(x));
}

/** Elementwise operators. */
export const elementwise: Family = {
  Abs: one(abs),
  Acos: one(acos),
  Acosh: one(acosh),
  Add: two(add),
  And: two(logicalAnd),
  Asin: one(asin),
  Asinh: one(asinh),
  Atan: one(atan),
  Atanh: one(atanh),
  Cast: castTo,
  CastLike: (n) => convert(n.get(0), n.dtype(1)),
  Ceil: one(numberOrIdentity(ceil)),
  Celu: (n) => celu(n.get(0), { alpha: n.float("alpha", 1) }),
  Clip: clipped,
  Cos: one(cos),
  Cosh: one(cosh),
  Div: two(div),
  Elu: (n) => elu(n.get(0), { alpha: n.float("alpha", 1) }),
  Equal: same,
  Erf: one(erf),
  Exp: one(exp),
  Floor: one(numberOrIdentity(floor)),
  Gelu: (n) => gelu(n.get(0), { approximate: n.text("approximate", "none") === "tanh" ? "tanh" : "none" }),
  Greater: two(greater),
  GreaterOrEqual: two(greaterEqual),
  HardSigmoid: hardSigmoid,
  HardSwish: one(hardSwish),
  Identity: one((x) => x),
  IsInf: isInfinite,
  IsNaN: one(isNotANumber),
  LeakyRelu: (n) => leakyRelu(n.get(0), { slope: n.float("alpha", 0.01) }),
  Less: two(less),
  LessOrEqual: two(lessEqual),
  Log: one(log),
  Max: list(maximum),
  Mean: mean,
  Min: list(minimum),
  Mish: one(mish),
  Mod: remainder,
  Mul: two(mul),
  Neg: one(neg),
  Not: one(logicalNot),
  Or: two(logicalOr),
  PRelu: parametricRelu,
  Pow: power,
  Reciprocal: one(reciprocal),
  Relu: one((x) => (isFloat(x.type.dtype) ? relu(x) : maximum(x, constant(0, x.type.dtype)))),
  Round: one(numberOrIdentity(round)),
  Selu: (n) => scaledElu(n),
  Shrink: shrink,
  Sigmoid: one(sigmoid),
  Sign: one(sign),
  Sin: one(sin),
  Sinh: one(sinh),
  Softplus: one(softplus),
  Softsign: one(softsign),
  Sqrt: one(sqrt),
  Sub: two(sub),
  Sum: list(add),
  SwiGLU: (n) => mul(swish(n), n.get(1)),
  Swish: swish,
  Tan: one(tan),
  Tanh: one(tanh),
  ThresholdedRelu: thresholded,
  Where: choose,
  Xor: two(logicalXor),
};

/** gamma (alpha e^x - alpha) up to 0, gamma x above; with ONNX's constants our selu. */
function scaledElu(n: Application): Value {
  const x = n.get(0);
  if (!n.hasAttribute("alpha") && !n.hasAttribute("gamma")) return selu(x);
  return mul(n.float("gamma", 1.0507009873554805), elu(x, { alpha: n.float("alpha", 1.6732632423543772) }));
}
