import type { Value } from "../ir/node.ts";
import type { BinaryOperator, Call, Expression, Statement, Subscript } from "./expression.ts";
import { formulaOf } from "./formula-of.ts";
import { escaped, latexName } from "./latex-name.ts";
import { level, levelOf } from "./precedence.ts";

type Piece = string | { readonly node: Expression; readonly minimum: number };

/** Functions that LaTeX has a command for. */
const commands: Readonly<Record<string, string>> = {
  acos: "\\arccos",
  asin: "\\arcsin",
  atan: "\\arctan",
  cos: "\\cos",
  cosh: "\\cosh",
  digamma: "\\psi",
  lgamma: "\\ln\\Gamma",
  log: "\\log",
  max: "\\max",
  maximum: "\\max",
  min: "\\min",
  minimum: "\\min",
  sigmoid: "\\sigma",
  sin: "\\sin",
  sinh: "\\sinh",
  tan: "\\tan",
  tanh: "\\tanh",
};

/** Functions that are written as brackets around their operand. */
const fences: Readonly<Record<string, readonly [string, string]>> = {
  abs: ["\\left|", "\\right|"],
  ceil: ["\\left\\lceil ", "\\right\\rceil"],
  floor: ["\\left\\lfloor ", "\\right\\rfloor"],
  norm: ["\\left\\lVert ", "\\right\\rVert"],
};

const signs: Readonly<Record<Exclude<BinaryOperator, "/" | "^">, string>> = {
  "+": " + ",
  "-": " - ",
  "*": " \\cdot ",
  "@": " \\, ",
  "<": " < ",
  "<=": " \\le ",
  ">": " > ",
  ">=": " \\ge ",
  "==": " = ",
  "!=": " \\ne ",
};

/**
 * A value as LaTeX (amsmath), without dollar signs: fractions, roots, `e^{x}`, `\sigma`, Greek names and subscripts. Parts on lines of their
 * own, as in `infix`, stand in an `aligned` environment.
 */
export function latex(v: Value): string {
  return latexOfStatements(formulaOf(v).statements);
}

/** Statements as LaTeX; several are aligned at their equals signs. */
export function latexOfStatements(statements: readonly Statement[]): string {
  const [only] = statements;
  if (statements.length === 1 && only !== undefined && only.name === null) return latexOfExpression(only.value);
  const lines = statements.map(({ name, value }) => `${name === null ? "&" : `${latexName(name.name)} &= `}${latexOfExpression(value)}`);
  return `\\begin{aligned}\n${lines.join(" \\\\\n")}\n\\end{aligned}`;
}

/** An expression as LaTeX, with the fewest parentheses. A loop over a stack of pieces, so that length is no limit. */
export function latexOfExpression(expression: Expression): string {
  const out: string[] = [];
  const pieces: Piece[] = [inside(expression)];
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    if (typeof piece === "string") out.push(piece);
    else if (latexLevel(piece.node) < piece.minimum) pieces.push("\\right)", inside(piece.node), "\\left(");
    else for (const part of partsOf(piece.node).reverse()) pieces.push(part);
  }
  return out.join("");
}

/** How tightly an expression binds as it is set: a fraction holds itself together, and only a power must not stand on it. */
function latexLevel(node: Expression): number {
  switch (node.kind) {
    case "negation":
      return level.negation;
    case "operation":
      return node.operator === "/" ? level.power : levelOf(node.operator);
    case "number":
      return String(node.value).includes("e") ? level.product : level.atom;
    case "transpose":
      return level.power;
    case "index":
      return level.postfix;
    case "call":
      if (isPlain(node) && ["exp", "square", "reciprocal", "rsqrt"].includes(node.name)) return level.power;
      return node.name === "where" || (isPlain(node, 2) && (node.name === "cross" || node.name === "dot")) ? level.statement : level.atom;
    default:
      return level.atom;
  }
}

function inside(node: Expression): Piece {
  return { node, minimum: level.statement };
}

function isPlain(node: Call, operands: number = 1): boolean {
  return node.keywords.length === 0 && node.operands.length === operands;
}

