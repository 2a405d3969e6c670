import { type DType, isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor, tensor } from "../ir/tensor.ts";
import { leaves, match, rebuild, type Values } from "../ir/tree.ts";
import { sameType, scalarType, type TensorType, tensorType, typeText } from "../ir/type.ts";
import { checkOptionNames, isRecord, kindText, listed, type OtherNames } from "../notation/given.ts";
import { checkPatterns, matched } from "../notation/patterns.ts";
import { add, cast, clip, minimum, mul, reciprocal, sqrt, square, sum } from "../ops/index.ts";
import type { Optimizer, OptimizerState, OptimizerStep } from "./optimizer.ts";
import { observed, type Plateau, plateauSlots } from "./plateau.ts";
import { checkNumber, checkRate, type Rate, scheduled } from "./rate.ts";

/** What every optimiser takes beside its own numbers; `O` are those. */
export interface CommonOptions<O> {
  /** The learning rate, or how it follows from the step or from a metric. */
  readonly rate: Rate;
  /** Gradients are scaled down together so that their joint 2-norm is at most this (Pascanu et al. 2013, arXiv:1211.5063). */
  readonly clipNorm?: number;
  /** Each element of a gradient is cut to this magnitude, before `clipNorm`. */
  readonly clipValue?: number;
  /** Patterns of the parameters to train, all unless given. `*` stands for any characters. */
  readonly only?: readonly string[];
  /** Patterns of parameters that stay as they are: they have no state, and what their gradient needs is not computed. */
  readonly freeze?: readonly string[];
  /** Patterns of the parameters that `weightDecay` applies to, all unless given. */
  readonly decay?: readonly string[];
  /** Other numbers for some parameters; the first group whose patterns name a parameter counts. */
  readonly groups?: readonly Group<O>[];
}

/** Parameters named by patterns, and what is different for them. */
export type Group<O> = { readonly only: readonly string[]; readonly rate?: Rate } & { readonly [K in keyof O]?: O[K] };

/** What a rule computes for one parameter. Numbers of the step are scalars of the parameter's dtype. */
export interface LeafStep<Slot extends string, Scalar extends string> {
  readonly path: string;
  readonly p: Value;
  readonly g: Value;
  readonly slots: Readonly<Record<Slot, Value>>;
  readonly now: Readonly<Record<Scalar, Value>>;
}

/** An update rule as its paper has it, parameter by parameter. */
export interface Rule<S, Slot extends string, Scalar extends string> {
  readonly name: string;
  /** Options that name parameters by patterns, which have to name some. */
  readonly patterns?: Readonly<Record<string, readonly string[]>>;
  /** The tensors kept for a parameter, and the number each begins with. */
  slots(settings: S, type: TensorType, path: string): { readonly [K in Slot]?: number };
  /** Scalars of the whole optimiser that are kept beside the step count, and the number each begins with. They are among the results of `scalars`. */
  readonly kept?: { readonly [K in Scalar]?: number };
  /** Numbers of this step, in f64, from the rate, the number of this step (1 at the first) and what is kept. */
  scalars(
    settings: S,
    now: { readonly rate: Value; readonly count: Value; readonly kept: Readonly<Record<Scalar, Value>> },
  ): Record<Scalar, Value>;
  /** Whether `leaf` looks at a parameter as a whole, as by its norm, and not at each element by itself. */
  readonly looksAtAll?: true;
  /** The new parameter and its new slots. */
  leaf(settings: S, step: LeafStep<Slot, Scalar>): { readonly p: Value } & { readonly [K in Slot]?: Value };
}

interface Own<S> {
  readonly settings: S;
  readonly rate: Rate;
  /** What its scalars in the state are called after their name; empty for the parameters that are in no group. */
  readonly suffix: string;
  readonly only: readonly string[] | null;
}

interface Trained<S> {
  readonly path: string;
  readonly type: TensorType;
  readonly group: Own<S>;
  readonly settings: S;
}

