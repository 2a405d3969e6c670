import { evaluate } from "../evaluate/evaluate.ts";
import { GraphError } from "../ir/errors.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { input, isType, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import { leaves, rebuild, type Values } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import { checkOptionNames, checkRecord, kindText } from "../notation/given.ts";
import { add, cast, div, minimum, mul, sub } from "../ops/index.ts";
import { type Optimizer, type OptimizerState, stepCount } from "./optimizer.ts";
import { checkNumber } from "./rate.ts";

const slot = "average/";

/** Options of {@link averaged}. */
export interface AveragedOptions {
  /** How much of the average is kept at each step, 0.999 unless given. */
  readonly keep?: number;
  /** Keeps less in the beginning, (1 + steps) / (10 + steps), so that the first parameters do not weigh on a short run. */
  readonly warmup?: boolean;
}

/**
 * The same optimiser, which also keeps an exponential moving average of every parameter that it moves, as `"average/path"` of its state. Train with
 * the parameters; evaluate with {@link averages} of the state. Polyak and Juditsky 1992; as an exponential mean in Tarvainen and Valpola 2017.
 * @throws DomainError for `keep` out of range
 */
export function averaged(optimizer: Optimizer, options: AveragedOptions = {}): Optimizer {
  if (typeof (optimizer as Partial<Optimizer> | null | undefined)?.update !== "function")
    throw new GraphError(`averaged: the optimiser is ${kindText(optimizer)}; it is what a call makes: averaged(sgd({ rate: 0.1 }))`);
  checkOptionNames("averaged", options, ["keep", "warmup"], "averaged(optimizer, { keep: 0.999 })", { decay: "keep" });
  const { keep = 0.999, warmup = false } = options;
  checkNumber(keep, "keep", "averaged", 0, 1);
  const { observe } = optimizer;
  const part = (opt: Values<OptimizerState>, mine: boolean): Values<OptimizerState> =>
    Object.fromEntries(Object.entries(opt).filter(([key]) => key.startsWith(slot) === mine));
  return {
    init: (params) => {
      const opt = optimizer.init(params);
      const moves = movedBy(optimizer, params, opt);
      const kept: Record<string, Tensor> = {};
      for (const { path, leaf } of leaves(params)) {
        if (!moves.has(path)) continue;
        if (isType(leaf))
          throw new GraphError(
            `averaged: ${path || "the parameter"} is a type; an average begins with the parameters, so give tensors to init`,
          );
        kept[slot + path] = evaluate(lift(leaf, "f64")) as Tensor;
      }
      return { ...opt, ...kept };
    },
    ...(optimizer.elementwise === true && { elementwise: true as const }),
    ...(optimizer.given !== undefined && { given: optimizer.given }),
    update: ({ params, grad, opt, across }) => {
      const given = rebuild(params, (leaf) => lift(leaf as Value, "f64"));
      const before = new Map(leaves(given).map(({ path, leaf }) => [path, leaf]));
      const next = optimizer.update({
        params: given as typeof params,
        grad,
        opt: part(opt, false),
        ...(across !== undefined && { across }),
      });
      const count = cast(stepCount(next.opt), "f64");
      const kept = warmup ? minimum(div(add(count, 1), add(count, 10)), keep) : lift(keep, "f64");
      const shares = new Map<string, Value>();
      const mine: Record<string, Value> = {};
      for (const { path, leaf } of leaves(next.params)) {
        const value = leaf as Value;
        if (value === before.get(path)) continue;
        const key = slot + path;
        const average = opt[key];
        if (average === undefined) throw new GraphError(`averaged: opt has no ${key}; make it with the init of the averaged optimiser`);
        const { dtype } = value.type;
        let share = shares.get(dtype);
        if (share === undefined) shares.set(dtype, (share = cast(sub(1, kept), dtype)));
        mine[key] = add(average, mul(share, sub(value, average)));
      }
      return { params: next.params, opt: { ...next.opt, ...mine } };
    },
    ...(observe === undefined
      ? {}
      : { observe: ({ opt, metric }) => ({ ...observe({ opt: part(opt, false), metric }), ...part(opt, true) }) }),
  };
}

/** The paths of the parameters that an optimiser moves: those that an update gives new nodes for. */
function movedBy(optimizer: Optimizer, params: unknown, opt: OptimizerState): ReadonlySet<string> {
  const typed = (tree: unknown): unknown => rebuild(tree, (leaf, path) => input(typeOfLeaf(leaf), path));
  const before = typed(params);
  const next = optimizer.update({ params: before, grad: before as Values<unknown>, opt: typed(opt) as Values<OptimizerState> });
  const old = new Map(leaves(before).map(({ path, leaf }) => [path, leaf]));
  return new Set(leaves(next.params).flatMap(({ path, leaf }) => (leaf === old.get(path) ? [] : [path])));
}

/**
 * The parameters as an {@link averaged} optimiser has averaged them: `averages(opt, params)`, in a graph that shares the state of training or on what
 * was read from it. Frozen ones are taken from `params`.
 * @throws GraphError for a state without averages, or of other parameters
 */
export function averages<P>(opt: Values<OptimizerState> | OptimizerState, params: P): Values<P> {
  checkRecord("averages", "opt", opt, [], "the state of an optimiser: averages(opt, params)");
  if (!Object.keys(opt).some((key) => key.startsWith(slot)))
    throw new GraphError("averages: opt has no averages; they are kept by an optimiser that is averaged(...)");
  return rebuild(params, (leaf, path) => {
    const value = lift(leaf as Value, "f64");
    const found = opt[slot + path];
    if (found === undefined) return value;
    const average = lift(found, "f64");
    if (!sameType(average.type, value.type))
      throw new GraphError(
        `averages: ${slot}${path} is ${typeText(average.type)} and the parameter ${typeText(value.type)}; it is of other parameters`,
      );
    return average;
  }) as Values<P>;
}
