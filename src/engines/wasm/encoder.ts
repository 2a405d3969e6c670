import { InternalError } from "../../ir/errors.ts";

/** Value types of WebAssembly, as their bytes. */
export const i32 = 0x7f;
export const f32 = 0x7d;
export const f64 = 0x7c;
export const v128 = 0x7b;
/** A value type. */
export type ValueType = typeof i32 | typeof f32 | typeof f64 | typeof v128;

/** Instructions that are not of vectors, by name: one byte, or after the prefix 0xfc where the number is larger. Source: WebAssembly core specification, "binary format". */
export const plain = {
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.ne": 0x47,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.gt_s": 0x4a,
  "i32.gt_u": 0x4b,
  "i32.le_s": 0x4c,
  "i32.ge_s": 0x4e,
  "i32.ge_u": 0x4f,
  "f32.eq": 0x5b,
  "f32.ne": 0x5c,
  "f32.lt": 0x5d,
  "f32.gt": 0x5e,
  "f32.le": 0x5f,
  "f32.ge": 0x60,
  "f64.eq": 0x61,
  "f64.ne": 0x62,
  "f64.lt": 0x63,
  "f64.gt": 0x64,
  "f64.le": 0x65,
  "f64.ge": 0x66,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_u": 0x6e,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.xor": 0x73,
  "i32.shl": 0x74,
  "i32.shr_s": 0x75,
  "i32.shr_u": 0x76,
  "i32.rotl": 0x77,
  "f32.abs": 0x8b,
  "f32.neg": 0x8c,
  "f32.ceil": 0x8d,
  "f32.floor": 0x8e,
  "f32.trunc": 0x8f,
  "f32.nearest": 0x90,
  "f32.sqrt": 0x91,
  "f32.add": 0x92,
  "f32.sub": 0x93,
  "f32.mul": 0x94,
  "f32.div": 0x95,
  "f32.min": 0x96,
  "f32.max": 0x97,
  "f64.abs": 0x99,
  "f64.neg": 0x9a,
  "f64.ceil": 0x9b,
  "f64.floor": 0x9c,
  "f64.trunc": 0x9d,
  "f64.nearest": 0x9e,
  "f64.sqrt": 0x9f,
  "f64.add": 0xa0,
  "f64.sub": 0xa1,
  "f64.mul": 0xa2,
  "f64.div": 0xa3,
  "f64.min": 0xa4,
  "f64.max": 0xa5,
  "f32.convert_i32_s": 0xb2,
  "f32.convert_i32_u": 0xb3,
  "f32.demote_f64": 0xb6,
  "f64.convert_i32_s": 0xb7,
  "f64.convert_i32_u": 0xb8,
  "f64.promote_f32": 0xbb,
  "i32.trunc_sat_f32_s": 0xfc00,
  "i32.trunc_sat_f64_s": 0xfc02,
  "i32.trunc_sat_f64_u": 0xfc03,
  drop: 0x1a,
  select: 0x1b,
  return: 0x0f,
} as const;

