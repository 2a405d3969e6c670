import { type Code, f32, f64, type Instruction, i32, type ModuleBuilder, v128 } from "./encoder.ts";
import { highHalves, highWords, lowHalves, lowWords } from "./gemm.ts";
import { cells } from "./kernel.ts";

type Real = "f32" | "f64";

/** A product of fixed sizes: A is m x k and B k x n, with strides in elements; C is contiguous. */
export interface Shaped {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aRow: number;
  readonly aColumn: number;
  readonly bRow: number;
  readonly bColumn: number;
}

const lanesOf = (kind: Real): number => 16 / cells[kind].bytes;
const up = (x: number, by: number): number => Math.ceil(x / by) * by;

/** B's rows with room to the end of a vector stay in the first-level cache beside A's. */
const mostB = 16384;
const mostA = 65536;

/** One column is a row the other way round, and what is one row takes its vectors along B. */
function oriented(s: Shaped): Shaped {
  return s.n === 1 ? { m: 1, n: s.m, k: s.k, aRow: 0, aColumn: s.bRow, bRow: s.aColumn, bColumn: s.aRow } : s;
}

/** Whether a product needs no packed blocks: B fits the first-level cache, and so does A unless its rows are read in order. */
export function isSmall(shaped: Shaped, kind: Real): boolean {
  const { m, n, k, aRow, aColumn, bRow, bColumn } = oriented(shaped);
  const size = cells[kind].bytes;
  if (m * n * k === 0 || Math.min(aRow, aColumn, bRow, bColumn) < 0 || (m + k) * Math.max(aRow, aColumn) * size > 2 ** 30) return false;
  return k * up(n, lanesOf(kind)) * size <= mostB && (aColumn === 1 || m * k * size <= mostA);
}

/** Bytes for B in rows, where it does not lie so. */
export function smallScratch(shaped: Shaped, kind: Real): number {
  const { n, k } = oriented(shaped);
  return k * up(n, lanesOf(kind)) * cells[kind].bytes + 64;
}

/** The small products of a module: a function for each shape, whose sizes and strides are in its code. */
export class SmallProducts {
  private readonly module: ModuleBuilder;
  private readonly fused: boolean;
  private readonly made = new Map<string, number>();

  /** `fused`: the host has relaxed SIMD, whose multiply-and-add is one instruction. */
  constructor(module: ModuleBuilder, fused: boolean) {
    this.module = module;
    this.fused = fused;
  }

  /** `(a, b, c, scratch)`: C = A B. */
  index(shaped: Shaped, kind: Real): number {
    const s = oriented(shaped);
    const swapped = s !== shaped;
    const key = `${kind} ${swapped} ${Object.values(s).join()}`;
    let index = this.made.get(key);
    if (index === undefined) {
      index = this.module.add(null, [i32, i32, i32, i32], [], (code) => {
        const [a, b] = swapped ? [1, 0] : [0, 1];
        const writer = new SmallWriter(code, kind, s, a, b, this.fused);
        // One row of A and B by columns: dot products.
        if (s.m === 1 && s.bRow === 1 && s.bColumn !== 1 && s.aColumn === 1) writer.dots();
        else writer.blocks();
      });
      this.made.set(key, index);
    }
    return index;
  }
}

class SmallWriter {
  private readonly c: Code;
  private readonly kind: Real;
  private readonly s: Shaped;
  private readonly a: number;
  private readonly b: number;
  private readonly fused: boolean;
  private readonly size: number;
  private readonly lanes: number;

  constructor(code: Code, kind: Real, shaped: Shaped, a: number, b: number, fused: boolean) {
    this.c = code;
    this.kind = kind;
    this.s = shaped;
    this.a = a;
    this.b = b;
    this.fused = fused;
    this.size = cells[kind].bytes;
    this.lanes = lanesOf(kind);
  }

  private lane(op: string): Instruction {
    return `${this.kind === "f32" ? "f32x4" : "f64x2"}.${op}` as Instruction;
  }

  /** acc += x y. */
  private accumulate(acc: number, x: number, y: () => void): void {
    const { c } = this;
    if (this.fused) {
      c.get(x);
      y();
      c.get(acc).relaxedMadd(this.kind).set(acc);
    } else {
      c.get(x);
      y();
      c.op(this.lane("mul")).get(acc).op(this.lane("add")).set(acc);
    }
  }

  private advance(pointer: number, by: number): void {
    if (by !== 0) this.c.move(pointer, by);
  }

  /** Runs `body` `count` times, at least once. */
  private repeat(count: number, body: () => void): void {
    const { c } = this;
    if (count === 1) {
      body();
      return;
    }
    const i = c.local(i32);
    c.int(count).set(i);
    c.loop(() => {
      body();
      c.get(i).int(1).op("i32.sub").tee(i).brIf(0);
    });
  }

