import { GraphError } from "../ir/errors.ts";
import { isOperand } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { callables } from "./callables.ts";
import { caretPicture, positionOf } from "./caret.ts";
import { checkNames } from "./check-names.ts";
import type { Expression, Formula } from "./expression.ts";
import { parseSource } from "./parser.ts";
import { runFormula } from "./run-formula.ts";
import { holeText, templateSource } from "./source-text.ts";

interface Parsed {
  readonly formula: Formula;
  readonly words: ReadonlySet<Expression>;
  readonly offsets: readonly number[];
}

const parsed: WeakMap<TemplateStringsArray, Parsed> = /* @__PURE__ */ new WeakMap();

/**
 * A formula as a tag: `` expr`mean((${x} @ ${w} + ${b} - ${y})^2)` ``. Operands stand in holes; a call site is parsed once. Literals, and
 * numbers in holes, take the dtype of what they meet.
 * @throws ParseError for a fault in the text, with a caret that points into the template; ShapeError, DTypeError and DomainError from the op
 * that does not fit, with the caret under its part; GraphError for a hole that holds no operand, and where it is called as a function
 */
export function expr(text: TemplateStringsArray, ...holes: readonly Operand[]): Value {
  if (!Array.isArray(text))
    throw new GraphError("expr: it is a tag, written without parentheses: expr`x^2 + 1`; for a text, compileExpression(text)");
  let site = parsed.get(text);
  if (site === undefined) {
    const source = templateSource(text);
    const formula = parseSource(source);
    const { words } = checkNames(formula, { variables: "none", functions: new Set(callables().keys()) });
    site = { formula, words, offsets: source.holes };
    parsed.set(text, site);
  }
  const { formula, words, offsets } = site;
  for (let i = 0; i < offsets.length; i++) if (!isOperand(holes[i])) throw notOperand(formula.source, offsets[i]!, i, holes[i]);
  return runFormula(formula, { functions: callables(), words, holes, variable: () => undefined }).value;
}

function notOperand(source: string, from: number, index: number, given: unknown): GraphError {
  const span = { from, to: from + holeText.length };
  const { line, column } = positionOf(source, from);
  const what =
    given === null
      ? "null"
      : Array.isArray(given)
        ? "a list; a vector is tensor([1, 2])"
        : given === undefined
          ? "undefined"
          : `a ${typeof given}`;
  return new GraphError(
    `expr: hole ${index + 1} is ${what}; operands are Values, Tensors, typed arrays and numbers (line ${line}, column ${column})\n${caretPicture(source, span)}`,
    { span, source },
  );
}
