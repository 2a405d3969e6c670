import { GraphError, type ParseError, type Span } from "../ir/errors.ts";
import { isOperand } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { AnyOp, Operand } from "../ir/op.ts";
import type { Callable, OpFunction } from "./callable.ts";
import { callableOf, callables } from "./callables.ts";
import { clipped, parseErrorAt } from "./caret.ts";
import { checkNames } from "./check-names.ts";
import type { Formula } from "./expression.ts";
import { nearestName } from "./nearest.ts";
import { parseFormula } from "./parser.ts";
import { runFormula } from "./run-formula.ts";

/** A formula as a function from a record of operands, one per variable, to its Value. Each call builds fresh nodes. */
export interface CompiledExpression {
  (operands: Readonly<Record<string, Operand>>): Value;
  /** The free variables in the order in which they first appear. */
  readonly variables: readonly string[];
  readonly formula: Formula;
}

/** What else the names of a text may mean. */
export interface ExpressionOptions {
  /** The variables there are. Left out: every name that is no constant is a variable. Needed for variables called `e` or `pi`. */
  readonly variables?: readonly string[];
  /** Ops from outside, by the name they are called with: `{ "acme.cbrt": cbrt }`. */
  readonly functions?: Readonly<Record<string, AnyOp>>;
}

/**
 * Parses a text once: `compileExpression("(x + y) * z")({ x, y, z })`.
 * @throws ParseError for a fault in the text or an unknown name. The function it returns throws GraphError for operands that are missing or
 * too many, and the errors of the ops, with the caret under the part that does not fit.
 */
export function compileExpression(text: string, { variables, functions = {} }: ExpressionOptions = {}): CompiledExpression {
  const formula = parseFormula(text);
  const known = new Map<string, Callable>(callables());
  for (const [name, op] of Object.entries(functions)) known.set(name, callableOf(name, op as unknown as OpFunction));
  const { free, words } = checkNames(formula, { variables: variables ?? "any", functions: new Set(known.keys()) });
  const names = [...free.keys()];
  const allowed = new Set(variables ?? names);
  const call = (operands: Readonly<Record<string, Operand>>): Value => {
    for (const name of Object.keys(operands)) if (!allowed.has(name)) throw notThere(name, names);
    for (const [name, span] of free) if (!Object.hasOwn(operands, name) || !isOperand(operands[name])) throw missing(text, name, span);
    return runFormula(formula, { functions: known, words, holes: [], variable: (name) => (free.has(name) ? operands[name] : undefined) })
      .value;
  };
  return Object.assign(call, { variables: names, formula });
}

function missing(text: string, name: string, span: Span): ParseError {
  return parseErrorAt(text, span, `${clipped(name)} has no value; give it one: ${clipped(name)}=...`);
}

function notThere(name: string, names: readonly string[]): GraphError {
  const nearest = nearestName(name, names);
  const there = names.length === 0 ? "it has no variables" : `it has ${names.map(clipped).join(", ")}`;
  return new GraphError(`the expression has no variable ${clipped(name)}; ${nearest === undefined ? there : `did you mean ${nearest}?`}`);
}
