import { evaluate } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { GradientError, GraphError } from "../ir/errors.ts";
import { graphOf, typeOfLeaf } from "../ir/graph.ts";
import { constantOf, input, isType, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor, tensor } from "../ir/tensor.ts";
import { match, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { collect } from "../ir/walk.ts";
import { along, checkFloat, during, fresh, resultValues } from "./argument.ts";
import { pullback, seed, zerosLike } from "./pullback.ts";
import { pushforward } from "./pushforward.ts";

/**
 * `linearize(f)(p, ...rest)` is `{ value, push }`: the function's value, and its derivative at `p` as a linear map from a direction to a tangent. The
 * forward graph is built once, before this returns; each `push(direction)` puts a direction into it, where `jvp` would call `f` again. Directions are
 * trees like `p`, whose leaves broadcast. It is to `jvp` what `vjp` is to `grad`.
 * @throws GradientError for integer leaves of `p`
 */
export function linearize<P, A extends readonly unknown[], R>(
  f: (at: P, ...rest: A) => R,
): (at: Operands<P>, ...rest: Operands<A>) => { value: R; push: (direction: Operands<P>) => Values<R> } {
  return (at, ...rest) =>
    during((keeper) => {
      const argument = fresh(at, keeper, "linearize");
      argument.values.forEach((v, i) => {
        checkFloat(v, argument.paths[i]!, "linearize");
      });
      const value = (f as (...args: unknown[]) => R)(argument.tree, ...along(rest));
      const results = resultValues(value, "linearize");
      const tangents = argument.values.map((v, i) => input(v.type, `d${argument.paths[i]!}`));
      const pushed = pushforward(results, argument.values, tangents);
      let i = 0;
      const forward = graphOf(
        tangents as never,
        rebuild(value, () => {
          const k = i++;
          return pushed[k] ?? zerosLike(results[k]!);
        }),
      );
      const push = (direction: Operands<P>): Values<R> => {
        const given = match(direction, argument.tree, "push").map(({ given: x, path }, k) => {
          if (isType(x)) throw new GraphError(`push: ${path || "the direction"} is a type`);
          return seed(x, argument.values[k]!, "push");
        });
        return forward(given as never) as Values<R>;
      };
      return { value, push };
    }, "forward");
}

/**
 * `linearTranspose(f, like)`: the transpose of a linear function: `<ct, f(v)> = <linearTranspose(f, like)(ct), v>` for all `v`. `like` is a tree of
 * types (or of data whose types are meant), what `f` takes; the result takes a tree like the one that `f` returns and gives one like `like`.
 *
 * That `f` is linear is looked at twice: its derivative may not depend on where it is taken, and, unless `f` uses what has no value yet, both sides of
 * the equation are compared at one pair of directions.
 * @throws GradientError when `f` is not linear, and for integers in `like`
 */
export function linearTranspose<P, R>(f: (x: Values<P>) => R, like: P): (ct: Operands<R>) => Values<P> {
  const inputs: Value[] = [];
  const tree = rebuild(like, (leaf, path) => {
    const v = input(typeOfLeaf(leaf), path === "" ? "x" : path);
    checkFloat(v, path, "linearTranspose");
    inputs.push(v);
    return v;
  });
  const value = f(tree as Values<P>);
  const results = resultValues(value, "linearTranspose");
  const live = results.map((r) => isFloat(r.type.dtype));
  const cts = results.map((r, i) => input(r.type, `ct${i}`));
  const found = pullback(
    results.filter((_, i) => live[i]),
    cts.filter((_, i) => live[i]),
    inputs,
  );
  const pulled = inputs.map((v, i) => found[i] ?? zerosLike(v));
  const held = new Set(inputs.map((v) => v.node));
  const bent = collect(pulled, Math.min(...inputs.map((v) => v.node.serial))).find((node) => held.has(node));
  if (bent !== undefined)
    throw new GradientError(
      `linearTranspose: the function is not linear: its derivative depends on ${nameOf(bent)}; linearize it at a point first, or use vjp`,
    );
  let i = 0;
  const backward = graphOf(
    cts as never,
    rebuild(tree, () => pulled[i++]!),
  );
  const transposed = (ct: Operands<R>): Values<P> => {
    const given = match(ct, value, "linearTranspose").map(({ given: x, path }, k) => {
      if (isType(x)) throw new GraphError(`linearTranspose: ${path || "the cotangent"} is a type`);
      return seed(x, results[k]!, "linearTranspose");
    });
    return backward(given as never) as Values<P>;
  };
  compare(inputs, value, results, transposed as never);
  return transposed;
}

/** Both sides of the defining equation at one pair of directions. */
function compare(inputs: readonly Value[], value: unknown, results: readonly Value[], transposed: (ct: unknown) => unknown): void {
  const forward = graphOf(inputs as never, results);
  const direction = inputs.map((v, i) => waves(v, i));
  const cts = results.map((r, i) => waves(r, inputs.length + i));
  let i = 0;
  const ctTree = rebuild(value, () => cts[i++]!);
  let pair: readonly [readonly Tensor[], readonly Tensor[]];
  try {
    const pulled: Value[] = [];
    rebuild(transposed(ctTree), (leaf) => pulled.push(leaf as Value));
    pair = [evaluate((forward as (xs: never) => readonly Value[])(direction as never)), evaluate(pulled)];
  } catch (e) {
    // What f uses has no value while a graph is built; then its derivative alone was looked at.
    if (e instanceof GraphError) return;
    throw e;
  }
  const [left, right] = [dot(pair[0], cts), dot(pair[1], direction)];
  const coarse = results.some((r) => r.type.dtype !== "f64");
  if (Math.abs(left.sum - right.sum) > (coarse ? 1e-2 : 1e-8) * Math.max(left.size, right.size, Number.MIN_VALUE))
    throw new GradientError(
      `linearTranspose: the function is not linear: <ct, f(v)> is ${left.sum} and <transpose(ct), v> is ${right.sum} for one v and ct; an added constant or a rounding is not linear`,
    );
}

/** A direction without symmetries. */
function waves(v: Value, salt: number): Value {
  const data = Float64Array.from({ length: sizeOf(v.type.shape) }, (_, i) => Math.sin(1 + salt + 1.7 * i) + 0.3);
  const t = tensor(data, v.type.dtype);
  return constantOf(hold(v.type, t.data), v.type);
}

function dot(xs: readonly Tensor[], ys: readonly Value[]): { readonly sum: number; readonly size: number } {
  let sum = 0;
  let size = 0;
  xs.forEach((x, k) => {
    if (!isFloat(x.type.dtype)) return;
    const y = (ys[k]!.node.memo as Tensor).data;
    for (let i = 0; i < y.length; i++) {
      sum += x.data[i]! * y[i]!;
      size += Math.abs(x.data[i]! * y[i]!);
    }
  });
  return { sum, size };
}
