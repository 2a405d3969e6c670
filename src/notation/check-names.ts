import { dtypes } from "../ir/dtype.ts";
import type { Span } from "../ir/errors.ts";
import { clipped, parseErrorAt } from "./caret.ts";
import type { Expression, Formula } from "./expression.ts";
import { nearestName } from "./nearest.ts";
import { knownElsewhere, wordAttributes, wordOperands } from "./signatures.ts";

/** Names of numbers and truth values. A variable or line of that name wins. */
export const constants: ReadonlyMap<string, number | boolean | null> = /* @__PURE__ */ new Map<string, number | boolean | null>([
  ["pi", Math.PI],
  ["π", Math.PI],
  ["e", Math.E],
  ["inf", Infinity],
  ["nan", NaN],
  ["true", true],
  ["false", false],
  ["None", null],
]);

/** What the names of a formula may mean. */
export interface Names {
  /** The variables there are; "any" lets every unknown name be one; "none" is a template, whose operands are holes. */
  readonly variables: readonly string[] | "any" | "none";
  readonly functions: ReadonlySet<string>;
}

/** What was found out about the names of a formula. */
export interface CheckedNames {
  /** Variables in the order in which they first appear, with that place. */
  readonly free: ReadonlyMap<string, Span>;
  /** Names that stand for themselves, as `f32` in `cast(x, f32)`. */
  readonly words: ReadonlySet<Expression>;
}

/**
 * Looks up every name of a formula.
 * @throws ParseError for an unknown variable or function, with the nearest name there is
 */
export function checkNames(formula: Formula, { variables, functions }: Names): CheckedNames {
  const { source, nodes, statements } = formula;
  const words = wordsOf(nodes);
  const known = new Set(Array.isArray(variables) ? (variables as readonly string[]) : []);
  const lines = new Set<string>();
  for (const { name } of statements) {
    if (name === null) continue;
    if (known.has(name.name))
      throw parseErrorAt(source, name.span, `"${clipped(name.name)}" is a variable already; give this value another name`);
    lines.add(name.name);
  }
  const free = new Map<string, Span>();
  for (const node of nodes) {
    if (node.kind === "call" && !functions.has(node.name))
      throw unknownFunction(source, node.name, node.nameSpan, functions, (name) => known.has(name) || lines.has(name));
    if (node.kind !== "name" || words.has(node) || lines.has(node.name)) continue;
    const { name } = node;
    if (known.has(name) || (variables === "any" && !constants.has(name))) {
      if (!free.has(name)) free.set(name, node.span);
    } else if (!constants.has(name)) throw unknownName(source, name, node.span, functions, [...known, ...lines], variables === "none");
  }
  return { free, words };
}

function wordsOf(nodes: readonly Expression[]): Set<Expression> {
  const words = new Set<Expression>();
  for (const node of nodes) {
    if (node.kind !== "call") continue;
    const place = Object.hasOwn(wordOperands, node.name) ? wordOperands[node.name] : undefined;
    const operand = place === undefined ? undefined : node.operands[place];
    if (operand?.kind === "name") words.add(operand);
    for (const { name, value } of node.keywords)
      if (wordAttributes.has(name) && value.kind === "name" && value.name !== "None") words.add(value);
  }
  return words;
}

function unknownFunction(
  source: string,
  name: string,
  span: Span,
  functions: ReadonlySet<string>,
  isVariable: (name: string) => boolean,
): Error {
  const shown = `"${clipped(name)}"`;
  if (isVariable(name))
    return parseErrorAt(source, span, `${shown} is a variable, not a function; to multiply, write ${clipped(name)} * (...)`);
  const method = name.slice(name.lastIndexOf(".") + 1);
  if (method !== name && functions.has(method))
    return parseErrorAt(
      source,
      span,
      `unknown function ${shown}; there are no methods: write ${method}(${clipped(name.slice(0, -method.length - 1))})`,
    );
  const meant = elsewhere(name, functions) ?? nearestName(name, functions);
  return parseErrorAt(source, span, `unknown function ${shown}${meant === undefined ? "" : `; did you mean ${meant}?`}`);
}

function unknownName(
  source: string,
  name: string,
  span: Span,
  functions: ReadonlySet<string>,
  there: readonly string[],
  template: boolean,
): Error {
  const shown = `"${clipped(name)}"`;
  if (name === "None")
    return parseErrorAt(source, span, "None stands for a new axis in an index, x[None], and for an attribute or operand left out");
  if ((dtypes as readonly string[]).includes(name))
    return parseErrorAt(source, span, `${shown} is a dtype; it stands in cast(x, ${name}), dtype=${name} or as the type ${name}(3, 4)`);
  if (functions.has(name)) return parseErrorAt(source, span, `${shown} is a function; call it: ${name}(...)`);
  const nearest = nearestName(name, [...there, ...constants.keys()]);
  if (nearest !== undefined) return parseErrorAt(source, span, `unknown name ${shown}; did you mean ${nearest}?`);
  const advice = template
    ? `; an operand stands in a hole: \${${clipped(name)}}`
    : there.length === 0
      ? "; there are no variables"
      : `; there are ${listed(there)}`;
  return parseErrorAt(source, span, `unknown name ${shown}${advice}`);
}

function elsewhere(name: string, functions: ReadonlySet<string>): string | undefined {
  const here = Object.hasOwn(knownElsewhere, name) ? knownElsewhere[name] : undefined;
  return here !== undefined && functions.has(here) ? here : undefined;
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).map(clipped).join(", ")}, …` : names.map(clipped).join(", ");
}
