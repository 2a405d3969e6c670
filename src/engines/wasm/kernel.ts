import type { CompiledLoops } from "../../ir/assembler.ts";
import type { DType } from "../../ir/dtype.ts";
import type { Node } from "../../ir/node.ts";
import { type Shape, stridesOf } from "../../ir/shape.ts";
import { joinAxes } from "../../ops/kernels/walk.ts";
import { type Code, f32, f64, i32, type memory, type ValueType } from "./encoder.ts";
import type { MathLibrary } from "./math.ts";
import type { Buffer, View } from "./view.ts";

/** How elements of a dtype lie in memory, and the type that they have on the stack. */
export interface Cell {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly load: keyof typeof memory;
  readonly store: keyof typeof memory;
  readonly type: typeof i32 | typeof f32 | typeof f64;
}

const word: Cell = { bytes: 4, load: "i32.load", store: "i32.store", type: i32 };
const byte: Cell = { bytes: 1, load: "i32.load8_u", store: "i32.store8", type: i32 };
const single: Cell = { bytes: 4, load: "f32.load", store: "f32.store", type: f32 };
const double: Cell = { bytes: 8, load: "f64.load", store: "f64.store", type: f64 };

/** The cells of every dtype: halves are kept as f32, 64-bit whole numbers as f64. */
export const cells: Readonly<Record<DType, Cell>> = {
  f64: double,
  i64: double,
  u64: double,
  f32: single,
  f16: single,
  bf16: single,
  i32: word,
  u32: word,
  i16: { bytes: 2, load: "i32.load16_s", store: "i32.store16", type: i32 },
  u16: { bytes: 2, load: "i32.load16_u", store: "i32.store16", type: i32 },
  i8: { bytes: 1, load: "i32.load8_s", store: "i32.store8", type: i32 },
  u8: byte,
  bool: byte,
};

/** Element types that compiled loops work on. */
export type Kind = "f32" | "f64" | "i32" | "bool";

/**
 * What loops see elements of a dtype as: halves lie in memory as f32 and 64-bit whole numbers as f64. A dtype whose kind is another one is held in more digits than it
 * has. null for small whole numbers, which loops do not read.
 */
export function kindOf(dtype: DType): Kind | null {
  if (dtype === "f64" || dtype === "f32" || dtype === "i32" || dtype === "bool") return dtype;
  const { type } = cells[dtype];
  return type === f32 ? "f32" : type === f64 ? "f64" : null;
}

/** A pointer and how it moves along the axes of a walk, in bytes. */
export interface Walker {
  readonly pointer: number;
  readonly strides: readonly number[];
}

/** The function that a kernel is written into: where operands and results are, and the loops that kernels are made of. */
export class KernelCode {
  readonly code: Code;
  readonly library: MathLibrary;
  /** Addresses of the first elements of operands, results and temporary memory, in locals; -1 for an operand that is not there. */
  readonly operands: readonly number[];
  readonly outs: readonly number[];
  readonly temps: readonly number[];
  /** Where each operand lies: whole, but for those that the kernel takes as views. */
  readonly views: readonly (View | null)[];
  /** See `Assembler`. */
  readonly addProduct: () => void;
  readonly #leave: () => void;

  constructor(
    parts: Pick<KernelCode, "code" | "library" | "operands" | "outs" | "temps" | "views" | "addProduct"> & { readonly leave: () => void },
  ) {
    this.code = parts.code;
    this.library = parts.library;
    this.operands = parts.operands;
    this.outs = parts.outs;
    this.temps = parts.temps;
    this.views = parts.views;
    this.addProduct = parts.addProduct;
    this.#leave = parts.leave;
  }

  /** A fresh local. */
  local(type: ValueType = i32): number {
    return this.code.local(type);
  }

  /** A fresh local with an address, moved by some bytes. */
  pointer(from: number, bytes = 0): number {
    const made = this.local();
    this.code.get(from);
    if (bytes !== 0) this.code.int(bytes).op("i32.add");
    this.code.set(made);
    return made;
  }

  /** Moves a pointer. */
  advance(pointer: number, bytes: number): void {
    if (bytes !== 0) this.code.move(pointer, bytes);
  }

  /** Ends the kernel by way of the op's own kernel on the host: it computes all of the results, or throws the error that says what is wrong. */
  fail(): void {
    this.#leave();
    this.code.op("return");
  }

  /** The body `count` times, with the number of the turn in a local. */
  repeat(count: number, body: (i: number) => void, step = 1): void {
    const i = this.local();
    if (count <= 0) return;
    if (count <= step) {
      this.code.int(0).set(i);
      body(i);
      return;
    }
    this.code.int(0).set(i);
    this.code.loop(() => {
      body(i);
      this.code.get(i).int(step).op("i32.add").tee(i).int(count).op("i32.lt_s").brIf(0);
    });
  }