/** Slots are kept, and updates computed, in f64 for f64 parameters and in f32 for all others. */
function computed(dtype: DType): DType {
  return dtype === "f64" ? "f64" : "f32";
}

/** Settings that are shares: from 0 on, below 1. */
const shares: readonly string[] = ["beta1", "beta2", "rho", "smoothing"];
/** Settings that are true or false. */
const flags: readonly string[] = ["nesterov", "amsgrad", "centered"];
/** What every optimiser takes. */
const common: readonly (keyof CommonOptions<object>)[] = ["rate", "clipNorm", "clipValue", "only", "freeze", "decay", "groups"];
/** What other libraries call them. */
const otherNames: OtherNames = {
  lr: "rate",
  learningRate: "rate",
  stepSize: "rate",
  eps: "epsilon",
  betas: "beta1 and beta2",
  l2: "weightDecay",
  clip: "clipNorm or clipValue",
  maxNorm: "clipNorm",
  maxGradNorm: "clipNorm",
};

/** The options of an optimiser. @throws GraphError for what is no record of them */
export function given<O extends object>(who: string, options: O): O {
  if (!isRecord(options)) throw new GraphError(`${who}: the options are ${kindText(options)}; they are one record: ${who}({ rate: 1e-3 })`);
  return options;
}

/** @throws DomainError for a number out of its range, and for what is no number */
function checkSettings(settings: object, who: string): void {
  for (const [key, x] of Object.entries(settings)) {
    if (!flags.includes(key)) checkNumber(x, key, who, 0, shares.includes(key) ? 1 : Number.POSITIVE_INFINITY);
    else if (typeof x !== "boolean") throw new DomainError(`${who}: ${key} is ${kindText(x)}; it is true or false`);
  }
}

/**
 * An optimiser from its rule: what they all do around it, which is choosing parameters, keeping slots and the step count, rates, clipping, and
 * telling what does not fit.
 */
