import { literalOf } from "../../../ir/leaf.ts";
import type { Node } from "../../../ir/node.ts";
import { sizeOf } from "../../../ir/shape.ts";
import { f64, i32, v128 } from "../encoder.ts";
import { cells, type KernelCode, type KernelRow } from "../kernel.ts";

/** The constants of `random/threefry.ts`: the key schedule's, and what the second counter word says of a block. */
const parity = 0x1bd11bda;
const [splitting, numbering, naming] = [0x80000000 | 0, 0x40000000, 0xc0000000 | 0];
const turns = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** A pair of words: scalars, or four pairs in the lanes of two vectors. */
interface Block {
  readonly a: number;
  readonly b: number;
}

/** The three words of the key schedule, in locals. */
type Keys = readonly [number, number, number];

/** Reads a key and completes its schedule. */
function schedule(k: KernelCode, key: number): Keys {
  const { code } = k;
  const [x, y, z] = [k.local(), k.local(), k.local()] as const;
  code.get(key).mem("i32.load").set(x).get(key).mem("i32.load", 4).set(y);
  code.get(x).get(y).op("i32.xor").int(parity).op("i32.xor").set(z);
  return [x, y, z];
}

function spread(k: KernelCode, keys: Keys): Keys {
  return keys.map((x) => {
    const wide = k.local(v128);
    k.code.get(x).op("i32x4.splat").set(wide);
    return wide;
  }) as unknown as Keys;
}

/** Threefry-2x32 with 20 rounds: the counters in `a` and `b` become the words that the key gives for them. */
function encrypt(k: KernelCode, { a, b }: Block, keys: Keys, wide: boolean): void {
  const { code } = k;
  const add = wide ? "i32x4.add" : "i32.add";
  code.get(a).get(keys[0]).op(add).set(a).get(b).get(keys[1]).op(add).set(b);
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 4; i++) {
      const turn = turns[(group % 2) * 4 + i]!;
      code.get(a).get(b).op(add).set(a);
      if (wide)
        code
          .get(b)
          .int(turn)
          .shift("i32x4.shl")
          .get(b)
          .int(32 - turn)
          .shift("i32x4.shr_u")
          .op("v128.or");
      else code.get(b).int(turn).op("i32.rotl");
      code
        .get(a)
        .op(wide ? "v128.xor" : "i32.xor")
        .set(b);
    }
    code
      .get(a)
      .get(keys[(group + 1) % 3]!)
      .op(add)
      .set(a);
    code
      .get(b)
      .get(keys[(group + 2) % 3]!)
      .op(add)
      .int(group + 1);
    if (wide) code.op("i32x4.splat");
    code.op(add).set(b);
  }
}

/** The words of four counters in a row, the first of them in a local. */
function fourBlocks(k: KernelCode, counter: number, keys: Keys): Block {
  const { code } = k;
  const block = { a: k.local(v128), b: k.local(v128) };
  code
    .get(counter)
    .op("i32x4.splat")
    .constant(new Uint8Array(new Int32Array([0, 1, 2, 3]).buffer))
    .op("i32x4.add")
    .set(block.a);
  code.int(0).op("i32x4.splat").set(block.b);
  encrypt(k, block, keys, true);
  return block;
}

const lowPairs = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highPairs = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const highHalf = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** The words of a stream in the order in which they are drawn: `use` writes what becomes of four of them. */
function inOrder(k: KernelCode, { a, b }: Block, use: (words: number, part: 0 | 1) => void): void {
  const words = k.local(v128);
  for (const part of [0, 1] as const) {
    k.code
      .get(a)
      .get(b)
      .shuffle(part === 0 ? lowPairs : highPairs)
      .set(words);
    use(words, part);
  }
}

/** Two lanes of a vector of words as doubles. */
function doubles(k: KernelCode, words: number, half: 0 | 1): void {
  k.code.get(words);
  if (half === 1) k.code.get(words).shuffle(highHalf);
  k.code.op("f64x2.convert_low_i32x4_u");
}