  /** B in rows of whole vectors, in scratch. Returns the stride of its rows in bytes. */
  private packed(): number {
    const { c, s, size, lanes, kind } = this;
    const { n, k, bRow, bColumn } = s;
    if (bColumn === 1) return bRow * size;
    const row = up(n, lanes) * size;
    const [from, to] = [c.local(i32), c.local(i32)];
    const [p, q] = [c.local(i32), c.local(i32)];
    c.get(this.b).set(from).get(3).set(to);
    if (bRow === 1 && n % lanes === 0 && k % lanes === 0) {
      // Squares of vectors are turned.
      const x = Array.from({ length: lanes }, () => c.local(v128));
      const t = Array.from({ length: lanes }, () => c.local(v128));
      this.repeat(n / lanes, () => {
        c.get(from).set(p).get(to).set(q);
        this.repeat(k / lanes, () => {
          for (let i = 0; i < lanes; i++)
            c.get(p)
              .mem("v128.load", i * bColumn * size)
              .set(x[i]!);
          const pair = (a: number, b: number, order: readonly number[], into: number): void => {
            c.get(a).get(b).shuffle(order).set(into);
          };
          if (kind === "f32") {
            pair(x[0]!, x[1]!, lowWords, t[0]!);
            pair(x[2]!, x[3]!, lowWords, t[1]!);
            pair(x[0]!, x[1]!, highWords, t[2]!);
            pair(x[2]!, x[3]!, highWords, t[3]!);
            pair(t[0]!, t[1]!, lowHalves, x[0]!);
            pair(t[0]!, t[1]!, highHalves, x[1]!);
            pair(t[2]!, t[3]!, lowHalves, x[2]!);
            pair(t[2]!, t[3]!, highHalves, x[3]!);
          } else {
            pair(x[0]!, x[1]!, lowHalves, t[0]!);
            pair(x[0]!, x[1]!, highHalves, x[1]!);
            c.get(t[0]!).set(x[0]!);
          }
          for (let i = 0; i < lanes; i++)
            c.get(q)
              .get(x[i]!)
              .mem("v128.store", i * row);
          this.advance(p, 16);
          this.advance(q, row * lanes);
        });
        this.advance(from, bColumn * size * lanes);
        this.advance(to, 16);
      });
    } else
      this.repeat(n, () => {
        c.get(from).set(p).get(to).set(q);
        this.repeat(k, () => {
          c.get(q).get(p).mem(`${kind}.load`).mem(`${kind}.store`);
          this.advance(p, bRow * size);
          this.advance(q, row);
        });
        this.advance(from, bColumn * size);
        this.advance(to, size);
      });
    c.get(3).set(this.b);
    return row;
  }

  /** Rows of a register block over `vectors` columns of vectors: as many as stay in registers, fewer where that leaves no short block. */
  private rowsFor(vectors: number): number {
    const most = vectors === 2 ? (this.fused ? 6 : 5) : 8;
    const cost = (r: number): number => 4 + vectors + r + 2 * r * vectors;
    let [best, least] = [1, Number.POSITIVE_INFINITY];
    for (let r = 1; r <= Math.min(most, this.s.m); r++) {
      const rest = this.s.m % r;
      const total = Math.floor(this.s.m / r) * cost(r) + (rest === 0 ? 0 : cost(rest));
      if (total <= least) [best, least] = [r, total];
    }
    return best;
  }

  /** Blocks of rows and two vectors of columns; A is read element by element where it lies. */
  blocks(): void {
    const { c, s, size, lanes } = this;
    const { m, n } = s;
    const bStep = this.packed();
    const [rowsA, cell, bColumn, cColumn] = [c.local(i32), c.local(i32), c.local(i32), c.local(i32)];
    c.get(this.b).set(bColumn).get(2).set(cColumn);
    const columns = (count: number, vectors: number, last: number): void => {
      const r = this.rowsFor(vectors);
      this.repeat(count, () => {
        c.get(this.a).set(rowsA).get(cColumn).set(cell);
        const rows = (times: number, height: number): void => {
          if (times > 0 && height > 0)
            this.repeat(times, () => {
              this.block(rowsA, bColumn, cell, height, vectors, last, bStep);
              this.advance(rowsA, height * s.aRow * size);
              this.advance(cell, height * n * size);
            });
        };
        rows(Math.floor(m / r), r);
        rows(1, m % r);
        this.advance(bColumn, vectors * 16);
        this.advance(cColumn, vectors * 16);
      });
    };
    const vectors = Math.ceil(n / lanes);
    const last = n - (vectors - 1) * lanes;
    // All blocks but the last are whole; the last has what is left, and may end within a vector.
    const pairs = Math.floor(vectors / 2);
    if (vectors % 2 === 1) {
      if (pairs > 0) columns(pairs, 2, lanes);
      columns(1, 1, last);
    } else {
      if (last === lanes) columns(pairs, 2, lanes);
      else {
        if (pairs > 1) columns(pairs - 1, 2, lanes);
        columns(1, 2, last);
      }
    }
  }

