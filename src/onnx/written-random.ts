import type { DType } from "../ir/dtype.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import { centre, type Ratio, shoulder, tail } from "../random/quantile-terms.ts";
import { Emitter, valueMessage, type Written } from "./emitter.ts";
import type { GraphMessage, ValueMessage } from "./schema.ts";

/*
 * Threefry with ONNX's operators, so that a file draws the numbers that every engine draws, to the last bit. Words are i32, whose sums wrap; u32 has the shifts. What the
 * constants mean stands in `random/threefry.ts`, `random/fill.ts` and `random/inverse-normal.ts`.
 */
const parity = 0x1bd11bda;
const [splitting, numbering, naming] = [0x80000000 | 0, 0x40000000, 0xc0000000 | 0];
const turns = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Two tensors of words. */
type Pair = readonly [string, string];

class Words {
  readonly e: Emitter;
  constructor(e: Emitter) {
    this.e = e;
  }
  word(x: number): string {
    return this.e.constant([x], "i32");
  }
  add(a: string, b: string): string {
    return this.e.op("Add", [a, b]);
  }
  xor(a: string, b: string): string {
    return this.e.op("BitwiseXor", [a, b]);
  }
  /** The words moved right, as u32. */
  right(x: string, by: number): string {
    return this.e.op("BitShift", [this.e.cast(x, "u32"), this.e.constant([by], "u32")], { direction: "RIGHT" });
  }
  /**
   * What a key gives for counters, as words of a shape. A loop over the five groups of rounds: written out, every encryption would be 160 nodes, and
   * runtimes take long to make themselves ready for those of a whole network.
   */
  encrypted([k0, k1]: Pair, [c0, c1]: Pair, shape: readonly [number, number]): Pair {
    const { e } = this;
    const third = this.xor(this.xor(this.word(parity), k0), k1);
    const rows = e.op(
      "Concat",
      [k0, k1, third].map((k) => e.reshape(k, [1, shape[0], 1])),
      { axis: 0 },
    );
    const row = (places: readonly number[]): string => e.op("Gather", [rows, e.constant(places, "i64", [5])], { axis: 0 });
    const first = row([1, 2, 0, 1, 2]);
    const second = this.add(row([2, 0, 1, 2, 0]), e.constant([1, 2, 3, 4, 5], "i32", [5, 1, 1]));
    const wide = (x: string): string => e.op("Expand", [x, e.ints(shape)]);
    const shifts = [0, 1, 2, 3].flatMap((i) =>
      [true, false].map((left) =>
        e.constant(
          [0, 1, 2, 3, 4].map((group) => (left ? turns[(group % 2) * 4 + i]! : 32 - turns[(group % 2) * 4 + i]!)),
          "u32",
          [5],
        ),
      ),
    );
    const body = this.body(
      ["a", "b", "first", "second", ...shifts.map(() => "shift")],
      (inner, [a, b, one, two, ...by]) => {
        let [x, y] = [a!, b!];
        for (let i = 0; i < 4; i++) {
          x = inner.add(x, y);
          const bits = inner.e.cast(y, "u32");
          const [high, low] = (["LEFT", "RIGHT"] as const).map((direction, k) =>
            inner.e.cast(inner.e.op("BitShift", [bits, by[2 * i + k]!], { direction }), "i32"),
          );
          // No bit is in both.
          y = inner.xor(inner.add(high!, low!), x);
        }
        return [inner.add(x, one!), inner.add(y, two!)];
      },
      (name, i) => (i < 2 ? [name, "i32", shape] : i < 4 ? [name, "i32", [shape[0], 1]] : [name, "u32", []]),
      [shape, shape],
    );
    const given = [wide(this.add(c0, k0)), wide(this.add(c1, k1)), first, second, ...shifts];
    return e.several("Scan", given, 2, { body: { graph: body }, num_scan_inputs: given.length - 2 }) as unknown as Pair;
  }
  /** A graph inside a node, whose results are words. */
  private body(
    inputs: readonly string[],
    build: (inner: Words, inputs: readonly string[]) => readonly string[],
    typed: (name: string, i: number) => readonly [string, DType, readonly number[]],
    shapes: readonly (readonly number[])[],
  ): GraphMessage {
    const { e } = this;
    const inner = new Words(new Emitter(e.shared, e.names));
    inner.e.current = e.current;
    const names = inputs.map((name) => e.fresh(name));
    const results = build(inner, names);
    const message = ([name, dtype, shape]: readonly [string, DType, readonly number[]]): ValueMessage =>
      valueMessage(name, tensorType(dtype, shape));
    return {
      name: e.fresh("body"),
      node: inner.e.nodes,
      input: names.map((name, i) => message(typed(name, i))),
      output: results.map((name, i) => message([name, "i32", shapes[i]!])),
    };
  }
  /** A key folded with one word after another, the words known. */
  folded([k0, k1]: Pair, words: readonly number[], keys: number): Pair {
    if (words.length === 1) return this.encrypted([k0, k1], [this.word(words[0]!), this.word(naming)], [keys, 1]);
    const { e } = this;
    const shape = [keys, 1] as const;
    const body = this.body(
      ["k0", "k1", "word"],
      (inner, [a, b, word]) => inner.encrypted([a!, b!], [word!, inner.word(naming)], shape),
      (name, i) => [name, "i32", i < 2 ? shape : []],
      [shape, shape],
    );
    return e.several("Scan", [k0, k1, e.constant(words, "i32", [words.length])], 2, {
      body: { graph: body },
      num_scan_inputs: 1,
    }) as unknown as Pair;
  }
  /** The words of keys i32[..., 2], each as [keys, 1]. */
  halves(keys: string, count: number): Pair {
    const flat = this.e.reshape(keys, [count, 2]);
    return [this.e.slice(flat, 1, 0, 1), this.e.slice(flat, 1, 1, 1)];
  }
  counters(count: number): string {
    return this.e.op("Range", [this.word(0), this.word(count), this.word(1)]);
  }
  /** Words beside each other: [keys, blocks] and [keys, blocks] as [keys, 2 blocks]. */
  interleaved([a, b]: Pair, keys: number, blocks: number): string {
    const part = (x: string): string => this.e.reshape(x, [keys, blocks, 1]);
    return this.e.reshape(this.e.op("Concat", [part(a), part(b)], { axis: 2 }), [keys, 2 * blocks]);
  }
}