function splat64(k: KernelCode, x: number): void {
  k.code.float64(x).op("f64x2.splat");
}

/** 53 bits of each of two blocks, as doubles. */
function wideBits(k: KernelCode, { a, b }: Block, half: 0 | 1): void {
  const { code } = k;
  const top = k.local(v128);
  code.get(a).int(5).shift("i32x4.shr_u").set(top);
  doubles(k, top, half);
  splat64(k, 2 ** 26);
  code.op("f64x2.mul");
  code.get(b).int(6).shift("i32x4.shr_u").set(top);
  doubles(k, top, half);
  code.op("f64x2.add");
}

/**
 * A draw for each key: four blocks at a time become `step` elements that `fill` writes to a pointer. What would run over the end of a key's part goes
 * through memory of its own.
 */
function draws(
  node: Node,
  key: number,
  bytes: number,
  step: 4 | 8,
  fill: (k: KernelCode, block: Block, at: number) => void,
): ReturnType<KernelRow> {
  const count = sizeOf(node.operands[key]!.type.shape) / 2;
  const each = count === 0 ? 0 : sizeOf(node.type.shape) / count;
  const left = each % step;
  return {
    temps: [{ dtype: "u8", length: 128 }],
    write(k) {
      const { code } = k;
      const [from, to] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      const counter = k.local();
      const some = (at: number, keys: Keys): void => {
        fill(k, fourBlocks(k, counter, keys), at);
        k.advance(counter, 4);
      };
      k.repeat(count, () => {
        const keys = spread(k, schedule(k, from));
        code.int(0).set(counter);
        k.repeat(Math.floor(each / step), () => {
          some(to, keys);
          k.advance(to, step * bytes);
        });
        if (left > 0) {
          some(k.temps[0]!, keys);
          k.copy(k.temps[0]!, to, left * bytes);
          k.advance(to, left * bytes);
        }
        k.advance(from, 8);
      });
    },
  };
}

const uniform: KernelRow = (node) => {
  const { dtype } = node.type;
  if (dtype === "f64")
    return draws(node, 0, 8, 4, (k, block, at) => {
      for (const half of [0, 1] as const) {
        k.code.get(at);
        wideBits(k, block, half);
        splat64(k, 2 ** -53);
        k.code.op("f64x2.mul").mem("v128.store", 16 * half);
      }
    });
  const bits = { f32: 24, f16: 11, bf16: 8 }[dtype as "f32" | "f16" | "bf16"];
  return draws(node, 0, 4, 8, (k, block, at) =>
    inOrder(k, block, (words, part) => {
      k.code
        .get(at)
        .get(words)
        .int(32 - bits)
        .shift("i32x4.shr_u")
        .op("f32x4.convert_i32x4_s")
        .float32(2 ** -bits)
        .op("f32x4.splat")
        .op("f32x4.mul")
        .mem("v128.store", 16 * part);
    }),
  );
};

const normal: KernelRow = (node) => {
  const { dtype } = node.type;
  if (dtype === "f64")
    return draws(node, 0, 8, 4, (k, block, at) => {
      for (const half of [0, 1] as const) {
        k.code.get(at);
        wideBits(k, block, half);
        splat64(k, 0.5);
        k.code.op("f64x2.mul").op("f64x2.floor");
        splat64(k, 0.5);
        k.code.op("f64x2.add");
        splat64(k, 2 ** -52);
        k.code
          .op("f64x2.mul")
          .call(k.library.index("inverseNormal", "f64x2"))
          .mem("v128.store", 16 * half);
      }
    });
  return draws(node, 0, 4, 8, (k, block, at) =>
    inOrder(k, block, (words, part) => {
      k.code.get(at);
      for (const half of [0, 1] as const) {
        doubles(k, words, half);
        splat64(k, 0.5);
        k.code.op("f64x2.add");
        splat64(k, 2 ** -32);
        k.code.op("f64x2.mul").call(k.library.index("inverseNormal", "f64x2")).op("f32x4.demote_f64x2_zero");
      }
      k.code.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      // From f32, as the reference has them.
      if (dtype !== "f32") k.code.call(k.library.index(dtype as "f16" | "bf16", "f32x4"));
      k.code.mem("v128.store", 16 * part);
    }),
  );
};

