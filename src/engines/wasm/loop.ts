import type { DType } from "../../ir/dtype.ts";
import { sameShape } from "../../ir/shape.ts";
import { attributesKey } from "../../passes/attributes-key.ts";
import { constant, elementwise, named, type Push, type Target } from "./elementwise.ts";
import { type Code, i32, type ModuleBuilder, v128 } from "./encoder.ts";
import { cells, type Kind, kindOf } from "./kernel.ts";
import { isMath, type MathLibrary, type MathName } from "./math.ts";
import type { Loop, Source, Total } from "./plan.ts";
import { addressOf } from "./product.ts";
import { isWhole, type View } from "./view.ts";

/** What loops need of the module they are written into. */
export interface Surroundings {
  readonly library: MathLibrary;
  /** The global that holds the program's base address. */
  readonly base: number;
  /** Pushes an address in the memory that a thread has for a turn. */
  own(code: Code, offset: number): void;
}

const identities: Readonly<Record<Total["op"], number>> = { sum: 0, prod: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

function identityOf(op: Total["op"], kind: Kind): number {
  const x = identities[op];
  return kind === "i32" ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, x)) : x;
}

/** How one place in memory is walked: strides per collapsed axis, in elements. */
interface Access {
  readonly view: View;
  readonly kind: Kind;
  /** Its number, and that of the parameter with the address of its current element. */
  readonly number: number;
  strides: readonly number[];
}

/** A reduction: how its result is walked, and where it is summed. */
interface Reduction {
  readonly total: Total;
  readonly access: Access;
  /** Where its operand is read, null where that is a member. */
  readonly source: Access | null;
  /** Collapsed axes that are summed over. */
  reduced: readonly boolean[];
  /** The first axis of the run of summed axes at the end; -1 where summed axes come before kept ones, and the sum is kept in memory. */
  from: number;
  /** What is in memory counts, too. */
  onto: boolean;
  /** Accumulators of the run, for vectors and for what is left of a row. */
  wide: number[];
  plain: number;
  /** Where its result goes. */
  start: number;
}

/** Where ops on single elements are written. */
export function singleTarget(code: Code, around: Surroundings): Target {
  return {
    code,
    wide: false,
    size: 8,
    math: (name, kind) => {
      const lanes = kind === "f32" ? "f32x4" : "f64x2";
      code.op(`${lanes}.splat`).call(around.library.index(name, lanes)).lane(`${lanes}.extract_lane`, 0);
    },
  };
}

/** Pushes the address of what an access walks; `turn` is the local with the number of the turn, where rows are computed in turns. */
function pushAddress(code: Code, around: Surroundings, { view, kind }: Access, turn: number | null): void {
  const { buffer, offset, wrap, stretch } = view;
  const { bytes } = cells[kind];
  if (buffer.place === "turn") {
    around.own(code, buffer.offset);
    if (offset !== 0) code.int(offset * bytes).op("i32.add");
  } else addressOf(code, around.base, buffer, offset * bytes);
  if (turn === null) return;
  const moved = (by: number, every: number | undefined, op: "i32.rem_u" | "i32.div_u"): void => {
    code.get(turn);
    if (every) code.int(every).op(op);
    code
      .int(by * bytes)
      .op("i32.mul")
      .op("i32.add");
  };
  if (view.turn) moved(view.turn, wrap, "i32.rem_u");
  if (stretch) moved(stretch[1], stretch[0], "i32.div_u");
}

/** Fills the place whose address is on the stack with so many numbers that totals start from. */
function fill(code: Code, around: Surroundings, { op, kind }: Total, count: number): void {
  const [at, i] = [code.local(i32), code.local(i32)];
  code.set(at);
  code.count(
    i,
    () => code.int(0),
    () => code.int(count),
    1,
    () => {
      code.get(at);
      constant(singleTarget(code, around), kind, identityOf(op, kind));
      code.mem(cells[kind].store).move(at, cells[kind].bytes);
    },
  );
}

/** Calls a loop; `turn` is the local with the number of the turn, where rows are computed in turns. */
export type LoopCall = (code: Code, turn: number | null) => void;

/** The loops of a module: those that differ in nothing but where their elements lie are one function, of addresses. */
export function loopsOf(module: ModuleBuilder, around: Surroundings): (loop: Loop) => LoopCall {
  const made = new Map<string, number>();
  return (loop) => {
    const writer = new LoopWriter(loop, around);
    const { accesses } = writer;
    const key = writer.key();
    const index = made.get(key) ?? module.add(null, accesses.map(() => i32), [], (code) => writer.write(code)); // biome-ignore format: one call
    made.set(key, index);
    return (code, turn) => {
      for (const a of accesses) pushAddress(code, around, a, turn);
      code.call(index);
    };
  };
}

