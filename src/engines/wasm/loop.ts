import type { Node } from "../../ir/node.ts";
import { type Shape, sizeOf } from "../../ir/shape.ts";
import { constant, elementwise, type Kind, named, type Push, type Target } from "./elementwise.ts";
import { type Code, i32, v128 } from "./encoder.ts";
import { cells } from "./kernel.ts";
import { isMath, type MathLibrary, type MathName } from "./math.ts";
import { kindOf, type Loop, type Source, type Total } from "./plan.ts";
import { addressOf } from "./product.ts";
import { type Buffer, isWhole, type View } from "./view.ts";

/** What loops need of the module they are written into. */
export interface Surroundings {
  readonly library: MathLibrary;
  /** The global that holds the program's base address. */
  readonly base: number;
  /** The imported function on plain numbers for an op. */
  host(node: Node): number;
  /** Pushes an address in the memory that a thread has for a turn. */
  own(code: Code, offset: number): void;
}

/** How one place in memory is walked: strides per collapsed axis, in elements. */
interface Access {
  readonly view: View;
  readonly kind: Kind;
  strides: readonly number[];
  /** The address of the current element. */
  pointer: number;
}

const accessOf = (view: View): Access => ({ view, kind: kindOf(view.buffer.dtype)!, strides: view.strides, pointer: -1 });

const identities: Readonly<Record<Total["op"], number>> = { sum: 0, prod: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

function identityOf(op: Total["op"], kind: Kind): number {
  const x = identities[op];
  return kind === "i32" && !Number.isFinite(x) ? (x > 0 ? 2147483647 : -2147483648) : x;
}

interface Reduction {
  readonly total: Total;
  readonly access: Access;
  /** Collapsed axes that are summed over. */
  reduced: boolean[];
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
    host: (node, args) => {
      const narrow = node.operands[0]!.type.dtype === "f32";
      for (const push of args) {
        push();
        if (narrow) code.op("f64.promote_f32");
      }
      code.call(around.host(node));
      if (narrow) code.op("f32.demote_f64");
    },
  };
}

/** Writes the code of one loop. */
export class LoopWriter {
  private readonly code: Code;
  private readonly around: Surroundings;
  private readonly loop: Loop;
  readonly #reads = new Map<Source, Access>();
  readonly #writes = new Map<Node, Access>();
  private readonly totals: Reduction[] = [];
  #dims: number[] = [];
  private size: 4 | 8 = 4;
  private vectors = false;
  #times = 1;
  /** Rows end with single elements; otherwise their last vector may run over into the next row, which comes later, or behind the buffer. */
  #exact = false;

  /** The local with the number of the turn, where rows are computed in turns. */
  readonly #turn: number | null;

  constructor(code: Code, around: Surroundings, loop: Loop, turn: number | null = null) {
    this.#turn = turn;
    this.code = code;
    this.around = around;
    this.loop = loop;
  }

  write(): void {
    const { shape } = this.loop;
    this.#survey();
    for (const t of this.totals) if (t.total.onto !== true && (t.from < 0 || sizeOf(shape) === 0)) this.#fill(t);
    if (sizeOf(shape) === 0) return;
    for (const access of this.#accesses()) {
      access.pointer = this.code.local(i32);
      this.#address(access);
      const { offset } = access.view;
      if (offset !== 0) this.code.int(offset * cells[access.kind].bytes).op("i32.add");
      this.code.set(access.pointer);
    }
    this.#level(0);
  }

  #accesses(): Access[] {
    return [...this.#reads.values(), ...this.#writes.values(), ...this.totals.map((t) => t.access)];
  }

