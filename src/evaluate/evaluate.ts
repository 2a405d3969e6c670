import { ChainruleError, EngineError, GraphError, InternalError } from "../ir/errors.ts";
import { constantOf, inputOp, isType, isValue, lift, nameOf } from "../ir/leaf.ts";
import { forget, memoOf, type Node, type Value } from "../ir/node.ts";
import type { Body, Operand } from "../ir/op.ts";
import { dense, type Held, hold, type Nested, nest, type Tensor } from "../ir/tensor.ts";
import { leaves, rebuild, type Tensors, type Values } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";

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

/** Runs a graph-valued attribute on held inputs, apart from the memo of its nodes. */
export function runBody({ inputs, outputs }: Body, given: readonly Held[]): readonly Held[] {
  const env = new Map<Node, Held | readonly Held[]>();
  inputs.forEach((v, i) => {
    env.set(v.node, given[i]!);
  });
  const pick = (v: Value): Held => {
    const h = env.get(v.node) ?? v.node.memo;
    if (h === undefined) throw new InternalError(`${v.node.op.name} was not computed before its users`);
    return v.node.outputs === null ? (h as Held) : (h as readonly Held[])[v.index]!;
  };
  for (const node of collect(outputs, 0, "skip")) {
    if (env.has(node)) continue;
    if (node.op === inputOp) throw unreadable(outputs, node);
    env.set(
      node,
      step(
        node,
        node.operands.map((v) => (v === null ? null : pick(v))),
      ),
    );
  }
  return outputs.map(pick);
}

/** Computes what `roots` need and are not known yet, remembers it on the nodes, and drops history that nobody can ask about. */
export function settleAll(roots: readonly Value[]): void {
  let pending = false;
  for (const r of roots) if (r.node.memo === undefined) pending = true;
  if (!pending) return;
  for (const node of collect(roots, 0, "skip")) {
    if (node.op === inputOp) throw unreadable(roots, node);
    // A kernel that calls back, such as a tap's, may have read this node meanwhile, and its operands are forgotten then.
    if (node.memo !== undefined) continue;
    const { operands } = node;
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
  }
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

/** The tree evaluated, as constants without history: what keeps a long host loop from growing. */
export function detach<T>(tree: T): Values<T> {
  return rebuild(tree, (leaf, path) => {
    if (isType(leaf)) throw new GraphError(`detach: ${path} is a type and has no value`);
    const v = lift(leaf as Operand, "f64");
    return constantOf(heldBy(v), v.type);
  }) as Values<T>;
}
