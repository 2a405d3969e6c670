import { valueAndGrad } from "../autodiff/grad.ts";
import { hessian } from "../autodiff/jacobian.ts";
import { DomainError, GraphError } from "../ir/errors.ts";
import { isValue } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Tensors, Values } from "../ir/tree.ts";
import { caller, Flat } from "./flat.ts";
import { lbfgs } from "./lbfgs.ts";
import { checkSearch, checkSearched, type Point, type Reason, type SearchOptions } from "./search.ts";
import { newton } from "./trust-region.ts";
import { largest } from "./vector.ts";

/** Options of {@link minimize}. */
export interface MinimizeOptions extends SearchOptions {
  /** "lbfgs" (the default) remembers a few steps; "newton" uses the whole Hessian, for up to some hundred variables. */
  readonly method?: "lbfgs" | "newton";
  /** Ends where the largest relative slope, |df/dx| max(|x|, 1) / max(|f|, 1), is at most this; 1e-8 unless given, 1e-4 for
   * f32. */
  readonly tolerance?: number;
  /** How many steps L-BFGS remembers, 10 unless given. */
  readonly memory?: number;
}

/** What {@link minimize} found. */
export interface Minimum<P> {
  readonly at: Tensors<P>;
  readonly value: number;
  readonly rounds: number;
  /** How often the function was evaluated. */
  readonly evaluations: number;
  /** "gradient": the slope is as small as asked for. "step": no step lowers the value any more. "limit", "signal": stopped before. */
  readonly reason: Exclude<Reason, "value">;
}

/**
 * A minimum of a scalar function of a tree of numbers, close to `start`: on the host, with nothing compiled unless `engine` says so. "lbfgs" (Liu and
 * Nocedal 1989) with a line search for the strong Wolfe conditions, or "newton" in a trust region, which also leaves saddle points. Points where the
 * function is not finite are walls that the search turns back from.
 * @throws DomainError where function or gradient are not finite at the start, and for bad options; GraphError for a function that gives no scalar
 */
export function minimize<P>(f: (at: Values<P>) => Value, start: P, options: MinimizeOptions = {}): Minimum<P> {
  checkSearched("minimize", f, options, ["method", "tolerance", "memory"]);
  const { method = "lbfgs", limit = method === "newton" ? 500 : 1000, memory = 10, signal, each, engine } = options;
  const flat = new Flat(start, "minimize");
  const { tolerance = flat.epsilon < 1e-12 ? 1e-8 : 1e-4 } = options;
  checkSearch("minimize", limit, { tolerance });
  if (!(memory >= 1)) throw new DomainError(`minimize: memory is ${memory}; it is the number of steps to remember, 1 or more`);
  if (method !== "lbfgs" && method !== "newton")
    throw new DomainError(`minimize: method is ${String(method)}; there are lbfgs and newton, and leastSquares for sums of squares`);
  const g = flat.of((at: Values<P>) => checked(f(at)));
  const slope = caller(valueAndGrad(g), engine) as (x: Float64Array) => { readonly value: Tensor; readonly grad: Tensor };
  let evaluations = 0;
  const look = (x: Float64Array): Point => {
    evaluations++;
    const { value, grad } = slope(x);
    return { x, value: value.data[0]!, gradient: Float64Array.from(grad.data) };
  };
  let point = look(flat.start);
  if (!Number.isFinite(point.value))
    throw new DomainError(`minimize: the function is ${point.value} at the start; begin where it is finite`);
  const bad = point.gradient.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw new DomainError(
      `minimize: the derivative by ${flat.name(bad)} is ${point.gradient[bad]} at the start; begin away from edges and kinks, and firstBad(grad(f)(start)) tells where it comes from`,
    );
  const second = caller(hessian(g) as (x: Value) => Value, engine);
  const descend =
    method === "lbfgs" ? lbfgs(memory, flat.epsilon) : newton((x) => Float64Array.from((second(x) as Tensor).data), flat.epsilon);
  const steepness = ({ x, value, gradient }: Point): number =>
    largest(gradient.map((s, i) => s * Math.max(Math.abs(x[i]!), 1))) / Math.max(Math.abs(value), 1);

  let rounds = 0;
  let stalled = 0;
  let reason: Minimum<P>["reason"] = "limit";
  for (;;) {
    if (steepness(point) <= tolerance) {
      reason = "gradient";
      break;
    }
    if (signal?.aborted) {
      reason = "signal";
      break;
    }
    if (rounds >= limit) break;
    const next = descend(point, look);
    if (next === null || stalled > 10) {
      reason = "step";
      break;
    }
    // Close to a minimum the slope is lowered at equal values; when that leads nowhere either, all that is left is rounding.
    stalled = next.value < point.value ? 0 : stalled + 1;
    point = next;
    rounds++;
    each?.({ round: rounds, value: point.value, slope: largest(point.gradient) });
  }
  return { at: flat.tensors(point.x) as Tensors<P>, value: point.value, rounds, evaluations, reason };
}

/** @throws GraphError for what is no Value: a plain number would have no derivative */
function checked(value: unknown): Value {
  if (isValue(value)) return value;
  throw new GraphError(
    `minimize: the function gave ${typeof value === "number" ? `the number ${value}` : typeof value}; it computes a scalar Value`,
  );
}
