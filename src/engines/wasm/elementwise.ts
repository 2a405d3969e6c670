import type { Node } from "../../ir/node.ts";
import { type Code, type Instruction, i32 } from "./encoder.ts";
import { type Kind, kindOf } from "./kernel.ts";
import type { MathName } from "./math.ts";

/**
 * Where an elementwise op is written: into a loop over vectors (`wide`), in which truth values are masks of the lanes' width, or over single
 * elements, in which they are 0 or 1.
 */
export interface Target {
  readonly code: Code;
  readonly wide: boolean;
  /** Bytes of a lane. */
  readonly size: 4 | 8;
  math(name: MathName, kind: "f32" | "f64"): void;
}

/** Writes an operand on the stack. */
export type Push = () => void;
type Row = (t: Target, kind: Kind, args: readonly Push[], node: Node) => void;

/** `add` of `f32` in a loop over vectors is `f32x4.add`. */
export function named(t: Target, kind: Kind, op: string): Instruction {
  return (t.wide ? `${kind}${kind === "f64" ? "x2" : "x4"}.${op}` : `${kind}.${op}`) as Instruction;
}

/** A number of this kind, in every lane. */
export function constant(t: Target, kind: Kind, x: number): void {
  if (kind === "f32") t.code.float32(x);
  else if (kind === "f64") t.code.float64(x);
  else t.code.int(x);
  if (t.wide) t.code.op(named(t, kind, "splat"));
}

/** The second operand where the mask on top of the stack holds, else the first... written as: yes, no, mask. */
function choose(t: Target): void {
  t.code.op(t.wide ? "v128.bitselect" : "select");
}

const direct =
  (op: string): Row =>
  (t, kind, args) => {
    for (const push of args) push();
    t.code.op(named(t, kind, op));
  };

const compared =
  (op: string): Row =>
  (t, kind, args) => {
    for (const push of args) push();
    const signed = kind === "i32" && op !== "eq" && op !== "ne" ? `${op}_s` : op;
    if (kind !== "bool") t.code.op(named(t, kind, signed));
    else if (op === "ne") t.code.op(t.wide ? "v128.xor" : "i32.xor");
    else {
      t.code.op(t.wide ? "v128.xor" : "i32.xor");
      t.code.op(t.wide ? "v128.not" : "i32.eqz");
    }
  };

const called =
  (name: MathName): Row =>
  (t, kind, [x]) => {
    x!();
    t.math(name, kind as "f32" | "f64");
  };

/** max and min in one direction; wasm's propagate NaN and order -0 below 0, as JavaScript's do. */
const extreme =
  (op: "max" | "min"): Row =>
  (t, kind, args) => {
    if (kind !== "i32") return direct(op)(t, kind, args, null as never);
    for (const push of args) push();
    if (t.wide) t.code.op(op === "max" ? "i32x4.max_s" : "i32x4.min_s");
    else {
      for (const push of args) push();
      t.code.op(op === "max" ? "i32.gt_s" : "i32.lt_s").op("select");
    }
  };

const negated: Row = (t, kind, [x]) => {
  if (kind === "i32" && !t.wide) {
    t.code.int(0);
    x!();
    t.code.op("i32.sub");
  } else {
    x!();
    t.code.op(named(t, kind, "neg"));
  }
};

const absolute: Row = (t, kind, [x]) => {
  if (kind === "i32" && !t.wide) {
    t.code.int(0);
    x!();
    t.code.op("i32.sub");
    x!();
    x!();
    t.code.int(0).op("i32.lt_s").op("select");
  } else {
    x!();
    t.code.op(named(t, kind, "abs"));
  }
};

/** 1 with the sign of x; 0, -0 and NaN stay. */
const signum: Row = (t, kind, [x]) => {
  const zero = (): void => constant(t, kind, 0);
  const test = (op: string): void => {
    x!();
    zero();
    t.code.op(named(t, kind, kind === "i32" ? `${op}_s` : op));
  };
  constant(t, kind, 1);
  constant(t, kind, -1);
  x!();
  test("lt");
  choose(t);
  test("gt");
  choose(t);
};

const reluOf: Row = (t, kind, [x]) => {
  constant(t, kind, 0);
  x!();
  x!();
  constant(t, kind, 0);
  t.code.op(named(t, kind, kind === "i32" ? "le_s" : "le"));
  choose(t);
};

const chosen: Row = (t, _, [test, x, y]) => {
  x!();
  y!();
  test!();
  choose(t);
};

const both =
  (wide: Instruction, plain: Instruction): Row =>
  (t, _, args) => {
    for (const push of args) push();
    t.code.op(t.wide ? wide : plain);
  };

const clipped: Row = (t, kind, [x], node) => {
  const { min, max } = node.attrs as { readonly min?: number; readonly max?: number };
  if (kind === "i32" && !t.wide) {
    // Plain whole numbers have no max and min of their own.
    const low = min ?? -2147483648;
    const high = max ?? 2147483647;
    const raised = t.code.local(i32);
    x!();
    t.code.int(low);
    x!();
    t.code.int(low).op("i32.gt_s").op("select").set(raised);
    t.code.atMost(raised, high).get(raised);
    return;
  }
  x!();
  if (min !== undefined && min !== Number.NEGATIVE_INFINITY) {
    constant(t, kind, min);
    t.code.op(kind === "i32" ? "i32x4.max_s" : named(t, kind, "max"));
  }
  if (max !== undefined && max !== Number.POSITIVE_INFINITY) {
    constant(t, kind, max);
    t.code.op(kind === "i32" ? "i32x4.min_s" : named(t, kind, "min"));
  }
};

