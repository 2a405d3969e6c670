import { type Code, type Instruction, v128 } from "./encoder.ts";
import type { MathName } from "./math-name.ts";

/** Lanes that vector functions work on. */
export type Wide = "f32x4" | "f64x2";

const bytesOf = (w: Wide, x: number): Uint8Array =>
  new Uint8Array(w === "f32x4" ? new Float32Array(4).fill(x).buffer : new Float64Array(2).fill(x).buffer);
const wholeBytes = (w: Wide, x: bigint): Uint8Array =>
  new Uint8Array(w === "f32x4" ? new Int32Array(4).fill(Number(x)).buffer : new BigInt64Array(2).fill(x).buffer);

type Locals = [number, number, number, number, number, number, number, number];

/** Calls another of the functions, on what is on the stack. */
export type Call = (name: MathName) => void;

/** Writes vector code for one lane width: `w("add")` is `f32x4.add` or `f64x2.add`. */
export class Lane {
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
  /** Fresh locals. */
  locals(count: number): Locals {
    return Array.from({ length: count }, () => this.local()) as Locals;
  }
  /** The body where the mask in a local holds for any lane. */
  when(mask: number, body: () => void): void {
    this.get(mask).code.op("v128.any_true").if(body);
  }
  /** The same code seen with other lanes. */
  as(wide: Wide): Lane {
    return new Lane(this.code, wide);
  }
  /** Writes a function of doubles for either width: f32 is taken to double and rounded once. */
  throughDouble(x: number, write: (double: Lane, x: number) => void): void {
    const { code } = this;
    if (this.wide === "f64x2") {
      write(this, x);
      return;
    }
    const double = this.as("f64x2");
    const [low, high, part] = this.locals(3);
    code.get(x).op("f64x2.promote_low_f32x4").set(low);
    code.get(x).get(x).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]).op("f64x2.promote_low_f32x4").set(high);
    write(double, low);
    code.op("f32x4.demote_f64x2_zero").set(part);
    write(double, high);
    code.op("f32x4.demote_f64x2_zero").set(high);
    code.get(part).get(high).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  }
  /**
   * The polynomial in the local `x`, highest coefficient first; the result stays on the stack. Halves side by side, powers of x by squaring (Estrin's
   * scheme): in Horner's each sum waits for the one before, and a processor holds too few instructions to go on with other vectors meanwhile.
   */
  polynomial(x: number, coefficients: readonly number[]): this {
    const rising = [...coefficients].reverse();
    const powers = new Map([[1, x]]);
    for (let p = 2; p < rising.length; p *= 2) {
      const half = powers.get(p / 2)!;
      const power = this.local();
      this.get(half).get(half).op("mul").set(power);
      powers.set(p, power);
    }
    const part = (from: number, count: number): void => {
      if (count === 1) {
        this.num(rising[from]!);
        return;
      }
      let low = 1;
      while (low * 2 < count) low *= 2;
      part(from + low, count - low);
      this.get(powers.get(low)!).op("mul");
      part(from, low);
      this.op("add");
    };
    part(0, rising.length);
    return this;
  }
  /** The same by Horner's scheme, for numbers that must have the bits of one that is computed so elsewhere. */
  horner(x: number, coefficients: readonly number[]): this {
    this.num(coefficients[0]!);
    for (const c of coefficients.slice(1)) this.get(x).op("mul").num(c).op("add");
    return this;
  }
}
