import type { TypedArray } from "./dtype.ts";
import { GraphError } from "./errors.ts";
import { isTensor, isType, isValue, lift, variable } from "./leaf.ts";
import type { Value } from "./node.ts";
import type { Operand } from "./op.ts";
import { isTypedArray, type Nested, type Tensor } from "./tensor.ts";
import type { TensorType } from "./type.ts";

/** What ends a tree; everything else is a record or a list of trees. */
export type Leaf = Value | Tensor | TensorType | TypedArray | number;
/** What a program accepts for a leaf whose type it knows. */
export type Data = Tensor | TypedArray | Nested;

/** The same tree with Values for leaves. */
export type Values<T> = T extends Leaf ? Value : { [K in keyof T]: Values<T[K]> };
/** The same tree with operands for leaves. */
export type Operands<T> = T extends Leaf ? Operand : { readonly [K in keyof T]: Operands<T[K]> };
/** The same tree with Tensors for leaves. */
export type Tensors<T> = T extends Leaf ? Tensor : { [K in keyof T]: Tensors<T[K]> };
/** The same tree with data for leaves: what running programs take. */
export type DataFor<T> = T extends Leaf ? Data : { readonly [K in keyof T]: DataFor<T[K]> };

/** A leaf with its path: record keys and list positions joined by dots. */
export interface PathLeaf {
  readonly path: string;
  readonly leaf: Leaf;
}

export function isLeaf(x: unknown): x is Leaf {
  return typeof x === "number" || isValue(x) || isTensor(x) || isType(x) || isTypedArray(x);
}

const deepest = 256;

/** Rebuilds a tree with every leaf replaced. `f` sees leaf and path. @throws GraphError for what is no leaf, record or list, and for cyclic trees */
export function rebuild(tree: unknown, f: (leaf: Leaf, path: string) => unknown, path = "", depth = 0): unknown {
  if (isLeaf(tree)) return f(tree, path);
  if (depth > deepest) throw new GraphError(`the tree is nested deeper than ${deepest} at ${path.slice(0, 60)}...; is it inside itself?`);
  if (Array.isArray(tree)) return tree.map((t, i) => rebuild(t, f, path === "" ? String(i) : `${path}.${i}`, depth + 1));
  if (typeof tree === "object" && tree !== null && !isOpaque(tree)) {
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(tree)) {
      const value = rebuild((tree as Record<string, unknown>)[key], f, path === "" ? key : `${path}.${key}`, depth + 1);
      if (key === "__proto__") Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
      else out[key] = value;
    }
    return out;
  }
  throw new GraphError(
    `${path === "" ? "the tree" : path} is ${kindOf(tree)}; trees are records and lists of Values, Tensors, types, typed arrays and numbers`,
  );
}

/** Whether an object is no record although it may look like an empty one: a Map, a Set, a Promise, a Date. */
function isOpaque(x: object): boolean {
  const proto: unknown = Object.getPrototypeOf(x);
  return proto !== Object.prototype && proto !== null && Object.prototype.toString.call(x) !== "[object Object]";
}

function kindOf(x: unknown): string {
  if (x === null) return "null";
  return typeof x === "object" ? `a ${Object.prototype.toString.call(x).slice(8, -1)}` : typeof x;
}

/** All leaves in order, with their paths. */
export function leaves(tree: unknown): PathLeaf[] {
  const found: PathLeaf[] = [];
  rebuild(tree, (leaf, path) => {
    found.push({ path, leaf });
    return leaf;
  });
  return found;
}

/** The same tree with each leaf replaced by `f(leaf as a Value, path)`. @throws GraphError for types among the leaves */
export function mapTree<T>(tree: T, f: (leaf: Value, path: string) => Operand): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`mapTree: ${path} is a type and has no value`);
    return lift(f(lift(leaf, "f64"), path), "f64");
  }) as Values<T>;
}

/** A whole tree of variables, each named by its path. @throws GraphError for types among the leaves */
export function variables<T>(tree: T): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`variables: ${path} is a type and has no value; give a Tensor or a number`);
    return isValue(leaf) ? leaf : variable(leaf, path);
  }) as Values<T>;
}

/** Leaves of `tree` in the order of `like`, whose keys it must have exactly. @throws GraphError that names what is missing and what is too much */
export function match(tree: unknown, like: unknown, who: string): { readonly path: string; readonly given: Leaf; readonly wanted: Leaf }[] {
  const wanted = leaves(like);
  const found = leaves(tree);
  const given = new Map(found.map(({ path, leaf }) => [path, leaf]));
  if (given.size < found.length) {
    const seen = new Set<string>();
    const twice = found.find(({ path }) => seen.size === seen.add(path).size)!;
    throw new GraphError(`${who}: two leaves are called ${twice.path}; rename a key that has dots in it`);
  }
  const missing = wanted.filter(({ path }) => !given.has(path)).map(({ path }) => path || "a single value");
  const known = new Set(wanted.map(({ path }) => path));
  const extra = [...given.keys()].filter((path) => !known.has(path)).map((path) => path || "a single value");
  if (missing.length + extra.length > 0) {
    const parts = [missing.length > 0 ? `missing ${missing.join(", ")}` : "", extra.length > 0 ? `unknown ${extra.join(", ")}` : ""].filter(
      (s) => s !== "",
    );
    throw new GraphError(`${who}: ${parts.join("; ")}; wanted ${wanted.map(({ path }) => path || "a single value").join(", ")}`);
  }
  return wanted.map(({ path, leaf }) => ({ path, given: given.get(path)!, wanted: leaf }));
}
