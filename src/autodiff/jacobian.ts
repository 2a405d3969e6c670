import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { input } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { isLeaf, type Leaf, leaves, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { full } from "../ops/linear/constants.ts";
import { moveAxis } from "../ops/linear/every-example.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { along, checkFloat, during, fresh, optionsOf, resultValues } from "./argument.ts";
import { batch } from "./batch.ts";
import { directionsOf } from "./directions.ts";
import { grad, type Way } from "./grad.ts";
import { pullback, zerosLike } from "./pullback.ts";
import { pushforward } from "./pushforward.ts";
import { jvp } from "./vjp.ts";

type Fn<P, A extends readonly unknown[], R> = (at: P, ...rest: A) => R;

/** The derivatives of a tree with respect to a tree: per leaf of the result a tree like the argument. */
export type Jacobian<R, P> = R extends Leaf ? Values<P> : { [K in keyof R]: Jacobian<R[K], P> };

/**
 * `jacobian(f)(p, ...rest)`: all first derivatives of `f(p, ...rest)` with respect to `p`: per leaf of the result, and in it per leaf of `p`, a
 * Value of shape `[...result, ...leaf]`. A function of one Value to one Value has one of these.
 *
 * One pass, batched over the unit directions as `vmap` batches it: in reverse mode over the elements of the result, in forward mode over those of
 * the variables; the fewer of them are taken unless `mode` says. The function's own values are computed once.
 * @throws GradientError for integers among the variables or results, and for results that are no Values
 */
export function jacobian<P, A extends readonly unknown[], R>(
  f: Fn<P, A, R>,
  options: { readonly mode?: Way } = {},
): (at: Operands<P>, ...rest: Operands<A>) => Jacobian<R, P> {
  const { mode } = optionsOf("jacobian", options, ["mode"]);
  return (at, ...rest) =>
    during((keeper) => {
      const argument = fresh(at, keeper, "jacobian");
      argument.values.forEach((v, i) => {
        checkFloat(v, argument.paths[i]!, "jacobian");
      });
      const result: unknown = (f as (...args: unknown[]) => unknown)(argument.tree, ...along(rest));
      if (!isLeaf(result) && (typeof result !== "object" || result === null))
        throw new GradientError("jacobian: the function returned no Value; it returns a Value of any shape, or a tree of them");
      const outs = resultValues(result, "jacobian");
      const paths = leaves(result).map(({ path }) => path);
      outs.forEach((out, i) => {
        if (!isFloat(out.type.dtype))
          throw new GradientError(
            `jacobian: the function returned ${typeText(out.type)}${paths[i] === "" ? "" : ` as ${paths[i]}`}; only floating-point values have derivatives`,
          );
      });
      const rows = outs.reduce((n, v) => n + sizeOf(v.type.shape), 0);
      const columns = argument.values.reduce((n, v) => n + sizeOf(v.type.shape), 0);
      const forward = mode === undefined ? columns < rows : mode === "forward";
      const parts = forward ? byColumns(outs, argument.values) : outs.map((out) => byRows(out, argument.values));
      let i = 0;
      return rebuild(result, () => {
        const own = parts[i++]!;
        let k = 0;
        return rebuild(argument.tree, () => own[k++]!);
      }) as Jacobian<R, P>;
    });
}

/** One backward pass for all elements of a result. */
function byRows(out: Value, wrt: readonly Value[]): Value[] {
  const rows = sizeOf(out.type.shape);
  const shapes = wrt.map((v) => [...out.type.shape, ...v.type.shape]);
  if (rows === 1) {
    const one = full(out.type, 1);
    return pullback([out], [one], wrt).map((g, i) => reshape(g ?? zerosLike(wrt[i]!), { shape: shapes[i]! }));
  }
  const ct = input(out.type, "ct");
  const pulled = pullback([out], [ct], wrt);
  const found = batch(
    pulled.map((g, i) => g ?? zerosLike(wrt[i]!)),
    [ct],
    [directionsOf(out)],
    rows,
  );
  return found.map((g, i) => (g === null ? full(tensorType(wrt[i]!.type.dtype, shapes[i]!), 0) : reshape(g, { shape: shapes[i]! })));
}

/**
 * One forward pass for all elements of each variable. Variables do not share a pass: the direction that is 0 in one of them would meet the infinite
 * derivatives of another and turn them into NaN.
 */
function byColumns(outs: readonly Value[], wrt: readonly Value[]): Value[][] {
  const columns = wrt.map((v) => {
    const n = sizeOf(v.type.shape);
    if (n === 1) return pushforward(outs, [v], [full(v.type, 1)]);
    const direction = input(v.type, "direction");
    const pushed = pushforward(outs, [v], [direction]);
    const found = batch(
      pushed.map((t, i) => t ?? zerosLike(outs[i]!)),
      [direction],
      [directionsOf(v)],
      n,
    );
    return found.map((t, i) => t && moveAxis(t, 0, outs[i]!.type.shape.length));
  });
  return outs.map((out, i) =>
    wrt.map((v, k) => {
      const shape = [...out.type.shape, ...v.type.shape];
      const column = columns[k]![i] ?? null;
      return column === null ? full(tensorType(out.type.dtype, shape), 0) : reshape(column, { shape });
    }),
  );
}

/**
 * `hessian(f)(p, ...rest)`: all second derivatives of a scalar function, forward over reverse: of one Value a Value of shape `[...x, ...x]`; of a
 * tree, per pair of leaves, as `hessian(f)(p).a.b` of shape `[...a, ...b]`.
 * @throws GradientError as `grad` and `jacobian`
 */
export function hessian<P, A extends readonly unknown[]>(
  f: Fn<P, A, Value>,
): (at: Operands<P>, ...rest: Operands<A>) => Jacobian<Values<P>, P> {
  const slope = grad(f as Fn<P, readonly unknown[], Value>) as unknown as Fn<P, A, Values<P>>;
  return jacobian<P, A, Values<P>>(slope, { mode: "forward" });
}

/** `hvp(f)(p, v, ...rest)`: the Hessian of a scalar function times a direction, without forming it: forward over reverse. */
export function hvp<P, A extends readonly unknown[]>(
  f: Fn<P, A, Value>,
): (at: Operands<P>, direction: Operands<P>, ...rest: Operands<A>) => Values<P> {
  const slope = grad(f as Fn<P, readonly unknown[], Value>) as unknown as Fn<P, A, unknown>;
  return (at, direction, ...rest) => jvp(slope)(at, direction, ...rest).tangent as Values<P>;
}
