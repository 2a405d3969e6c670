import { dtypeOf } from "./dtype.ts";
import { GraphError } from "./errors.ts";
import { input, isTensor, isType, isValue, lift, liftTo } from "./leaf.ts";
import { keeperOf, Node, Output, type Value } from "./node.ts";
import { isTypedArray } from "./tensor.ts";
import { type Leaf, leaves, match, type Operands, rebuild, type Values } from "./tree.ts";
import { scalarType, type TensorType } from "./type.ts";
import { collect, inOrderOfMaking } from "./walk.ts";

/**
 * A function written down: typed, named inputs and outputs. It is itself callable, so every transform takes it, and calling it on the facts
 * of a failed step replays that step. Each call builds fresh nodes.
 */
export interface Graph<I, O> {
  (inputs: Operands<I>): O;
  readonly kind: "graph";
  readonly inputs: Values<I>;
  readonly outputs: O;
}

/** Any graph, whatever its inputs and outputs: what printing, checking and drawing take. */
export interface AnyGraph {
  readonly kind: "graph";
  readonly inputs: unknown;
  readonly outputs: unknown;
}

/** The type a leaf of a tree of types stands for. */
export function typeOfLeaf(leaf: Leaf): TensorType {
  if (isType(leaf)) return leaf;
  if (isTensor(leaf) || isValue(leaf)) return leaf.type;
  if (isTypedArray(leaf)) return { kind: "type", dtype: dtypeOf(leaf), shape: [leaf.length] };
  return scalarType("f64");
}

/**
 * Builds a graph: `types` is a tree of types (or of data whose types are meant), `body` is called once with inputs of these types.
 * @throws GraphError when the outputs are not a tree of Values
 */
export function graph<I, O>(types: I, body: (inputs: Values<I>) => O): Graph<I, O> {
  if (typeof body !== "function")
    throw new GraphError("graph: the second argument is no function; write graph(types, ({ x }) => ({ y: square(x) }))");
  const inputs = rebuild(types, (leaf, path) => input(typeOfLeaf(leaf), path === "" ? "x" : path)) as Values<I>;
  const made = body(inputs);
  if (made === undefined)
    throw new GraphError("graph: the function returns nothing; it returns its outputs: ({ x }) => ({ y: square(x) })");
  const outputs = rebuild(made, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`graph: output ${path} is a type; outputs are Values`);
    return lift(leaf, "f64");
  }) as O;
  return graphOf(inputs, outputs);
}

/** A graph over inputs and outputs that exist already. */
export function graphOf<I, O>(inputs: Values<I>, outputs: O): Graph<I, O> {
  const call = (given: Operands<I>): O => {
    const replaced = new Map<Value, Value>();
    for (const { path, given: x, wanted } of match(given, inputs, "graph"))
      replaced.set(wanted as Value, liftTo(isType(x) ? wrongLeaf(path) : x, (wanted as Value).type, path === "" ? "the input" : path));
    return substitute(outputs, replaced);
  };
  return Object.assign(call, { kind: "graph" as const, inputs, outputs });
}

function wrongLeaf(path: string): never {
  throw new GraphError(`graph: ${path} is a type; calling a graph takes Values, Tensors, typed arrays and numbers`);
}

export function isGraph(x: unknown): x is Graph<unknown, unknown> {
  return typeof x === "function" && (x as { kind?: unknown }).kind === "graph";
}

/**
 * The same tree of Values with some leaves of the graph replaced; nodes that do not depend on them are shared.
 * @param only which operands of which nodes take what is put in its place; all, and the roots of the tree, when left out
 */
export function substitute<O>(tree: O, replaced: ReadonlyMap<Value, Value>, only?: (node: Node, operand: number) => boolean): O {
  const roots = leaves(tree).map(({ leaf }) => leaf as Value);
  let oldest = Number.POSITIVE_INFINITY;
  const stops = new Set<Node>();
  for (const v of replaced.keys()) {
    oldest = Math.min(oldest, v.node.serial);
    if (v.node.outputs === null) stops.add(v.node);
  }
  const order = inOrderOfMaking(collect(roots, oldest, "visit", stops));
  const copies = new Array<Node | null>(order.length).fill(null);
  const mapped = (v: Value): Value => {
    const direct = replaced.get(v);
    if (direct !== undefined) return direct;
    const copy = copies[places.get(v.node) ?? -1];
    return copy ? (copy.outputs === null ? copy : copy.outputs[v.index]!) : v;
  };
  const places = new Map<Node, number>();
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    places.set(node, i);
    const { operands } = node;
    if (operands.length === 0) continue;
    let changed = false;
    const moved = operands.map((v, operand) => {
      if (v === null) return null;
      const m = only !== undefined && replaced.has(v) && !only(node, operand) ? v : mapped(v);
      if (m !== v) changed = true;
      return m;
    });
    if (changed) copies[i] = copyOf(node, moved);
  }
  // A copied backward node serves the copy of its forward node.
  for (const copy of copies) {
    const served = copy === null || copy.origin === null ? null : copies[places.get(copy.origin) ?? -1];
    if (served) copy!.origin = served;
  }
  return rebuild(tree, (leaf) => (only !== undefined && replaced.has(leaf as Value) ? leaf : mapped(leaf as Value))) as O;
}

/** The same application on other operands of the same types. */
export function copyOf(node: Node, operands: readonly (Value | null)[]): Node {
  const copy = new Node(node.op, operands, node.attrs, node.type, keeperOf(operands));
  copy.label = node.label;
  if (node.where !== null) copy.where = node.where;
  copy.origin = node.origin;
  copy.role = node.role;
  if (node.outputs !== null) copy.outputs = node.outputs.map((o, i) => new Output(o.type, copy, i));
  return copy;
}

/** The same application on inputs of the same types: it has no history. */
export function alone(node: Node): Node {
  const operands = node.operands.map((v) => v && input(v.type, "operand"));
  const copy = new Node(node.op, operands, node.attrs, node.type, null);
  if (node.outputs !== null) copy.outputs = node.outputs.map((o, i) => new Output(o.type, copy, i));
  return copy;
}

/** All nodes of a graph, operands before users; inputs that no output uses come first. */
export function nodesOf(g: AnyGraph): Node[] {
  const ins = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  return collect([...ins, ...leaves(g.outputs).map(({ leaf }) => leaf as Value)]);
}