/** Four lanes of 0 and -1 on the stack as bytes of 0 and 1, stored at an address below them. */
function storeTruths(k: KernelCode, offset: number): void {
  const mask = k.local(v128);
  k.code.int(1).op("i32x4.splat").op("v128.and").tee(mask).get(mask).op("i16x8.narrow_i32x4_u").tee(mask).get(mask);
  k.code.op("i8x16.narrow_i16x8_u").storeLane(32, 0, offset);
}

/** Whether a node compares uniform numbers with a number that is known: what `random.bernoulli` writes. */
export function isBernoulli(node: Node): boolean {
  if (node.op.name !== "less") return false;
  const [drawn, p] = node.operands;
  return (
    drawn?.node.op.name === "uniformNumbers" &&
    (drawn.type.dtype === "f32" || drawn.type.dtype === "f64") &&
    sizeOf(drawn.type.shape) === sizeOf(node.type.shape) &&
    p != null &&
    literalOf(p) !== null
  );
}

/** Uniform numbers are less than p where their bits, as a whole number, are less than p of the same scale, rounded up. */
const bernoulli: KernelRow = (node) => {
  const [drawn, by] = node.operands;
  const p = Math.min(1, Math.max(0, literalOf(by!) ?? 0));
  // The node is the comparison; its key is that of the numbers.
  const inner = { operands: drawn!.node.operands, type: node.type } as unknown as Node;
  if (drawn!.type.dtype === "f32") {
    const limit = Math.ceil(p * 2 ** 24);
    return draws(inner, 0, 1, 8, (k, block, at) =>
      inOrder(k, block, (words, part) => {
        k.code.get(at).get(words).int(8).shift("i32x4.shr_u").int(limit).op("i32x4.splat").op("i32x4.lt_s");
        storeTruths(k, 4 * part);
      }),
    );
  }
  const limit = Math.ceil(p * 2 ** 53);
  const high = Math.floor(limit / 2 ** 26);
  return draws(inner, 0, 1, 4, (k, { a, b }, at) => {
    const { code } = k;
    const top = k.local(v128);
    code.get(at).get(a).int(5).shift("i32x4.shr_u").tee(top).int(high).op("i32x4.splat").op("i32x4.lt_s");
    code.get(top).int(high).op("i32x4.splat").op("i32x4.eq");
    code
      .get(b)
      .int(6)
      .shift("i32x4.shr_u")
      .int(limit - high * 2 ** 26)
      .op("i32x4.splat")
      .op("i32x4.lt_s")
      .op("v128.and")
      .op("v128.or");
    storeTruths(k, 0);
  });
};

/** One block by plain words: the counters are on the stack, the first below the second. */
function oneBlock(k: KernelCode, keys: Keys): Block {
  const block = { a: k.local(), b: k.local() };
  k.code.set(block.b).set(block.a);
  encrypt(k, block, keys, false);
  return block;
}

