import type { Geometry } from "./conv.ts";
import { type Code, f32, i32, type ModuleBuilder, v128 } from "./encoder.ts";
import { blocksOf, productScratch } from "./gemm.ts";

/**
 * Convolutions by windows of 3 x 3 in f32, in tiles: 2 x 2 results take 16 products of transformed inputs and weights instead of 36, and the products of
 * all channels and tiles are 16 matrix products. The gradient of x is a convolution by the weights turned round, and that of the weights is its transpose:
 * the same tiles of x, those of dy, and a last transform. Source: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", 2016, F(2x2, 3x3).
 */
export type Tiled = "conv" | "convInput" | "convWeight";

/** What tiles are taken of and made into. For a gradient of weights `to` is dy. */
interface Plan {
  readonly from: { readonly channels: number; readonly height: number; readonly width: number };
  readonly to: { readonly channels: number; readonly height: number; readonly width: number };
  /** Zeros above and left of `from`. */
  readonly above: number;
  readonly left: number;
  /** Tiles below and beside each other, and rows of tiles in a strip, whose transforms stay in the second-level cache. */
  readonly down: number;
  readonly across: number;
  readonly strip: number;
}

const ways = 16;
/** Bytes of a strip's transforms. */
const mostBytes = 384 * 1024;

function planOf(g: Geometry, name: Tiled): Plan {
  const [, height, width] = g.input as [number, number, number];
  const [, outHeight, outWidth] = g.output as [number, number, number];
  const x = { channels: g.inChannels, height, width };
  const y = { channels: g.outChannels, height: outHeight, width: outWidth };
  const turned = name === "convInput";
  const [from, to] = turned ? [y, x] : [x, y];
  const [above, left] = [g.padding[1]!, g.padding[2]!].map((p) => (turned ? 2 - p : p)) as [number, number];
  const [down, across] = [Math.ceil(to.height / 2), Math.ceil(to.width / 2)];
  const most = Math.max(1, Math.floor(mostBytes / (4 * ways * (from.channels + to.channels) * across)));
  const strip = Math.ceil(down / Math.ceil(down / most));
  return { from, to, above, left, down, across, strip };
}

/** Whether a convolution, or one of its transposes, is computed in tiles: windows of 3 x 3 side by side, in planes, with channels enough. */
export function isTiled(g: Geometry, name: Tiled): boolean {
  const { padding, kernel, stride, dilation } = g;
  if (g.kind !== "f32" || kernel.join() !== "1,3,3" || g.input[0] !== 1 || padding[0] !== 0) return false;
  if ([...stride, ...dilation].some((s) => s !== 1) || padding.some((p) => p < 0 || p > 2)) return false;
  const { from, to, across } = planOf(g, name);
  // Results beyond what the padding at the end allows for, and planes of a few tiles, are not worth it.
  return g.batch > 0 && g.groups > 0 && from.channels >= 8 && to.channels >= 8 && across >= 4 && to.height >= 2;
}

interface Room {
  /** Floats from one padded row to the next. */
  readonly pitch: number;
  readonly weights: number;
  readonly padded: number;
  /** Rows of results on their way out; for a gradient of weights the padded rows of dy. */
  readonly rows: number;
  readonly inputs: number;
  readonly products: number;
  readonly end: number;
}

/** Where a thread's scratch has what: byte offsets. */
function roomOf({ from, to, across, strip }: Plan): Room {
  const up = (x: number): number => Math.ceil(x / 64) * 64;
  const pitch = Math.ceil((2 * across + 4) / 4) * 4;
  const padded = up(4 * ways * from.channels * to.channels);
  const rows = padded + up(4 * pitch * (2 * strip + 2));
  const inputs = rows + up(8 * pitch * strip);
  const products = inputs + up(4 * ways * from.channels * strip * across + 16);
  return { pitch, weights: 0, padded, rows, inputs, products, end: products + up(4 * ways * to.channels * strip * across + 16) };
}

/** Bytes of packed blocks and of transforms. */
export function tiledScratch(g: Geometry, name: Tiled): { readonly packed: number; readonly columns: number } {
  const p = planOf(g, name);
  const [c, k, t] = [p.from.channels, p.to.channels, p.strip * p.across];
  const [m, n, inner] = name === "convWeight" ? [k, c, t] : [k, t, c];
  return { packed: productScratch(m, n, inner, "f32"), columns: roomOf(p).end };
}

