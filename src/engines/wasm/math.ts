import { type Code, f64, type Instruction, type ModuleBuilder, v128 } from "./encoder.ts";

/** Lanes that vector functions work on. */
export type Wide = "f32x4" | "f64x2";

/** The functions that programs share, added to a module when first asked for. */
export type MathName = "exp" | "expm1" | "log" | "log1p" | "tanh" | "sigmoid" | "softplus";

const bytesOf = (w: Wide, x: number): Uint8Array =>
  new Uint8Array(w === "f32x4" ? new Float32Array(4).fill(x).buffer : new Float64Array(2).fill(x).buffer);
const wholeBytes = (w: Wide, x: bigint): Uint8Array =>
  new Uint8Array(w === "f32x4" ? new Int32Array(4).fill(Number(x)).buffer : new BigInt64Array(2).fill(x).buffer);

/** Writes vector code for one lane width: `w("add")` is `f32x4.add` or `f64x2.add`. */
class Lane {
  readonly code: Code;
  readonly wide: Wide;
  constructor(code: Code, wide: Wide) {
    this.code = code;
    this.wide = wide;
  }
  op(name: string): this {
    this.code.op(`${this.wide}.${name}` as Instruction);
    return this;
  }
  get(local: number): this {
    this.code.get(local);
    return this;
  }
  set(local: number): this {
    this.code.set(local);
    return this;
  }
  tee(local: number): this {
    this.code.tee(local);
    return this;
  }
  num(x: number): this {
    this.code.constant(bytesOf(this.wide, x));
    return this;
  }
  bits(x: bigint): this {
    this.code.constant(wholeBytes(this.wide, x));
    return this;
  }
  local(): number {
    return this.code.local(v128);
  }
  /** mask on the stack: `yes` where it holds, else `no`. */
  choose(yes: () => void, no: () => void, mask: () => void): this {
    yes();
    no();
    mask();
    this.code.op("v128.bitselect");
    return this;
  }
  /** Horner's scheme in the local `x`, highest coefficient first; the result stays on the stack. */
  polynomial(x: number, coefficients: readonly number[]): this {
    this.num(coefficients[0]!);
    for (const c of coefficients.slice(1)) this.get(x).op("mul").num(c).op("add");
    return this;
  }
}

/** 2^n for whole numbers n in a local, |n| within the exponent range, on the stack. */
function powerOfTwo(w: Lane, n: number): void {
  if (w.wide === "f32x4") {
    w.get(n).code.op("i32x4.trunc_sat_f32x4_s");
    w.bits(127n).code.op("i32x4.add").int(23).shift("i32x4.shl");
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
 * overflow on the way. Taylor's series: its remainder is below half an ulp for 8 (f32) and 14 (f64) terms on that range.
 */
function reduced(w: Lane, x: number): { p: number; half: number; rest: number } {
  const narrow = w.wide === "f32x4";
  const [n, r, p, half, rest] = [w.local(), w.local(), w.local(), w.local(), w.local()] as const;
  w.get(x)
    .num(narrow ? -104 : -746)
    .op("max")
    .num(narrow ? 89 : 710)
    .op("min")
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
  const { p, half, rest } = reduced(w, x);
  w.get(p).num(1).op("add");
  powerOfTwo(w, half);
  w.op("mul");
  powerOfTwo(w, rest);
  w.op("mul");
}

function exponentialMinusOne(w: Lane, x: number): void {
  const { p, half, rest } = reduced(w, x);
  const [s, minus] = [w.local(), w.local()];
  powerOfTwo(w, half);
  w.set(s);
  w.get(rest).op("neg").set(minus);
  // (p s + (s - 1/t)) t: exact near 0, where s = t = 1, and without overflow before the end.
  w.get(p).get(s).op("mul").get(s);
  powerOfTwo(w, minus);
  w.op("sub").op("add");
  powerOfTwo(w, rest);
  w.op("mul");
}

/** Source: FreeBSD's msun, e_log.c (the reduction, and the coefficients for f64). */
function logarithm(w: Lane, x: number): void {
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
  w.get(e).num(low).op("mul").op("add").op("sub").get(f).op("sub").op("sub");
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

/** log(1 + x), corrected for what 1 + x rounds away. Source: W. Kahan; D. Goldberg, "What every computer scientist should know", 1991, theorem 4. */
function logarithmOfOnePlus(w: Lane, x: number, call: (name: MathName) => void): void {
  const [u, d] = [w.local(), w.local()];
  const y = w.local();
  w.get(x).num(1).op("add").tee(u).num(1).op("sub").set(d);
  w.get(u);
  call("log");
  w.get(x).get(d).op("div").op("mul").set(y);
  w.choose(
    () => w.get(x),
    () => w.get(y),
    () => w.get(d).num(0).op("eq"),
  ).set(y);
  w.choose(
    () => w.get(u),
    () => w.get(y),
    () => w.get(u).num(Number.POSITIVE_INFINITY).op("eq"),
  );
}

function hyperbolicTangent(w: Lane, x: number, call: (name: MathName) => void): void {
  const t = w.local();
  w.get(x).op("abs").num(-2).op("mul");
  call("expm1");
  w.set(t);
  w.get(t).op("neg").get(t).num(2).op("add").op("div");
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

/** The shared functions of one module, (v128) -> v128 each. */
export class MathLibrary {
  private readonly module: ModuleBuilder;
  private readonly made = new Map<string, number>();
  constructor(module: ModuleBuilder) {
    this.module = module;
  }
  /** The function's index. */
  index(name: MathName, wide: Wide): number {
    const key = `${name} ${wide}`;
    let index = this.made.get(key);
    if (index === undefined) {
      index = this.module.add(null, [v128], [v128], (code) => {
        const w = new Lane(code, wide);
        const call = (other: MathName): void => {
          code.call(this.index(other, wide));
        };
        const write = {
          exp: exponential,
          expm1: exponentialMinusOne,
          log: logarithm,
          log1p: logarithmOfOnePlus,
          tanh: hyperbolicTangent,
          sigmoid: logistic,
          softplus: softPlus,
        }[name];
        write(w, 0, call);
      });
      this.made.set(key, index);
    }
    return index;
  }
}

/** Signature of a host function on plain numbers. */
export const scalarSignature = (arity: number): { params: (typeof f64)[]; results: (typeof f64)[] } => ({
  params: new Array<typeof f64>(arity).fill(f64),
  results: [f64],
});
