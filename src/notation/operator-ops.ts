import type { BinaryOperator } from "./expression.ts";

/** The op of each operator. */
export const operatorOps: Readonly<Record<BinaryOperator, string>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "@": "matmul",
  "^": "pow",
  "<": "less",
  "<=": "lessEqual",
  ">": "greater",
  ">=": "greaterEqual",
  "==": "equal",
  "!=": "notEqual",
};

/** The operator that an op is written with, if it has one. */
export function operatorOf(op: string): BinaryOperator | undefined {
  for (const [operator, name] of Object.entries(operatorOps)) if (name === op) return operator as BinaryOperator;
  return undefined;
}
