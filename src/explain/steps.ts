import { between, fit, regions } from "../autodiff/pullback.ts";
import { heldBy, settleAll } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { constantOf, inputOp, isValue, lift, nameOf, variableOp } from "../ir/leaf.ts";
import { memoOf, type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense, hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { add } from "../ops/arithmetic.ts";
import { nameOfResult, nameValues } from "./names.ts";

/** An operand of a gate, with what it is called and what it holds. */
export interface OperandFact {
  /** The operand's name in the op's declaration. */
  readonly slot: string;
  /** The name of the value that arrives there. */
  readonly name: string;
  readonly value: Tensor;
}

/** One gate computes: its operands arrive and its value leaves. */
export interface ForwardStep {
  readonly pass: "forward";
  readonly index: number;
  readonly node: Node;
  readonly name: string;
  readonly op: string;
  readonly operands: readonly OperandFact[];
  /** The value; of several results, the first (all are in `values`). */
  readonly value: Tensor;
  readonly values: readonly Tensor[];
}

/** What one gate sends to one operand: local gradient times upstream gradient. */
export interface Flow {
  readonly slot: string;
  /** The value that receives it. */
  readonly into: string;
  readonly to: Value;
  /** The local derivative's numbers, for elementwise ops. */
  readonly local: Tensor | null;
  /** The rule with shapes, for all others: `dW = X^T dY : [3,64] @ [64,1]`. */
  readonly rule: string | null;
  readonly contribution: Tensor;
  /** Which of the branches that leave the receiving value this is, counted from 1 in order of arrival. */
  readonly branch: number;
  readonly branches: number;
}

/** The backward pass starts: df/df = 1. */
export interface SeedStep {
  readonly pass: "backward";
  readonly kind: "seed";
  readonly index: number;
  readonly node: Node;
  readonly name: string;
  readonly gradient: Tensor;
}

/** One gate passes its gradient on. */
export interface GateStep {
  readonly pass: "backward";
  readonly kind: "gate";
  readonly index: number;
  readonly node: Node;
  readonly name: string;
  readonly op: string;
  /** The gradient that arrived at the gate's result (the first with one, of several results). */
  readonly upstream: Tensor;
  readonly flows: readonly Flow[];
}

/** The gradients that arrived at a value from its branches are added. */
export interface SumStep {
  readonly pass: "backward";
  readonly kind: "sum";
  readonly index: number;
  readonly node: Node;
  readonly name: string;
  readonly parts: readonly Tensor[];
  readonly gradient: Tensor;
}

/** One step of the backward pass: its start, a gate, or a sum over branches. */
export type BackwardStep = SeedStep | GateStep | SumStep;
/** One step of either pass. */
export type Step = ForwardStep | BackwardStep;

/** What is known of one value: its number, its gradient (null: not asked for or not yet), and rows of its Jacobian. */
export interface Facts {
  readonly name: string;
  readonly value: Tensor;
  readonly gradient: Tensor | null;
  /** d value[element] / d operand, of the operand's type; `element` is a flat row-major index. */
  row(slot: string, element?: number): Tensor;
}

/** The lecture's per-gate interface on any graph. */
export interface Stepper {
  readonly names: ReadonlyMap<Node, string>;
  /** The nodes of the graph, operands before users. */
  readonly order: readonly Node[];
  /** Gate by gate from the inputs to the end. */
  forward(): IterableIterator<ForwardStep>;
  /** Gate by gate from the end to the inputs; each step is computed when it is asked for. */
  backward(): IterableIterator<BackwardStep>;
  /** The facts of a value; its gradient once `backward` has passed it. */
  at(v: Value): Facts;
  readonly wrt: readonly Value[];
}

/** Which values to explain the gradient of; all variables behind `f` when left out. */
export interface StepOptions {
  readonly wrt?: { readonly [name: string]: Value };
}

/**
 * Steps through the forward and the backward pass of a scalar, one gate at a time, on concrete numbers.
 * @throws GradientError when `f` is no floating-point scalar; GraphError when it depends on an input without a value
 */
export function steps(f: Value, { wrt }: StepOptions = {}): Stepper {
  if (!isValue(f)) throw new GradientError("explain: give the Value to explain, such as add(x, y)");
  if (f.type.shape.length !== 0 || !isFloat(f.type.dtype))
    throw new GradientError(
      `explain: ${nameOf(f)} is ${typeText(f.type)}; a backward pass starts at a floating-point scalar: take sum or mean first`,
    );
  for (const [name, x] of Object.entries(wrt ?? {}))
    if (!isValue(x))
      throw new GradientError(`explain: wrt names ${name}, which is no Value; give the variables themselves: { ${name}: x }`);
  settleAll([f]);
  const order = collect([f]);
  const names = nameValues(order, f);
  const asked =
    wrt === undefined ? order.filter((n) => (n.op === variableOp || n.op === inputOp) && isFloat(n.type.dtype)) : Object.values(wrt);
  const gradients = new Map<Node, (Tensor | null)[]>();
  return {
    names,
    order,
    wrt: asked,
    forward: () => forwardSteps(order, names),
    backward: () => backwardSteps(f, asked, names, gradients),
    at: (v) => factsOf(v, names, gradients),
  };
}

/** A copy: what explanations hand out is the reader's, and what nodes remember stays theirs. */
function tensorOf(v: Value): Tensor {
  const t = dense(memoOf(v) ?? heldBy(v), v.type);
  return hold(v.type, t.data.slice());
}

function operandsOf(node: Node, names: ReadonlyMap<Node, string>): OperandFact[] {
  const found: OperandFact[] = [];
  node.operands.forEach((v, i) => {
    if (v !== null) found.push({ slot: slotName(node, i), name: nameOfResult(names, v), value: tensorOf(v) });
  });
  return found;
}

/** The declared name of an operand; variadic ones are numbered. */
export function slotName(node: Node, i: number): string {
  const { slots } = node.op;
  const last = slots.length - 1;
  const slot = slots[Math.min(i, last)];
  return slot === undefined ? String(i) : slot.arity === "rest" ? `${slot.name}[${i - last}]` : slot.name;
}

function* forwardSteps(order: readonly Node[], names: ReadonlyMap<Node, string>): IterableIterator<ForwardStep> {
  let index = 0;
  for (const node of order) {
    if (node.operands.length === 0) continue;
    const values = valuesOf(node).map(tensorOf);
    yield {
      pass: "forward",
      index: ++index,
      node,
      name: names.get(node)!,
      op: node.op.name,
      operands: operandsOf(node, names),
      value: values[0]!,
      values,
    };
  }
}

function* backwardSteps(
  f: Value,
  wrt: readonly Value[],
  names: ReadonlyMap<Node, string>,
  gradients: Map<Node, (Tensor | null)[]>,
): IterableIterator<BackwardStep> {
  const { order, active, edges, first } = between([f], wrt);
  const arrived = order.map((n) => valuesOf(n).map((): Value[] => []));
  const expected = order.map((n) => valuesOf(n).map(() => 0));
  // A use behind a stop depends on the variables and yet sends nothing back: it is no branch.
  const reached = new Uint8Array(order.length);
  reached[order.length - 1] = 1;
  for (let i = order.length - 1; i >= 0; i--)
    for (let k = first[i]!; reached[i] === 1 && k < first[i + 1]!; k++) {
      const p = edges[k]!;
      if (p < 0) continue;
      reached[p] = 1;
      expected[p]![order[i]!.operands[k - first[i]!]!.index]!++;
    }
  const remember = (node: Node, r: number, t: Tensor): void => {
    const list = gradients.get(node) ?? valuesOf(node).map(() => null);
    list[r] = t;
    gradients.set(node, list);
  };
  let index = 0;
  const one = lift(1, f.type.dtype);
  remember(f.node, f.index, tensorOf(one));
  yield { pass: "backward", kind: "seed", index: ++index, node: f.node, name: nameOfResult(names, f), gradient: tensorOf(one) };
  if (order.length === 0 || order[order.length - 1] !== f.node || active[order.length - 1] === 0) return;
  arrived[order.length - 1]![f.index]!.push(one);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    if (active[i] === 0) continue;
    const totals: (Value | null)[] = [];
    for (const [r, parts] of arrived[i]!.entries()) {
      if (parts.length === 0) {
        totals.push(null);
        continue;
      }
      const total = constantOf(heldBy(parts.reduce((a, b) => add(a, b))), valuesOf(node)[r]!.type);
      totals.push(total);
      remember(node, r, tensorOf(total));
      if (parts.length > 1)
        yield {
          pass: "backward",
          kind: "sum",
          index: ++index,
          node,
          name: nameOfResult(names, valuesOf(node)[r]!),
          parts: parts.map(tensorOf),
          gradient: tensorOf(total),
        };
    }
    const upstream = totals.find((t) => t !== null);
    const start = first[i]!;
    const wanted = (j: number): boolean => edges[start + j]! >= 0;
    if (upstream == null || node.op.pull === null || !node.operands.some((_, j) => wanted(j))) continue;
    const pieces = node.op.pull(node, node.outputs === null ? totals[0]! : totals, wanted, regions);
    const locals = localsOf(node);
    const flows: Flow[] = [];
    node.operands.forEach((x, j) => {
      if (x === null || !wanted(j)) return;
      const piece = fit(node, j, x, pieces[j] ?? null) ?? zero(x);
      const held = constantOf(heldBy(piece), x.type);
      const place = edges[start + j]!;
      const list = arrived[place]![x.index]!;
      list.push(held);
      const local = locals?.[j] ?? null;
      flows.push({
        slot: slotName(node, j),
        into: nameOfResult(names, x),
        to: x,
        local: locals === null ? null : local === null ? tensorOf(zero(x)) : tensorOf(lift(local, x.type.dtype)),
        rule: locals === null ? ruleText(node, j, names) : null,
        contribution: tensorOf(held),
        branch: list.length,
        branches: expected[place]![x.index]!,
      });
    });
    yield {
      pass: "backward",
      kind: "gate",
      index: ++index,
      node,
      name: names.get(node)!,
      op: node.op.name,
      upstream: tensorOf(upstream),
      flows,
    };
  }
}