/** Vector instructions without immediates, by name (after the prefix 0xfd). */
export const vector = {
  "i32x4.splat": 0x11,
  "f32x4.splat": 0x13,
  "f64x2.splat": 0x14,
  "i32x4.eq": 0x37,
  "i32x4.ne": 0x38,
  "i32x4.lt_s": 0x39,
  "i32x4.gt_s": 0x3b,
  "i32x4.le_s": 0x3d,
  "i32x4.ge_s": 0x3f,
  "f32x4.eq": 0x41,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.gt": 0x44,
  "f32x4.le": 0x45,
  "f32x4.ge": 0x46,
  "f64x2.eq": 0x47,
  "f64x2.ne": 0x48,
  "f64x2.lt": 0x49,
  "f64x2.gt": 0x4a,
  "f64x2.le": 0x4b,
  "f64x2.ge": 0x4c,
  "v128.not": 0x4d,
  "v128.and": 0x4e,
  "v128.andnot": 0x4f,
  "v128.or": 0x50,
  "v128.xor": 0x51,
  "v128.bitselect": 0x52,
  "v128.any_true": 0x53,
  "i8x16.narrow_i16x8_u": 0x66,
  "i16x8.narrow_i32x4_u": 0x86,
  "i16x8.extend_low_i8x16_u": 0x89,
  "i32x4.extend_low_i16x8_u": 0xa9,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i64x2.add": 0xce,
  "i64x2.sub": 0xd1,
  "f32x4.ceil": 0x67,
  "f32x4.floor": 0x68,
  "f32x4.trunc": 0x69,
  "f32x4.nearest": 0x6a,
  "f64x2.ceil": 0x74,
  "f64x2.floor": 0x75,
  "f64x2.trunc": 0x7a,
  "f64x2.nearest": 0x94,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f32x4.min": 0xe8,
  "f32x4.max": 0xe9,
  "f32x4.pmin": 0xea,
  "f32x4.pmax": 0xeb,
  "f64x2.pmin": 0xf6,
  "f64x2.pmax": 0xf7,
  "f64x2.abs": 0xec,
  "f64x2.neg": 0xed,
  "f64x2.sqrt": 0xef,
  "f64x2.add": 0xf0,
  "f64x2.sub": 0xf1,
  "f64x2.mul": 0xf2,
  "f64x2.div": 0xf3,
  "f64x2.min": 0xf4,
  "f64x2.max": 0xf5,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
  "f32x4.convert_i32x4_s": 0xfa,
  "i32x4.trunc_sat_f64x2_s_zero": 0xfc,
  "f64x2.convert_low_i32x4_s": 0xfe,
  "f64x2.convert_low_i32x4_u": 0xff,
  "f32x4.demote_f64x2_zero": 0x5e,
  "f64x2.promote_low_f32x4": 0x5f,
  "i32x4.neg": 0xa1,
  "i32x4.abs": 0xa0,
  "i32x4.min_s": 0xb6,
  "i32x4.max_s": 0xb8,
} as const;

/** Vector instructions with a lane index. */
export const lanes = {
  "i32x4.extract_lane": 0x1b,
  "f32x4.extract_lane": 0x1f,
  "f32x4.replace_lane": 0x20,
  "f64x2.extract_lane": 0x21,
  "f64x2.replace_lane": 0x22,
} as const;

/** Loads and stores: opcode, whether it has the vector prefix, and the exponent of the access size. */
export const memory = {
  "i32.load": [0x28, false, 2],
  "f32.load": [0x2a, false, 2],
  "f64.load": [0x2b, false, 3],
  "i32.load8_s": [0x2c, false, 0],
  "i32.load8_u": [0x2d, false, 0],
  "i32.load16_s": [0x2e, false, 1],
  "i32.load16_u": [0x2f, false, 1],
  "i32.store": [0x36, false, 2],
  "f32.store": [0x38, false, 2],
  "f64.store": [0x39, false, 3],
  "i32.store8": [0x3a, false, 0],
  "i32.store16": [0x3b, false, 1],
  "v128.load": [0x00, true, 2],
  "v128.load32_splat": [0x09, true, 2],
  "v128.load64_splat": [0x0a, true, 3],
  "v128.load32_zero": [0x5c, true, 2],
  "v128.load64_zero": [0x5d, true, 3],
  "v128.store": [0x0b, true, 2],
} as const;

/** Every instruction that `Code.op` writes. */
export type Instruction = keyof typeof plain | keyof typeof vector;

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
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.length + by));
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
    if (name in plain) {
      const byte = plain[name as keyof typeof plain];
      if (byte > 0xff) this.bytes.byte(0xfc);
      this.bytes.byte(byte & 0xff);
    } else this.bytes.byte(0xfd).unsigned(vector[name as keyof typeof vector]);
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
    const [code, prefixed, align] = memory[name];
    if (prefixed) this.bytes.byte(0xfd).unsigned(code);
    else this.bytes.byte(code);
    this.bytes.unsigned(align).unsigned(offset);
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
