import { InternalError } from "../../ir/errors.ts";

/** Value types of WebAssembly, as their bytes. */
export const i32 = 0x7f;
export const f32 = 0x7d;
export const f64 = 0x7c;
export const v128 = 0x7b;
/** A value type. */
export type ValueType = typeof i32 | typeof f32 | typeof f64 | typeof v128;

/**
 * Instructions without immediates: in each line what their names begin with, the number of the first in sixteens, and how the names go on, of one after the
 * other. From fc00 on the prefix 0xfc comes first, from 10000 on 0xfd, which vectors have. Source: WebAssembly core specification, "binary format".
 */
const table = `i32 45 eqz eq ne lt_s lt_u gt_s gt_u le_s
i32 4e ge_s ge_u
i32 6a add sub mul
i32 6e div_u rem_s rem_u
i32 71 and or xor shl shr_s shr_u rotl
i32 a7 wrap_i64
i64 fc06 trunc_sat_f64_s
i32 fc00 trunc_sat_f32_s
i32 fc02 trunc_sat_f64_s trunc_sat_f64_u
f32 5b eq ne lt gt le ge
f32 8b abs neg ceil floor trunc nearest sqrt add sub mul div min max
f32 b2 convert_i32_s convert_i32_u
f32 b6 demote_f64
f64 61 eq ne lt gt le ge
f64 99 abs neg ceil floor trunc nearest sqrt add sub mul div min max
f64 b7 convert_i32_s convert_i32_u
f64 bb promote_f32
i32x4 10011 splat
i32x4 10037 eq ne lt_s
i32x4 1003b gt_s
i32x4 1003d le_s
i32x4 1003f ge_s
i32x4 100a0 abs neg
i32x4 100a9 extend_low_i16x8_u
i32x4 100ae add
i32x4 100b1 sub
i32x4 100b5 mul min_s
i32x4 100b8 max_s
i32x4 100f8 trunc_sat_f32x4_s
i32x4 100fc trunc_sat_f64x2_s_zero
f32x4 10013 splat
f32x4 10041 eq ne lt gt le ge
f32x4 1005e demote_f64x2_zero
f32x4 10067 ceil floor trunc nearest
f32x4 100e0 abs neg
f32x4 100e3 sqrt add sub mul div min max pmin pmax
f32x4 100fa convert_i32x4_s
f64x2 10014 splat
f64x2 10047 eq ne lt gt le ge
f64x2 1005f promote_low_f32x4
f64x2 10074 ceil floor
f64x2 1007a trunc
f64x2 10094 nearest
f64x2 100ec abs neg
f64x2 100ef sqrt add sub mul div min max pmin pmax
f64x2 100fe convert_low_i32x4_s convert_low_i32x4_u
v128 1004d not and andnot or xor bitselect any_true
i8x16 10066 narrow_i16x8_u
i16x8 10086 narrow_i32x4_u
i16x8 10089 extend_low_i8x16_u
i64x2 100ce add
i64x2 100d1 sub` as const;

type Split<S extends string, By extends string, Found = never> = S extends `${infer A}${By}${infer B}`
  ? Split<B, By, Found | A>
  : Found | S;
type Names<Line> = Line extends `${infer Begin} ${string} ${infer Ends}` ? `${Begin}.${Split<Ends, " "> & string}` : never;
/** Every instruction that `Code.op` writes. */
export type Instruction = Names<Split<typeof table, "\n">> | "drop" | "select" | "return";

/** The number of each. */
const codes: ReadonlyMap<string, number> = /* @__PURE__ */ codesOf(table);

/* @__NO_SIDE_EFFECTS__ */
function codesOf(text: string): Map<string, number> {
  const found = new Map([["drop", 0x1a], ["select", 0x1b], ["return", 0x0f]] as const) as Map<string, number>; // biome-ignore format: a table
  for (const line of text.split("\n")) {
    const [begin, first, ...ends] = line.split(" ");
    for (const [i, end] of ends.entries()) found.set(`${begin}.${end}`, Number.parseInt(first!, 16) + i);
  }
  return found;
}