function partsOf(node: Expression): Piece[] {
  switch (node.kind) {
    case "number":
      return [numberText(node.value)];
    case "name":
      return [latexName(node.name)];
    case "hole":
      return ["\\square"];
    case "string":
      return [`\\text{${escaped(node.value)}}`];
    case "list":
      return ["\\left[", ...separated(node.items.map((item) => [inside(item)])), "\\right]"];
    case "negation":
      return ["-", { node: node.operand, minimum: level.negation }];
    case "operation":
      return operationParts(node.operator, node.left, node.right);
    case "transpose":
      return [{ node: node.operand, minimum: level.postfix }, "^{\\top}"];
    case "index":
      return [{ node: node.operand, minimum: level.postfix }, "\\left[", ...separated(node.subscripts.map(subscriptParts)), "\\right]"];
    case "call":
      return callParts(node);
  }
}

function operationParts(operator: BinaryOperator, left: Expression, right: Expression): Piece[] {
  if (operator === "/") return ["\\frac{", inside(left), "}{", inside(right), "}"];
  if (operator === "^") return [{ node: left, minimum: level.postfix }, "^{", inside(right), "}"];
  const own = levelOf(operator);
  const first: Piece = { node: left, minimum: own === level.comparison ? own + 1 : own };
  const second: Piece = { node: right, minimum: own + 1 };
  if (operator === "*" && left.kind === "number" && latexLevel(left) === level.atom && startsWithLetter(right))
    return [first, " \\, ", second];
  return [first, signs[operator], second];
}

function startsWithLetter(node: Expression): boolean {
  if (node.kind === "operation" && node.operator === "^") return node.left.kind === "name";
  return node.kind === "name" || (node.kind === "call" && latexLevel(node) > level.statement);
}

function callParts(node: Call): Piece[] {
  const { name, operands } = node;
  const [x, y, z] = operands;
  if (x !== undefined && isPlain(node)) {
    if (name === "sqrt") return ["\\sqrt{", inside(x), "}"];
    if (name === "exp") return ["e^{", inside(x), "}"];
    if (name === "square") return [{ node: x, minimum: level.postfix }, "^{2}"];
    if (name === "reciprocal") return ["\\frac{1}{", inside(x), "}"];
    if (name === "rsqrt") return ["\\frac{1}{\\sqrt{", inside(x), "}}"];
    const fence = Object.hasOwn(fences, name) ? fences[name] : undefined;
    if (fence !== undefined) return [fence[0], inside(x), fence[1]];
  }
  if (x !== undefined && y !== undefined && isPlain(node, 2)) {
    if (name === "cross") return [{ node: x, minimum: level.product }, " \\times ", { node: y, minimum: level.negation }];
    if (name === "dot") return [{ node: x, minimum: level.product }, " \\cdot ", { node: y, minimum: level.negation }];
  }
  if (name === "where" && x !== undefined && y !== undefined && z !== undefined && isPlain(node, 3))
    return ["\\begin{cases} ", inside(y), " & \\text{if } ", inside(x), " \\\\ ", inside(z), " & \\text{otherwise} \\end{cases}"];
  const command = Object.hasOwn(commands, name) ? commands[name]! : `\\operatorname{${escaped(name)}}`;
  const attributes: Piece[] =
    node.keywords.length === 0
      ? []
      : ["_{", ...separated(node.keywords.map((k) => [`\\mathrm{${escaped(k.name)}}=`, inside(k.value)])), "}"];
  return [command, ...attributes, "\\left(", ...separated(operands.map((operand) => [inside(operand)])), "\\right)"];
}

function separated(groups: readonly (readonly Piece[])[]): Piece[] {
  return groups.flatMap((group, i) => (i === 0 ? group : [", ", ...group]));
}

function subscriptParts(subscript: Subscript): Piece[] {
  if (subscript.kind === "ellipsis") return ["\\ldots"];
  if (subscript.kind === "newAxis") return ["\\mathrm{None}"];
  if (subscript.kind === "at") return [inside(subscript.index)];
  const { start, end, step } = subscript;
  return [
    ...(start === null ? [] : [inside(start)]),
    ":",
    ...(end === null ? [] : [inside(end)]),
    ...(step === null ? [] : [":", inside(step)]),
  ];
}

/** `1.5e-7` as `1.5 \cdot 10^{-7}`. */
function numberText(x: number): string {
  const [digits = "", exponent] = String(x).split("e");
  if (exponent === undefined) return digits;
  const power = `10^{${exponent.replace("+", "")}}`;
  return digits === "1" ? power : `${digits} \\cdot ${power}`;
}
