import { constantOp, inputOp, variableOp } from "../ir/leaf.ts";
import { memoOf, type Node, type Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { collect } from "../ir/walk.ts";
import { applicationOf } from "./application-of.ts";
import { isBareScalar, isLeaf, withDType } from "./bare-scalar.ts";
import type { Expression, Statement } from "./expression.ts";
import { elementExpression, nowhere } from "./literal-text.ts";
import { type Measures, measured } from "./measure.ts";
import { NameBook } from "./name-book.ts";

/** A graph as a formula: lines whose last is the result, and what its names stand for. */
export interface Written {
  readonly statements: readonly Statement[];
  readonly operands: ReadonlyMap<string, Value>;
}

/** A part used more than once gets a line of its own when it is longer than this many words. */
const repeatable = 6;
/** A part nested deeper than this gets a line of its own, so that every printed formula can be parsed again. */
const deepest = 100;
/** Tensors up to this many elements are written out. */
const writtenOut = 16;

/**
 * The graph behind a value as a formula. What is used in several places is written once on a line of its own (`t1 = ...`, or the value's
 * name), as soon as repeating it would make the text long; without that, `y = x * x` repeated 60 times would be 2^60 words. Loops only.
 */
export function formulaOf(root: Value): Written {
  const order = collect([root]);
  const uses = new Int32Array(order.length);
  for (const { operands } of order) for (const v of operands) if (v !== null) uses[v.node.place]!++;
  const names = new NameBook();
  const operands = new Map<string, Value>();
  const expressions = new Array<Expression>(order.length);
  order.forEach((node, i) => {
    if (!isLeaf(node)) return;
    const constant = node.op !== variableOp && node.op !== inputOp;
    const written = constant ? constantExpression(node) : null;
    if (written !== null) expressions[i] = written;
    else {
      const name = names.give(node.label, constant ? "c" : "v");
      operands.set(name, node);
      expressions[i] = { kind: "name", name, span: nowhere };
    }
  });
  const statements: Statement[] = [];
  const measures: Measures = new Map();
  const resultOf = (v: Value): Expression => {
    const whole = expressions[v.node.place]!;
    return v.node.outputs === null ? whole : resultAt(whole, v.index);
  };
  order.forEach((node, i) => {
    if (isLeaf(node)) return;
    const expression = applicationOf(node, resultOf);
    expressions[i] = expression;
    if (node === root.node && i === order.length - 1) return;
    const { size, depth } = measured(expression, measures);
    if (expression.kind === "name" || !((uses[i]! > 1 && (size > repeatable || node.outputs !== null)) || depth > deepest)) return;
    const name = names.give(node.label === null ? null : node.label.replaceAll(".", "_"), "t");
    statements.push({ name: { kind: "name", name, span: nowhere }, value: expression, span: nowhere });
    expressions[i] = { kind: "name", name, span: nowhere };
  });
  const last = resultOf(root);
  statements.push({ name: null, value: isBareScalar(root) ? withDType(last, root) : last, span: nowhere });
  return { statements, operands };
}

function resultAt(whole: Expression, index: number): Expression {
  return {
    kind: "index",
    operand: whole,
    subscripts: [{ kind: "at", index: { kind: "number", value: index, span: nowhere }, span: nowhere }],
    span: nowhere,
  };
}

/** A constant written out: a number, or the nested lists of a small tensor; null for what needs a name. */
function constantExpression(node: Node): Expression | null {
  if (node.outputs !== null) return null;
  const held = memoOf(node);
  const { dtype, shape } = node.type;
  if (typeof held === "number") return elementExpression(held, dtype);
  const size = sizeOf(shape);
  if (held === undefined || shape.length === 0 || size === 0 || size > writtenOut || (node.op === constantOp && node.label !== null))
    return null;
  return withDType(rowsOf(held, 0, 0), node);
}

function rowsOf(tensor: Tensor, axis: number, at: number): Expression {
  const { dtype, shape } = tensor.type;
  if (axis === shape.length) return elementExpression(tensor.data[at]!, dtype);
  const step = sizeOf(shape.slice(axis + 1));
  return { kind: "list", items: Array.from({ length: shape[axis]! }, (_, i) => rowsOf(tensor, axis + 1, at + i * step)), span: nowhere };
}