/** The key that comes of another and a number or a name. */
const fold: KernelRow = (node) => {
  const [key, number] = node.operands;
  const { by } = node.attrs as { readonly by?: string | number };
  const count = sizeOf(key!.type.shape) / 2;
  return {
    write(k) {
      const { code } = k;
      const [from, to] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      const at = number == null ? -1 : k.pointer(k.operands[1]!);
      const whole = k.local(f64);
      k.repeat(count, () => {
        let keys = schedule(k, from);
        let block: Block;
        if (number != null) {
          const { dtype, shape } = number.type;
          const { bytes, type } = cells[dtype];
          code.get(at);
          k.take(dtype);
          if (type === i32) code.op(dtype === "u32" ? "f64.convert_i32_u" : "f64.convert_i32_s");
          code.set(whole);
          code.get(whole).op("i64.trunc_sat_f64_s").op("i32.wrap_i64");
          code
            .get(whole)
            .float64(2 ** -32)
            .op("f64.mul")
            .op("f64.floor")
            .op("i32.trunc_sat_f64_s")
            .int(0x3fffffff)
            .op("i32.and")
            .int(numbering)
            .op("i32.or");
          block = oneBlock(k, keys);
          if (sizeOf(shape) > 1) k.advance(at, bytes);
        } else if (typeof by === "string") {
          code.int(by.length).int(naming);
          block = oneBlock(k, keys);
          for (let i = 0; i < by.length; i += 2) {
            const third = k.local();
            code.get(block.a).get(block.b).op("i32.xor").int(parity).op("i32.xor").set(third);
            keys = [block.a, block.b, third];
            code.int((by.charCodeAt(i) << 16) | (i + 1 < by.length ? by.charCodeAt(i + 1) : 0)).int(naming);
            block = oneBlock(k, keys);
          }
        } else {
          code.int(by! | 0).int(numbering | (Math.floor(by! / 2 ** 32) & 0x3fffffff));
          block = oneBlock(k, keys);
        }
        code.get(to).get(block.a).mem("i32.store").get(to).get(block.b).mem("i32.store", 4);
        k.advance(from, 8);
        k.advance(to, 8);
      });
    },
  };
};

/** New keys from one: the blocks of a row of counters. */
const split: KernelRow = (node) => {
  const { count } = node.attrs as { readonly count: number };
  return {
    write(k) {
      const { code } = k;
      const [from, to] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      k.repeat(sizeOf(node.operands[0]!.type.shape) / 2, () => {
        const keys = schedule(k, from);
        k.repeat(count, (i) => {
          code.get(i).int(splitting);
          const { a, b } = oneBlock(k, keys);
          code.get(to).get(a).mem("i32.store").get(to).get(b).mem("i32.store", 4);
          k.advance(to, 8);
        });
        k.advance(from, 8);
      });
    },
  };
};

/** Fisher and Yates from the end, as the reference draws. */
const shuffle: KernelRow = (node) => {
  const { count } = node.attrs as { readonly count: number };
  return {
    write(k) {
      const { code } = k;
      const [from, to] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      const [i, here, there, moved] = [k.local(), k.local(), k.local(), k.local()];
      k.repeat(sizeOf(node.operands[0]!.type.shape) / 2, () => {
        const keys = schedule(k, from);
        k.repeat(count, (n) => {
          code.get(to).plus(n, 4).get(n).mem("i32.store");
        });
        code.int(count - 1).set(i);
        k.repeat(count - 1, () => {
          code.get(i).int(0);
          const { a, b } = oneBlock(k, keys);
          code.get(to).plus(i, 4).set(here);
          code
            .get(to)
            .get(a)
            .int(5)
            .op("i32.shr_u")
            .op("f64.convert_i32_u")
            .float64(2 ** 26)
            .op("f64.mul");
          code
            .get(b)
            .int(6)
            .op("i32.shr_u")
            .op("f64.convert_i32_u")
            .op("f64.add")
            .float64(2 ** -53)
            .op("f64.mul");
          code.get(i).int(1).op("i32.add").op("f64.convert_i32_s").op("f64.mul").op("i32.trunc_sat_f64_s");
          code.int(4).op("i32.mul").op("i32.add").set(there);
          code.get(here).mem("i32.load").set(moved).get(here).get(there).mem("i32.load").mem("i32.store");
          code.get(there).get(moved).mem("i32.store");
          k.advance(i, -1);
        });
        k.advance(to, count * cells.i32.bytes);
        k.advance(from, 8);
      });
    },
  };
};

/** Kernels of random keys and numbers: the same bits as the reference. */
export function randomKernels(): Readonly<Record<string, KernelRow>> {
  return {
    uniformNumbers: uniform,
    normalNumbers: normal,
    /** A comparison of uniform numbers with a number. */
    bernoulli,
    foldKey: fold,
    splitKeys: split,
    shuffledRange: shuffle,
  };
}
