import type { Expression, Statement, Subscript } from "./expression.ts";
import { level, levelOf } from "./precedence.ts";

/** A piece still to be written: a text as it is, or an expression that needs parentheses unless it binds at least as tightly as `minimum`. */
type Piece = string | { readonly node: Expression; readonly minimum: number };

/** How tightly an expression binds as it is printed. */
export function levelOfExpression(node: Expression): number {
  if (node.kind === "operation") return levelOf(node.operator);
  if (node.kind === "negation") return level.negation;
  return node.kind === "transpose" || node.kind === "index" ? level.postfix : level.atom;
}

/**
 * The text of an expression with the fewest parentheses: `parseFormula` of it gives the same expression back. A loop over a stack of
 * pieces, so that a sum of any length prints.
 */
export function printExpression(expression: Expression): string {
  const out: string[] = [];
  const pieces: Piece[] = [{ node: expression, minimum: level.statement }];
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    if (typeof piece === "string") out.push(piece);
    else if (levelOfExpression(piece.node) < piece.minimum) pieces.push(")", { node: piece.node, minimum: level.statement }, "(");
    else for (const part of partsOf(piece.node).reverse()) pieces.push(part);
  }
  return out.join("");
}

/** The text of statements, one a line. */
export function printStatements(statements: readonly Statement[]): string {
  return statements.map(({ name, value }) => (name === null ? "" : `${name.name} = `) + printExpression(value)).join("\n");
}

function partsOf(node: Expression): Piece[] {
  switch (node.kind) {
    case "number":
      return [String(node.value)];
    case "name":
      return [node.name];
    case "hole":
      return [`\${${node.index}}`];
    case "string":
      return [`"${node.value}"`];
    case "list":
      return ["[", ...separated(node.items.map((item) => [inside(item)])), "]"];
    case "negation":
      return ["-", { node: node.operand, minimum: level.negation }];
    case "operation": {
      const own = levelOf(node.operator);
      if (node.operator === "^") return [{ node: node.left, minimum: level.postfix }, "^", { node: node.right, minimum: level.negation }];
      // A comparison takes no other comparison on either side; sums and products group to the left.
      const left = own === level.comparison ? own + 1 : own;
      return [{ node: node.left, minimum: left }, ` ${node.operator} `, { node: node.right, minimum: own + 1 }];
    }
    case "call":
      return [
        `${node.name}(`,
        ...separated([...node.operands.map((operand) => [inside(operand)]), ...node.keywords.map((k) => [`${k.name}=`, inside(k.value)])]),
        ")",
      ];
    case "transpose":
      return [{ node: node.operand, minimum: level.postfix }, ".T"];
    case "index":
      return [{ node: node.operand, minimum: level.postfix }, "[", ...separated(node.subscripts.map(subscriptParts)), "]"];
  }
}

function inside(node: Expression): Piece {
  return { node, minimum: level.statement };
}

function separated(groups: readonly (readonly Piece[])[]): Piece[] {
  return groups.flatMap((group, i) => (i === 0 ? group : [", ", ...group]));
}

function subscriptParts(subscript: Subscript): Piece[] {
  if (subscript.kind === "ellipsis") return ["..."];
  if (subscript.kind === "newAxis") return ["None"];
  if (subscript.kind === "at") return [inside(subscript.index)];
  const { start, end, step } = subscript;
  return [
    ...(start === null ? [] : [inside(start)]),
    ":",
    ...(end === null ? [] : [inside(end)]),
    ...(step === null ? [] : [":", inside(step)]),
  ];
}
