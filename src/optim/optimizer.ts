import { GraphError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";

/**
 * What an optimiser remembers from step to step, flat: `"step"`, and tensors by `"slot/path"` as `"m/fc1.w"`. It is opaque to users, and is kept,
 * saved and shared like any tensors. Frozen parameters have no slots.
 */
export type OptimizerState = { readonly [slot: string]: Tensor };

/** What a step works on: parameters, their gradient, and what `init` or the step before gave as `opt`. */
export interface OptimizerStep<P> {
  readonly params: P;
  readonly grad: Values<P>;
  readonly opt: Values<OptimizerState>;
  /**
   * Where `params`, `grad` and `opt` are one part of several, as on ranks that share out the update: the sum of a scalar over all parts, for what has to see the whole, as
   * the norm that is clipped. It is asked for scalars of `params`, `grad` and `opt` alone, not of other such sums.
   */
  readonly across?: (scalar: Value) => Value;
}

/** An update rule. It holds nothing: what it remembers goes in and out as `opt`. */
export interface Optimizer {
  /** The state before the first step, for parameters of these types. @throws GraphError when there is nothing to train */
  init<P>(params: P): OptimizerState;
  /** One step, as nodes of a graph: new parameters and new state. @throws GraphError where the trees do not match */
  update<P>(step: OptimizerStep<P>): { params: Values<P>; opt: Values<OptimizerState> };
  /**
   * Present where each element of a parameter moves by itself: by its own gradient, its own elements of the state, and scalars. Then any part of a parameter may be
   * updated apart from the rest; else parameters are updated whole.
   */
  readonly elementwise?: true;
  /**
   * Keys of the state that hold what the options say, as a rate that is a number: a run that is resumed has them from its own options, and everything else from
   * its checkpoint.
   */
  readonly given?: readonly string[];
  /**
   * Present where the rate depends on how training goes ({@link plateau}): the state after a metric was seen, lower being better. Call it, or run
   * a graph of it that shares the state of the step, after each validation.
   */
  readonly observe?: (seen: { readonly opt: Values<OptimizerState>; readonly metric: Operand }) => Values<OptimizerState>;
}

/**
 * How many steps were taken: an i32 scalar of the state, for keys that differ from step to step as in `random.fold(key, stepCount(opt))`.
 * @throws GraphError for a record that is no state of an optimiser
 */
export function stepCount(opt: Values<OptimizerState>): Value {
  const count = ((opt as unknown) ?? {}) === opt ? opt["step"] : undefined;
  if (count === undefined)
    throw new GraphError(
      `stepCount: opt has no step, only ${Object.keys((opt as unknown) ?? {}).join(", ") || "nothing"}; pass what optimizer.init gave`,
    );
  return count;
}
