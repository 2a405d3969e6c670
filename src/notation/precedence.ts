import type { BinaryOperator } from "./expression.ts";

/** How tightly a form binds; the parser and the printers share this table, so that they cannot disagree. */
export const level = { statement: 0, comparison: 1, sum: 2, product: 3, negation: 4, power: 5, postfix: 6, atom: 7 } as const;

const names: Readonly<Record<BinaryOperator, keyof typeof level>> = {
  "<": "comparison",
  "<=": "comparison",
  ">": "comparison",
  ">=": "comparison",
  "==": "comparison",
  "!=": "comparison",
  "+": "sum",
  "-": "sum",
  "*": "product",
  "/": "product",
  "@": "product",
  "^": "power",
};

/** The level of an operator between operands. Sums and products group to the left, powers to the right, comparisons not at all. */
export function levelOf(operator: BinaryOperator): number {
  return level[names[operator]];
}

/** Whether a symbol is an operator between operands. */
export function isBinaryOperator(symbol: string): symbol is BinaryOperator {
  return Object.hasOwn(names, symbol);
}
