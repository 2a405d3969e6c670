import type { Node } from "../../ir/node.ts";
import { constant, elementwise, type Kind, named, type Push, type Target } from "./elementwise.ts";
import { type Code, i32, type ModuleBuilder, type ValueType, v128 } from "./encoder.ts";
import { cells } from "./kernel.ts";
import { type Access, LoopShape, type Reduced } from "./loop-shape.ts";
import type { MathLibrary, MathName } from "./math.ts";
import { kindOf, type Loop, type Total } from "./plan.ts";
import { addressOf } from "./product.ts";

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

const identities: Readonly<Record<Total["op"], number>> = { sum: 0, prod: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

function identityOf(op: Total["op"], kind: Kind): number {
  const x = identities[op];
  return kind === "i32" && !Number.isFinite(x) ? (x > 0 ? 2147483647 : -2147483648) : x;
}

/** A reduction and where it is summed: accumulators of its run, for vectors and for what is left of a row, and where its result goes. */
interface Reduction extends Reduced {
  wide: number[];
  plain: number;
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

/** Fills a place with so many numbers that totals start from. */
function fill(code: Code, around: Surroundings, { op, kind }: Total, count: number, address: () => void): void {
  const [at, i] = [code.local(i32), code.local(i32)];
  address();
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

/** More addresses than this are no parameters: hosts know no function of more than a thousand. */
const mostAddresses = 100;

/** The loops of a module: those that differ in nothing but where their elements lie are one function, of addresses. */
export class LoopLibrary {
  readonly #module: ModuleBuilder;
  readonly #around: Surroundings;
  /** Adds a function of a turn's number and the thread's. */
  readonly #turn: (write: (code: Code) => void) => number;
  readonly #made = new Map<string, number>();

  constructor(module: ModuleBuilder, around: Surroundings, turn: (write: (code: Code) => void) => number) {
    this.#module = module;
    this.#around = around;
    this.#turn = turn;
  }

  /** Adds a loop, unless there is one like it. */
  call(loop: Loop, turned = false): LoopCall {
    const shape = new LoopShape(loop);
    const { accesses } = shape;
    const around = this.#around;
    if (accesses.length > mostAddresses) {
      const write = (code: Code): void => {
        for (const a of accesses) {
          a.pointer = code.local(i32);
          pushAddress(code, around, a, turned ? 0 : null);
          code.set(a.pointer);
        }
        new LoopWriter(code, around, shape).write();
      };
      const index = turned ? this.#turn(write) : this.#module.add(null, [], [], write);
      return (code, turn) => {
        if (turn !== null) code.get(turn).get(1);
        code.call(index);
      };
    }
    const key = shape.key();
    let index = key === null ? undefined : this.#made.get(key);
    if (index === undefined) {
      const params = accesses.map(() => i32 as typeof i32);
      index = this.#module.add(null, params, [], (code) => new LoopWriter(code, around, shape).write());
      if (key !== null) this.#made.set(key, index);
    }
    return (code, turn) => {
      for (const a of accesses) pushAddress(code, around, a, turn);
      code.call(index);
    };
  }

  /** Writes what totals that go on over turns start from. */
  clear(code: Code, { totals }: Loop): void {
    for (const total of totals)
      if (total.onto === true) {
        const { buffer } = total.out;
        fill(code, this.#around, total, buffer.length, () => addressOf(code, this.#around.base, buffer));
      }
  }
}

/** Writes the code of one loop. */
class LoopWriter {
  private readonly code: Code;
  private readonly around: Surroundings;
  private readonly shape: LoopShape;
  private readonly totals: readonly Reduction[];

  constructor(code: Code, around: Surroundings, shape: LoopShape) {
    this.code = code;
    this.around = around;
    this.shape = shape;
    this.totals = shape.totals.map((t) => ({ ...t, wide: [], plain: -1, start: -1 }));
  }

  write(): void {
    const { code, around, shape } = this;
    const { dims, empty } = shape;
    for (const { total, from, reduced, access } of this.totals)
      if (total.onto !== true && (from < 0 || empty))
        fill(code, around, total, dims.reduce((n, size, i) => (reduced[i] ? n : n * size), 1), () => code.get(access.pointer)); // biome-ignore format: one call
    if (!empty) this.#level(0);
  }

  #target(wide: boolean): Target {
    const { code, around } = this;
    const { size } = this.shape;
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
    else if (this.shape.size === 4)
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
    else if (this.shape.size === 4) {
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

  /** Locals of bodies, by type: each body begins with all of them again. */
  readonly #locals = new Map<ValueType, { readonly all: number[]; used: number }>();

  #local(type: ValueType): number {
    let known = this.#locals.get(type);
    if (known === undefined) this.#locals.set(type, (known = { all: [], used: 0 }));
    return (known.all[known.used++] ??= this.code.local(type));
  }

  /** By member the local with its result, and by number of the access the one with what is read there. */
  readonly #computed: number[] = [];
  #loaded: number[] = [];

  /** Writes all members once; `held` are locals with what does not move, by number of the access. */
  #body(wide: boolean, held: readonly number[], load: (access: Access) => void, store: (access: Access, local: number) => void): void {
    const { code, shape } = this;
    for (const known of this.#locals.values()) known.used = 0;
    this.#loaded = [...held];
    const target = this.#target(wide);
    for (const [i, { node, args }] of shape.loop.members.entries()) {
      // An operand that is used twice by its row must be there before: rows push their operands as often as they need.
      const pushes = args.map((s, j): Push => {
        const local = "member" in s ? this.#computed[s.member]! : this.#fetched(shape.args[i]![j]!, wide, load);
        return () => code.get(local);
      });
      const kind = kindOf(node.operands[node.op.name === "where" ? 1 : 0]!.type.dtype)!;
      elementwise[node.op.name]!.emit(target, kind, pushes, node);
      const local = this.#local(wide ? v128 : cells[node.type.dtype].type);
      code.set(local);
      this.#computed[i] = local;
      const out = shape.outs[i]!;
      if (out !== null) store(out, local);
    }
  }

  /** The local with what an access reads, loaded before its first use. */
  #fetched(access: Access, wide: boolean, load: (access: Access) => void): number {
    const { kind, number } = access;
    const known = this.#loaded[number];
    if (known !== undefined) return known;
    const local = this.#local(wide ? v128 : cells[kind].type);
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
    if (depth === this.shape.dims.length - 1) this.#innermost();
    else {
      const own = this.shape.accesses;
      const saved = own.map((a) => {
        const local = code.local(i32);
        code.get(a.pointer).set(local);
        return local;
      });
      const i = code.local(i32);
      code.count(
        i,
        () => code.int(0),
        () => code.int(this.shape.dims[depth]!),
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

  #begin(t: Reduction): void {
    const { code } = this;
    const { op, kind } = t.total;
    if (t.plain < 0) {
      t.plain = code.local(cells[kind].type);
      if (this.shape.vectors) t.wide = Array.from({ length: this.shape.times }, () => code.local(v128));
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
    if (this.shape.vectors) this.#gather(t);
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
    const { code, shape } = this;
    const { vectors, times: several, exact, reads } = shape;
    const inner = shape.dims.length - 1;
    const count = shape.dims[inner]!;
    const lanes = 16 / shape.size;
    const own = shape.accesses;
    // What does not move along the axis is loaded before it.
    const still = own.filter((a, i) => i < reads && a.strides[inner] === 0);
    const held: { readonly plain: number[]; readonly wide: number[] } = { plain: [], wide: [] };
    for (const a of still) {
      const plain = code.local(cells[a.kind].type);
      code.get(a.pointer);
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
          code.get(a.pointer);
          this.#take(a.kind, wide, ahead(a, n));
        };
        this.#body(wide, wide ? held.wide : held.plain, load, (a, local) => {
          code.get(a.pointer).get(local);
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
            code.get(t.access.pointer);
            if (t.onto) {
              code.get(t.access.pointer);
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
            code.get(a.pointer).int(step).op("i32.add").set(a.pointer);
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