function keysOf(w: Written): number {
  return sizeOf(w.operands[0]!.type.shape.slice(0, -1));
}

/** New keys by their numbers. */
export function splitKeysRow(e: Emitter, w: Written): string {
  const x = new Words(e);
  const { count } = w.node.attrs as { readonly count: number };
  const keys = keysOf(w);
  const pair = x.encrypted(x.halves(w.inputs[0]!, keys), [x.counters(count), x.word(splitting)], [keys, count]);
  return e.reshape(x.interleaved(pair, keys, count), w.shape);
}

/** A key folded with a name, a number that is known, or a whole number that is computed. */
export function foldKeyRow(e: Emitter, w: Written): string {
  const x = new Words(e);
  const { by } = w.node.attrs as { readonly by?: string | number };
  const keys = keysOf(w);
  let key = x.halves(w.inputs[0]!, keys);
  if (w.operands[1] != null) {
    const many = w.operands[1].type.shape.length > 0;
    const n = e.reshape(e.cast(w.inputs[1]!, "i64"), [many ? keys : 1, 1]);
    const high = e.cast(e.op("Floor", [e.op("Div", [e.cast(n, "f64"), e.constant([2 ** 32], "f64")])]), "i64");
    const kind = x.add(e.cast(e.op("BitwiseAnd", [high, e.constant([0x3fffffff], "i64")]), "i32"), x.word(numbering));
    key = x.encrypted(key, [e.cast(n, "i32"), kind], [keys, 1]);
  } else if (typeof by === "number")
    key = x.encrypted(key, [x.word(by | 0), x.word(numbering | (Math.floor(by / 2 ** 32) & 0x3fffffff))], [keys, 1]);
  else {
    const name = by ?? "";
    const words = [name.length];
    for (let i = 0; i < name.length; i += 2) words.push((name.charCodeAt(i) << 16) | (i + 1 < name.length ? name.charCodeAt(i + 1) : 0));
    key = x.folded(key, words, keys);
  }
  return e.reshape(e.op("Concat", key, { axis: 1 }), w.shape);
}

/** The blocks that are drawn from each key: one a number, or one for two. */
function blocks(
  e: Emitter,
  w: Written,
  single: boolean,
): { readonly x: Words; readonly pair: Pair; readonly keys: number; readonly each: number; readonly count: number } {
  const x = new Words(e);
  const keys = keysOf(w);
  const each = sizeOf((w.node.attrs as { readonly shape: readonly number[] }).shape);
  const count = single ? each : Math.ceil(each / 2);
  return { x, keys, each, count, pair: x.encrypted(x.halves(w.inputs[0]!, keys), [x.counters(count), x.word(0)], [keys, count]) };
}

/** The 53 bits of each block as a whole number in f64. */
function wide(e: Emitter, x: Words, [a, b]: Pair): string {
  const high = e.op("Mul", [e.cast(x.right(a, 5), "f64"), e.constant([2 ** 26], "f64")]);
  return e.op("Add", [high, e.cast(x.right(b, 6), "f64")]);
}

/** One word a number. */
function single(e: Emitter, { x, pair, keys, each, count }: ReturnType<typeof blocks>): string {
  const words = x.interleaved(pair, keys, count);
  return 2 * count === each ? words : e.slice(words, 1, 0, each);
}

const bitsOf: Readonly<Partial<Record<DType, number>>> = { f32: 24, f16: 11, bf16: 8 };