/** Casts between the kinds that need no rounding rule; the planner keeps the others out of loops. */
const converted: Row = (t, from, [x], node) => {
  const { dtype } = node.type;
  const half = dtype === "f16" || dtype === "bf16";
  const to = kindOf(dtype)!;
  if (half && from !== "bool") {
    x!();
    t.math(dtype, from as "f32" | "f64");
    if (from === "f64") t.code.op("f32.demote_f64");
    return;
  }
  if (from === to) return x!();
  if (to === "bool") {
    x!();
    constant(t, from, 0);
    t.code.op(named(t, from, "ne"));
    return;
  }
  if (from === "bool") {
    if (t.wide) {
      constant(t, to, 1);
      x!();
      t.code.op("v128.and");
    } else {
      x!();
      if (to !== "i32") t.code.op(to === "f32" ? "f32.convert_i32_s" : "f64.convert_i32_s");
    }
    return;
  }
  x!();
  if (from === "i32" && to === "f32") t.code.op(t.wide ? "f32x4.convert_i32x4_s" : "f32.convert_i32_s");
  else if (from === "i32" && to === "f64") t.code.op("f64.convert_i32_s");
  else if (from === "f32" && to === "f64") t.code.op("f64.promote_f32");
  else t.code.op("f32.demote_f64");
};

/** A function of two operands, on single elements in the first lane. */
const calledWithTwo =
  (name: MathName): Row =>
  (t, kind, [x, y]) => {
    x!();
    if (!t.wide) t.code.op(kind === "f32" ? "f32x4.splat" : "f64x2.splat");
    y!();
    t.math(name, kind as "f32" | "f64");
  };

/** A row: how the op is written, for which kinds of its first operand (after the test of `where`). */
export interface Elementwise {
  readonly emit: Row;
  readonly kinds: readonly Kind[];
  /** Where the range of the vector function ends each element asks the function of this name of JavaScript's Math. */
  readonly host?: true;
}

const floats: readonly Kind[] = ["f32", "f64"];
const numbers: readonly Kind[] = ["f32", "f64", "i32"];
const all: readonly Kind[] = ["f32", "f64", "i32", "bool"];
const truths: readonly Kind[] = ["bool"];
const row = (kinds: readonly Kind[], emit: Row): Elementwise => ({ kinds, emit });

const each = (names: string, make: (name: string) => Elementwise): Record<string, Elementwise> =>
  Object.fromEntries(names.split(" ").map((name) => [name, make(name)]));

function table(): Readonly<Record<string, Elementwise>> {
  return {
    // An op of one's own may have the name of a method that every object has.
    __proto__: null as never,
    ...each("add sub mul", (name) => row(numbers, direct(name))),
    ...each("div sqrt floor ceil", (name) => row(floats, direct(name))),
    ...each("exp expm1 log log1p tanh sigmoid softplus asin acos atan sinh cosh erf", (name) => row(floats, called(name as MathName))),
    ...each("atan2 pow", (name) => row(floats, calledWithTwo(name as MathName))),
    ...each("sin cos tan", (name) => ({ ...row(floats, called(name as MathName)), host: true })),
    neg: row(numbers, negated),
    abs: row(numbers, absolute),
    sign: row(numbers, signum),
    square: row(numbers, (t, kind, [x]) => {
      x!();
      x!();
      t.code.op(named(t, kind, "mul"));
    }),
    reciprocal: row(floats, (t, kind, [x]) => {
      constant(t, kind, 1);
      x!();
      t.code.op(named(t, kind, "div"));
    }),
    rsqrt: row(floats, (t, kind, [x]) => {
      constant(t, kind, 1);
      x!();
      t.code.op(named(t, kind, "sqrt")).op(named(t, kind, "div"));
    }),
    relu: row(numbers, reluOf),
    round: row(floats, direct("nearest")),
    maximum: row(numbers, extreme("max")),
    minimum: row(numbers, extreme("min")),
    clip: row(numbers, clipped),
    equal: row(all, compared("eq")),
    notEqual: row(all, compared("ne")),
    less: row(numbers, compared("lt")),
    lessEqual: row(numbers, compared("le")),
    greater: row(numbers, compared("gt")),
    greaterEqual: row(numbers, compared("ge")),
    isNaN: row(floats, (t, kind, [x]) => {
      x!();
      x!();
      t.code.op(named(t, kind, "ne"));
    }),
    logicalAnd: row(truths, both("v128.and", "i32.and")),
    logicalOr: row(truths, both("v128.or", "i32.or")),
    logicalXor: row(truths, both("v128.xor", "i32.xor")),
    logicalNot: row(truths, (t, _, [x]) => {
      x!();
      t.code.op(t.wide ? "v128.not" : "i32.eqz");
    }),
    where: row(all, chosen),
    cast: row(all, converted),
    identity: row(all, (_t, _k, [x]) => x!()),
    stop: row(all, (_t, _k, [x]) => x!()),
  };
}

/** The ops that loops compute in place. */
export const elementwise: Readonly<Record<string, Elementwise>> = /* @__PURE__ */ table();
