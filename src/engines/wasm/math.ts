import { type Code, type ModuleBuilder, v128 } from "./encoder.ts";
import { errorFunction } from "./error-function.ts";
import { Lane, type Wide } from "./lane.ts";
import type { MathName } from "./math-name.ts";
import { inverseNormal } from "./normal-quantile.ts";
import { power } from "./power.ts";
import {
  type Asked,
  arcCosine,
  arcSine,
  arcTangent,
  arcTangentOfTwo,
  cosine,
  hyperbolicCosine,
  hyperbolicSine,
  sine,
  tangent,
} from "./trigonometric.ts";

export type { Wide } from "./lane.ts";
export type { MathName } from "./math-name.ts";

/** 2^n for whole numbers n in a local, |n| within the exponent range, on the stack. */
function powerOfTwo(w: Lane, n: number): void {
  if (w.wide === "f32x4") {
    // As below, with 1.5 * 2^23.
    w.get(n)
      .num(12582912 + 127)
      .op("add")
      .code.int(23)
      .shift("i32x4.shl");
  } else {
    // Added to 1.5 * 2^52 a small whole number stands in the low bits of the mantissa; the shift drops everything above the exponent.
    w.get(n)
      .num(6755399441055744 + 1023)
      .op("add")
      .code.int(52)
      .shift("i64x2.shl");
  }
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/**
 * x = n ln 2 + r with |r| <= ln 2 / 2: leaves e^r - 1 in `p` and the halves of n in `half` and `rest`, whose powers of two multiply back without
 * overflow on the way. Taylor's series: its remainder is below half an ulp for 8 (f32) and 14 (f64) terms on that range. x is at least -746 (f32: -104).
 */
function reduced(w: Lane, x: number): { p: number; half: number; rest: number } {
  const narrow = w.wide === "f32x4";
  const [n, r, p, half, rest] = [w.local(), w.local(), w.local(), w.local(), w.local()] as const;
  w.get(x)
    .num(narrow ? 89 : 710)
    .op("pmin")
    .tee(r)
    .num(Math.LOG2E)
    .op("mul")
    .op("nearest")
    .set(n);
  const high = narrow ? 0.693359375 : 0.6931471803691238;
  const low = narrow ? -2.12194440054690583e-4 : 1.9082149292705877e-10;
  w.get(r).get(n).num(high).op("mul").op("sub").get(n).num(low).op("mul").op("sub").set(r);
  const terms = Array.from({ length: narrow ? 6 : 12 }, (_, i) => 1 / factorial(i + 2)).reverse();
  w.get(r).get(r).op("mul");
  w.polynomial(r, terms);
  w.op("mul").get(r).op("add").set(p);
  w.get(n).num(0.5).op("mul").op("floor").set(half);
  w.get(n).get(half).op("sub").set(rest);
  return { p, half, rest };
}

function exponential(w: Lane, x: number): void {
  const [none, held] = w.locals(2);
  // What is 0 for certain, as where attention is masked, is computed as e^0 and dropped: results on the way below the smallest normal number take long.
  w.get(x)
    .num(w.wide === "f32x4" ? -104 : -746)
    .op("lt")
    .set(none);
  w.get(x).get(none).code.op("v128.andnot").set(held);
  const { p, half, rest } = reduced(w, held);
  w.get(p).num(1).op("add");
  powerOfTwo(w, half);
  w.op("mul");
  powerOfTwo(w, rest);
  w.op("mul").get(none).code.op("v128.andnot");
}

function exponentialMinusOne(w: Lane, x: number): void {
  const [s, minus, held] = w.locals(3);
  // Below that it is -1.
  w.get(x)
    .num(w.wide === "f32x4" ? -30 : -60)
    .op("pmax")
    .set(held);
  const { p, half, rest } = reduced(w, held);
  powerOfTwo(w, half);
  w.set(s);
  w.get(rest).op("neg").set(minus);
  // (p s + (s - 1/t)) t: exact near 0, where s = t = 1, and without overflow before the end.
  w.get(p).get(s).op("mul").get(s);
  powerOfTwo(w, minus);
  w.op("sub").op("add");
  powerOfTwo(w, rest);
  w.op("mul");
  // -0 stays.
  const y = w.local();
  w.set(y);
  w.choose(
    () => w.get(x),
    () => w.get(y),
    () => w.get(x).num(0).op("eq"),
  );
}

/** Source: FreeBSD's msun, e_log.c (the reduction, and the coefficients for f64). */
function logarithm(w: Lane, x: number): void {
  logarithmOf(w, x, null);
}

/** log(x), with a small number added before the last roundings: what x itself could not hold, divided by it. */
function logarithmOf(w: Lane, x: number, more: number | null): void {
  const { code } = w;
  const narrow = w.wide === "f32x4";
  const [scaled, e, f, s, z, half, tiny] = [w.local(), w.local(), w.local(), w.local(), w.local(), w.local(), w.local()] as const;
  const smallest = narrow ? 1.17549435e-38 : 2.2250738585072014e-308;
  const shift = narrow ? 23 : 52;
  w.get(x).num(smallest).op("lt").set(tiny);
  w.choose(
    () =>
      w
        .get(x)
        .num(2 ** shift)
        .op("mul"),
    () => w.get(x),
    () => w.get(tiny),
  ).set(scaled);
  // The exponent that brings the mantissa between sqrt(1/2) and sqrt(2).
  if (narrow) {
    w.get(scaled).bits(0x3f3504f3n).code.op("i32x4.sub").int(23).shift("i32x4.shr_s").set(e);
    w.get(scaled).get(e).code.int(23).shift("i32x4.shl").op("i32x4.sub");
    w.num(1).op("sub").set(f);
    w.get(e).code.op("f32x4.convert_i32x4_s").set(e);
  } else {
    code.get(scaled);
    w.bits(0x3fe6a09e667f3bcdn).code.op("i64x2.sub").int(52);
    code.bytes.byte(0xfd).unsigned(0xcc); // i64x2.shr_s
    code.set(e);
    w.get(scaled).get(e).code.int(52).shift("i64x2.shl").op("i64x2.sub");
    w.num(1).op("sub").set(f);
    w.get(e).bits(0x4338000000000000n).code.op("i64x2.add");
    w.num(6755399441055744).op("sub").set(e);
  }
  w.get(e);
  w.choose(
    () => w.num(shift),
    () => w.num(0),
    () => w.get(tiny),
  )
    .op("sub")
    .set(e);
  w.get(f).get(f).num(2).op("add").op("div").tee(s).get(s).op("mul").set(z);
  w.get(f).get(f).op("mul").num(0.5).op("mul").set(half);
  const high = narrow ? 0.693359375 : 0.6931471803691238;
  const low = narrow ? -2.12194440054690583e-4 : 1.9082149292705877e-10;
  const series = narrow
    ? [2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3]
    : [
        0.1479819860511658591, 0.1531383769920937332, 0.1818357216161805012, 0.2222219843214978396, 0.2857142874366239149,
        0.3999999999940941908, 0.666666666666673513,
      ];
  // e high - ((half - (s (half + R) + e low)) - f)
  w.get(e).num(high).op("mul").get(half).get(s).get(half);
  w.polynomial(z, series).get(z).op("mul").op("add").op("mul");
  w.get(e).num(low).op("mul");
  if (more !== null) w.get(more).op("add");
  w.op("add").op("sub").get(f).op("sub").op("sub");
  const y = w.local();
  w.set(y);
  w.choose(
    () => w.num(Number.NEGATIVE_INFINITY),
    () => w.get(y),
    () => w.get(x).num(0).op("eq"),
  ).set(y);
  w.choose(
    () => w.num(Number.NaN),
    () => w.get(y),
    () => w.get(x).num(0).op("lt"),
  ).set(y);
  // Infinity and NaN are their own logarithms.
  w.choose(
    () => w.get(x),
    () => w.get(y),
    () => w.get(x).num(Number.POSITIVE_INFINITY).op("lt").code.op("v128.not"),
  );
}

/** log(1 + x) as log(u), u = 1 + x rounded, and (x - (u - 1)) / u for what that rounds away. Source: FreeBSD's msun, s_log1p.c. */
function logarithmOfOnePlus(w: Lane, x: number): void {
  const [u, more] = w.locals(2);
  w.get(x).num(1).op("add").set(u);
  // Of large x all that is left is less than the last place.
  w.choose(
    () => w.num(0),
    () => w.get(x).get(u).num(1).op("sub").op("sub").get(u).op("div"),
    () =>
      w
        .get(u)
        .num(w.wide === "f32x4" ? 2 ** 25 : 2 ** 54)
        .op("gt")
        .get(u)
        .num(0)
        .op("eq")
        .code.op("v128.or"),
  ).set(more);
  const y = w.local();
  logarithmOf(w, u, more);
  w.set(y);
  // Below half an ulp of 1 x is its own logarithm, which keeps small ones exact.
  w.choose(
    () => w.get(x),
    () => w.get(y),
    () => w.get(u).num(1).op("eq"),
  );
}

/**
 * f32: a polynomial up to 0.625, fitted to tanh(x) / x - 1 in x^2 (relative error 4e-9), and from there on 1 - 2 / (e^2x + 1), where e's own error weighs
 * little, so that ln 2 is one number and no power of two overflows.
 */
function narrowTangent(w: Lane, x: number): void {
  const [a, t, n, r, near] = w.locals(5);
  w.get(x).op("abs").tee(a).get(a).op("mul").set(t);
  w.polynomial(t, [-0.005717056803405285, 0.020650601014494896, -0.053743503987789154, 0.13331490755081177, -0.3333328366279602]);
  w.get(t).op("mul").get(a).op("mul").get(a).op("add").set(near);
  w.get(a).get(a).op("add").num(20).op("pmin").tee(r).num(Math.LOG2E).op("mul").op("nearest").set(n);
  w.get(r).get(n).num(Math.LN2).op("mul").op("sub").set(r);
  w.choose(
    () => w.get(near),
    () => {
      w.num(1).num(2);
      w.polynomial(
        r,
        Array.from({ length: 7 }, (_, i) => 1 / factorial(6 - i)),
      );
      powerOfTwo(w, n);
      w.op("mul").num(1).op("add").op("div").op("sub");
    },
    () => w.get(a).num(0.625).op("lt"),
  );
}

function hyperbolicTangent(w: Lane, x: number, call: (name: MathName) => void): void {
  if (w.wide === "f32x4") {
    narrowTangent(w, x);
    w.get(x).num(-0);
    w.code.op("v128.and").op("v128.or");
    return;
  }
  const [t, twice, large] = w.locals(3);
  // -t / (t + 2) with t = e^(-2|x|) - 1 below 1; from 1 on 1 - 2 / (t + 2) with t = e^(2|x|) - 1, whose error weighs less.
  w.get(x).op("abs").get(x).op("abs").op("add").tee(twice).num(2).op("ge").set(large);
  w.choose(
    () => w.get(twice),
    () => w.get(twice).op("neg"),
    () => w.get(large),
  );
  call("expm1");
  w.set(t);
  w.choose(
    () => w.num(-2),
    () => w.get(t).op("neg"),
    () => w.get(large),
  );
  w.get(t).num(2).op("add").op("div").set(t);
  w.choose(
    () => w.num(1).get(t).op("add"),
    () => w.get(t),
    () => w.get(large),
  ).op("abs");
  // The sign of x: odd, and exact for -0.
  w.get(x).num(-0);
  w.code.op("v128.and").op("v128.or");
}

function logistic(w: Lane, x: number, call: (name: MathName) => void): void {
  const e = w.local();
  w.get(x).op("abs").op("neg");
  call("exp");
  w.set(e);
  w.choose(
    () => w.num(1),
    () => w.get(e),
    () => w.get(x).num(0).op("ge"),
  );
  w.get(e).num(1).op("add").op("div");
}

function softPlus(w: Lane, x: number, call: (name: MathName) => void): void {
  w.get(x).num(0).op("max").get(x).op("abs").op("neg");
  call("exp");
  call("log1p");
  w.op("add");
}

/** The shared functions of one module, (v128) -> v128 each, but for those that take two. */
export class MathLibrary {
  readonly #module: ModuleBuilder;
  readonly #host: (name: MathName) => number;
  readonly #made = new Map<string, number>();
  /** `host`: the imported function on plain numbers that a function asks where its own range ends. */
  constructor(module: ModuleBuilder, host: (name: MathName) => number) {
    this.#module = module;
    this.#host = host;
  }
  /** Writes the function of what is on the stack into a loop over vectors. */
  write(code: Code, name: MathName, wide: Wide): void {
    if (!inlined.includes(name)) {
      code.call(this.index(name, wide));
      return;
    }
    const x = code.local(v128);
    code.set(x);
    writers[name](
      new Lane(code, wide),
      x,
      (other) => this.write(code, other, wide),
      (lane) => {
        lane();
        code.call(this.#host(name));
      },
    );
  }
  /** The function's index. */
  index(name: MathName, wide: Wide): number {
    const key = `${name} ${wide}`;
    let index = this.#made.get(key);
    if (index === undefined) {
      index = this.#module.add(null, takesTwo(name) ? [v128, v128] : [v128], [v128], (code) => {
        const w = new Lane(code, wide);
        const call = (other: MathName): void => {
          code.call(this.index(other, name === "pow" ? "f64x2" : wide));
        };
        const ask = (lane: () => void): void => {
          lane();
          code.call(this.#host(name));
        };
        writers[name](w, 0, call, ask);
      });
      this.#made.set(key, index);
    }
    return index;
  }
}

function takesTwo(name: MathName): boolean {
  return name === "pow" || name === "atan2";
}

/** Whether an op is one of these functions. */
export function isMath(op: string): boolean {
  return Object.hasOwn(writers, op);
}

/** Functions that are written where they are used: their constants then stay in registers, or beside the stack, all through a loop. */
const inlined: readonly MathName[] = [
  "exp",
  "expm1",
  "log",
  "log1p",
  "tanh",
  "sigmoid",
  "softplus",
  "erf",
  "atan",
  "sin",
  "cos",
  "f16",
  "bf16",
];

/**
 * The nearest number of so many binary digits behind the first, ties to even: 1.5 times 2^52 (f32: 2^23) of the last place of x is added and taken away. Below
 * 2^`least` last places grow no smaller; from `over` on it is infinite.
 */
function toHalf(w: Lane, x: number, digits: number, least: number, over: number): void {
  const [shifted, sign] = w.locals(2);
  const narrow = w.wide === "f32x4";
  const { code } = w;
  if (narrow && digits === 7) {
    // What is added would be beyond f32: the upper half of the bits, and 1 where the lower is more than half of it, or half and the upper one odd.
    w.get(x).get(x).code.int(16).shift("i32x4.shr_u").int(1).op("i32x4.splat").op("v128.and").op("i32x4.add");
    code.int(0x7fff).op("i32x4.splat").op("i32x4.add").int(-65536).op("i32x4.splat").op("v128.and").set(shifted);
    w.choose(
      () => w.get(shifted),
      () => w.get(x),
      () => w.get(x).get(x).op("eq"),
    );
    return;
  }
  w.get(x)
    .bits(narrow ? 0x7f800000n : 0x7ff0000000000000n)
    .code.op("v128.and");
  w.num(2 ** least)
    .op("pmax")
    .num(1.5 * 2 ** ((narrow ? 23 : 52) - digits))
    .op("mul")
    .set(shifted);
  w.get(x).num(-0).code.op("v128.and").set(sign);
  w.choose(
    () => w.get(x).num(Number.POSITIVE_INFINITY).op("mul"),
    // -0 stays, and what becomes 0 keeps its sign.
    () => w.get(x).get(shifted).op("add").get(shifted).op("sub").get(sign).code.op("v128.or"),
    () => w.get(x).op("abs").num(over).op("ge"),
  );
}

const writers: Record<MathName, Asked> = {
  exp: exponential,
  expm1: exponentialMinusOne,
  log: logarithm,
  log1p: logarithmOfOnePlus,
  tanh: hyperbolicTangent,
  sigmoid: logistic,
  softplus: softPlus,
  sin: sine,
  cos: cosine,
  tan: tangent,
  asin: arcSine,
  acos: arcCosine,
  atan: arcTangent,
  sinh: hyperbolicSine,
  cosh: hyperbolicCosine,
  erf: errorFunction,
  pow: power,
  atan2: arcTangentOfTwo,
  inverseNormal,
  f16: (w, x) => toHalf(w, x, 10, -14, 65520),
  bf16: (w, x) => toHalf(w, x, 7, -126, (2 - 2 ** -8) * 2 ** 127),
};
