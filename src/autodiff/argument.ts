import { isFloat } from "../ir/dtype.ts";
import { GradientError, GraphError } from "../ir/errors.ts";
import { isType, isValue, lift } from "../ir/leaf.ts";
import { type Keeper, Node, nextSerial, noAttrs, type Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { isLeaf, leaves, rebuild } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { identity } from "../ops/identity.ts";

/** A transform's argument: the tree of fresh identity nodes that the function sees, and its leaves in order. */
export interface Argument {
  readonly tree: unknown;
  readonly values: readonly Value[];
  readonly paths: readonly string[];
}

/**
 * Calls `body` with a keeper that is open meanwhile: nodes that depend on the transform's arguments keep their history until the transform
 * returns, then only as long as somebody else needs it. The function must be synchronous.
 */
export function during<R>(body: (keeper: Keeper) => R, way: "forward" | "both" = "both"): R {
  const keeper: Keeper = { open: true, order: nextSerial(), forward: way === "forward" };
  try {
    return body(keeper);
  } finally {
    keeper.open = false;
  }
}

/**
 * The options of a transform. What f is called with comes in a second call, and people who have not met that write it beside f.
 * @throws GraphError for other options, and for a value in their place
 */
export function optionsOf<T extends object>(who: string, options: T, names: readonly (keyof T & string)[]): T {
  const odd =
    options === null || isLeaf(options) ? "a value" : Object.keys(options).find((key) => !names.includes(key as keyof T & string));
  if (odd !== undefined)
    throw new GraphError(`${who}: ${odd} is no option; there are ${names.join(", ")}; what f takes comes in a second call: ${who}(f)(x)`);
  return options;
}

/**
 * The function's argument as fresh identity nodes, one per leaf. Differentiating with respect to nodes that nobody else holds keeps nested
 * derivatives apart without tags or levels. Integer leaves pass through.
 */
export function fresh(tree: unknown, keeper: Keeper, who: string): Argument {
  const values: Value[] = [];
  const paths: string[] = [];
  const made = rebuild(tree, (leaf, path) => {
    if (isType(leaf))
      throw new GraphError(
        `${who}: ${path === "" ? "the argument" : path} is a type; transforms take Values, Tensors, typed arrays and numbers`,
      );
    const v = lift(leaf, "f64");
    const outer = v.node.keeper;
    const node = new Node(identity, [v], noAttrs, v.type, outer?.open && outer.order < keeper.order ? outer : keeper);
    const name = path === "" ? (isValue(leaf) ? v.node.label : null) : path;
    node.label = name;
    if (v.node.memo !== undefined && v.node.outputs === null) node.memo = v.node.memo;
    values.push(node);
    paths.push(path);
    return node;
  });
  return { tree: made, values, paths };
}

/** Arguments that ride along: operands become Values, everything else (flags, functions, null) passes as it is. */
export function along(args: readonly unknown[]): unknown[] {
  return args.map((a) => {
    if (isLeaf(a)) return isType(a) ? a : lift(a as Operand, "f64");
    if (typeof a !== "object" || a === null) return a;
    const proto: unknown = Object.getPrototypeOf(a);
    if (!Array.isArray(a) && proto !== Object.prototype && proto !== null) return a;
    return looseTree(a);
  });
}

function looseTree(a: object): unknown {
  const inner = (x: unknown): unknown => along([x])[0];
  return Array.isArray(a) ? a.map(inner) : Object.fromEntries(Object.entries(a).map(([k, x]) => [k, inner(x)]));
}

function refusePromise(result: unknown, who: string): void {
  if (typeof result === "object" && result !== null && typeof (result as { then?: unknown }).then === "function")
    throw new GradientError(
      `${who}: the function returned a promise; a transform's function must be synchronous (await before, and pass the data in)`,
    );
}

/** The Values of a function's result: a promise or a type is a lesson. */
export function resultValues(result: unknown, who: string): Value[] {
  refusePromise(result, who);
  return leaves(result).map(({ leaf, path }) => {
    if (isType(leaf)) throw new GradientError(`${who}: result ${path} is a type`);
    return lift(leaf, "f64");
  });
}

/** The loss in a function's result: a scalar Value, or the record's `loss`. @throws GradientError otherwise */
export function lossOf(result: unknown, who: string): Value {
  refusePromise(result, who);
  let loss: unknown = result;
  if (!isLeaf(result) && typeof result === "object" && result !== null) {
    loss = (result as { loss?: unknown }).loss;
    if (!isLeaf(loss))
      throw new GradientError(`${who}: the function returned a record without a Value "loss"; return a scalar, or { loss, ... }`);
  }
  if (isType(loss)) throw new GradientError(`${who}: the function returned a type`);
  const v = lift(loss as Operand, "f64");
  if (v.type.shape.length !== 0)
    throw new GradientError(
      `${who}: the function returned ${typeText(v.type)}; a gradient is of a scalar: take sum or mean, or use jacobian or vjp`,
    );
  if (!isFloat(v.type.dtype))
    throw new GradientError(`${who}: the function returned ${typeText(v.type)}; only floating-point values have gradients`);
  return v;
}

/** @throws GradientError for a leaf that has no derivative */
export function checkFloat(v: Value, path: string, who: string): void {
  if (isFloat(v.type.dtype)) return;
  throw new GradientError(
    `${who}: ${path === "" ? (v.node.label ?? "the argument") : path} is ${typeText(v.type)}; ${v.type.dtype === "bool" ? "truth values" : "integers"} have no gradient: ${/[gG]rad$/.test(who) ? `${who}(f, { wrt: [...] })` : "pass it as a later argument, or close over it"}`,
  );
}
