import { isFloat } from "../ir/dtype.ts";
import { DTypeError, GradientError } from "../ir/errors.ts";
import { named, variable } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { clipped, parseErrorAt } from "../notation/caret.ts";
import { constants } from "../notation/check-names.ts";
import { type CompiledExpression, compileExpression } from "../notation/compile-expression.ts";
import { nearestName } from "../notation/nearest.ts";
import type { CommandIo } from "./io.ts";
import { textIn } from "./text-in.ts";
import { UsageError } from "./usage-error.ts";
import type { Values } from "./values.ts";

/** An expression at a point: its value, and its variables by name in the order in which the expression has them. */
export interface Problem {
  readonly expression: string;
  readonly f: Value;
  readonly variables: Readonly<Record<string, Value>>;
  /** The same with other values in the place of some variables. */
  readonly apply: (given: Readonly<Record<string, Value>>) => Value;
}

/** The expression of a command: the word itself, or the text of a file for `@formula.txt`. */
export async function expressionIn(word: string | undefined, command: string, io: CommandIo): Promise<string> {
  if (word === undefined) throw new UsageError(`${command} needs an expression: chainrule ${command} "(x + y) * z" x=-2 y=5 z=-4`, command);
  return word.startsWith("@") ? (await textIn(word.slice(1), io)).trimEnd() : word;
}

/** Parses an expression; `given` are names that are variables even where they name a constant, such as `e`. */
export function compiled(expression: string, given: Iterable<string>): CompiledExpression {
  const plain = compileExpression(expression);
  const shadowing = [...given].filter((name) => constants.has(name));
  return shadowing.length === 0 ? plain : compileExpression(expression, { variables: [...plain.variables, ...shadowing] });
}

/**
 * Puts values into an expression.
 * @throws ParseError where values are missing; UsageError for values of variables that the expression does not have; what the ops throw
 */
export function problemOf(expression: string, values: Values): Problem {
  const build = compiled(expression, values.keys());
  checkNames(build, values);
  const missing = build.variables.filter((name) => !values.has(name));
  if (missing.length > 0) throw valueless(build, missing);
  return applied(build, (name) => variable(values.get(name)!, name));
}

/** The problem whose variables are what `make` gives. */
export function applied(build: CompiledExpression, make: (name: string) => Value): Problem {
  const variables = Object.fromEntries(build.variables.map((name) => [name, make(name)]));
  const apply = (given: Readonly<Record<string, Value>>): Value => nameLines(build, build({ ...variables, ...given }));
  return { expression: build.formula.source, f: apply({}), variables, apply };
}

/** Gives the lines of an expression their names: the value of `h = x @ w` is called h. */
function nameLines({ formula }: CompiledExpression, f: Value): Value {
  const lines = formula.statements.filter((s) => s.name !== null);
  if (lines.length === 0) return f;
  const made = new Map<string, Node>();
  // What a line makes last is its value.
  for (const node of collect([f]))
    if (node.where?.span != null && node.operands.length > 0) made.set(`${node.where.span.from} ${node.where.span.to}`, node);
  for (const { name, value } of lines) {
    const node = made.get(`${value.span.from} ${value.span.to}`);
    if (node !== undefined && node.outputs === null) named(node, name!.name);
  }
  return f;
}

/** @throws UsageError for a value of a name that the expression does not have */
export function checkNames(build: CompiledExpression, values: Values): void {
  const { variables, formula } = build;
  for (const name of values.keys()) {
    if (variables.includes(name)) continue;
    const nearest = nearestName(name, variables);
    const line = formula.statements.some((s) => s.name?.name === name);
    const there = variables.length === 0 ? "it has no variables" : `it has ${listed(variables)}`;
    throw new UsageError(
      line
        ? `${clipped(name)} is computed by a line of the expression and takes no value`
        : `the expression has no variable ${clipped(name)}; ${nearest === undefined ? there : `did you mean ${nearest}?`}`,
    );
  }
}

function valueless({ formula, variables }: CompiledExpression, missing: readonly string[]): Error {
  const [first] = missing as readonly [string];
  const node = formula.nodes.find((n) => n.kind === "name" && n.name === first);
  const [only] = formula.statements;
  if (variables.length === 0) return new UsageError("the expression has no variables");
  const names = listed(missing);
  const how = missing
    .slice(0, 8)
    .map((name) => `${clipped(name)}=...`)
    .join(" ");
  return parseErrorAt(
    formula.source,
    node?.span ?? only!.span,
    `${names} ${missing.length === 1 ? "has no value; give it one" : "have no values; give them"}: ${how}`,
  );
}

export function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).map(clipped).join(", ")}, …` : names.map(clipped).join(", ");
}

/**
 * The variables to differentiate by: those named, or all of floating point.
 * @throws GradientError when the expression is no floating-point scalar, UsageError for names that are not there, DTypeError for integers
 */
export function chosen({ f, variables }: Problem, wrt: readonly string[] | null): Readonly<Record<string, Value>> {
  checkScalar(f);
  if (wrt === null) return Object.fromEntries(Object.entries(variables).filter(([, v]) => isFloat(v.type.dtype)));
  return Object.fromEntries(
    wrt.map((name) => {
      const v = Object.hasOwn(variables, name) ? variables[name]! : null;
      if (v === null) {
        const names = Object.keys(variables);
        const nearest = nearestName(name, names);
        throw new UsageError(
          `wrt: the expression has no variable ${clipped(name)}; ${nearest === undefined ? `it has ${listed(names) || "none"}` : `did you mean ${nearest}?`}`,
        );
      }
      if (!isFloat(v.type.dtype))
        throw new DTypeError(`wrt: ${name} is ${typeText(v.type)}; integers and truth values have no gradient: leave it out`);
      return [name, v];
    }),
  );
}

/** @throws GradientError for anything but a floating-point scalar */
function checkScalar(f: Value): void {
  const { type } = f;
  if (!isFloat(type.dtype))
    throw new GradientError(
      `the expression is ${typeText(type)}; only floating-point numbers have a gradient: use cast(..., f64) or another expression`,
    );
  if (type.shape.length > 0)
    throw new GradientError(
      `the expression is ${typeText(type)}, and a gradient starts at one number; write sum(...) or mean(...) around it`,
    );
}

/** The names in `--wrt x,y`; null when it is not given. */
export function namesIn(text: string | true | undefined): readonly string[] | null {
  return typeof text === "string" ? checkedNames(text.split(","), "--wrt") : null;
}

/** Names as the notation has them. @throws UsageError for an empty name and for one that comes twice */
export function checkedNames(given: readonly string[], where: string): readonly string[] {
  const names = given.map((name) => name.normalize("NFC").trim());
  if (names.includes("")) throw new UsageError(`${where} has an empty name; write the names with commas between: x,y`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UsageError(`${where} names ${clipped(twice)} twice`);
  return names;
}

/** A lesson for a value where the expression should stand. */
export function checkIsExpression(word: string, build: CompiledExpression, command: string): void {
  const [only] = build.formula.statements;
  if (build.variables.length === 0 && build.formula.statements.length === 1 && only!.name !== null)
    throw new UsageError(`"${clipped(word)}" is a value, and the expression comes first: chainrule ${command} "x^2" x=3`, command);
}