const evens: readonly number[] = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const odds: readonly number[] = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
/** All but the first of one, and the first of another. */
const next: readonly number[] = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
const lows: readonly number[] = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highs: readonly number[] = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];

/** Copies floats, exactly so many. */
function copyFloats(c: Code, from: number, to: number, count: number): void {
  const vectors = Math.floor(count / 4);
  const one = (at: number): void => void c.get(to).get(from).mem("v128.load", at).mem("v128.store", at);
  const rest = (at: number): void => {
    for (let i = 0; i < count % 4; i++) c.get(to).get(from).mem("f32.load", at + 4 * i).mem("f32.store", at + 4 * i); // biome-ignore format: one line
  };
  if (vectors <= 16) {
    for (let i = 0; i < vectors; i++) one(16 * i);
    rest(16 * vectors);
    return;
  }
  const i = c.local(i32);
  c.count(i, () => c.int(0), () => c.int(vectors), 1, () => { one(0); for (const p of [from, to]) c.move(p, 16); }); // biome-ignore format: one loop
  rest(0);
}

/** Writes the functions of one convolution and what calls them. */
export class TileWriter {
  private readonly module: ModuleBuilder;
  private readonly name: Tiled;
  private readonly p: Plan;
  private readonly room: Room;
  private readonly gemm: number;

  constructor(module: ModuleBuilder, g: Geometry, name: Tiled, gemm: number) {
    this.module = module;
    this.name = name;
    this.p = planOf(g, name);
    this.room = roomOf(this.p);
    this.gemm = gemm;
  }

  /** Runs `body` for each row of tiles and each four tiles of it, the last four of which may have been before; `start` is the first tile's number in its row. */
  private tiles(c: Code, rows: number, body: (start: number) => void, after: () => void): void {
    const { across } = this.p;
    const [ty, i, start] = [c.local(i32), c.local(i32), c.local(i32)];
    c.count(ty, () => c.int(0), () => c.get(rows), 1, () => {
      c.count(i, () => c.int(0), () => c.int(across), 4, () => {
        c.get(i).int(across - 4).get(i).int(across - 4).op("i32.lt_s").op("select").set(start);
        body(start);
      });
      after();
    }); // biome-ignore format: two loops
  }