/** Vector instructions with a lane index. */
export const lanes = {
  "i32x4.extract_lane": 0x1b,
  "f32x4.extract_lane": 0x1f,
  "f32x4.replace_lane": 0x20,
  "f64x2.extract_lane": 0x21,
  "f64x2.replace_lane": 0x22,
} as const;

/** Loads and stores, in sixteens: whether they have the vector prefix, the exponent of the access size, and the opcode in two digits. */
export const memory = {
  "i32.load": 0x228,
  "f32.load": 0x22a,
  "f64.load": 0x32b,
  "i32.load8_s": 0x02c,
  "i32.load8_u": 0x02d,
  "i32.load16_s": 0x12e,
  "i32.load16_u": 0x12f,
  "i32.store": 0x236,
  "f32.store": 0x238,
  "f64.store": 0x339,
  "i32.store8": 0x03a,
  "i32.store16": 0x13b,
  "v128.load": 0x1200,
  "v128.load32_splat": 0x1209,
  "v128.load64_splat": 0x130a,
  "v128.load32_zero": 0x125c,
  "v128.load64_zero": 0x135d,
  "v128.store": 0x120b,
} as const;

/** Bytes that grow. */
export class Bytes {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  length = 0;
  byte(x: number): this {
    if (this.length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.length++] = x;
    return this;
  }
  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#buffer.length * 4, this.length + by));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
  append(other: Bytes | Uint8Array): this {
    const from = other instanceof Bytes ? other.view() : other;
    if (this.length + from.length > this.#buffer.length) this.#grow(from.length);
    this.#buffer.set(from, this.length);
    this.length += from.length;
    return this;
  }
  /** Unsigned LEB128. */
  unsigned(x: number): this {
    let rest = x >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }
  /** Signed LEB128 of 32 bits. */
  signed(x: number): this {
    let rest = x | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }
  text(s: string): this {
    const utf8 = new TextEncoder().encode(s);
    return this.unsigned(utf8.length).append(utf8);
  }
  view(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.length);
  }
}

