import { inputOp, variableOp } from "../ir/leaf.ts";
import { memoOf, type Node, type Value } from "../ir/node.ts";
import type { Expression } from "./expression.ts";
import { nowhere } from "./literal-text.ts";

/** Whether a node has nothing behind it: a leaf, or a computed node whose history was dropped. */
export function isLeaf(node: Node): boolean {
  return node.operands.length === 0 && (node.op.slots.length === 0 || node.memo !== undefined);
}

/** A value that is written as a bare number or truth value, without its dtype. */
export function isBareScalar(v: Value): boolean {
  const { node } = v;
  return v.type.shape.length === 0 && isLeaf(node) && node.op !== variableOp && node.op !== inputOp && typeof memoOf(v) === "number";
}

/** `cast(0.1, f32)`: a number that has to say its dtype itself. */
export function withDType(expression: Expression, { type: { dtype } }: Value): Expression {
  if (dtype === "f64" || dtype === "bool") return expression;
  const word: Expression = { kind: "name", name: dtype, span: nowhere };
  return { kind: "call", name: "cast", nameSpan: nowhere, operands: [expression, word], keywords: [], span: nowhere };
}