  /**
   * `(plane, firstRow, padded, out, rows)`: the padded rows of a strip of one channel, then the transforms of its tiles. Of inputs, 4 x 4 numbers at each
   * second place; of dy, for a gradient of weights, 2 x 2.
   */
  private inputs(channels: number, height: number, width: number, left: number, small: boolean): number {
    const { across, strip } = this.p;
    const { pitch } = this.room;
    const way = 4 * channels * strip * across;
    return this.module.add(null, [i32, i32, i32, i32, i32], [], (c) => {
      const [plane, first, padded, out, rows] = [0, 1, 2, 3, 4] as const;
      const [r, y, from, to, at, into] = Array.from({ length: 6 }, () => c.local(i32)) as [number, number, number, number, number, number];
      const count = Math.min(width, 2 * across + 2 - left);
      c.count(r, () => c.int(0), () => { c.get(rows).int(2).op("i32.mul"); if (!small) c.int(2).op("i32.add"); }, 1, () => {
        c.get(first).get(r).op("i32.add").set(y);
        c.get(padded).get(r).int(pitch).op("i32.mul").int(left).op("i32.add").int(4).op("i32.mul").op("i32.add").set(to);
        c.get(plane).plus(y, 4 * width).set(from);
        c.get(y).int(height).op("i32.lt_u").if(() => copyFloats(c, from, to, count), () => c.get(to).int(0).int(4 * count).fill());
      }); // biome-ignore format: one loop
      const vector = (): number => c.local(v128);
      const side = small ? 2 : 4;
      const raw = Array.from({ length: side }, () => Array.from({ length: small ? 2 : 3 }, vector));
      const mixed = Array.from({ length: 4 }, () => Array.from({ length: small ? 2 : 3 }, vector));
      const d = Array.from({ length: 4 }, vector) as [number, number, number, number];
      const line = (i: number, values: readonly (() => void)[]): void =>
        values.forEach((value, j) => {
          c.get(into);
          value();
          c.mem("v128.store", (4 * i + j) * way);
        });
      const two = (a: number, b: number, op: "f32x4.add" | "f32x4.sub") => (): void => void c.get(a).get(b).op(op);
      c.get(padded).set(from).get(out).set(to);
      this.tiles(
        c,
        rows,
        (start) => {
          c.get(from).plus(start, 8).set(at);
          c.get(to).plus(start, 4).set(into);
          for (const [i, row] of raw.entries()) for (const [v, local] of row.entries()) c.get(at).mem("v128.load", 4 * pitch * i + 16 * v).set(local);
          if (small) {
            // A y A', but for the sign of the last row and column, which the last transform has.
            raw.forEach(([a, b], i) => {
              c.get(a!).get(b!).shuffle(evens).set(mixed[i]![0]!);
              c.get(a!).get(b!).shuffle(odds).set(mixed[i]![1]!);
            });
            const [y0, y1] = mixed as [number[], number[]];
            const lines = [0, 1].map((j) => [() => c.get(y0[j]!), two(y0[j]!, y1[j]!, "f32x4.add"), two(y0[j]!, y1[j]!, "f32x4.sub"), () => c.get(y1[j]!)]);
            for (let i = 0; i < 4; i++) {
              lines[0]![i]!();
              c.set(d[0]);
              lines[1]![i]!();
              c.set(d[1]);
              line(i, [() => c.get(d[0]), two(d[0], d[1], "f32x4.add"), two(d[0], d[1], "f32x4.sub"), () => c.get(d[1])]);
            }
            return;
          }
          // B' x B: down the columns first, where numbers lie side by side.
          for (let v = 0; v < 3; v++) {
            const [a, b, e, f] = raw.map((row) => row[v]!) as [number, number, number, number];
            const made = [two(a, e, "f32x4.sub"), two(b, e, "f32x4.add"), two(e, b, "f32x4.sub"), two(b, f, "f32x4.sub")];
            for (const [i, value] of made.entries()) {
              value();
              c.set(mixed[i]![v]!);
            }
          }
          mixed.forEach(([a, b, e], i) => {
            c.get(a!).get(b!).shuffle(evens).set(d[0]);
            c.get(a!).get(b!).shuffle(odds).set(d[1]);
            c.get(d[0]).get(e!).shuffle(next).set(d[2]);
            c.get(e!).get(e!).shuffle(odds).set(d[3]);
            c.get(d[1]).get(d[3]).shuffle(next).set(d[3]);
            line(i, [two(d[0], d[2], "f32x4.sub"), two(d[1], d[2], "f32x4.add"), two(d[2], d[1], "f32x4.sub"), two(d[1], d[3], "f32x4.sub")]);
          });
        },
        () => {
          c.move(from, 8 * pitch);
          c.move(to, 4 * across);
        },
      ); // biome-ignore format: a walk
    });
  }

  /** `(products, out, rows, height, scratch)`: A' m A of one channel's strip, of which `height` rows are wanted. */
  private results(): number {
    const { across, strip, to: y } = this.p;
    const way = 4 * y.channels * strip * across;
    return this.module.add(null, [i32, i32, i32, i32, i32], [], (c) => {
      const [products, out, rows, height, scratch] = [0, 1, 2, 3, 4] as const;
      const [at, into, from, to] = Array.from({ length: 4 }, () => c.local(i32)) as [number, number, number, number];
      const vector = (): number => c.local(v128);
      const sums = [0, 1].map(() => Array.from({ length: 4 }, vector));
      const m = Array.from({ length: 4 }, vector) as [number, number, number, number];
      const [even, odd] = [vector(), vector()];
      const pitch = 4 * this.room.pitch;
      /** a + b + e and b - e - f. */
      const both = ([a, b, e, f]: readonly number[], plus: number, minus: number): void => {
        c.get(a!).get(b!).op("f32x4.add").get(e!).op("f32x4.add").set(plus);
        c.get(b!).get(e!).op("f32x4.sub").get(f!).op("f32x4.sub").set(minus);
      };
      this.tiles(
        c,
        rows,
        (start) => {
          c.get(products).plus(start, 4).set(at);
          c.get(scratch).plus(start, 8).set(into);
          for (let j = 0; j < 4; j++) {
            for (const [i, local] of m.entries()) c.get(at).mem("v128.load", (4 * i + j) * way).set(local);
            both(m, sums[0]![j]!, sums[1]![j]!);
          }
          sums.forEach((row, i) => {
            both(row, even, odd);
            c.get(into).get(even).get(odd).shuffle(lows).mem("v128.store", pitch * i);
            c.get(into).get(even).get(odd).shuffle(highs).mem("v128.store", pitch * i + 16);
          });
        },
        () => {
          for (let i = 0; i < 2; i++) {
            const copy = (): void => {
              c.get(scratch).int(pitch * i).op("i32.add").set(from);
              c.get(out).int(4 * y.width * i).op("i32.add").set(to);
              copyFloats(c, from, to, y.width);
            };
            if (i === 0) copy();
            else c.get(height).int(1).op("i32.gt_s").if(copy);
          }
          c.move(products, 4 * across);
          c.move(out, 8 * y.width);
          c.get(height).int(2).op("i32.sub").set(height);
        },
      ); // biome-ignore format: a walk
    });
  }