  /** Walks all places of a shape in row-major order; pointers move along and are back at the start at the end. */
  walk(shape: Shape, walkers: readonly Walker[], body: () => void): void {
    if (shape.some((s) => s === 0)) return;
    const { sizes, strides } = joinAxes(
      shape,
      walkers.map((w) => w.strides),
    );
    const level = (axis: number): void => {
      if (axis === sizes.length) {
        body();
        return;
      }
      const size = sizes[axis]!;
      this.repeat(size, () => {
        level(axis + 1);
        walkers.forEach((w, k) => {
          this.advance(w.pointer, strides[k]![axis]!);
        });
      });
      walkers.forEach((w, k) => {
        this.advance(w.pointer, -strides[k]![axis]! * size);
      });
    };
    level(0);
  }

  /** The index at a pointer as a place on an axis of `size`, in a local; negative ones count from the end, others fail. */
  place(pointer: number, dtype: DType, size: number, into: number): void {
    const { code } = this;
    code.get(pointer);
    this.whole(dtype);
    code.set(into);
    code
      .get(into)
      .int(0)
      .op("i32.lt_s")
      .if(() => code.move(into, size));
    code
      .get(into)
      .int(size)
      .op("i32.ge_u")
      .if(() => this.fail());
  }

  /** Loads an element; its address is on the stack. */
  take(dtype: DType, offset = 0): void {
    this.code.mem(cells[dtype].load, offset);
  }

  /** Loads a whole number as one of 32 bits with a sign, the next where it is beyond them; its address is on the stack. */
  whole(dtype: DType): void {
    this.take(dtype);
    if (dtype === "u32") this.code.op("f64.convert_i32_u");
    if (dtype === "u32" || cells[dtype].type === f64) this.code.op("i32.trunc_sat_f64_s");
  }

  /** Stores an element, above its address on the stack. */
  put(dtype: DType, offset = 0): void {
    this.code.mem(cells[dtype].store, offset);
  }

  /** Copies a number of bytes that is known, from one pointer to another. */
  copy(from: number, to: number, bytes: number): void {
    const { code } = this;
    const straight = (start: number, end: number, source: number, target: number): void => {
      for (let at = start; at < end; ) {
        const left = end - at;
        const size = left >= 16 ? 16 : left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        const [load, store] = moves[size];
        code.get(target).get(source).mem(load, at).mem(store, at);
        at += size;
      }
    };
    if (bytes <= 128) {
      straight(0, bytes, from, to);
      return;
    }
    const [source, target] = [this.pointer(from), this.pointer(to)];
    const block = 64;
    const whole = bytes - (bytes % block);
    this.repeat(
      whole,
      () => {
        straight(0, block, source, target);
        this.advance(source, block);
        this.advance(target, block);
      },
      block,
    );
    straight(0, bytes - whole, source, target);
  }

  /** Sets a number of bytes that is known to 0. */
  clear(at: number, bytes: number): void {
    if (bytes > 0) this.code.get(at).int(0).int(bytes).fill();
  }

  /** Writes the elements of an operand, wherever it lies, to memory in order. */
  materialize(operand: number, to: number): void {
    const view = this.views[operand]!;
    const { dtype, data, length } = view.buffer;
    const { bytes } = cells[dtype];
    const count = view.shape.reduce((a, b) => a * b, 1);
    if (count === 0) return;
    // A constant that is repeated, as the zeros that a gradient is added to are.
    if (data !== null && length === 1 && Object.is(data[0], 0)) {
      this.clear(to, count * bytes);
      return;
    }
    const from = this.pointer(this.operands[operand]!);
    const inner = view.shape.length - 1;
    const own = stridesOf(view.shape);
    let run = 1;
    let axes = view.shape.length;
    for (let i = inner; i >= 0 && (view.shape[i] === 1 || view.strides[i] === own[i]); i--) {
      run *= view.shape[i]!;
      axes = i;
    }
    const target = this.pointer(to);
    const outer = view.shape.slice(0, axes);
    const strides = (list: readonly number[]): number[] => list.slice(0, axes).map((s) => s * bytes);
    this.walk(
      outer,
      [
        { pointer: from, strides: strides(view.strides) },
        { pointer: target, strides: strides(own) },
      ],
      () => this.copy(from, target, run * bytes),
    );
  }
}

const moves = {
  16: ["v128.load", "v128.store"],
  8: ["f64.load", "f64.store"],
  4: ["f32.load", "f32.store"],
  2: ["i32.load16_u", "i32.store16"],
  1: ["i32.load8_u", "i32.store8"],
} as const;

/** Writes one step that is neither a loop nor a product. */
export interface Kernel {
  write(k: KernelCode): void;
  /** Operands that it reads wherever they lie; the others are brought in order first. */
  readonly views?: readonly number[];
  /** Memory that it needs while it runs, or with data that is there from the first. */
  readonly temps?: readonly (Pick<Buffer, "dtype" | "length"> & Partial<Pick<Buffer, "data">>)[];
  /** What an op that wrote its kernel itself says of it. */
  readonly loops?: CompiledLoops;
}

/** The kernel of a node, null where its dtypes or sizes have none. */
export type KernelRow = (node: Node) => Kernel | null;
