import type { Assembler, CompiledLoops } from "../ir/assembler.ts";
import { type Node, valuesOf } from "../ir/node.ts";
import type { Block, LoopWriter, Real, RealCell, Test, Whole } from "./language.ts";

/** What is computed wherever it stands: it is on the stack once `push` has been called. */
interface Term extends Real, Whole, Test {
  readonly push: () => void;
}
type Given = Real | Whole | Test | number;

/** A block and the local that has its address. */
interface Placed extends Block {
  readonly at: number;
  /** Bytes from there to its first element. */
  readonly beyond: number;
  readonly kind: "f32" | "f64";
}

/** Types of locals, as bytes of WebAssembly's binary format. */
const [i32, f64, v128] = [0x7f, 0x7c, 0x7b];

/** A kernel, and what it needs. */
export interface Written extends Partial<Pick<CompiledLoops, "temps" | "products">> {
  readonly operations: number;
  /** Writes the kernel. */
  readonly kernel: (w: LoopWriter) => void;
}

/** The compiled kernel of a node, written in the language of loops. */
export function written(node: Node, { temps = [], products = 0, operations, kernel }: Written): CompiledLoops {
  return { temps, products, operations, write: (k) => kernel(writerOf(k, node)) };
}

function writerOf(k: Assembler, node: Node): LoopWriter {
  const { code } = k;
  /** Numbers are two side by side: within the vectors of a sweep. */
  let wide = false;
  /** Blocks and loops around what is written. */
  let depth = 0;

  const term = (push: () => void): Term => ({ push }) as Term;
  const got = (local: number): Term => term(() => code.get(local));
  const whole = (x: Given): void => {
    if (typeof x === "number") code.int(x);
    else (x as Term).push();
  };
  const real = (x: Given): void => {
    if (typeof x === "number") {
      code.float64(x);
      if (wide) code.op("f64x2.splat");
    } else (x as Term).push();
  };
  /** An instruction on doubles, or on vectors of them. */
  const of =
    (op: string) =>
    (...xs: readonly Given[]): Term =>
      term(() => {
        xs.forEach(real);
        code.op(`${wide ? "f64x2" : "f64"}.${op}`);
      });
  const ints =
    (op: string) =>
    (...xs: readonly Given[]): Term =>
      term(() => {
        xs.forEach(whole);
        code.op(op);
      });
  const also = (op: string) => (x: Test, y: Test) =>
    term(() => {
      (x as Term).push();
      (y as Term).push();
      code.op(wide ? op.replace("i32", "v128") : op);
    });
  const elementary =
    (name: "exp" | "log" | "pow") =>
    (...xs: readonly Given[]) =>
      term(() => {
        for (const x of xs) {
          real(x);
          if (!wide) code.op("f64x2.splat");
        }
        k.library.write(code, name, "f64x2");
        if (!wide) code.lane("f64x2.extract_lane", 0);
      });
  const cell = (type: number, x: Given) => {
    const vector = wide && type === f64;
    const local = k.local(vector ? v128 : type);
    const push = type === f64 ? real : whole;
    const set = (x: Given): void => {
      push(x);
      code.set(local);
    };
    set(x);
    const get = (): void => {
      code.get(local);
      if (wide && type === f64 && !vector) code.op("f64x2.splat");
    };
    return Object.assign(term(get), { set });
  };
  const intIn = (x: Whole | number): number => {
    const local = k.local();
    whole(x);
    code.set(local);
    return local;
  };
  const nested = (levels: number, body: () => void): void => {
    depth += levels;
    body();
    depth -= levels;
  };
  const move = (local: number, by: number): void => {
    code.get(local);
    code.int(by);
    code.op("i32.add");
    code.set(local);
  };
  /** The body again and again; it leaves by a branch over one block. */
  const repeated = (body: () => void): void => {
    code.block(() =>
      code.loop(() =>
        nested(2, () => {
          body();
          code.br(0);
        }),
      ),
    );
  };
  const loop: LoopWriter["for"] = (from, to, body, step = 1) => {
    const end = typeof to === "number" ? to : got(intIn(to));
    const i = intIn(from);
    repeated(() => {
      code.get(i);
      whole(end);
      code.op("i32.ge_s");
      code.brIf(1);
      body(got(i));
      move(i, step);
    });
  };
  const bytes = (block: Placed): number => (block.kind === "f64" ? 8 : 4);
  /** Pushes an address, but for the part of it that is returned: it is known. */
  const address = (block: Placed, i: Whole | number, j: Whole | number): number => {
    let known = block.beyond;
    code.get(block.at);
    for (const [x, stride] of [[i, block.row], [j, block.column]] as const) // biome-ignore format: a list
      if (typeof x === "number") known += x * stride * bytes(block);
      else {
        whole(x);
        code.int(stride * bytes(block));
        code.op("i32.mul");
        code.op("i32.add");
      }
    // What an instruction adds to an address is not negative.
    if (known >= 0) return known;
    code.int(known);
    code.op("i32.add");
    return 0;
  };
  const start = (block: Placed): void => {
    code.int(address(block, 0, 0));
    code.op("i32.add");
  };
  const placed = (at: number, kind: "f32" | "f64", row: number): Placed => ({ at, beyond: 0, kind, row, column: 1 });
  const kinds = (v: { readonly type: { readonly dtype: string } }) => v.type.dtype as "f32" | "f64";
  const outs = valuesOf(node);

  /** A block and a pointer that moves along it, by so many bytes an element: blocks that lie a known distance apart have one. */
  interface Moving {
    readonly block: Placed;
    readonly pointer: number;
    readonly step: number;
  }
  const moving = (blocks: readonly Block[]): Moving[] => {
    const made: Moving[] = [];
    for (const block of blocks as readonly Placed[]) {
      const step = block.column * bytes(block);
      if (block.beyond < 0) {
        const placed = w.part(block, 0, 0) as Placed;
        made.push({ block: placed, pointer: placed.at, step });
        continue;
      }
      const known = made.find((m) => m.block.at === block.at && m.step === step);
      made.push({ block, pointer: known?.pointer ?? intIn(got(block.at)), step });
    }
    return made;
  };
  /** Numbers side by side, by `turns` of so many, in vectors but for those of one; `write` has the elements beyond the pointers. */
  const strides = (
    count: Whole | number,
    along: readonly Moving[],
    turns: readonly number[],
    write: (element: number, turn: number) => void,
  ): void => {
    const left = intIn(count);
    const steps = new Map(along.map(({ pointer, step }) => [pointer, step]));
    /** NaN: not known. */
    let rest = typeof count === "number" ? count : Number.NaN;
    for (const numbers of turns) {
      if (rest < numbers) continue;
      const once = rest < 2 * numbers;
      rest %= numbers;
      wide = numbers > 1;
      const turn = (): void => {
        for (let i = 0; i < numbers; i += wide ? 2 : 1) write(i, i / 2);
        for (const [p, step] of steps) move(p, numbers * step);
        move(left, -numbers);
      };
      if (once) turn();
      else
        repeated(() => {
          code.get(left);
          code.int(numbers);
          code.op("i32.lt_s");
          code.brIf(1);
          turn();
        });
      wide = false;
    }
  };
  /** Runs what is to be done for each of the lanes of a vector, or for a single number. */
  const eachLane = (body: (lane: number) => void): void => {
    const vector = wide;
    wide = false;
    body(0);
    if (vector) body(1);
    wide = vector;
  };
  const element = ({ block, pointer, step }: Moving, i: number): Term => {
    const local = k.local(wide ? v128 : f64);
    const at = block.beyond + i * step;
    const double = block.kind === "f64";
    if (wide && block.column === 1) {
      code.get(pointer);
      code.mem(double ? "v128.load" : "v128.load64_zero", at);
      if (!double) code.op("f64x2.promote_low_f32x4");
    } else {
      const vector = wide;
      eachLane((lane) => {
        code.get(pointer);
        code.mem(`${block.kind}.load`, at + lane * step);
        if (!double) code.op("f64.promote_f32");
        if (lane > 0) code.lane("f64x2.replace_lane", 1);
        else if (vector) code.op("f64x2.splat");
      });
    }
    code.set(local);
    return got(local);
  };
  const write = ({ block, pointer, step }: Moving, i: number, local: number): void => {
    const at = block.beyond + i * step;
    const double = block.kind === "f64";
    if (wide && block.column === 1) {
      code.get(pointer);
      code.get(local);
      if (!double) {
        // Both lanes at once, as the bits of one number.
        code.op("f32x4.demote_f64x2_zero");
        code.lane("f64x2.extract_lane", 0);
      }
      code.mem(double ? "v128.store" : "f64.store", at);
      return;
    }
    const vector = wide;
    eachLane((lane) => {
      code.get(pointer);
      code.get(local);
      if (vector) code.lane("f64x2.extract_lane", lane);
      if (!double) code.op("f32.demote_f64");
      code.mem(`${block.kind}.store`, at + lane * step);
    });
  };

  /** See `fold`; a sum is as many sums as there are vectors in a turn. */
  const passed = (
    count: Whole | number,
    blocks: readonly Block[],
    fixed: readonly (Real | number)[],
    sums: number,
    turns: readonly [number, ...number[]],
    body: Parameters<LoopWriter["fold"]>[4],
  ): RealCell[] => {
    const along = moving(blocks);
    const numbers = fixed.map((x) => w.real(x));
    const vector = (x: Given): number => {
      const local = k.local(v128);
      real(x);
      code.op("f64x2.splat");
      code.set(local);
      return local;
    };
    const vectors = numbers.map((x) => got(vector(x)));
    const parts = Array.from({ length: sums }, () => Array.from({ length: turns[0] / 2 }, () => vector(0)));
    const totals = parts.map(() => w.real(0));
    const addTo = (local: number, other: () => void): void => {
      code.get(local);
      other();
      code.op("f64x2.add");
      code.set(local);
    };
    strides(count, along, turns, (i, turn) => {
      const { sum, put = [] } = body(
        along.map((m) => element(m, i)),
        wide ? vectors : numbers,
      );
      sum.forEach((x, s) => {
        if (wide) addTo(parts[s]![turn]!, () => real(x));
        else totals[s]!.set(w.add(totals[s]!, x));
      });
      // All of them before the first is written, as blocks may be one.
      const kept = put.map((x) => {
        if (x === null) return null;
        const local = k.local(wide ? v128 : f64);
        real(x);
        code.set(local);
        return local;
      });
      kept.forEach((local, b) => {
        if (local !== null) write(along[b]!, i, local);
      });
    });
    parts.forEach(([first, ...others], s) => {
      for (const other of others) addTo(first!, () => code.get(other));
      const lane = (i: number): Term =>
        term(() => {
          code.get(first!);
          code.lane("f64x2.extract_lane", i);
        });
      totals[s]!.set(w.add(totals[s]!, w.add(lane(0), lane(1))));
    });
    return totals;
  };

  const w: LoopWriter = {
    operand: (i, row) => placed(k.operands[i]!, kinds(node.operands[i]!), row),
    result: (i, row) => placed(k.outs[i]!, kinds(outs[i]!), row),
    temp: (i, row) => placed(k.temps[i]!, "f64", row),
    part: (block, i, j) => {
      const at = k.local();
      const known = address(block as Placed, i, j);
      code.int(known);
      code.op("i32.add");
      code.set(at);
      return { ...block, at, beyond: 0 } as Placed;
    },
    ahead: (block, i, j) => {
      const own = block as Placed;
      return { ...own, beyond: own.beyond + (i * own.row + j * own.column) * bytes(own) } as Placed;
    },
    spaced: (block, row, column) => ({ ...block, row, column }),
    turned: (block) => ({ ...block, row: block.column, column: block.row }),
    get: (block, i, j) =>
      term(() => {
        const own = block as Placed;
        const known = j === undefined ? address(own, 0, i) : address(own, i, j);
        code.mem(`${own.kind}.load`, known);
        if (own.kind === "f32") code.op("f64.promote_f32");
      }),
    put: (block, i, j, x) => {
      const own = block as Placed;
      const known = address(own, i, j);
      real(x);
      if (own.kind === "f32") code.op("f32.demote_f64");
      code.mem(`${own.kind}.store`, known);
    },

    real: (x) => cell(f64, x),
    whole: (x) => cell(i32, x),
    toReal: ints("f64.convert_i32_s"),
    toWhole: (x) =>
      term(() => {
        real(x);
        code.op("i32.trunc_sat_f64_s");
      }),

    add: of("add"),
    sub: of("sub"),
    mul: of("mul"),
    div: of("div"),
    abs: of("abs"),
    neg: of("neg"),
    sqrt: of("sqrt"),
    min: of("min"),
    max: of("max"),
    floor: of("floor"),
    log: elementary("log"),
    exp: elementary("exp"),
    pow: elementary("pow"),

    plus: ints("i32.add"),
    minus: ints("i32.sub"),
    times: ints("i32.mul"),
    least: (x, y) => {
      const [a, b] = [intIn(x), intIn(y)];
      return term(() => {
        for (const x of [a, b, a, b]) code.get(x);
        code.op("i32.lt_s");
        code.op("select");
      });
    },

    less: of("lt"),
    atMost: of("le"),
    unequal: of("ne"),
    before: ints("i32.lt_s"),
    same: ints("i32.eq"),
    both: also("i32.and"),
    either: also("i32.or"),
    not: (x) =>
      term(() => {
        (x as Term).push();
        code.op(wide ? "v128.not" : "i32.eqz");
      }),
    choose: (test, x, y) =>
      term(() => {
        real(x);
        real(y);
        (test as Term).push();
        code.op(wide ? "v128.bitselect" : "select");
      }),

    if: (test, then, otherwise) => {
      (test as Term).push();
      code.if(() => nested(1, then), otherwise && (() => nested(1, otherwise)));
    },
    for: loop,
    forever: (body) => {
      repeated(() => {
        const outside = depth - 1;
        body(() => code.br(depth - outside));
      });
    },
    each: (shape, moved, body) => {
      const level = (axis: number): void => {
        if (axis === shape.length) {
          body();
          return;
        }
        const size = shape[axis]!;
        const go = (places: number): void => {
          for (const { block, steps } of moved) move((block as Placed).at, places * steps[axis]! * bytes(block as Placed));
        };
        if (size === 1) level(axis + 1);
        else {
          loop(0, size, () => {
            level(axis + 1);
            go(1);
          });
          go(-size);
        }
      };
      level(0);
    },

    sweep: (count, blocks, fixed, body) => {
      // Of many blocks two vectors would not find room in registers.
      const turns = blocks.length > 6 ? ([2, 1] as const) : typeof count === "number" ? ([4, 2, 1] as const) : ([4, 1] as const);
      passed(count, blocks, fixed, 0, turns, (x, f) => ({ sum: [], put: body(x, f) }));
    },
    total: (count, blocks, body) => passed(count, blocks, [], 1, [8, 2, 1], (x) => ({ sum: [body(x)] }))[0]!,
    fold: (count, blocks, fixed, sums, body) => passed(count, blocks, fixed, sums, fixed.length + sums > 4 ? [2, 1] : [4, 1], body),
    addProduct: (c, a, b, m, n, inner) => {
      for (const x of [a, b] as readonly Block[] as readonly Placed[]) {
        start(x);
        code.int(x.row * 8);
        code.int(x.column * 8);
      }
      start(c as Placed);
      code.int(c.row * 8);
      for (const x of [m, n, inner]) whole(x);
      k.addProduct();
    },
    giveUp: () => k.fail(),
  };
  return w;
}
