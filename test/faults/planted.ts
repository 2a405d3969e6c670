// Graphs with one planted fault each, and their healthy twins: kind x depth x width x position x origin, drawn from a seed.

import type { Cause } from "../../src/index.ts";
import {
  add,
  asin,
  cast,
  clip,
  concat,
  constant,
  customGradient,
  div,
  exp,
  floor,
  gather,
  greater,
  log,
  max,
  maximum,
  minimum,
  mul,
  pow,
  relu,
  reshape,
  round,
  sigmoid,
  sin,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  type Value,
  variable,
  where,
} from "../../src/index.ts";
import { callables } from "../../src/notation/callables.ts";
import { checkNames } from "../../src/notation/check-names.ts";
import { parseFormula } from "../../src/notation/parser.ts";
import { runFormula } from "../../src/notation/run-formula.ts";

/** Numbers in [0, 1) from a seed (mulberry32, T. Ettinger). */
export function drawn(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A way to build: by functions, or as the text of a formula. `H` is a Value or a text. */
interface Maker<H> {
  readonly f: (name: string, ...args: readonly (H | number)[]) => H;
  /** Attributes come last, as text in formulas. */
  readonly withAttrs: (name: string, args: readonly (H | number)[], attrs: Readonly<Record<string, unknown>>) => H;
  readonly side: (i: number) => H;
  readonly scalar: boolean;
}

/** A planted gate: what is put in, its twin, and what has to be named. */
interface Kind {
  readonly name: string;
  readonly cause: Cause;
  readonly op: string;
  readonly operand: string | null;
  /** A gradient that is 0, a value or gradient that is not finite, or no connection. */
  readonly effect: "zero" | "bad" | "missing";
  /** Returns the value that goes on, and the gate (null: the operand itself, where branches cancel). */
  readonly plant: <H>(m: Maker<H>, h: H, sick: boolean) => { readonly out: H; readonly gate: H };
  readonly only?: "api" | "scalar";
}

function kind(
  name: string,
  cause: Cause,
  op: string,
  operand: string | null,
  effect: Kind["effect"],
  plant: Kind["plant"],
  only?: Kind["only"],
): Kind {
  return { name, cause, op, operand, effect, plant, ...(only !== undefined && { only }) };
}

const one = <H>(gate: H): { readonly out: H; readonly gate: H } => ({ out: gate, gate });

export const kinds: readonly Kind[] = [
  kind("relu off", "reluOff", "relu", "x", "zero", (m, h, sick) => one(m.f("relu", m.f(sick ? "sub" : "add", h, 30)))),
  kind("lost to maximum", "lost", "maximum", "x", "zero", (m, h, sick) => one(m.f("maximum", h, sick ? 40 : -40))),
  kind("lost to minimum", "lost", "minimum", "y", "zero", (m, h, sick) => one(m.f("minimum", sick ? -40 : 40, h))),
  kind("clipped", "clipped", "clip", "x", "zero", (m, h, sick) =>
    one(m.withAttrs("clip", [h], sick ? { min: 40, max: 50 } : { min: -50, max: 50 })),
  ),
  kind("branch not taken, second", "branchNotTaken", "where", "y", "zero", (m, h, sick) =>
    one(m.f("where", m.f(sick ? "less" : "greater", m.side(0), 100), m.side(1), h)),
  ),
  kind("branch not taken, first", "branchNotTaken", "where", "x", "zero", (m, h, sick) =>
    one(m.f("where", m.f(sick ? "greater" : "less", m.side(0), 100), h, m.side(1))),
  ),
  kind("stopped", "stopped", "stop", "x", "zero", (m, h, sick) => one(m.f(sick ? "stop" : "identity", h))),
  kind("never gathered", "neverRead", "gather", "x", "zero", (m, h, sick) => {
    const gate = m.withAttrs("gather", [m.withAttrs("concat", [[h, m.side(0), m.side(1)] as never], { axis: 0 })], {
      indices: sick ? 1 : 0,
    });
    return { out: gate, gate };
  }),
  kind("lost to max", "lost", "max", "x", "zero", (m, h, sick) =>
    one(m.withAttrs("max", [m.withAttrs("concat", [[m.f(sick ? "add" : "sub", m.side(0), 60), h] as never], { axis: 0 })], { axis: 0 })),
  ),
  kind("saturated sigmoid", "saturated", "sigmoid", "x", "zero", (m, h, sick) =>
    one(m.f("sigmoid", m.f("add", m.f("mul", 0.05, h), sick ? 800 : 0.5))),
  ),
  kind("saturated tanh", "saturated", "tanh", "x", "zero", (m, h, sick) =>
    one(m.f("tanh", m.f("add", m.f("mul", 0.05, h), sick ? 400 : 0))),
  ),
  kind("integer", "integer", "cast", "x", "zero", (m, h, sick) => {
    const gate = m.withAttrs("cast", [m.f("mul", h, 3)], { dtype: sick ? "i32" : "f32" });
    return { out: m.withAttrs("cast", [gate], { dtype: "f64" }), gate };
  }),
  kind("rounded", "rounded", "round", "x", "zero", (m, h, sick) => one(sick ? m.f("round", h) : m.f("mul", h, 1.5))),
  kind("floored", "rounded", "floor", "x", "zero", (m, h, sick) => one(sick ? m.f("floor", h) : m.f("mul", h, 1.5))),
  kind("compared", "compared", "greater", "x", "zero", (m, h, sick) => {
    if (!sick) return one(m.f("mul", h, 1.5));
    const gate = m.f("greater", h, 0.1);
    return { out: m.withAttrs("cast", [gate], { dtype: "f64" }), gate };
  }),
  kind("zero factor", "zeroFactor", "mul", "x", "zero", (m, h, sick) =>
    one(m.f("mul", h, sick ? m.f("sub", m.side(0), m.side(0)) : m.side(0))),
  ),
  kind("zero numerator", "zeroFactor", "div", "y", "zero", (m, h, sick) =>
    one(m.f("div", m.f("mul", m.side(0), sick ? 0 : 2), m.f("add", h, 30))),
  ),
  kind("flat", "flat", "square", "x", "zero", (m, h, sick) => {
    const gate = m.f("square", m.f("add", m.f("mul", h, sick ? 0 : 1), sick ? 0 : 40));
    return { out: m.f("mul", 0.01, gate), gate };
  }),
  kind("cancelling branches", "cancels", "", null, "zero", (m, h, sick) => ({
    out: m.f("sub", m.f("mul", h, m.side(0)), m.f("mul", m.side(sick ? 0 : 1), h)),
    gate: h,
  })),
  kind(
    "a rule that sends nothing",
    "ruleSendsNothing",
    "customGradient",
    null,
    "zero",
    (m, h, sick) => one(m.f(sick ? "nothing" : "straight", h)),
    "api",
  ),
  kind("unconnected", "unconnected", "", null, "missing", (m, h, sick) => one(sick ? m.side(0) : m.f("mul", h, 1)), "api"),
  kind("log of a negative number", "logOfNegative", "log", "x", "bad", (m, h, sick) => one(m.f("log", m.f(sick ? "sub" : "add", h, 40)))),
  kind("log of 0", "logOfZero", "log", "x", "bad", (m, h, sick) =>
    one(m.f("log", sick ? m.f("relu", m.f("sub", h, 40)) : m.f("add", h, 40))),
  ),
  kind("root of a negative number", "rootOfNegative", "sqrt", "x", "bad", (m, h, sick) =>
    one(m.f("sqrt", m.f(sick ? "sub" : "add", h, 40))),
  ),
  kind("slope of a root", "slopeOfRoot", "sqrt", "x", "bad", (m, h, sick) => one(m.f("sqrt", m.f("mul", m.f("add", h, 40), sick ? 0 : 1)))),
  kind("log behind one where", "zeroTimesInfiniteSlope", "log", "x", "bad", (m, h, sick) => {
    const r = m.f("mul", m.f("square", h), 0);
    const gate = m.f("log", sick ? r : m.f("where", m.f("greater", r, 0), r, m.f("mul", h, h)));
    return { out: m.f("where", m.f("greater", r, 0), gate, h), gate };
  }),
  kind("overflow", "overflow", "exp", "x", "bad", (m, h, sick) => {
    const gate = m.f("exp", m.f("add", m.f("mul", 0.05, h), sick ? 800 : 0.25));
    return { out: m.f("div", gate, m.f("add", gate, 1)), gate };
  }),
  kind("overflow in a sigmoid", "overflow", "exp", "x", "bad", (m, h, sick) => {
    const gate = m.f("exp", m.f("add", m.f("mul", 0.05, h), sick ? 800 : 0.25));
    return { out: m.f("div", 1, m.f("add", 1, gate)), gate };
  }),
  kind("0 / 0", "zeroOverZero", "div", "y", "bad", (m, h, sick) =>
    one(m.f("div", m.f("mul", h, sick ? 0 : 1), m.f("mul", m.side(0), sick ? 0 : 1))),
  ),
  kind("division by 0", "overZero", "div", "y", "bad", (m, h, sick) =>
    one(m.f("div", m.f("add", h, 30), m.f("sub", m.side(0), sick ? m.side(0) : 30))),
  ),
  kind("0 x infinity", "zeroTimesInfinity", "mul", "y", "bad", (m, h, sick) =>
    one(m.f("mul", m.f("mul", h, sick ? 0 : 1), sick ? Number.POSITIVE_INFINITY : 2)),
  ),
  kind("power of a negative number", "powerOfNegative", "pow", "x", "bad", (m, h, sick) =>
    one(m.f("pow", m.f(sick ? "sub" : "add", h, 40), 0.5)),
  ),
  kind("outside of the domain", "outsideDomain", "asin", "x", "bad", (m, h, sick) =>
    one(m.f("asin", sick ? m.f("add", h, 40) : m.f("mul", 0.02, h))),
  ),
  kind("infinity - infinity", "infinityLessInfinity", "sub", "y", "bad", (m, h, sick) => {
    const low = m.f("where", m.f("greater", m.side(0), sick ? 100 : -100), h, Number.NEGATIVE_INFINITY);
    const top = m.f("maximum", low, Number.NEGATIVE_INFINITY);
    const gate = m.f("sub", low, m.f("stop", top));
    return { out: m.f("add", m.f("exp", gate), h), gate };
  }),
];

export interface Planted {
  readonly kind: Kind;
  readonly depth: number;
  readonly width: number;
  readonly position: number;
  readonly origin: "graph" | "expression";
  readonly loss: Value;
  readonly x: Value;
  /** The planted gate, or the value at which branches cancel. */
  readonly gate: Value;
  /** Values that every way from the loss to x passes, from the loss on. */
  readonly spine: readonly Value[];
  /** The part of the formula that the gate stands for. */
  readonly text: string | null;
}

const depths = [1, 2, 5, 12, 25] as const;
const widths = [1, 3, 8] as const;

type Step = <H>(m: Maker<H>, h: H, r: readonly number[]) => H;

/** Steps with derivatives between 0.5 and 2, through which a gradient goes on; other values enter at either side. */
const steps: readonly Step[] = [
  (m, h) => m.f("add", m.f("mul", 0.9, h), m.f("mul", 0.1, m.f("sin", h))),
  (m, h, r) => m.f("add", m.f("mul", 0.3, m.side(r[0]!)), h),
  (m, h, r) => m.f("mul", h, m.f("add", 1, m.f("mul", 0.05, m.f("sin", m.side(r[0]!))))),
  (m, h, r) => m.f("sub", h, m.f("mul", 0.3, m.side(r[0]!))),
  (m, h) => m.f("mul", 1.02, h),
  (m, h) => m.f("sub", h, m.f("mul", 0.2, m.f("tanh", h))),
  (m, h) => m.f("add", m.f("relu", m.f("add", h, 200)), -200),
  (m, h) => m.f("maximum", h, -200),
  (m, h) => m.f("neg", h),
];

/** Steps that would hide an infinity, and with it the fault: nothing bad comes of it then. */
const hiding: ReadonlySet<Step> = new Set(steps.slice(6, 8));

const library: Readonly<Record<string, (...args: never[]) => unknown>> = {
  add,
  sub,
  mul,
  div,
  sin,
  tanh,
  relu,
  maximum,
  minimum,
  sigmoid,
  exp,
  log,
  sqrt,
  square,
  pow,
  asin,
  round,
  floor,
  where,
  greater,
  neg: (h: Value) => mul(-1, h),
  less: (a: Value, b: Value) => greater(b, a),
  stop: (h: Value) => stopGradient(h),
  identity: (h: Value) => mul(h, 1),
  nothing: (h: Value) =>
    customGradient(
      ({ x }: { x: Value }) => square(x),
      () => ({ x: null }),
    )({ x: h }),
  straight: (h: Value) =>
    customGradient(
      ({ x }: { x: Value }) => square(x),
      ({ ct }) => ({ x: ct }),
    )({ x: h }),
};

/** A planted graph, or its twin when `sick` is false. Null for combinations that are not. */
export function planted(kind: Kind, seed: number, sick: boolean): Planted {
  const random = drawn(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const depth = pick(depths);
  const width = pick(widths);
  const position = Math.floor(random() * (depth + 1));
  const origin = kind.only === "api" || random() < 0.5 ? "graph" : "expression";
  const scalar = width === 1;
  const data = (): number | number[] => (scalar ? 0.2 + random() : Array.from({ length: width }, () => 0.2 + random()));
  const x = variable(data(), "x");
  const sides = [0, 1, 2].map((i) => variable(data(), `s${i}`));
  const plan = Array.from({ length: depth }, () => ({
    step: pick(kind.effect === "bad" ? steps.filter((step) => !hiding.has(step)) : steps),
    r: [Math.floor(random() * 3)],
  }));
  return origin === "graph"
    ? inGraph({ kind, depth, width, position, origin, x, sides, plan, sick })
    : inExpression({ kind, depth, width, position, origin, x, sides, plan, sick });
}

interface Plan {
  readonly kind: Kind;
  readonly depth: number;
  readonly width: number;
  readonly position: number;
  readonly origin: "graph" | "expression";
  readonly x: Value;
  readonly sides: readonly Value[];
  readonly plan: readonly { readonly step: Step; readonly r: readonly number[] }[];
  readonly sick: boolean;
}

function inGraph({ plan, sides, sick, ...p }: Plan): Planted {
  const scalar = p.width === 1;
  const row = (v: Value): Value => (scalar ? reshape(v, { shape: [1] }) : reshape(v, { shape: [1, p.width] }));
  const m: Maker<Value> = {
    scalar,
    side: (i) => sides[i]!,
    f: (name, ...args) => library[name]!(...(args as never[])) as Value,
    withAttrs: (name, args, attrs) => {
      if (name === "clip") return clip(args[0]!, attrs);
      if (name === "max") return max(args[0]!, attrs);
      if (name === "cast") return cast(args[0]!, attrs as { dtype: "f32" });
      if (name === "concat") return concat((args[0] as unknown as Value[]).map(row), { axis: 0 });
      return gather(args[0]!, constant(attrs["indices"] as number, "i32"));
    },
  };
  let h: Value = p.x;
  const spine: Value[] = [h];
  let gate: Value | null = null;
  for (let i = 0; i <= p.depth; i++) {
    if (i === p.position) {
      const made = p.kind.plant(m, h, sick);
      gate = made.gate;
      h = made.out;
      spine.push(gate, h);
    }
    if (i < p.depth) {
      h = plan[i]!.step(m, h, plan[i]!.r);
      spine.push(h);
    }
  }
  const loss = scalar ? mul(h, 1.25) : sum(h);
  spine.push(loss);
  return { ...p, loss, gate: gate!, spine: [...new Set(spine)].reverse(), text: null };
}

const symbols: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/", pow: "^", greater: ">", less: "<" };

function inExpression({ plan, sides, sick, ...p }: Plan): Planted {
  const scalar = p.width === 1;
  const num = (x: string | number): string =>
    typeof x === "number"
      ? x === Number.POSITIVE_INFINITY
        ? "inf"
        : x === Number.NEGATIVE_INFINITY
          ? "-inf"
          : x < 0
            ? `(${x})`
            : String(x)
      : x;
  const row = (v: string): string => `reshape(${v}, shape=[1${scalar ? "" : `, ${p.width}`}])`;
  const m: Maker<string> = {
    scalar,
    side: (i) => `s${i}`,
    f: (name, ...args) => {
      const [a, b] = args.map(num);
      const s = symbols[name];
      if (s !== undefined) return `(${a} ${s} ${b})`;
      if (name === "neg") return `(-1 * ${a})`;
      if (name === "identity") return `(${a} * 1)`;
      return `${name}(${args.map(num).join(", ")})`;
    },
    withAttrs: (name, args, attrs) => {
      if (name === "concat") return `concat([${(args[0] as unknown as string[]).map(row).join(", ")}], axis=0)`;
      if (name === "gather") return `gather(${args[0]}, ${attrs["indices"]})`;
      return `${name}(${args.map(num).join(", ")}, ${Object.entries(attrs)
        .map(([k, v]) => `${k}=${v}`)
        .join(", ")})`;
    },
  };
  const lines: string[] = [];
  const spine: string[] = ["x"];
  let h = "x";
  let gate = "";
  const line = (text: string): void => {
    h = `h${lines.length}`;
    lines.push(`${h} = ${text}`);
    spine.push(h);
  };
  for (let i = 0; i <= p.depth; i++) {
    if (i === p.position) {
      const made = p.kind.plant(m, h, sick);
      gate = made.gate;
      line(made.out);
    }
    if (i < p.depth) line(plan[i]!.step(m, h, plan[i]!.r));
  }
  lines.push(scalar ? `${h} * 1.25` : `sum(${h})`);
  const source = lines.join("\n");
  const formula = parseFormula(source);
  const { words } = checkNames(formula, { variables: "any", functions: new Set(callables().keys()) });
  const all: Readonly<Record<string, Value>> = { x: p.x, s0: sides[0]!, s1: sides[1]!, s2: sides[2]! };
  const outcome = runFormula(formula, { functions: callables(), words, holes: [], variable: (name) => all[name] });
  const named = (name: string): Value => (all[name] ?? outcome.lines.get(name)) as Value;
  const isName = /^\w+$/.test(gate);
  return {
    ...p,
    loss: outcome.value,
    gate: isName ? named(gate) : outcome.value,
    spine: [...new Set([...spine.map(named), outcome.value])].reverse(),
    text: isName ? null : gate.replace(/^\((.*)\)$/, "$1"),
  };
}