  /** Finds all places in memory, collapses axes that all of them walk as one, and chooses between vectors and single elements. */
  #survey(): void {
    const { shape, members, totals } = this.loop;
    const known = new Map<string, Access>();
    const read = (s: Source): void => {
      if ("member" in s) return;
      const { buffer, strides, offset, wrap } = s.view;
      const key = `${buffers(buffer)}:${offset}:${strides.join()}:${wrap}`;
      let access = known.get(key);
      if (access === undefined) known.set(key, (access = accessOf(s.view)));
      this.#reads.set(s, access);
    };
    const ids = new Map<Buffer, number>();
    const buffers = (b: Buffer): number => {
      let id = ids.get(b);
      if (id === undefined) ids.set(b, (id = ids.size));
      return id;
    };
    for (const m of members) {
      m.args.forEach(read);
      if (m.out !== null) {
        this.#writes.set(m.node, accessOf(m.out));
        // A vector at the end of a row may not run over into what others have written.
        if (m.out.buffer.tight || !isWhole(m.out)) this.#exact = true;
      }
    }
    for (const total of totals) {
      read(total.source);
      const access = accessOf(total.out);
      this.totals.push({
        total,
        access,
        reduced: access.strides.map((s) => s === 0),
        from: 0,
        onto: total.onto === true,
        wide: [],
        plain: -1,
        start: -1,
      });
    }
    this.#collapse(shape);
    for (const t of this.totals) {
      const first = t.reduced.indexOf(true);
      const start = first < 0 ? this.#dims.length : first;
      t.from = t.reduced.slice(start).every((r) => r) ? start : -1;
      if (t.from < 0) t.onto = true;
    }
    const kinds = [
      ...this.#accesses().map((a) => a.kind),
      ...members.map((m) => kindOf(m.node.type.dtype)!),
      ...members.flatMap((m) => m.node.operands.map((v) => kindOf(v!.type.dtype)!)),
    ];
    const eight = kinds.includes("f64");
    const four = kinds.includes("f32") || kinds.includes("i32");
    this.size = eight ? 8 : 4;
    const inner = this.#dims.length - 1;
    this.vectors =
      inner >= 0 &&
      this.#dims[inner]! > 1 &&
      !(eight && four) &&
      this.#accesses().every((a) => a.strides[inner] === 0 || a.strides[inner] === 1) &&
      [...this.#writes.values()].every((a) => a.strides[inner] === 1);
    this.#times = this.#repetitions();
  }