export function optimizerOf<S extends object, Slot extends string, Scalar extends string>(
  rule: Rule<S & { readonly weightDecay: number }, Slot, Scalar>,
  options: CommonOptions<Partial<S>>,
  settings: S & { readonly weightDecay: number },
): Optimizer {
  type Full = S & { readonly weightDecay: number };
  const { name } = rule;
  const own = Object.keys(settings);
  checkOptionNames(name, options, [...common, ...Object.keys(rule.patterns ?? {}), ...own], `${name}({ rate: 1e-3 })`, otherNames);
  const { rate, clipNorm, clipValue, only, freeze, decay, groups = [] } = options;
  checkRate(rate, name);
  for (const [key, x] of Object.entries({ clipNorm, clipValue }))
    if (x !== undefined && !(typeof x === "number" && x > 0 && x < Number.POSITIVE_INFINITY))
      throw new DomainError(`${name}: ${key} is ${kindText(x)}; gradients are cut to a magnitude above 0`);
  checkSettings(settings, name);
  for (const [key, x] of Object.entries({ only, freeze, decay, ...rule.patterns })) if (x !== undefined) checkPatterns(x, key, name);
  if (!Array.isArray(groups))
    throw new GraphError(`${name}: groups is ${kindText(groups)}; it is a list of records: groups: [{ only: ["*.b"], weightDecay: 0 }]`);
  for (const group of groups) {
    checkOptionNames(`${name}: groups`, group, ["only", "rate", ...own], '{ only: ["*.b"], weightDecay: 0 }', otherNames);
    checkPatterns(group.only, "only", `${name}: groups`);
  }
  const base: Own<Full> = { settings, rate, suffix: "", only: null };
  const others = groups.map(({ only: patterns, rate: own, ...more }): Own<Full> => {
    const different = Object.fromEntries(Object.entries(more).filter(([, x]) => x !== undefined));
    const who = `${name}: group ${patterns.join(",")}`;
    if (own !== undefined) checkRate(own, who);
    checkSettings(different, who);
    return { settings: { ...settings, ...different }, rate: own ?? rate, suffix: `/${patterns.join(",")}`, only: patterns };
  });

  const trainedOf = (given: readonly { readonly path: string; readonly type: TensorType }[]): Trained<Full>[] => {
    const paths = given.map(({ path }) => path);
    const seen = new Set<string>();
    for (const path of paths) {
      if (seen.has(path)) throw new GraphError(`${name}: two parameters are called ${path}; rename a key that has dots in it`);
      seen.add(path);
    }
    if (paths.length === 0) throw new GraphError(`${name}: there are no parameters; the tree given has no leaves`);
    const chosen = only === undefined ? null : matched(only, paths, `${name}: only`);
    const frozen = freeze === undefined ? null : matched(freeze, paths, `${name}: freeze`);
    const decayed = decay === undefined ? null : matched(decay, paths, `${name}: decay`);
    for (const [what, patterns] of Object.entries(rule.patterns ?? {})) matched(patterns, paths, `${name}: ${what}`);
    const members = others.map(({ only: patterns }) => matched(patterns!, paths, `${name}: groups`));
    const found = given.filter(({ path }) => (chosen?.has(path) ?? true) && !(frozen?.has(path) ?? false));
    if (found.length === 0) throw new GraphError(`${name}: every parameter is frozen, so there is nothing to train: ${listed(paths)}`);
    return found.map(({ path, type }) => {
      if (!isFloat(type.dtype))
        throw new DTypeError(
          `${name}: ${path || "the parameter"} is ${typeText(type)}; only floating-point parameters are trained: freeze: ["${path}"]`,
        );
      const group = others[members.findIndex((m) => m.has(path))] ?? base;
      const own = group.settings;
      return { path, type, group, settings: decayed !== null && !decayed.has(path) ? { ...own, weightDecay: 0 } : own };
    });
  };

  /** The scalars of the state, and what they begin with. */
  const scalarsOf = (trained: readonly Trained<Full>[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (const group of new Set(trained.map((t) => t.group))) {
      for (const [key, x] of Object.entries(rule.kept ?? {})) found.set(key + group.suffix, x as number);
      const shared = group !== base && group.rate === rate;
      if (typeof group.rate === "number") found.set(shared ? "rate" : `rate${group.suffix}`, group.rate);
      else if (typeof group.rate === "object")
        for (const [key, x] of Object.entries(plateauSlots(group.rate))) found.set(key + (shared ? "" : group.suffix), x);
    }
    return found;
  };

  /** Every key of the state with its type. */
  const layout = (trained: readonly Trained<Full>[]): Map<string, TensorType> => {
    const found = new Map<string, TensorType>([["step", scalarType("i32")]]);
    for (const key of scalarsOf(trained).keys()) found.set(key, scalarType("f64"));
    for (const { path, type, settings: own } of trained)
      for (const slot of Object.keys(rule.slots(own, type, path)))
        found.set(`${slot}/${path}`, tensorType(computed(type.dtype), type.shape));
    return found;
  };

  const init = (params: unknown): OptimizerState => {
    const trained = trainedOf(leaves(params).map(({ path, leaf }) => ({ path, type: typeOfLeaf(leaf) })));
    const state: Record<string, Tensor> = { step: tensor(0, "i32") };
    for (const [key, x] of scalarsOf(trained)) state[key] = tensor(x);
    for (const { path, type, settings: own } of trained)
      for (const [slot, start] of Object.entries(rule.slots(own, type, path))) {
        const dtype = computed(type.dtype);
        const data = dtype === "f64" ? new Float64Array(sizeOf(type.shape)) : new Float32Array(sizeOf(type.shape));
        state[`${slot}/${path}`] = hold(tensorType(dtype, type.shape), data.fill(start as number));
      }
    return state;
  };

  const update = (step: OptimizerStep<unknown>): { params: unknown; opt: Values<OptimizerState> } => {
    for (const part of ["params", "grad", "opt"] as const)
      if (((step as unknown) ?? {}) !== step || step[part] === undefined)
        throw new GraphError(
          `${name}: update has no ${part}; write update({ params, grad, opt }), opt being what init or the update before gave`,
        );
    const { params, grad, opt, across } = step;
    const given = leaves(params).map(({ path, leaf }) => ({ path, value: lift(leaf as Value, "f64") }));
    const trained = trainedOf(given.map(({ path, value }) => ({ path, type: value.type })));
    const byPath = new Map(given.map(({ path, value }) => [path, value]));
    const slopes = gradientsOf(name, grad, params, byPath);
    checkState(name, opt, layout(trained));

    const next: Record<string, Value> = { step: add(opt["step"]!, 1) };
    const count = cast(next["step"]!, "f64");
    const steps = new Map<Own<Full>, Numbers<Scalar>>();
    for (const group of new Set(trained.map((t) => t.group))) {
      const at = group !== base && group.rate === rate ? "" : group.suffix;
      let now: Value;
      if (typeof group.rate === "function") now = scheduled(group.rate, cast(opt["step"]!, "f64"), name);
      else {
        now = opt[`rate${at}`]!;
        const keys = typeof group.rate === "number" ? ["rate"] : Object.keys(plateauSlots(group.rate));
        for (const key of keys) next[key + at] = opt[key + at]!;
      }
      const kept = Object.fromEntries(Object.keys(rule.kept ?? {}).map((key) => [key, opt[key + group.suffix]!]));
      const scalars = rule.scalars(group.settings, { rate: now, count, kept: kept as Record<Scalar, Value> });
      for (const key of Object.keys(kept)) next[key + group.suffix] = scalars[key as Scalar];
      steps.set(group, new Numbers(scalars));
    }

    const clipped = clippedBy(
      trained.map(({ path, type }) => {
        const g = slopes.get(path)!;
        return computed(type.dtype) === type.dtype ? g : cast(g, "f32");
      }),
      clipValue,
      clipNorm,
      across,
    );
    const moved = new Map<string, Value>();
    trained.forEach(({ path, type, group, settings: own }, i) => {
      const dtype = computed(type.dtype);
      const value = byPath.get(path)!;
      const slots = Object.fromEntries(Object.keys(rule.slots(own, type, path)).map((slot) => [slot, opt[`${slot}/${path}`]!]));
      const { p, ...kept } = rule.leaf(own, {
        path,
        p: dtype === type.dtype ? value : cast(value, dtype),
        g: clipped[i]!,
        slots: slots as Record<Slot, Value>,
        now: steps.get(group)!.in(dtype),
      });
      moved.set(path, dtype === type.dtype ? p : cast(p, type.dtype));
      for (const [slot, v] of Object.entries(kept)) next[`${slot}/${path}`] = v as Value;
    });
    // The keys in the order of `init`.
    const state = Object.fromEntries(Object.keys(opt).map((key) => [key, next[key]!]));
    return { params: rebuild(params, (_, path) => moved.get(path) ?? byPath.get(path)!), opt: state };
  };

  const falling = [base, ...others].filter((group) => typeof group.rate === "object" && (group === base || group.rate !== rate));
  const made: Optimizer = {
    init: (params) => init(params),
    update: (step) => update(step as OptimizerStep<unknown>) as never,
    ...(rule.looksAtAll !== true && { elementwise: true as const }),
    given: [base, ...others]
      .filter((group) => typeof group.rate === "number" && (group === base || group.rate !== rate))
      .map(({ suffix }) => `rate${suffix}`),
  };
  if (falling.length === 0) return made;
  return {
    ...made,
    observe: ({ opt, metric }) => {
      const next: Record<string, Value> = { ...opt };
      for (const { rate: own, suffix } of falling) {
        const keys = Object.keys(plateauSlots(own as Plateau));
        if (!Object.hasOwn(opt, `rate${suffix}`)) continue;
        const after = observed(own as Plateau, Object.fromEntries(keys.map((key) => [key, opt[key + suffix]!])), metric);
        for (const key of keys) next[key + suffix] = after[key]!;
      }
      return next;
    },
  };
}

/** Numbers of a step in each dtype that asks for them, cast once. */
class Numbers<Scalar extends string> {
  private readonly exact: Record<Scalar, Value>;
  private single: Record<Scalar, Value> | null = null;
  constructor(exact: Record<Scalar, Value>) {
    this.exact = exact;
  }
  in(dtype: DType): Record<Scalar, Value> {
    if (dtype === "f64") return this.exact;
    return (this.single ??= Object.fromEntries(Object.entries(this.exact).map(([key, v]) => [key, cast(v as Value, "f32")])) as Record<
      Scalar,
      Value
    >);
  }
}

/** Gradients by path. @throws GraphError, ShapeError or DTypeError that says how they differ from the parameters */
function gradientsOf(name: string, grad: unknown, params: unknown, byPath: ReadonlyMap<string, Value>): Map<string, Value> {
  const found = new Map(
    match(grad, params, `${name}: grad`).map(({ path, given }) => [path, lift(given as Value, byPath.get(path)!.type.dtype)]),
  );
  const wrong = [...found].filter(([path, g]) => !sameType(g.type, byPath.get(path)!.type));
  if (wrong.length === 0) return found;
  const texts = wrong.map(([path, g]) => `${path || "it"} is ${typeText(g.type)} and the parameter ${typeText(byPath.get(path)!.type)}`);
  const message = `${name}: gradients have the types of their parameters; in grad ${listed(texts)}`;
  throw wrong.some(([path, g]) => g.type.dtype !== byPath.get(path)!.type.dtype) ? new DTypeError(message) : new ShapeError(message);
}

/** @throws GraphError with what is missing in a state, unknown, or of another type */
function checkState(name: string, opt: Values<OptimizerState>, wanted: ReadonlyMap<string, TensorType>): void {
  const missing = [...wanted.keys()].filter((key) => !Object.hasOwn(opt, key));
  const unknown = Object.keys(opt).filter((key) => !wanted.has(key));
  const other = [...wanted].filter(([key, type]) => Object.hasOwn(opt, key) && !sameType(typeOfLeaf(opt[key]!), type));
  if (missing.length + unknown.length + other.length === 0) return;
  const parts = [
    missing.length > 0 ? `missing ${listed(missing)}` : "",
    unknown.length > 0 ? `unknown ${listed(unknown)}` : "",
    other.length > 0 ? listed(other.map(([key, type]) => `${key} is ${typeText(typeOfLeaf(opt[key]!))} instead of ${typeText(type)}`)) : "",
  ].filter((text) => text !== "");
  throw new GraphError(`${name}: opt is the state of another optimiser or other parameters: ${parts.join("; ")}`);
}

/**
 * Gradients cut element by element, then scaled down together. The norm is taken in units of the largest allowed, and in f32 2^-40 of that: then no
 * square of f32 overflows that the gradient itself does not, and what underflows is far below the norm where clipping begins.
 */
function clippedBy(
  grads: readonly Value[],
  value: number | undefined,
  norm: number | undefined,
  across: ((scalar: Value) => Value) | undefined,
): readonly Value[] {
  const cut = value === undefined ? grads : grads.map((g) => clip(g, { min: -value, max: value }));
  if (norm === undefined) return cut;
  const squares = cut.map((g) => {
    if (g.type.dtype === "f64") return sum(square(mul(1 / norm, g)));
    return mul(2 ** 80, cast(sum(square(mul(2 ** -40 / norm, g))), "f64"));
  });
  const own = squares.reduce((a, b) => add(a, b));
  const total = sqrt(across === undefined ? own : across(own));
  // 1e-6 as in PyTorch's clip_grad_norm_.
  const factor = minimum(reciprocal(add(total, 1e-6 / norm)), 1);
  let single: Value | null = null;
  return cut.map((g) => mul(g, g.type.dtype === "f64" ? factor : (single ??= cast(factor, "f32"))));
}