/** Uniform numbers. */
export function uniformRow(e: Emitter, w: Written): string {
  const drawn = blocks(e, w, w.dtype === "f64");
  if (w.dtype === "f64") return e.reshape(e.op("Mul", [wide(e, drawn.x, drawn.pair), e.constant([2 ** -53], "f64")]), w.shape);
  const bits = bitsOf[w.dtype]!;
  const whole = e.cast(drawn.x.right(single(e, drawn), 32 - bits), "f32");
  const numbers = e.reshape(e.op("Mul", [whole, e.constant([2 ** -bits], "f32")]), w.shape);
  return w.dtype === "f32" ? numbers : e.cast(numbers, w.dtype);
}

/** Standard normal numbers. */
export function normalRow(e: Emitter, w: Written): string {
  const drawn = blocks(e, w, w.dtype === "f64");
  const n = (v: number): string => e.constant([v], "f64");
  const p =
    w.dtype === "f64"
      ? e.op("Mul", [e.op("Add", [e.op("Floor", [e.op("Div", [wide(e, drawn.x, drawn.pair), n(2)])]), n(0.5)]), n(2 ** -52)])
      : e.op("Mul", [e.op("Add", [e.cast(e.cast(single(e, drawn), "u32"), "f64"), n(0.5)]), n(2 ** -32)]);
  const out = e.reshape(quantile(e, p), w.shape);
  return w.dtype === "f64" ? out : e.cast(out, w.dtype);
}

/** The quantile of the normal distribution, with the operations of `random/inverse-normal.ts` in their order: Wichura's AS 241. */
function quantile(e: Emitter, p: string): string {
  const n = (v: number): string => e.constant([v], "f64");
  const add = (a: string, b: string): string => e.op("Add", [a, b]);
  const sub = (a: string, b: string): string => e.op("Sub", [a, b]);
  const mul = (a: string, b: string): string => e.op("Mul", [a, b]);
  const polynomial = (r: string, terms: readonly number[]): string =>
    terms.slice(1).reduce((sum, c) => add(mul(sum, r), n(c)), n(terms[0]!));
  const ratio = (r: string, [top, bottom]: Ratio): string => e.op("Div", [polynomial(r, top), polynomial(r, bottom)]);
  const q = sub(p, n(0.5));
  const low = e.op("Less", [q, n(0)]);
  const near = mul(q, ratio(sub(n(0.180625), mul(q, q)), centre));
  const r = e.op("Sqrt", [e.op("Neg", [logarithm(e, e.op("Where", [low, p, sub(n(1), p)]))])]);
  const size = e.op("Where", [e.op("LessOrEqual", [r, n(5)]), ratio(sub(r, n(1.6)), shoulder), ratio(sub(r, n(5)), tail)]);
  const out = e.op("Where", [low, e.op("Neg", [size]), size]);
  return e.op("Where", [e.op("LessOrEqual", [e.op("Abs", [q]), n(0.425)]), near, out]);
}

/** `portableLog`: the logarithm of ONNX only tells how often to double. */
function logarithm(e: Emitter, x: string): string {
  const n = (v: number): string => e.constant([v], "f64");
  const add = (a: string, b: string): string => e.op("Add", [a, b]);
  const sub = (a: string, b: string): string => e.op("Sub", [a, b]);
  const mul = (a: string, b: string): string => e.op("Mul", [a, b]);
  const powers = e.constant(
    Array.from({ length: 64 }, (_, i) => 2 ** i),
    "f64",
    [64],
  );
  const guess = e.op("Clip", [e.op("Floor", [sub(n(0.5), mul(e.op("Log", [x]), n(Math.LOG2E)))]), n(0), n(63)]);
  const near = mul(x, e.op("Gather", [powers, e.cast(guess, "i64")], { axis: 0 }));
  const below = e.op("Less", [near, n(Math.SQRT1_2)]);
  const above = e.op("GreaterOrEqual", [near, n(2 * Math.SQRT1_2)]);
  const m = e.op("Where", [below, mul(near, n(2)), e.op("Where", [above, mul(near, n(0.5)), near])]);
  const k = e.op("Neg", [e.op("Where", [below, add(guess, n(1)), e.op("Where", [above, sub(guess, n(1)), guess])])]);
  const f = sub(m, n(1));
  const s = e.op("Div", [f, add(n(2), f)]);
  const z = mul(s, s);
  const w = mul(z, z);
  const even = mul(w, add(n(0.3999999999940942), mul(w, add(n(0.22222198432149784), mul(w, n(0.15313837699209373))))));
  const odd = mul(
    z,
    add(n(0.6666666666666735), mul(w, add(n(0.2857142874366239), mul(w, add(n(0.1818357216161805), mul(w, n(0.14798198605116586))))))),
  );
  const half = mul(mul(n(0.5), f), f);
  const inner = add(mul(s, add(add(half, even), odd)), mul(k, n(1.9082149292705877e-10)));
  return sub(mul(k, n(0.6931471803691238)), sub(sub(half, inner), f));
}