  /** Short bodies are written several times a turn, so that counting and moving pointers weigh less and sums do not wait for each other. */
  #repetitions(): number {
    const { members, totals } = this.loop;
    const vectors = this.#dims[this.#dims.length - 1]! / (16 / this.size);
    const short = members.length + totals.length <= 6 && !members.some((m) => isMath(m.node.op.name));
    return this.vectors && vectors >= 16 && short ? 4 : 1;
  }

  #collapse(shape: Shape): void {
    const all = [...new Set(this.#reads.values()), ...this.#writes.values(), ...this.totals.map((t) => t.access)];
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

  /** The address of a buffer's first element. */
  #address({ view: { buffer, turn, wrap, stretch }, kind }: Access): void {
    const { code, around } = this;
    if (buffer.place === "turn") around.own(code, buffer.offset);
    else addressOf(code, around.base, buffer);
    if (this.#turn === null) return;
    const moved = (by: number, every: number | undefined, op: "i32.rem_u" | "i32.div_u"): void => {
      code.get(this.#turn!);
      if (every) code.int(every).op(op);
      code
        .int(by * cells[kind].bytes)
        .op("i32.mul")
        .op("i32.add");
    };
    if (turn) moved(turn, wrap, "i32.rem_u");
    if (stretch) moved(stretch[1], stretch[0], "i32.div_u");
  }

  /** What totals that go on over turns start from. */
  clear(): void {
    this.#survey();
    for (const t of this.totals) if (t.total.onto === true) this.#fill(t, t.total.out.buffer.length);
  }

  #fill(t: Reduction, count: number = this.#dims.reduce((n, size, i) => (t.reduced[i] ? n : n * size), 1)): void {
    const { code } = this;
    const { kind, op } = t.total;
    const [at, i] = [code.local(i32), code.local(i32)];
    this.#address(t.access);
    code.set(at);
    code.count(
      i,
      () => code.int(0),
      () => code.int(count),
      1,
      () => {
        code.get(at);
        constant(this.#target(false), kind, identityOf(op, kind));
        this.#put(kind, false, 0);
        code.move(at, cells[kind].bytes);
      },
    );
  }

  #target(wide: boolean): Target {
    const { code, around, size } = this;
    return {
      ...singleTarget(code, around),
      size,
      ...(wide && {
        wide,
        math: (name: MathName, kind: "f32" | "f64") => around.library.write(code, name, kind === "f32" ? "f32x4" : "f64x2"),
        host: (node: Node, args: readonly Push[]) => this.#hosted(node, args),
      }),
    };
  }

  /** Calls an op's own function on plain numbers, lane by lane. */
  #hosted(node: Node, args: readonly Push[]): void {
    const { code, around } = this;
    const narrow = node.operands[0]!.type.dtype === "f32";
    const held = args.map((push) => {
      const local = code.local(v128);
      push();
      code.set(local);
      return local;
    });
    const result = code.local(v128);
    const lanes = narrow ? "f32x4" : "f64x2";
    for (let lane = 0; lane < (narrow ? 4 : 2); lane++) {
      if (lane > 0) code.get(result);
      const pushes = held.map(
        (x): Push =>
          () =>
            code.get(x).lane(`${lanes}.extract_lane`, lane),
      );
      singleTarget(code, around).host(node, pushes);
      if (lane === 0) code.op(`${lanes}.splat`);
      else code.lane(`${lanes}.replace_lane`, lane);
      code.set(result);
    }
    code.get(result);
  }

  /** Loads an element or a vector; the address is on the stack. */
  #take(kind: Kind, wide: boolean, offset: number): void {
    const { code } = this;
    if (!wide) code.mem(kind === "bool" ? "i32.load8_u" : `${kind}.load`, offset);
    else if (kind !== "bool") code.mem("v128.load", offset);
    else if (this.size === 4)
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
    else if (this.size === 4) {
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

  readonly #computed = new Map<number, number>();

  /** Writes all members once. */
  #body(wide: boolean, load: (access: Access) => void, store: (access: Access, value: () => void) => void): void {
    const { code, loop } = this;
    this.#computed.clear();
    const loaded = new Map<Access, number>();
    const target = this.#target(wide);
    const fetch = (access: Access): void => {
      const local = loaded.get(access);
      if (local !== undefined) {
        code.get(local);
        return;
      }
      load(access);
      const made = code.local(wide ? v128 : cells[access.kind].type);
      code.tee(made);
      loaded.set(access, made);
    };
    loop.members.forEach((m, i) => {
      // An operand that is used twice by its row must be there before: rows push their operands as often as they need.
      const args = m.args.map((s): Push => {
        if ("member" in s) return () => code.get(this.#computed.get(s.member)!);
        const access = this.#reads.get(s)!;
        fetch(access);
        code.op("drop");
        return () => code.get(loaded.get(access)!);
      });
      const kind = kindOf(m.node.operands[m.node.op.name === "where" ? 1 : 0]!.type.dtype)!;
      elementwise[m.node.op.name]!.emit(target, kind, args, m.node);
      const local = code.local(wide ? v128 : cells[m.node.type.dtype].type);
      code.set(local);
      this.#computed.set(i, local);
      const access = this.#writes.get(m.node);
      if (access !== undefined) store(access, () => code.get(local));
    });
  }

  #sourceValue(s: Source, load: (access: Access) => void): void {
    if ("member" in s) this.code.get(this.#computed.get(s.member)!);
    else load(this.#reads.get(s)!);
  }

  #combine(op: Total["op"], kind: Kind, wide: boolean): void {
    const { code } = this;
    const target = this.#target(wide);
    if (op === "sum") code.op(named(target, kind, "add"));
    else if (op === "prod") code.op(named(target, kind, "mul"));
    else if (kind !== "i32") code.op(named(target, kind, op));
    else if (wide) code.op(op === "max" ? "i32x4.max_s" : "i32x4.min_s");
    else {
      const [x, y] = [code.local(i32), code.local(i32)];
      code.set(y).set(x).get(x).get(y).get(x).get(y);
      code.op(op === "max" ? "i32.gt_s" : "i32.lt_s").op("select");
    }
  }

  /** Walks one axis: pointers of outer axes are kept, those of inner ones start from them. */
  #level(depth: number): void {
    const { code } = this;
    const starting = this.totals.filter((t) => t.from === depth);
    for (const t of starting) this.#begin(t);
    if (depth === this.#dims.length - 1) this.#innermost();
    else {
      const own = this.#pointers();
      const saved = own.map((a) => {
        const local = code.local(i32);
        code.get(a.pointer).set(local);
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
            code.set(a.pointer);
          });
        },
      );
    }
    for (const t of starting) this.#end(t);
  }

  #pointers(): Access[] {
    return [...new Set(this.#accesses())];
  }

  #begin(t: Reduction): void {
    const { code } = this;
    const { op, kind } = t.total;
    if (t.plain < 0) {
      t.plain = code.local(cells[kind].type);
      if (this.vectors) t.wide = Array.from({ length: this.#times }, () => code.local(v128));
      t.start = code.local(i32);
    }
    code.get(t.access.pointer).set(t.start);
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
    if (this.vectors) this.#gather(t);
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
    const { code, vectors } = this;
    const inner = this.#dims.length - 1;
    const count = this.#dims[inner]!;
    const lanes = 16 / this.size;
    const own = this.#pointers();
    // What does not move along the axis is loaded before it.
    const still = own.filter((a) => [...this.#reads.values()].includes(a) && a.strides[inner] === 0);
    const held = new Map<Access, { readonly plain: number; readonly wide: number }>();
    for (const a of still) {
      const plain = code.local(cells[a.kind].type);
      code.get(a.pointer);
      this.#take(a.kind, false, 0);
      code.set(plain);
      let wide = -1;
      if (vectors) {
        wide = code.local(v128);
        code.get(plain);
        this.#splat(a.kind);
        code.set(wide);
      }
      held.set(a, { plain, wide });
    }
    // Sums whose run of summed axes does not end the loop, but whose innermost axis is summed: the run of this axis is summed in registers.
    const runs = this.totals.filter((t) => t.from < 0 && t.reduced[inner] === true);
    for (const t of runs) this.#begin(t);
    const exact = this.#exact || this.totals.length > 0;
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
          const fixed = held.get(a);
          if (fixed !== undefined) code.get(wide ? fixed.wide : fixed.plain);
          else {
            code.get(a.pointer);
            this.#take(a.kind, wide, ahead(a, n));
          }
        };
        this.#body(wide, load, (a, value) => {
          code.get(a.pointer);
          value();
          this.#put(a.kind, wide, ahead(a, n));
        });
        for (const t of this.totals) {
          const { op, kind, source } = t.total;
          if (t.reduced[inner] === true) {
            const acc = wide ? t.wide[n]! : t.plain;
            code.get(acc);
            this.#sourceValue(source, load);
            this.#combine(op, kind, wide);
            code.set(acc);
          } else {
            // Where nothing is summed, every element is its own total.
            code.get(t.access.pointer);
            if (t.onto) {
              code.get(t.access.pointer);
              this.#take(kind, wide, ahead(t.access, n));
            }
            this.#sourceValue(source, load);
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
            code.get(a.pointer).int(step).op("i32.add").set(a.pointer);
          }
        },
      );
    };
    const turns = whole - (whole % (lanes * this.#times));
    if (this.#times > 1) walk(true, 0, turns, this.#times);
    walk(true, this.#times > 1 ? turns : 0, whole, 1);
    walk(false, whole, vectors && !exact ? 0 : count, 1);
    for (const t of runs) this.#end(t);
  }
}
