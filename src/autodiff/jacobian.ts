import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { isLeaf, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { stack } from "../ops/linear/concat.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { expand } from "../ops/linear/sum.ts";
import { along, checkFloat, during, fresh } from "./argument.ts";
import { basis, grad, type Way } from "./grad.ts";
import { pullback, zerosLike } from "./pullback.ts";
import { pushforward } from "./pushforward.ts";
import { jvp } from "./vjp.ts";

type Fn<P, A extends readonly unknown[], R> = (at: P, ...rest: A) => R;

/**
 * `jacobian(f)(p, ...rest)`: all first derivatives of a Value with respect to `p`: per leaf of `p` a Value of shape `[...result, ...leaf]`.
 * Reverse mode makes one pass per result element, forward mode one per variable element; the cheaper is taken unless `mode` says.
 */
export function jacobian<P, A extends readonly unknown[]>(
  f: Fn<P, A, Value>,
  { mode }: { readonly mode?: Way } = {},
): (at: Operands<P>, ...rest: Operands<A>) => Values<P> {
  return (at, ...rest) =>
    during((keeper) => {
      const argument = fresh(at, keeper, "jacobian");
      argument.values.forEach((v, i) => {
        checkFloat(v, argument.paths[i]!, "jacobian");
      });
      const made: unknown = (f as (...args: unknown[]) => unknown)(argument.tree, ...along(rest));
      if (typeof made !== "number" && !isValue(made))
        throw new GradientError("jacobian: the function returned no Value; it returns one Value of any shape");
      const out = lift(made as Operand, "f64");
      if (!isFloat(out.type.dtype))
        throw new GradientError(`jacobian: the function returned ${typeText(out.type)}; only floating-point values have derivatives`);
      const rows = sizeOf(out.type.shape);
      const columns = argument.values.reduce((n, v) => n + sizeOf(v.type.shape), 0);
      const forward = mode === undefined ? columns < rows : mode === "forward";
      const parts = forward ? byColumns(out, argument.values) : byRows(out, argument.values, rows);
      const byValue = new Map(argument.values.map((v, i) => [v, parts[i]!]));
      return rebuild(argument.tree, (leaf) => byValue.get(leaf as Value)!) as Values<P>;
    });
}

function byRows(out: Value, wrt: readonly Value[], rows: number): Value[] {
  const pulled = Array.from({ length: rows }, (_, i) => pullback([out], [basis(out, i)], wrt));
  return wrt.map((v, k) => {
    const shape = [...out.type.shape, ...v.type.shape];
    if (sizeOf(shape) === 0) return expand(lift(0, v.type.dtype), { shape });
    return reshape(stack(pulled.map((row) => row[k] ?? zerosLike(v))), { shape });
  });
}

function byColumns(out: Value, wrt: readonly Value[]): Value[] {
  return wrt.map((v) => {
    const shape = [...out.type.shape, ...v.type.shape];
    const n = sizeOf(v.type.shape);
    if (sizeOf(shape) === 0) return expand(lift(0, v.type.dtype), { shape });
    const columns = Array.from({ length: n }, (_, j) => pushforward([out], [v], [basis(v, j)])[0] ?? zerosLike(out));
    return reshape(stack(columns, { axis: out.type.shape.length }), { shape });
  });
}

/**
 * `hessian(f)(x, ...rest)`: all second derivatives of a scalar function of one Value, of shape `[...x, ...x]`: forward over reverse.
 */
export function hessian<A extends readonly unknown[]>(f: Fn<Value, A, Value>): (at: Operand, ...rest: Operands<A>) => Value {
  return (at, ...rest) => {
    if (!isLeaf(at)) throw new GradientError("hessian: the argument is a tree; a Hessian is of one Value: concat the parts, or use hvp");
    const slope = grad(f as Fn<Value, readonly unknown[], Value>);
    const both = jacobian(slope as unknown as Fn<Value, readonly unknown[], Value>, { mode: "forward" });
    return both(at, ...(rest as unknown as readonly never[])) as Value;
  };
}

/** `hvp(f)(p, v, ...rest)`: the Hessian of a scalar function times a direction, without forming it: forward over reverse. */
export function hvp<P, A extends readonly unknown[]>(
  f: Fn<P, A, Value>,
): (at: Operands<P>, direction: Operands<P>, ...rest: Operands<A>) => Values<P> {
  const slope = grad(f as Fn<P, readonly unknown[], Value>) as unknown as Fn<P, A, unknown>;
  return (at, direction, ...rest) => jvp(slope)(at, direction, ...rest).tangent as Values<P>;
}