/** Writes what totals that go on over turns start from. */
export function clear(code: Code, around: Surroundings, { totals }: Loop): void {
  for (const total of totals) {
    const { buffer } = total.out;
    if (total.onto === true) fill(addressOf(code, around.base, buffer), around, total, buffer.length);
  }
}

/** A loop apart from where its elements lie: loops with one key are one function, which takes addresses. */
class LoopWriter {
  private code!: Code;
  private readonly around: Surroundings;

  private readonly loop: Loop;
  /** All places in memory, in the order of their addresses; what is read several times is one of them. */
  readonly accesses: Access[] = [];
  /** Of these, how many are read. */
  readonly #reads: number;
  /** Where each member reads its operands in memory, null for those that are members, and where it is written, null where it is not. */
  readonly #args: (readonly (Access | null)[])[] = [];
  readonly #outs: (Access | null)[] = [];
  private readonly totals: readonly Reduction[];
  /** Sizes of the axes that are left where those are one that all places walk as one. */
  #dims: readonly number[] = [];
  /** Bytes of a lane. */
  readonly #size: 4 | 8;
  readonly #vectors: boolean;
  /** Bodies that are written one after the other: short ones several, so that counting and moving pointers weigh less and sums do not wait for each other. */
  readonly #times: number;
  /** Rows end with single elements; otherwise their last vector may run over into the next row, which comes later, or behind the buffer. */
  readonly #exact: boolean;

  constructor(loop: Loop, around: Surroundings) {
    this.around = around;
    const { members, totals } = loop;
    this.loop = loop;
    for (const m of members) this.#args.push(m.args.map(this.#read));
    const sources = totals.map((t) => this.#read(t.source));
    this.#reads = this.accesses.length;
    let exact = totals.length > 0;
    for (const { out } of members) {
      this.#outs.push(out === null ? null : this.#access(out));
      // A vector at the end of a row may not run over into what others have written.
      if (out !== null && (out.buffer.tight || !isWhole(out))) exact = true;
    }
    this.#exact = exact;
    this.totals = totals.map((total, i): Reduction => {
      const access = this.#access(total.out);
      const reduced = access.strides.map((s) => s === 0);
      return { total, access, source: sources[i]!, reduced, from: 0, onto: total.onto === true, wide: [], plain: -1, start: -1 };
    });
    this.#collapse();
    for (const t of this.totals) {
      const first = t.reduced.indexOf(true);
      const start = first < 0 ? this.#dims.length : first;
      t.from = t.reduced.slice(start).every((r) => r) ? start : -1;
      if (t.from < 0) t.onto = true;
    }
    // What members read of each other has the type of one of them.
    const kinds = [...this.accesses.map((a) => a.kind), ...members.map((m) => kindOf(m.node.type.dtype)!)];
    const eight = kinds.includes("f64");
    const four = kinds.includes("f32") || kinds.includes("i32");
    this.#size = eight ? 8 : 4;
    const inner = this.#dims.length - 1;
    this.#vectors =
      inner >= 0 &&
      this.#dims[inner]! > 1 &&
      !(eight && four) &&
      this.accesses.every((a) => a.strides[inner] === 1 || (a.strides[inner] === 0 && !this.#outs.includes(a)));
    const short = members.length + totals.length <= 6 && !members.some((m) => isMath(m.node.op.name));
    this.#times = this.#vectors && this.#dims[inner]! / (16 / this.#size) >= 16 && short ? 4 : 1;
  }

  #access(view: View): Access {
    const made: Access = { view, kind: kindOf(view.buffer.dtype)!, number: this.accesses.length, strides: view.strides };
    this.accesses.push(made);
    return made;
  }

  /** What members and totals read: the same place is one access. */
  readonly #read = (s: Source): Access | null => {
    if ("member" in s) return null;
    const { view } = s;
    const { buffer, strides, offset, wrap } = view;
    const known = this.accesses.find(
      ({ view: v }) => v.buffer === buffer && v.offset === offset && v.wrap === wrap && sameShape(v.strides, strides),
    );
    return known ?? this.#access(view);
  };

  #collapse(): void {
    const { shape } = this.loop;
    const all = this.accesses;
    const long = shape.flatMap((s, i) => (s === 1 ? [] : [i]));
    // A single element has one axis, too.
    const axes = long.length === 0 && shape.length > 0 ? [0] : long;
    const dims: number[] = [];
    const kept: number[] = [];
    for (const axis of axes) {
      const last = kept.length - 1;
      const before = kept[last];
      // The reduced and kept axes of a total must not merge: its stride is 0 along the one and not along the other, unless its size is 1.
      if (
        before !== undefined &&
        all.every((a) => a.strides[before] === a.strides[axis]! * shape[axis]!) &&
        this.totals.every((t) => t.reduced[before] === t.reduced[axis])
      ) {
        dims[last]! *= shape[axis]!;
        kept[last] = axis;
      } else {
        dims.push(shape[axis]!);
        kept.push(axis);
      }
    }
    this.#dims = dims;
    for (const a of all) a.strides = kept.map((axis) => a.strides[axis]!);
    for (const t of this.totals) t.reduced = kept.map((axis) => t.reduced[axis]!);
  }