  /** Runs `body` for each pair of channels, with its number among them. */
  private pairs(c: Code, count: () => void, body: () => void): void {
    const i = c.local(i32);
    c.count(i, () => c.int(0), count, 1, body); // biome-ignore format: one loop
  }

  /** `(w, out)`: G g G' of all pairs of channels; for a gradient of x, of the weights turned round, with the channels in the other order. */
  private weights(): number {
    const { from, to } = this.p;
    const turned = this.name === "convInput";
    const way = 4 * from.channels * to.channels;
    return this.module.add(null, [i32, i32], [], (c) => {
      const [w, out] = [0, 1] as const;
      const local = (): number => c.local(f32);
      const g = Array.from({ length: 3 }, () => Array.from({ length: 3 }, local));
      const half = Array.from({ length: 4 }, () => Array.from({ length: 3 }, local));
      const [k, at] = [c.local(i32), c.local(i32)];
      /** a, (a + b + e) / 2, (a - b + e) / 2, e. */
      const spread = (a: number, b: number, e: number): (() => void)[] => [
        () => void c.get(a),
        () => void c.get(a).get(e).op("f32.add").get(b).op("f32.add").float32(0.5).op("f32.mul"),
        () => void c.get(a).get(e).op("f32.add").get(b).op("f32.sub").float32(0.5).op("f32.mul"),
        () => void c.get(e),
      ];
      c.count(k, () => c.int(0), () => c.int(to.channels), 1, () => {
        c.get(w).plus(k, 36 * (turned ? 1 : from.channels)).set(at);
        this.pairs(c, () => c.int(from.channels), () => {
          for (let i = 0; i < 9; i++) c.get(at).mem("f32.load", 4 * (turned ? 8 - i : i)).set(g[Math.floor(i / 3)]![i % 3]!);
          for (let j = 0; j < 3; j++)
            for (const [i, value] of spread(g[0]![j]!, g[1]![j]!, g[2]![j]!).entries()) {
              value();
              c.set(half[i]![j]!);
            }
          for (const [i, [a, b, e]] of half.entries())
            for (const [j, value] of spread(a!, b!, e!).entries()) {
              c.get(out);
              value();
              c.mem("f32.store", (4 * i + j) * way);
            }
          c.move(at, 36 * (turned ? to.channels : 1));
          c.move(out, 4);
        });
      });
    }); // biome-ignore format: two loops
  }

  /** `(sums, w, pairs)`: G' n G, the last transform of a gradient of weights. */
  private gradient(): number {
    const { from, to } = this.p;
    const way = 4 * from.channels * to.channels;
    return this.module.add(null, [i32, i32, i32], [], (c) => {
      const [sums, w, count] = [0, 1, 2] as const;
      const local = (): number => c.local(f32);
      const n = Array.from({ length: 4 }, local);
      const half = Array.from({ length: 3 }, () => Array.from({ length: 4 }, local));
      const [plus, minus] = [local(), local()];
      /** a + p, m, p - d with p and m half the sum and difference of b and e; d has the other sign. */
      const folded = ([a, b, e, d]: readonly number[]): (() => void)[] => {
        c.get(b!).get(e!).op("f32.add").float32(0.5).op("f32.mul").set(plus);
        c.get(b!).get(e!).op("f32.sub").float32(0.5).op("f32.mul").set(minus);
        return [
          () => void c.get(a!).get(plus).op("f32.add"),
          () => void c.get(minus),
          () => void c.get(plus).get(d!).op("f32.sub"),
        ];
      };
      this.pairs(c, () => c.get(count), () => {
        for (let j = 0; j < 4; j++) {
          for (let i = 0; i < 4; i++) c.get(sums).mem("f32.load", (4 * i + j) * way).set(n[i]!);
          for (const [i, value] of folded(n).entries()) {
            value();
            c.set(half[i]![j]!);
          }
        }
        for (const [i, row] of half.entries())
          for (const [j, value] of folded(row).entries()) {
            c.get(w);
            value();
            c.mem("f32.store", 4 * (3 * i + j));
          }
        c.move(sums, 4);
        c.move(w, 36);
      });
    }); // biome-ignore format: one loop
  }