function zero(like: Value): Value {
  return constantOf(like.type.shape.length === 0 ? 0 : hold(like.type, allocate(like.type.dtype, sizeOf(like.type.shape))), like.type);
}

function localsOf(node: Node): readonly (Operand | null)[] | null {
  return node.op.facts.local?.(node) ?? null;
}

/** The backward rule of an operand as people write it, with the names of the values, and then with their shapes: `dW = x^T dq : [3,64] @ [64,1]`. */
export function ruleText(node: Node, operand: number, names: ReadonlyMap<Node, string>): string {
  const { slots, facts } = node.op;
  const slot = slots[Math.min(operand, slots.length - 1)];
  const text = slot === undefined ? undefined : facts.formula?.[slot.name];
  const to = nameOfResult(names, node.operands[operand]!);
  if (text === undefined) return `d${to} = vjp of ${node.op.name}`;
  const right = text.slice(text.indexOf("=") + 1).trim();
  const shapes = replaceNames(node, right, (v, transposed, i) => shapeText(matrixShape(node, v, i), transposed));
  const named = replaceNames(node, right, (v, transposed, i) => `${i < 0 ? "d" : ""}${nameOfResult(names, v)}${transposed ? "^T" : ""}`);
  return `d${to} = ${named} : ${shapes.replace(/\] \[/g, "] @ [")}`;
}