  /**
   * All that its code depends on as a text. What is left out are places in memory: that two of them are one, or overlap, is nothing to the code, but for
   * reads that are made once, and vectors that may not run over, which are in it.
   */
  key(): string {
    const { accesses, loop, totals } = this;
    return JSON.stringify([
      this.#dims,
      this.#exact,
      accesses.map((a) => [a.kind, a.strides]),
      loop.members.map(({ node: { op, attrs, type, serial }, args }, i) => [
        op.name,
        attributesKey(attrs) ?? serial,
        type.dtype,
        args.map((s, j) => this.#args[i]![j]?.number ?? s),
        this.#outs[i]?.number,
      ]),
      totals.map(({ total: { op, kind, source, onto }, source: from, reduced }) => [op, kind, from?.number ?? source, reduced, onto]),
    ]);
  }

  write(code: Code): void {
    this.code = code;
    const { around } = this;
    const dims = this.#dims;
    // What an addition gives needs no instruction to be an address, as a parameter does in each turn.
    for (const { number } of this.accesses)
      code.get(number).getGlobal(around.base).op("i32.sub").getGlobal(around.base).op("i32.add").set(number); // biome-ignore format: one sum
    const empty = dims.includes(0);
    for (const { total, from, reduced, access } of this.totals)
      if (total.onto !== true && (from < 0 || empty))
        fill(code.get(access.number), around, total, dims.reduce((n, size, i) => (reduced[i] ? n : n * size), 1)); // biome-ignore format: one call
    if (!empty) this.#level(0);
  }

  #target(wide: boolean): Target {
    const { code, around } = this;
    return {
      ...singleTarget(code, around),
      size: this.#size,
      ...(wide && {
        wide,
        math: (name: MathName, kind: "f32" | "f64") => around.library.write(code, name, kind === "f32" ? "f32x4" : "f64x2"),
      }),
    };
  }

  /** Loads an element or a vector; the address is on the stack. */
  #take(kind: Kind, wide: boolean, offset: number): void {
    const { code } = this;
    if (!wide) code.mem(kind === "bool" ? "i32.load8_u" : `${kind}.load`, offset);
    else if (kind !== "bool") code.mem("v128.load", offset);
    else if (this.#size === 4)
      code.mem("v128.load32_zero", offset).op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").op("i32x4.neg");
    else {
      code
        .mem("i32.load16_u", offset)
        .op("i32x4.splat")
        .constant(new Uint8Array(16))
        .shuffle([0, 16, 17, 18, 19, 20, 21, 22, 1, 16, 17, 18, 19, 20, 21, 22]);
      code.bytes.byte(0xfd).unsigned(0xc1); // i64x2.neg
    }
  }