const cell = new DataView(new ArrayBuffer(8));
/** A function's code and its locals: instructions are written in order, each method returns the code itself. */
export class Code {
  readonly bytes: Bytes = new Bytes();
  readonly locals: ValueType[] = [];
  readonly params: number;
  constructor(params: number) {
    this.params = params;
  }
  /** A fresh local. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.params + this.locals.length - 1;
  }
  get(local: number): this {
    this.bytes.byte(0x20).unsigned(local);
    return this;
  }
  set(local: number): this {
    this.bytes.byte(0x21).unsigned(local);
    return this;
  }
  tee(local: number): this {
    this.bytes.byte(0x22).unsigned(local);
    return this;
  }
  getGlobal(index: number): this {
    this.bytes.byte(0x23).unsigned(index);
    return this;
  }
  call(index: number): this {
    this.bytes.byte(0x10).unsigned(index);
    return this;
  }
  int(x: number): this {
    this.bytes.byte(0x41).signed(x);
    return this;
  }
  float32(x: number): this {
    cell.setFloat32(0, x, true);
    this.bytes.byte(0x43);
    for (let i = 0; i < 4; i++) this.bytes.byte(cell.getUint8(i));
    return this;
  }
  float64(x: number): this {
    cell.setFloat64(0, x, true);
    this.bytes.byte(0x44);
    for (let i = 0; i < 8; i++) this.bytes.byte(cell.getUint8(i));
    return this;
  }
  /** Adds so much to a local. */
  move(local: number, by: number): this {
    return this.get(local).int(by).op("i32.add").set(local);
  }
  /** Sets a local to at most so much. */
  atMost(local: number, most: number): this {
    return this.get(local).int(most).get(local).int(most).op("i32.lt_s").op("select").set(local);
  }
  /** Adds a local, times so much, to what is on the stack. */
  plus(local: number, times: number): this {
    return this.get(local).int(times).op("i32.mul").op("i32.add");
  }
  /** A vector constant from its 16 bytes. */
  constant(bytes: Uint8Array): this {
    this.bytes.byte(0xfd).unsigned(0x0c).append(bytes);
    return this;
  }
  op(name: Instruction): this {
    const code = codes.get(name);
    // As for arithmetic on truth values, which loops never have.
    if (code === undefined) throw new InternalError(`wasm: there is no ${name}`);
    if (code >= 0x10000) this.bytes.byte(0xfd).unsigned(code & 0xff);
    else {
      if (code > 0xff) this.bytes.byte(0xfc);
      this.bytes.byte(code & 0xff);
    }
    return this;
  }
  lane(name: keyof typeof lanes, index: number): this {
    this.bytes.byte(0xfd).unsigned(lanes[name]).byte(index);
    return this;
  }
  shift(name: "i32x4.shl" | "i32x4.shr_s" | "i64x2.shl" | "i64x2.shr_s" | "i64x2.shr_u" | "i32x4.shr_u"): this {
    const codes = {
      "i32x4.shl": 0xab,
      "i32x4.shr_s": 0xac,
      "i32x4.shr_u": 0xad,
      "i64x2.shl": 0xcb,
      "i64x2.shr_s": 0xcc,
      "i64x2.shr_u": 0xcd,
    };
    this.bytes.byte(0xfd).unsigned(codes[name]);
    return this;
  }
  /** i8x16.shuffle with its 16 lane numbers. */
  shuffle(order: readonly number[]): this {
    this.bytes.byte(0xfd).unsigned(0x0d);
    for (const i of order) this.bytes.byte(i);
    return this;
  }
  /** memory.fill: the address, the byte and the count are on the stack. */
  fill(): this {
    this.bytes.byte(0xfc).unsigned(11).byte(0);
    return this;
  }
  /** memory.copy: where to, where from and the count of bytes are on the stack. */
  moveBytes(): this {
    this.bytes.byte(0xfc).unsigned(10).byte(0).byte(0);
    return this;
  }
  /** x * y + z, rounded once or twice as the host likes best. Source: WebAssembly relaxed SIMD. */
  relaxedMadd(kind: "f32" | "f64"): this {
    this.bytes.byte(0xfd).unsigned(kind === "f32" ? 0x105 : 0x107);
    return this;
  }
  /** A load or store; the address is under the value on the stack. */
  mem(name: keyof typeof memory, offset = 0): this {
    const code = memory[name];
    if (code >= 0x1000) this.bytes.byte(0xfd);
    this.bytes
      .byte(code & 0xff)
      .unsigned((code >> 8) & 0xf)
      .unsigned(offset);
    return this;
  }
  /** Stores one lane of the vector on the stack. */
  storeLane(bits: 8 | 16 | 32 | 64, lane: number, offset = 0): this {
    const code = { 8: 0x58, 16: 0x59, 32: 0x5a, 64: 0x5b }[bits];
    this.bytes
      .byte(0xfd)
      .unsigned(code)
      .unsigned(Math.log2(bits / 8))
      .unsigned(offset)
      .byte(lane);
    return this;
  }
  block(body: () => void): this {
    this.bytes.byte(0x02).byte(0x40);
    body();
    this.bytes.byte(0x0b);
    return this;
  }
  loop(body: () => void): this {
    this.bytes.byte(0x03).byte(0x40);
    body();
    this.bytes.byte(0x0b);
    return this;
  }
  if(then: () => void, otherwise?: () => void): this {
    this.bytes.byte(0x04).byte(0x40);
    then();
    if (otherwise !== undefined) {
      this.bytes.byte(0x05);
      otherwise();
    }
    this.bytes.byte(0x0b);
    return this;
  }
  br(depth: number): this {
    this.bytes.byte(0x0c).unsigned(depth);
    return this;
  }
  brIf(depth: number): this {
    this.bytes.byte(0x0d).unsigned(depth);
    return this;
  }
  /** Repeats the body while `i < end`; the body must not change `end`'s inputs. `end` writes the bound on the stack. */
  count(i: number, start: () => void, end: () => void, step: number, body: () => void): this {
    start();
    this.set(i);
    this.block(() => {
      this.get(i);
      end();
      this.op("i32.ge_s").brIf(0);
      this.loop(() => {
        body();
        this.get(i).int(step).op("i32.add").tee(i);
        end();
        this.op("i32.lt_s").brIf(0);
      });
    });
    return this;
  }
}

interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface Made extends Signature {
  readonly code: Code;
  readonly name: string | null;
}

/**
 * A WebAssembly module under construction: imported functions first, then its own; one imported memory; immutable imported i32 globals.
 * Source: WebAssembly core specification 2.0 with fixed-width SIMD, "binary format".
 */
export class ModuleBuilder {
  readonly #types = new Map<string, number>();
  readonly #signatures: Signature[] = [];
  readonly #imported: { readonly name: string; readonly type: number }[] = [];
  readonly #made: Made[] = [];
  readonly #globals: string[] = [];
  #frozen = false;

  #typeOf(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    let index = this.#types.get(key);
    if (index === undefined) {
      index = this.#signatures.length;
      this.#types.set(key, index);
      this.#signatures.push({ params, results });
    }
    return index;
  }
  /** Imports are numbered before functions, so all of them come first. */
  importFunction(name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    if (this.#frozen) throw new InternalError(`wasm: import ${name} after the first function`);
    this.#imported.push({ name, type: this.#typeOf(params, results) });
    return this.#imported.length - 1;
  }
  importGlobal(name: string): number {
    this.#globals.push(name);
    return this.#globals.length - 1;
  }
  /** Adds a function; `write` fills it, parameters are its first locals. Returns its index. */
  add(name: string | null, params: readonly ValueType[], results: readonly ValueType[], write: (code: Code) => void): number {
    this.#frozen = true;
    const code = new Code(params.length);
    const index = this.#imported.length + this.#made.length;
    this.#made.push({ params, results, code, name });
    write(code);
    return index;
  }
  /** The module's bytes. `shared`: the memory is shared between workers, with this maximum of pages. */
  bytes(shared: number | null): Uint8Array<ArrayBuffer> {
    const all = this.#made.map(({ params, results }) => this.#typeOf(params, results));
    const out = new Bytes();
    for (const b of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(b);
    section(out, 1, (s) => {
      s.unsigned(this.#signatures.length);
      for (const { params, results } of this.#signatures) {
        s.byte(0x60).unsigned(params.length);
        for (const t of params) s.byte(t);
        s.unsigned(results.length);
        for (const t of results) s.byte(t);
      }
    });
    section(out, 2, (s) => {
      s.unsigned(this.#imported.length + this.#globals.length + 1);
      s.text("host").text("memory").byte(2);
      if (shared === null) s.byte(0).unsigned(0);
      else s.byte(3).unsigned(0).unsigned(shared);
      for (const name of this.#globals) s.text("global").text(name).byte(3).byte(i32).byte(0);
      for (const { name, type } of this.#imported) s.text("host").text(name).byte(0).unsigned(type);
    });
    section(out, 3, (s) => {
      s.unsigned(all.length);
      for (const t of all) s.unsigned(t);
    });
    section(out, 7, (s) => {
      const named = this.#made.flatMap(({ name }, i) => (name === null ? [] : [{ name, index: this.#imported.length + i }]));
      s.unsigned(named.length);
      for (const { name, index } of named) s.text(name).byte(0).unsigned(index);
    });
    section(out, 10, (s) => {
      s.unsigned(this.#made.length);
      for (const { code } of this.#made) {
        const body = new Bytes();
        const runs: [number, ValueType][] = [];
        for (const t of code.locals) {
          const last = runs[runs.length - 1];
          if (last !== undefined && last[1] === t) last[0]++;
          else runs.push([1, t]);
        }
        body.unsigned(runs.length);
        for (const [count, t] of runs) body.unsigned(count).byte(t);
        body.append(code.bytes).byte(0x0b);
        s.unsigned(body.length).append(body);
      }
    });
    return out.view();
  }
}

function section(out: Bytes, id: number, write: (s: Bytes) => void): void {
  const s = new Bytes();
  write(s);
  out.byte(id).unsigned(s.length).append(s);
}
