import { ChainruleError, DomainError, InternalError, type Span } from "../ir/errors.ts";
import { isOperand, isValue, lift } from "../ir/leaf.ts";
import { nextSerial, type Value, type Where } from "../ir/node.ts";
import { placeSource } from "../ir/scope.ts";
import type { Binary } from "../ops/arithmetic.ts";
import * as ops from "../ops/index.ts";
import type { Callable, Keywords } from "./callable.ts";
import { caretPicture, positionOf } from "./caret.ts";
import { constants } from "./check-names.ts";
import type { BinaryOperator, Call, Expression, Formula, Indexing } from "./expression.ts";
import { type Item, isList, isResults, operandOf } from "./item.ts";
import { operatorOps } from "./operator-ops.ts";
import { type Index, indexed } from "./subscripts.ts";

/** What the parts of a formula stand for. */
export interface Environment {
  readonly functions: ReadonlyMap<string, Callable>;
  readonly words: ReadonlySet<Expression>;
  readonly holes: readonly Item[];
  variable(name: string): Item | undefined;
}

/** What a formula gives, and what its lines give by name. */
export interface Outcome {
  readonly value: Value;
  readonly lines: ReadonlyMap<string, Item>;
}

/**
 * Works a formula out, part by part: a loop over its nodes with a stack of items, so that length is no limit. Numbers among themselves are
 * computed at once; everything else builds nodes, which remember the span they come from.
 * @throws ChainruleError from the op that does not fit, with the span and the caret picture of its place
 */
export function runFormula(formula: Formula, environment: Environment): Outcome {
  const { source, nodes, statements } = formula;
  const stack: Item[] = [];
  const lines = new Map<string, Item>();
  let line = 0;
  let result: Item = null;
  for (const node of nodes) {
    const serial = nextSerial();
    let item: Item;
    try {
      item = itemOfNode(node, stack, lines, environment);
    } catch (error) {
      throw placed(error, source, node);
    }
    if (node.kind !== "name" && node.kind !== "hole") place(item, serial, source, node.span);
    const statement = statements[line];
    if (statement?.value === node) {
      line++;
      result = item;
      if (statement.name !== null) lines.set(statement.name.name, item);
    } else stack.push(item);
  }
  const last = statements[statements.length - 1];
  if (last === undefined || stack.length > 0) throw new InternalError("a formula's nodes do not add up to its lines");
  try {
    const serial = nextSerial();
    const value = lift(operandOf(result), "f64");
    place(value, serial, source, last.value.span);
    return { value, lines };
  } catch (error) {
    throw placed(error, source, last.value);
  }
}

function pop(stack: Item[]): Item {
  const item = stack.pop();
  if (item === undefined) throw new InternalError("a formula's node came before its parts");
  return item;
}

function popAll(stack: Item[], count: number): Item[] {
  return stack.splice(stack.length - count, count);
}

function itemOfNode(node: Expression, stack: Item[], lines: ReadonlyMap<string, Item>, environment: Environment): Item {
  switch (node.kind) {
    case "number":
    case "string":
      return node.value;
    case "name":
      return named(node, lines, environment);
    case "hole": {
      const hole = environment.holes[node.index];
      if (hole === undefined) throw new InternalError(`hole ${node.index} has no operand`);
      return hole;
    }
    case "list":
      return popAll(stack, node.items.length);
    case "negation": {
      const x = pop(stack);
      return typeof x === "number" ? -x : ops.neg(operandOf(x));
    }
    case "operation": {
      const right = pop(stack);
      return operation(node.operator, pop(stack), right, environment);
    }
    case "transpose": {
      const x = pop(stack);
      return typeof x === "number" ? x : ops.transpose(operandOf(x));
    }
    case "call":
      return called(node, stack, environment);
    case "index":
      return subscripted(node, stack);
  }
}

function named(node: Expression & { readonly kind: "name" }, lines: ReadonlyMap<string, Item>, environment: Environment): Item {
  const { name } = node;
  if (environment.words.has(node)) return name;
  const given = lines.has(name) ? lines.get(name) : environment.variable(name);
  if (given !== undefined) return given;
  const constant = constants.get(name);
  if (constant === undefined) throw new InternalError(`${name} was not looked up`);
  return constant;
}

