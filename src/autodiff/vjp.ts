import { isFloat } from "../ir/dtype.ts";
import { GraphError } from "../ir/errors.ts";
import { graphOf } from "../ir/graph.ts";
import { input, isType } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { match, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { along, checkFloat, during, fresh, resultValues } from "./argument.ts";
import { pullback, seed, zerosLike } from "./pullback.ts";
import { pushforward } from "./pushforward.ts";

type Fn<P, A extends readonly unknown[], R> = (at: P, ...rest: A) => R;

/**
 * `vjp(f)(p, ...rest)` is `{ value, pull }`: the function's value, and the linear map from a cotangent of the value to a cotangent of `p`.
 * The backward graph is built before this returns; each `pull(ct)` puts `ct` into it. Cotangents broadcast.
 * @throws GradientError for integer leaves of `p`
 */
export function vjp<P, A extends readonly unknown[], R>(
  f: Fn<P, A, R>,
): (at: Operands<P>, ...rest: Operands<A>) => { value: R; pull: (ct: Operands<R>) => Values<P> } {
  return (at, ...rest) =>
    during((keeper) => {
      const argument = fresh(at, keeper, "vjp");
      argument.values.forEach((v, i) => {
        checkFloat(v, argument.paths[i]!, "vjp");
      });
      const value = (f as (...args: unknown[]) => R)(argument.tree, ...along(rest));
      const results = resultValues(value, "vjp");
      const cts = results.map((r, i) => input(r.type, `ct${i}`));
      const live = results.map((r) => isFloat(r.type.dtype));
      const found = pullback(
        results.filter((_, i) => live[i]),
        cts.filter((_, i) => live[i]),
        argument.values,
      );
      const back = new Map(argument.values.map((v, i) => [v, found[i] ?? zerosLike(v)]));
      const backward = graphOf(
        cts as never,
        rebuild(argument.tree, (leaf) => back.get(leaf as Value)!),
      );
      const pull = (ct: Operands<R>): Values<P> => {
        const given = match(ct, value, "pull").map(({ given: x, path }, i) => {
          if (isType(x)) throw new GraphError(`pull: ${path || "the cotangent"} is a type`);
          return seed(x, results[i]!, "pull");
        });
        return backward(given as never) as Values<P>;
      };
      return { value, pull };
    });
}

/**
 * `jvp(f)(p, along, ...rest)` is `{ value, tangent }`: the function's value and its derivative in the direction `along`, a tree like `p` whose
 * leaves broadcast.
 * @throws GradientError for integer leaves of `p`
 */
export function jvp<P, A extends readonly unknown[], R>(
  f: Fn<P, A, R>,
): (at: Operands<P>, direction: Operands<P>, ...rest: Operands<A>) => { value: R; tangent: Values<R> } {
  return (at, direction, ...rest) =>
    during((keeper) => {
      const argument = fresh(at, keeper, "jvp");
      argument.values.forEach((v, i) => {
        checkFloat(v, argument.paths[i]!, "jvp");
      });
      const tangents = match(direction, argument.tree, "jvp: the direction").map(({ given, path }, i) => {
        if (isType(given)) throw new GraphError(`jvp: direction ${path || "along"} is a type`);
        return seed(given, argument.values[i]!, "jvp");
      });
      const value = (f as (...args: unknown[]) => R)(argument.tree, ...along(rest));
      const results = resultValues(value, "jvp");
      const pushed = pushforward(results, argument.values, tangents);
      let i = 0;
      const tangent = rebuild(value, () => {
        const k = i++;
        return pushed[k] ?? zerosLike(results[k]!);
      }) as Values<R>;
      return { value, tangent };
    }, "forward");
}
