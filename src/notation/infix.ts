import type { Value } from "../ir/node.ts";
import { formulaOf } from "./formula-of.ts";
import { printStatements } from "./print-expression.ts";

/**
 * A value as a formula in the notation of `expr`, with the fewest parentheses: `(x + y) * z`. Parts that are used again and again stand on
 * lines of their own. Parsed again with `infixParts(v).operands` for its names, it gives the same numbers.
 */
export function infix(v: Value): string {
  return printStatements(formulaOf(v).statements);
}

/** The text of `infix` with what its names stand for: unnamed leaves are `v1`, `v2`, large constants `c1`. */
export function infixParts(v: Value): { readonly text: string; readonly operands: Readonly<Record<string, Value>> } {
  const { statements, operands } = formulaOf(v);
  return { text: printStatements(statements), operands: Object.fromEntries(operands) };
}
