import { ChainruleError, EngineError, GraphError, InternalError } from "../ir/errors.ts";
import { constantOf, inputOp, isTensor, isType, isValue, lift, nameOf } from "../ir/leaf.ts";
import { forget, forgetKnown, memoOf, type Node, type Value } from "../ir/node.ts";
import type { Body, Operand } from "../ir/op.ts";
import { dense, type Held, hold, type Nested, nest, type Tensor } from "../ir/tensor.ts";
import { leaves, rebuild, type Tensors, type Values } from "../ir/tree.ts";
import { scalarType, typeText } from "../ir/type.ts";
import { collect, inOrderOfMaking, walk } from "../ir/walk.ts";
import { numberOf } from "../ops/define.ts";

const f64Scalar = /* @__PURE__ */ scalarType("f64");

/** The interpreter's step: one node on what its operands hold. Elementwise ops on scalars run on plain numbers. */
export function step(node: Node, operands: readonly (Held | null)[]): Held | readonly Held[] {
  const { op, type } = node;
  if (op.scalar !== null && type.shape.length === 0) {
    const [a, b, c] = operands;
    if (typeof a === "number" && (operands.length < 2 || typeof b === "number") && operands.length < 4) {
      const given = node.operands[0]!.type.dtype;
      if (given === "f64" || given === "f32") {
        const r =
          operands.length === 1 ? op.scalar(a) : operands.length === 2 ? op.scalar(a, b as number) : op.scalar(a, b as number, c as number);
        if (type.dtype === "f64") return r;
        if (type.dtype === "f32") return Math.fround(r);
        if (type.dtype === "bool") return r ? 1 : 0;
      }
    }
  }
  return op.run(node, operands, runBody);
}

/** One node of a body: where its operands are held, and which of them nobody reads after it. */
interface Cell {
  readonly node: Node;
  readonly place: number;
  /** Places of the operands, -1 for an absent one, and which result of theirs is meant, -1 for the only one. */
  readonly places: readonly number[];
  readonly results: readonly number[];
  readonly free: readonly number[];
  /** Whether it depends on the body's inputs; what does not is computed once. */
  readonly varies: boolean;
}

/** A body made ready: what a loop runs a hundred thousand times is resolved once. */
interface Plan {
  readonly cells: readonly Cell[];
  /** Places of the inputs, -1 for one that is not used. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly results: readonly number[];
  /** What does not depend on the inputs, as far as it is known. */
  readonly fixed: (Held | readonly Held[] | undefined)[];
}

const plans = new WeakMap<Body, Plan>();

function planOf({ inputs, outputs }: Body): Plan {
  const order = inOrderOfMaking(collect(outputs));
  const place = new Map(order.map((node, i) => [node, i]));
  const given = new Set(inputs.map((v) => v.node));
  const varies = new Uint8Array(order.length);
  const last = new Int32Array(order.length).fill(-1);
  order.forEach((node, i) => {
    if (given.has(node)) varies[i] = 1;
    else if (node.op === inputOp) throw unreadable(outputs, node);
    for (const v of node.operands) {
      if (v === null) continue;
      const p = place.get(v.node)!;
      last[p] = i;
      if (varies[p] === 1) varies[i] = 1;
    }
  });
  for (const v of outputs) last[place.get(v.node)!] = order.length;
  const resultOf = (v: Value | null): number => (v === null || v.node.outputs === null ? -1 : v.index);
  const cells: Cell[] = [];
  order.forEach((node, i) => {
    if (given.has(node) || node.memo !== undefined) return;
    const places = node.operands.map((v) => (v === null ? -1 : place.get(v.node)!));
    const free = [...new Set(places)].filter((p) => p >= 0 && last[p] === i && varies[p] === 1 && order[p]!.type.shape.length > 0);
    cells.push({ node, place: i, places, results: node.operands.map(resultOf), free, varies: varies[i] === 1 });
  });
  return {
    cells,
    inputs: inputs.map((v) => place.get(v.node) ?? -1),
    outputs: outputs.map((v) => place.get(v.node)!),
    results: outputs.map(resultOf),
    fixed: order.map((node) => (given.has(node) ? undefined : node.memo)),
  };
}

/** Runs a graph-valued attribute on held inputs, apart from the memo of its nodes. */
export function runBody(body: Body, given: readonly Held[]): readonly Held[] {
  let plan = plans.get(body);
  if (plan === undefined) {
    plan = planOf(body);
    plans.set(body, plan);
  }
  const { cells, inputs, outputs, results, fixed } = plan;
  const slots = fixed.slice();
  for (let i = 0; i < inputs.length; i++) {
    const p = inputs[i]!;
    if (p >= 0) slots[p] = given[i]!;
  }
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (slots[cell.place] !== undefined) continue;
    const n = cell.places.length;
    const operands = new Array<Held | null>(n);
    for (let j = 0; j < n; j++) operands[j] = held(slots, cell.places[j]!, cell.results[j]!);
    const made = step(cell.node, operands);
    slots[cell.place] = made;
    if (!cell.varies) fixed[cell.place] = made;
    for (let j = 0; j < cell.free.length; j++) slots[cell.free[j]!] = undefined;
  }
  const out = new Array<Held>(outputs.length);
  for (let i = 0; i < outputs.length; i++) out[i] = held(slots, outputs[i]!, results[i]!)!;
  return out;
}

