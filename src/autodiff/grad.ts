import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { input, isType, lift, nameOf } from "../ir/leaf.ts";
import { isKept, type Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { isLeaf, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { full } from "../ops/linear/constants.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { type Argument, along, checkFloat, during, fresh, lossOf, optionsOf } from "./argument.ts";
import { batch } from "./batch.ts";
import { directionsOf } from "./directions.ts";
import { pullback, zerosLike } from "./pullback.ts";
import { pushforward } from "./pushforward.ts";

/** What a differentiated function returns: a scalar, or a record with a scalar `loss` whose other entries ride along untouched. */
export type Loss = Value | { readonly loss: Value };
/** "reverse": one pass per result; "forward": one pass per variable. The numbers are the same. */
export type Way = "reverse" | "forward";

/** Which entries of the first argument to differentiate (all when left out), and how. */
export interface GradOptions<K> {
  readonly wrt?: readonly K[];
  readonly mode?: Way;
}

const optionNames = ["wrt", "mode"] as const;

type Fn<P, A extends readonly unknown[], R> = (at: P, ...rest: A) => R;

/** The gradient of a function with respect to its first argument, as a function of the same arguments. */
export function valueAndGrad<P, A extends readonly unknown[], R extends Loss, const K extends keyof P>(
  f: Fn<P, A, R>,
  options: { readonly wrt: readonly K[]; readonly mode?: Way },
): (at: Operands<P>, ...rest: Operands<A>) => { value: R; grad: Values<Pick<P, K>> };
export function valueAndGrad<P, A extends readonly unknown[], R extends Loss>(
  f: Fn<P, A, R>,
  options?: { readonly mode?: Way },
): (at: Operands<P>, ...rest: Operands<A>) => { value: R; grad: Values<P> };
export function valueAndGrad(f: Fn<never, never, Loss>, options: GradOptions<PropertyKey> = {}): (...args: never[]) => unknown {
  optionsOf("valueAndGrad", options, optionNames);
  return (at: unknown, ...rest: unknown[]) => differentiate("valueAndGrad", f, options, at, rest);
}

/**
 * `grad(f)(p, ...rest)`: the gradient of the scalar `f(p, ...rest)` with respect to `p`, a tree of `p`'s shape. The other arguments ride along.
 * The result is Values: read or evaluate them, or differentiate again.
 * @throws GradientError when the result is not a floating-point scalar, or a differentiated leaf is an integer
 */
export function grad<P, A extends readonly unknown[], const K extends keyof P>(
  f: Fn<P, A, Loss>,
  options: { readonly wrt: readonly K[]; readonly mode?: Way },
): (at: Operands<P>, ...rest: Operands<A>) => Values<Pick<P, K>>;
export function grad<P, A extends readonly unknown[]>(
  f: Fn<P, A, Loss>,
  options?: { readonly mode?: Way },
): (at: Operands<P>, ...rest: Operands<A>) => Values<P>;
export function grad(f: Fn<never, never, Loss>, options: GradOptions<PropertyKey> = {}): (...args: never[]) => unknown {
  optionsOf("grad", options, optionNames);
  return (at: unknown, ...rest: unknown[]) => differentiate("grad", f, options, at, rest).grad;
}

function differentiate(
  who: string,
  f: Fn<never, never, Loss>,
  options: GradOptions<PropertyKey>,
  at: unknown,
  rest: readonly unknown[],
): { value: Loss; grad: unknown } {
  const { wrt, mode } = options;
  if (typeof f !== "function") throw new GradientError(`${who}: the first argument is no function; write ${who}((x) => ...)(x)`);
  return during(
    (keeper) => {
      const argument = fresh(at, keeper, who);
      const chosen = choose(argument, wrt, who);
      const value = (f as (...args: unknown[]) => Loss)(argument.tree, ...along(rest));
      const loss = lossOf(value, who);
      const asked = argument.values.filter((_, i) => chosen[i]);
      const found = mode === "forward" ? forward(loss, asked) : pullback([loss], [lift(1, loss.type.dtype)], asked);
      const byValue = new Map(asked.map((v, i) => [v, found[i] ?? zerosLike(v)]));
      return { value, grad: pick(argument.tree, wrt, (v) => byValue.get(v)!) };
    },
    mode === "forward" ? "forward" : "both",
  );
}

/** Which leaves are asked about. @throws GradientError for names that are not there, and integer leaves among them */
function choose({ tree, values, paths }: Argument, wrt: readonly PropertyKey[] | undefined, who: string): boolean[] {
  if (wrt !== undefined) {
    const keys = isLeaf(tree) ? [] : Object.keys(tree as object);
    for (const k of wrt)
      if (!keys.includes(String(k)))
        throw new GradientError(
          `${who}: wrt names ${String(k)}, and the first argument has ${keys.length === 0 ? "no names" : keys.join(", ")}`,
        );
  }
  return values.map((v, i) => {
    const path = paths[i]!;
    const inside = wrt === undefined || wrt.some((k) => path === String(k) || path.startsWith(`${String(k)}.`));
    if (inside) checkFloat(v, path, who);
    return inside;
  });
}

function pick(tree: unknown, wrt: readonly PropertyKey[] | undefined, f: (v: Value) => Value): unknown {
  if (wrt === undefined) return rebuild(tree, (leaf) => f(leaf as Value));
  return Object.fromEntries(wrt.map((k) => [k, rebuild((tree as Record<PropertyKey, unknown>)[k], (leaf) => f(leaf as Value))]));
}

/** A gradient by forward mode: one pass for each leaf, over the unit directions of its elements. */
function forward(loss: Value, asked: readonly Value[]): (Value | null)[] {
  return asked.map((v) => {
    const n = sizeOf(v.type.shape);
    if (n === 1) {
      const [slope] = pushforward([loss], [v], [full(v.type, 1)]);
      return slope ? reshape(slope, { shape: v.type.shape }) : null;
    }
    const direction = input(v.type, "direction");
    const [tangent] = pushforward([loss], [v], [direction]);
    const slopes = tangent ? batch([tangent], [direction], [directionsOf(v)], n)[0] : null;
    return slopes ? reshape(slopes, { shape: v.type.shape }) : null;
  });
}

/**
 * `gradients(loss, { dx: x, dq: q })`: the total derivative of a scalar with respect to Values you hold, intermediate ones included.
 * @throws GradientError for a loss that is no floating-point scalar, and for values that nothing keeps the history of, such as constants
 */
export function gradients<const W extends { readonly [name: string]: Value }>(loss: Value, wrt: W): { readonly [K in keyof W]: Value } {
  lossOf(loss, "gradients");
  if (typeof wrt !== "object" || wrt === null || isLeaf(wrt)) throw new GradientError("gradients: name the Values: { dx: x }");
  const asked = Object.entries(wrt).map(([name, x]) => {
    if (isType(x) || !isLeaf(x)) throw new GradientError(`gradients: ${name} is no Value`);
    const v = lift(x, "f64");
    if (!isFloat(v.type.dtype))
      throw new GradientError(`gradients: ${nameOf(v)} is ${typeText(v.type)}; integers and truth values have no gradient`);
    if (!isKept(v))
      throw new GradientError(`gradients: ${v.node.label ?? name} is a constant; make it variable(…) to ask for its gradient`);
    return v;
  });
  const found = pullback([loss], [lift(1, loss.type.dtype)], asked);
  return Object.fromEntries(Object.keys(wrt).map((name, i) => [name, found[i] ?? zerosLike(asked[i]!)])) as {
    readonly [K in keyof W]: Value;
  };
}