  private block(a: number, b: number, out: number, rows: number, vectors: number, last: number, bStep: number): void {
    const { c, s, size, lanes, kind } = this;
    const [pa, pb] = [c.local(i32), c.local(i32)];
    const acc = Array.from({ length: rows * vectors }, () => c.local(v128));
    const column = Array.from({ length: vectors }, () => c.local(v128));
    const x = c.local(v128);
    // Pointers move before each step, as in the kernel of packed blocks, and so start a step behind.
    const aStep = s.aColumn * size;
    c.get(a).int(aStep).op("i32.sub").set(pa);
    c.get(b).int(bStep).op("i32.sub").set(pb);
    for (const t of acc) c.constant(new Uint8Array(16)).set(t);
    this.repeat(s.k, () => {
      this.advance(pa, aStep);
      this.advance(pb, bStep);
      for (let v = 0; v < vectors; v++)
        c.get(pb)
          .mem("v128.load", 16 * v)
          .set(column[v]!);
      for (let r = 0; r < rows; r++) {
        c.get(pa)
          .mem(kind === "f32" ? "v128.load32_splat" : "v128.load64_splat", r * s.aRow * size)
          .set(x);
        for (let v = 0; v < vectors; v++) this.accumulate(acc[r * vectors + v]!, x, () => c.get(column[v]!));
      }
    });
    for (let r = 0; r < rows; r++)
      for (let v = 0; v < vectors; v++) {
        const at = r * s.n * size + 16 * v;
        const t = acc[r * vectors + v]!;
        const whole = v < vectors - 1 || last === lanes;
        if (whole) c.get(out).get(t).mem("v128.store", at);
        else if (kind === "f64") c.get(out).get(t).storeLane(64, 0, at);
        else {
          if (last >= 2) c.get(out).get(t).storeLane(64, 0, at);
          if (last % 2 === 1)
            c.get(out)
              .get(t)
              .storeLane(32, last - 1, at + (last - 1) * 4);
        }
      }
  }

  /** One row times columns that lie in order: four dot products at a time, vectors along them. */
  dots(): void {
    const { c, s, size, lanes, kind } = this;
    const { n, k, bColumn } = s;
    const [pb, cell, p, q] = [c.local(i32), c.local(i32), c.local(i32), c.local(i32)];
    const whole = Math.floor(k / lanes);
    const plain = kind === "f32" ? f32 : f64;
    c.get(this.b).set(pb).get(2).set(cell);
    const some = (count: number): void => {
      const acc = Array.from({ length: count }, () => c.local(v128));
      const x = c.local(v128);
      const sum = Array.from({ length: count }, () => c.local(plain));
      for (const t of acc) c.constant(new Uint8Array(16)).set(t);
      c.get(this.a).set(p).get(pb).set(q);
      if (whole > 0)
        this.repeat(whole, () => {
          c.get(p).mem("v128.load").set(x);
          for (let i = 0; i < count; i++) this.accumulate(acc[i]!, x, () => c.get(q).mem("v128.load", i * bColumn * size));
          this.advance(p, 16);
          this.advance(q, 16);
        });
      for (let i = 0; i < count; i++) {
        for (let l = 0; l < lanes; l++) {
          c.get(acc[i]!).lane(kind === "f32" ? "f32x4.extract_lane" : "f64x2.extract_lane", l);
          if (l % 2 === 1) c.op(`${kind}.add`);
        }
        if (lanes === 4) c.op("f32.add");
        c.set(sum[i]!);
      }
      for (let e = 0; e < k - whole * lanes; e++)
        for (let i = 0; i < count; i++)
          c.get(p)
            .mem(`${kind}.load`, e * size)
            .get(q)
            .mem(`${kind}.load`, (i * bColumn + e) * size)
            .op(`${kind}.mul`)
            .get(sum[i]!)
            .op(`${kind}.add`)
            .set(sum[i]!);
      for (let i = 0; i < count; i++)
        c.get(cell)
          .get(sum[i]!)
          .mem(`${kind}.store`, i * size);
      this.advance(pb, count * bColumn * size);
      this.advance(cell, count * size);
    };
    if (n >= 4) this.repeat(Math.floor(n / 4), () => some(4));
    if (n % 4 > 0) some(n % 4);
  }
}
