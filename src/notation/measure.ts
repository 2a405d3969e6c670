import type { Expression } from "./expression.ts";
import { level, levelOf } from "./precedence.ts";
import { levelOfExpression } from "./print-expression.ts";

/** How many words an expression has and how deep its brackets, signs and powers nest, as the parser counts them. */
export interface Measure {
  readonly size: number;
  readonly depth: number;
}

/** Measures of expressions that were measured before: parts come first, so that measuring never goes deep. */
export type Measures = Map<Expression, Measure>;

/** Measures an expression whose parts were measured (or are shallow). */
export function measured(node: Expression, known: Measures): Measure {
  const before = known.get(node);
  if (before !== undefined) return before;
  let size = 1;
  let depth = 0;
  const part = (inner: Expression | null, minimum: number, nesting: number): void => {
    if (inner === null) return;
    const m = measured(inner, known);
    size += m.size;
    depth = Math.max(depth, m.depth + nesting + (levelOfExpression(inner) < minimum ? 1 : 0));
  };
  switch (node.kind) {
    case "negation":
      part(node.operand, level.negation, 1);
      break;
    case "operation": {
      const own = levelOf(node.operator);
      const power = own === level.power;
      part(node.left, power ? level.postfix : own, 0);
      part(node.right, power ? level.negation : own + 1, power ? 1 : 0);
      break;
    }
    case "call":
      for (const operand of node.operands) part(operand, 0, 1);
      for (const { value } of node.keywords) part(value, 0, 1);
      break;
    case "list":
      for (const item of node.items) part(item, 0, 1);
      break;
    case "transpose":
      part(node.operand, level.postfix, 0);
      break;
    case "index":
      part(node.operand, level.postfix, 0);
      for (const s of node.subscripts) {
        if (s.kind === "at") part(s.index, 0, 1);
        else if (s.kind === "slice") for (const bound of [s.start, s.end, s.step]) part(bound, 0, 1);
      }
  }
  const measure = { size, depth };
  known.set(node, measure);
  return measure;
}