  /**
   * What computes `count` images, or for a gradient of weights `count` of its output channels, of one group: `from` and `to` point to the first image's
   * planes, images are `steps` bytes apart.
   */
  write(): (
    code: Code,
    at: {
      readonly from: number;
      readonly to: number;
      readonly w: number;
      readonly images: () => void;
      readonly outs: () => void;
      readonly scratch: number;
      readonly packed: () => void;
      readonly steps: readonly [number, number];
    },
  ) => void {
    const { p, room } = this;
    const { from, to, across, strip, down } = p;
    const gradient = this.name === "convWeight";
    const [c, k, t] = [from.channels, to.channels, strip * across];
    const inputs = this.inputs(c, from.height, from.width, p.left, false);
    const last = gradient ? this.inputs(k, to.height, to.width, 0, true) : this.results();
    const weights = gradient ? this.gradient() : this.weights();
    const blocks = gradient ? blocksOf(k, c, t, "f32") : blocksOf(k, t, c, "f32");
    return (code, at) => {
      const local = (): number => code.local(i32);
      const [n, first, rows, i, x, y] = [local(), local(), local(), local(), local(), local()];
      const [a, b, out] = [local(), local(), local()];
      const place = (offset: number, index: number, size: number): void => void code.get(at.scratch).plus(index, size).int(offset).op("i32.add");
      const each = (count: () => void, body: () => void): void => void code.count(i, () => code.int(0), count, 1, body);
      code.get(at.scratch).int(room.padded).op("i32.add").int(0).int(room.inputs - room.padded).fill();
      if (gradient) code.get(at.scratch).int(0).int(4 * ways * c * k).fill();
      else code.get(at.w).get(at.scratch).call(weights);
      code.get(at.from).set(x).get(at.to).set(y);
      code.count(n, () => code.int(0), at.images, 1, () => {
        code.count(first, () => code.int(0), () => code.int(down), strip, () => {
          code.int(down).get(first).op("i32.sub").set(rows).atMost(rows, strip);
          each(() => code.int(c), () => {
            code.get(x).plus(i, 4 * from.height * from.width).get(first).int(2).op("i32.mul").int(p.above).op("i32.sub");
            code.get(at.scratch).int(room.padded).op("i32.add");
            place(room.inputs, i, 4 * t);
            code.get(rows).call(inputs);
          });
          const planes = (): void => each(at.outs, () => {
            const plane = (): void => void code.get(y).plus(i, 4 * to.height * to.width);
            if (gradient) {
              plane();
              code.get(first).int(2).op("i32.mul").get(at.scratch).int(room.rows).op("i32.add");
              place(room.products, i, 4 * t);
              code.get(rows).call(last);
            } else {
              place(room.products, i, 4 * t);
              plane();
              code.plus(first, 8 * to.width).get(rows).int(to.height).get(first).int(2).op("i32.mul").op("i32.sub");
              code.get(at.scratch).int(room.rows).op("i32.add").call(last);
            }
          });
          if (gradient) planes();
          code.get(at.scratch).set(gradient ? out : a);
          code.get(at.scratch).int(room.inputs).op("i32.add").set(b);
          code.get(at.scratch).int(room.products).op("i32.add").set(gradient ? a : out);
          each(() => code.int(ways), () => {
            code.get(a).int(4 * (gradient ? t : c)).int(4).get(b);
            if (gradient) code.int(4).int(4 * t).get(out).int(4 * c);
            else code.int(4 * t).int(4).get(out).int(4 * t);
            at.outs();
            const tiles = (): void => void code.get(rows).int(across).op("i32.mul");
            if (gradient) code.int(c);
            else tiles();
            if (gradient) tiles();
            else code.int(c);
            code.int(blocks.rows).int(blocks.columns).int(blocks.inner);
            at.packed();
            code.int(gradient ? 1 : 0).call(this.gemm);
            const move = (pointer: number, by: number): void => void code.move(pointer, by);
            move(a, 4 * k * (gradient ? t : c));
            move(b, 4 * c * t);
            move(out, 4 * k * (gradient ? c : t));
          });
          if (!gradient) planes();
        });
        code.move(x, at.steps[0]);
        code.move(y, at.steps[1]);
      });
      if (gradient) {
        code.get(at.scratch).get(at.w);
        at.outs();
        code.int(c).op("i32.mul").call(weights);
      }
    }; // biome-ignore format: loops
  }
}