function operation(operator: BinaryOperator, left: Item, right: Item, environment: Environment): Item {
  if (typeof left === "number" && typeof right === "number") {
    if (operator === "+") return left + right;
    if (operator === "-") return left - right;
    if (operator === "*") return left * right;
    if (operator === "/") return left / right;
    if (operator === "^") return left ** right;
  }
  const f = direct[operatorOps[operator]];
  if (f !== undefined) return f(operandOf(left), operandOf(right));
  return functionNamed(operatorOps[operator], environment)([left, right], noKeywords);
}

/** The ops that operators stand for. */
const direct: Readonly<Record<string, Binary | undefined>> = ops as unknown as Readonly<Record<string, Binary | undefined>>;
const noKeywords: Keywords = /* @__PURE__ */ new Map();

function functionNamed(name: string, { functions }: Environment): Callable {
  const f = functions.get(name);
  if (f === undefined) throw new InternalError(`${name} is not among the ops`);
  return f;
}

function called(node: Call, stack: Item[], environment: Environment): Item {
  const keywords = new Map<string, Item>();
  popAll(stack, node.keywords.length).forEach((item, i) => {
    keywords.set(node.keywords[i]!.name, item);
  });
  return functionNamed(node.name, environment)(popAll(stack, node.operands.length), keywords);
}

function subscripted(node: Indexing, stack: Item[]): Item {
  let count = 0;
  for (const s of node.subscripts)
    count += s.kind === "at" ? 1 : s.kind === "slice" ? Number(s.start !== null) + Number(s.end !== null) + Number(s.step !== null) : 0;
  const parts = popAll(stack, count);
  let next = 0;
  const part = (given: Expression | null): Item | undefined => (given === null ? undefined : parts[next++]!);
  const indices = node.subscripts.map((s): Index => {
    if (s.kind === "at") return { kind: "at", index: part(s.index)! };
    if (s.kind !== "slice") return { kind: s.kind };
    const start = part(s.start);
    const end = part(s.end);
    return { kind: "slice", start, end, step: part(s.step) };
  });
  return indexed(pop(stack), indices);
}

function place(item: Item, serial: number, source: string, span: Span): void {
  if (isValue(item)) placeValue(item, serial, source, span);
  else if (isResults(item)) for (const value of item.values) placeSource(value, serial, source, span);
  else if (isList(item) && !isOperand(item)) for (const x of item) if (isValue(x)) placeSource(x, serial, source, span);
}

/** As `placeSource`, without a walk for the usual case: one new node over older ones and fresh literals. */
function placeValue({ node }: Value, serial: number, source: string, span: Span): void {
  if (node.serial < serial || node.where?.span != null) return;
  for (const v of node.operands)
    if (v !== null && v.node.serial >= serial && v.node.operands.length > 0) {
      placeSource(node, serial, source, span);
      return;
    }
  const where: Where = node.where === null ? { scope: null, source, span, stack: null } : { ...node.where, source, span };
  node.where = where;
  for (const v of node.operands) if (v !== null && v.node.serial >= serial && v.node.where?.span == null) v.node.where = where;
}

/** An op's error with the place of its part of the formula. What is no error of ours came from attributes of a wrong kind. */
function placed(error: unknown, source: string, node: Expression): unknown {
  if (error instanceof InternalError) return error;
  const { span } = node;
  if (!(error instanceof ChainruleError)) {
    if (!(error instanceof Error)) return error;
    const what = node.kind === "call" ? node.name : node.kind;
    return placed(
      new DomainError(`${what}: an operand or attribute is missing or of the wrong kind (${error.message})`, { cause: error }),
      source,
      node,
    );
  }
  if (error.span !== undefined) return error;
  const { line, column } = positionOf(source, span.from);
  error.span = span;
  error.source = source;
  error.message += ` (line ${line}, column ${column})\n${caretPicture(source, span)}`;
  return error;
}