  /** Stores what is on the stack, above its address. */
  #put(kind: Kind, wide: boolean, offset: number): void {
    const { code } = this;
    if (!wide) code.mem(kind === "bool" ? "i32.store8" : `${kind}.store`, offset);
    else if (kind !== "bool") code.mem("v128.store", offset);
    else if (this.#size === 4) {
      const mask = code.local(v128);
      code
        .int(1)
        .op("i32x4.splat")
        .op("v128.and")
        .tee(mask)
        .get(mask)
        .op("i16x8.narrow_i32x4_u")
        .tee(mask)
        .get(mask)
        .op("i8x16.narrow_i16x8_u")
        .storeLane(32, 0, offset);
    } else
      code
        .int(0x01010101)
        .op("i32x4.splat")
        .op("v128.and")
        .constant(new Uint8Array(16))
        .shuffle([0, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16])
        .storeLane(16, 0, offset);
  }

  #splat(kind: Kind): void {
    const { code } = this;
    if (kind === "bool") code.op("i32x4.splat").op("i32x4.neg");
    else code.op(named(this.#target(true), kind, "splat"));
  }

  /** Locals of bodies over single elements and over vectors: each body takes them again, in the same order. */
  readonly #locals: readonly [number[], number[]] = [[], []];
  #next = 0;

  #local(wide: boolean, dtype: DType): number {
    return (this.#locals[wide ? 1 : 0][this.#next++] ??= this.code.local(wide ? v128 : cells[dtype].type));
  }

  /** By member the local with its result, and by number of the access the one with what is read there. */
  readonly #computed: number[] = [];
  #loaded: number[] = [];

  /** Writes all members once; `held` are locals with what does not move, by number of the access. */
  #body(wide: boolean, held: readonly number[], load: (access: Access) => void, store: (access: Access, local: number) => void): void {
    const { code } = this;
    this.#next = 0;
    this.#loaded = [...held];
    const target = this.#target(wide);
    for (const [i, { node, args }] of this.loop.members.entries()) {
      // An operand that is used twice by its row must be there before: rows push their operands as often as they need.
      const pushes = args.map((s, j): Push => {
        const local = "member" in s ? this.#computed[s.member]! : this.#fetched(this.#args[i]![j]!, wide, load);
        return () => code.get(local);
      });
      const kind = kindOf(node.operands[node.op.name === "where" ? 1 : 0]!.type.dtype)!;
      elementwise[node.op.name]!.emit(target, kind, pushes, node);
      const local = this.#local(wide, node.type.dtype);
      code.set(local);
      this.#computed[i] = local;
      const out = this.#outs[i]!;
      if (out !== null) store(out, local);
    }
  }

  /** The local with what an access reads, loaded before its first use. */
  #fetched(access: Access, wide: boolean, load: (access: Access) => void): number {
    const { kind, number } = access;
    const known = this.#loaded[number];
    if (known !== undefined) return known;
    const local = this.#local(wide, kind);
    load(access);
    this.code.set(local);
    this.#loaded[number] = local;
    return local;
  }

  #combine(op: Total["op"], kind: Kind, wide: boolean): void {
    const { code } = this;
    const target = this.#target(wide);
    if (op === "sum") code.op(named(target, kind, "add"));
    else if (op === "prod") code.op(named(target, kind, "mul"));
    else if (kind !== "i32") code.op(named(target, kind, op));
    else {
      const pushes = [0, 1].map((): Push => {
        const local = code.local(wide ? v128 : i32);
        code.set(local);
        return () => code.get(local);
      });
      elementwise[`${op}imum`]!.emit(target, kind, pushes, null as never);
    }
  }

  /** Walks one axis: pointers of outer axes are kept, those of inner ones start from them. */
  #level(depth: number): void {
    const { code } = this;
    const starting = this.totals.filter((t) => t.from === depth);
    for (const t of starting) this.#begin(t);
    if (depth === this.#dims.length - 1) this.#innermost();
    else {
      const own = this.accesses;
      const saved = own.map((a) => {
        const local = code.local(i32);
        code.get(a.number).set(local);
        return local;
      });
      const i = code.local(i32);
      code.count(
        i,
        () => code.int(0),
        () => code.int(this.#dims[depth]!),
        1,
        () => {
          this.#level(depth + 1);
          own.forEach((a, k) => {
            const step = a.strides[depth]! * cells[a.kind].bytes;
            code.get(saved[k]!);
            if (step !== 0) code.int(step).op("i32.add").tee(saved[k]!);
            code.set(a.number);
          });
        },
      );
    }
    for (const t of starting) this.#end(t);
  }

  #begin(t: Reduction): void {
    const { code } = this;
    const { op, kind } = t.total;
    if (t.plain < 0) {
      t.plain = code.local(cells[kind].type);
      if (this.#vectors) t.wide = Array.from({ length: this.#times }, () => code.local(v128));
      t.start = code.local(i32);
    }
    code.get(t.access.number).set(t.start);
    constant(this.#target(false), kind, identityOf(op, kind));
    code.set(t.plain);
    for (const wide of t.wide) {
      constant(this.#target(true), kind, identityOf(op, kind));
      code.set(wide);
    }
  }

  #end(t: Reduction): void {
    const { code } = this;
    const { kind, op } = t.total;
    if (this.#vectors) this.#gather(t);
    code.get(t.start);
    if (t.onto) {
      code.get(t.start);
      this.#take(kind, false, 0);
    }
    code.get(t.plain);
    if (t.onto) this.#combine(op, kind, false);
    this.#put(kind, false, 0);
  }

  /** Adds the lanes of the vector accumulator to the plain one. */
  #gather(t: Reduction): void {
    const { code } = this;
    const { op, kind } = t.total;
    const count = kind === "f64" ? 2 : 4;
    for (const more of t.wide.slice(1)) {
      code.get(t.wide[0]!).get(more);
      this.#combine(op, kind, true);
      code.set(t.wide[0]!);
    }
    for (let lane = 0; lane < count; lane++) {
      code.get(t.plain).get(t.wide[0]!);
      code.lane(kind === "f64" ? "f64x2.extract_lane" : kind === "f32" ? "f32x4.extract_lane" : "i32x4.extract_lane", lane);
      this.#combine(op, kind, false);
      code.set(t.plain);
    }
  }

  #innermost(): void {
    const { code, accesses: own } = this;
    const [dims, vectors, several, exact] = [this.#dims, this.#vectors, this.#times, this.#exact];
    const inner = dims.length - 1;
    const count = dims[inner]!;
    const lanes = 16 / this.#size;
    // What does not move along the axis is loaded before it.
    const still = own.filter((a, i) => i < this.#reads && a.strides[inner] === 0);
    const held: { readonly plain: number[]; readonly wide: number[] } = { plain: [], wide: [] };
    for (const a of still) {
      const plain = code.local(cells[a.kind].type);
      code.get(a.number);
      this.#take(a.kind, false, 0);
      code.set(plain);
      held.plain[a.number] = plain;
      if (!vectors) continue;
      const wide = code.local(v128);
      code.get(plain);
      this.#splat(a.kind);
      code.set(wide);
      held.wide[a.number] = wide;
    }
    // Sums whose run of summed axes does not end the loop, but whose innermost axis is summed: the run of this axis is summed in registers.
    const runs = this.totals.filter((t) => t.from < 0 && t.reduced[inner] === true);
    for (const t of runs) this.#begin(t);
    const whole = vectors ? (exact ? count - (count % lanes) : Math.ceil(count / lanes) * lanes) : 0;
    const moving = own.filter((a) => a.strides[inner] !== 0);
    const i = code.local(i32);
    const walk = (wide: boolean, from: number, to: number, times: number): void => {
      if (to <= from) return;
      const width = wide ? lanes : 1;
      /** How far an access is behind its pointer in the n-th body of a turn. */
      const ahead = (a: Access, n: number): number => n * width * a.strides[inner]! * cells[a.kind].bytes;
      const once = (n: number): void => {
        const load = (a: Access): void => {
          code.get(a.number);
          this.#take(a.kind, wide, ahead(a, n));
        };
        this.#body(wide, wide ? held.wide : held.plain, load, (a, local) => {
          code.get(a.number).get(local);
          this.#put(a.kind, wide, ahead(a, n));
        });
        for (const t of this.totals) {
          const { op, kind, source } = t.total;
          const value = "member" in source ? this.#computed[source.member]! : this.#fetched(t.source!, wide, load);
          if (t.reduced[inner] === true) {
            const acc = wide ? t.wide[n]! : t.plain;
            code.get(acc).get(value);
            this.#combine(op, kind, wide);
            code.set(acc);
          } else {
            // Where nothing is summed, every element is its own total.
            code.get(t.access.number);
            if (t.onto) {
              code.get(t.access.number);
              this.#take(kind, wide, ahead(t.access, n));
            }
            code.get(value);
            if (t.onto) this.#combine(op, kind, wide);
            this.#put(kind, wide, ahead(t.access, n));
          }
        }
      };
      code.count(
        i,
        () => code.int(from),
        () => code.int(to),
        width * times,
        () => {
          for (let n = 0; n < times; n++) once(n);
          for (const a of moving) {
            const step = a.strides[inner]! * cells[a.kind].bytes * width * times;
            code.get(a.number).int(step).op("i32.add").set(a.number);
          }
        },
      );
    };
    const turns = whole - (whole % (lanes * several));
    if (several > 1) walk(true, 0, turns, several);
    walk(true, several > 1 ? turns : 0, whole, 1);
    walk(false, whole, vectors && !exact ? 0 : count, 1);
    for (const t of runs) this.#end(t);
  }
}