/** A rule's right side with the names of operands (index from 0) and of the upstream gradient (index -1) replaced. */
function replaceNames(node: Node, right: string, write: (v: Value, transposed: boolean, index: number) => string): string {
  return right.replace(/\b(d?)([A-Z])([A-Za-z]*)\b(\^T)?/g, (whole, d: string, head: string, tail: string, t: string | undefined) => {
    const name = head.toLowerCase() + tail;
    if (d !== "" && (name === "y" || name === "out")) return write(valuesOf(node)[0]!, t !== undefined, -1);
    const i = node.op.slots.findIndex((s) => s.name === name);
    const v = i < 0 ? null : node.operands[i];
    return v == null ? whole : write(v, t !== undefined, i);
  });
}

function shapeText(shape: readonly number[], transposed: boolean): string {
  const s = [...shape];
  if (transposed && s.length >= 2) s.push(...s.splice(-2).reverse());
  return `[${s.join(",")}]`;
}

/** The shape with which a value stands in a matrix product: a vector is a row on the left and a column on the right. */
function matrixShape(node: Node, v: Value, index: number): readonly number[] {
  const { shape } = v.type;
  if (node.op.name !== "matmul") return shape;
  if (index >= 0) return shape.length > 1 ? shape : index === 0 ? [1, shape[0]!] : [shape[0]!, 1];
  const [a, b] = node.operands.map((x) => x!.type.shape.length);
  const columns = b === 1 ? [...shape, 1] : shape;
  return a === 1 ? [...columns.slice(0, -1), 1, columns[columns.length - 1]!] : columns;
}

function factsOf(v: Value, names: ReadonlyMap<Node, string>, gradients: ReadonlyMap<Node, (Tensor | null)[]>): Facts {
  return {
    name: nameOfResult(names, v),
    value: tensorOf(v),
    gradient: gradients.get(v.node)?.[v.index] ?? null,
    row: (slot, element = 0) => jacobianRow(v, slot, element),
  };
}

/** One row of a gate's Jacobian: its rule on a unit cotangent. */
function jacobianRow(v: Value, slot: string, element: number): Tensor {
  const { node } = v;
  const at = node.operands.findIndex((_, i) => slotName(node, i) === slot);
  const x = node.operands[at];
  if (at < 0 || x == null)
    throw new GradientError(
      `explain: ${node.op.name} has no operand ${slot}; it has ${node.operands.map((_, i) => slotName(node, i)).join(", ") || "none"}`,
    );
  const size = sizeOf(v.type.shape);
  if (!Number.isInteger(element) || element < 0 || element >= size)
    throw new GradientError(`explain: element ${element} of ${typeText(v.type)}; it has ${size}`);
  if (node.op.pull === null || !isFloat(v.type.dtype) || !isFloat(x.type.dtype)) return tensorOf(zero(x));
  const data = allocate(v.type.dtype, size);
  data[element] = 1;
  const ct = constantOf(v.type.shape.length === 0 ? 1 : hold(v.type, data), v.type);
  const flow = node.outputs === null ? ct : node.outputs.map((o) => (o.index === v.index ? ct : null));
  const piece = fit(node, at, x, node.op.pull(node, flow, (i) => i === at, regions)[at] ?? null) ?? zero(x);
  return dense(heldBy(piece), x.type);
}

/** The gradient of one value that was asked about, as an explanation reports it. */
export interface NamedGradient {
  readonly name: string;
  readonly of: Value;
  readonly value: Tensor;
  readonly gradient: Tensor;
}