function held(slots: readonly (Held | readonly Held[] | undefined)[], place: number, result: number): Held | null {
  if (place < 0) return null;
  const h = slots[place];
  if (h === undefined) throw new InternalError("a node of a body was not computed before its users");
  return result < 0 ? (h as Held) : (h as readonly Held[])[result]!;
}

/** Computes what `roots` need and are not known yet, remembers it on the nodes, and drops history that nobody can ask about. */
export function settleAll(roots: readonly Value[]): void {
  let pending = false;
  for (const r of roots)
    if (r.node.memo === undefined) pending = true;
    else forgetKnown(r.node);
  if (!pending) return;
  const compute = (node: Node): void => {
    // A kernel that calls back, such as a tap's, may have read this node meanwhile, and its operands are forgotten then.
    if (node.memo !== undefined) return;
    if (node.op === inputOp) throw unreadable(roots, node);
    const plain =
      node.op.scalar !== null && node.type === f64Scalar && node.count < 3
        ? numberOf(node.op.scalar, node.operand(0)!, node.count === 1 ? undefined : node.operand(1)!)
        : undefined;
    if (plain !== undefined) {
      node.memo = plain;
      for (let i = 0; i < node.count; i++) forgetKnown(node.operand(i)!.node);
      forget(node);
      return;
    }
    const { operands } = node;
    for (let i = 0; i < operands.length; i++) if (operands[i] != null) forgetKnown(operands[i]!.node);
    const held = new Array<Held | null>(operands.length);
    for (let i = 0; i < operands.length; i++) {
      const v = operands[i];
      if (v === null || v === undefined) held[i] = null;
      else {
        const h = memoOf(v);
        if (h === undefined) throw new InternalError(`${node.op.name}: operand ${i} was not computed before it`);
        held[i] = h;
      }
    }
    try {
      node.memo = step(node, held);
    } catch (error) {
      throw located(error, node);
    }
    forget(node);
  };
  walk(roots, compute, 0, "skip");
}

/** A kernel's error, such as an index out of range, with the place in the expression that its node comes from. */
function located(error: unknown, { where }: Node): unknown {
  if (error instanceof ChainruleError && error.span === undefined && where !== null && where.span !== null && where.source !== null) {
    error.span = where.span;
    error.source = where.source;
  }
  return error;
}

function unreadable(roots: readonly Value[], node: Node): GraphError {
  const what = roots.length === 1 ? nameOf(roots[0]!) : "a value";
  return new GraphError(
    `read: ${what} depends on input ${nameOf(node)}, which has no value while a graph is built; use where, cond or whileLoop`,
  );
}

/** What a value holds, computed if need be. */
export function heldBy(v: Value): Held {
  settleAll([v]);
  const held = memoOf(v);
  if (held === undefined) throw new InternalError(`${v.node.op.name} has no value after it was computed`);
  return held;
}

function copied(t: Tensor): Tensor {
  return hold(t.type, t.data.slice());
}

/**
 * The number in a scalar, computed on the reference engine and remembered on the node. A bool reads as 0 or 1.
 * @throws EngineError for anything but a scalar; GraphError for what depends on an input or placeholder
 */
export function read(scalar: Value | Tensor): number {
  if (!isValue(scalar) && !isTensor(scalar)) throw new EngineError("read: give a Value or a Tensor");
  if (scalar.type.shape.length !== 0)
    throw new EngineError(`read: ${isValue(scalar) ? nameOf(scalar) : "the tensor"} is ${typeText(scalar.type)}; use evaluate(v).data`);
  if (!isValue(scalar)) return scalar.data[0]!;
  const held = heldBy(scalar);
  return typeof held === "number" ? held : held.data[0]!;
}

/** A tree of Values as the same tree of Tensors, which are copies and yours. @throws GraphError for what depends on an input or placeholder */
export function evaluate<T>(tree: T): Tensors<T> {
  const roots: Value[] = [];
  for (const { leaf } of leaves(tree)) if (isValue(leaf)) roots.push(leaf);
  settleAll(roots);
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`evaluate: ${path} is a type and has no value`);
    const v = lift(leaf as Operand, "f64");
    return copied(dense(heldBy(v), v.type));
  }) as Tensors<T>;
}

/** A value as nested lists of numbers (truth values for bool). */
export function toArray(x: Value | Tensor): Nested {
  return nest(isValue(x) ? dense(heldBy(x), x.type) : x);
}

/**
 * The tree evaluated, as constants without history: what keeps a long host loop from growing.
 * @throws GraphError for types, and for what depends on an input
 */
export function detach<T>(tree: T): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`detach: ${path} is a type and has no value`);
    const v = lift(leaf as Operand, "f64");
    return constantOf(heldBy(v), v.type);
  }) as Values<T>;
}
