import { allocate, dtypes } from "../dtype.ts";
import { ChainruleError } from "../errors.ts";
import { type Graph, graphOf } from "../graph.ts";
import { constantOf, constantOp, inputOp, isValue, variableOp } from "../leaf.ts";
import { forever, keeperOf, Node, Output, type Value } from "../node.ts";
import type { AnyOp } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { type Held, hold, settle, type Tensor } from "../tensor.ts";
import { rebuild } from "../tree.ts";
import { sameType, type TensorType, tensorType, typeText } from "../type.ts";
import { Cursor } from "./cursor.ts";

/** Finds an op by its name; undefined for an unknown one. */
export type FindOp = (name: string) => AnyOp | undefined;

/** The tensors that `@name` stands for. */
export interface ParseOptions {
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/** Graphs by inputs and outputs that are records, as text gives them. */
export type TextGraph = Graph<Record<string, TensorType>, Record<string, Value>>;

/**
 * Reads what `printGraph` wrote. Every type is inferred again and compared with the one in the text.
 * @throws ParseError with line and column for anything that is not such a text, and for unknown ops
 */
export function parseGraph(text: string, find: FindOp, { tensors = {} }: ParseOptions = {}): TextGraph {
  const c = new Cursor(text);
  const g = block(c, find, tensors);
  if (c.peek() !== "") c.fail(`expected the end, found ${c.found()}`);
  return g;
}

function block(c: Cursor, find: FindOp, tensors: Readonly<Record<string, Tensor>>): TextGraph {
  const nodes: Node[] = [];
  const value = (): Value => {
    const from = c.at;
    c.expect("%");
    const number = c.whole("a node number");
    const node = nodes[number];
    if (node === undefined) c.fail(`%${number} is used before it is defined; operands come first, cycles are no graphs`, from);
    if (node.outputs === null) return node;
    c.expect(".");
    const i = c.whole("a result number");
    return node.outputs[i] ?? c.fail(`%${number} has ${node.outputs.length} results`, from);
  };
  const special = (): unknown => (c.peek() === "%" ? value() : block(c, find, tensors));
  c.expect("graph");
  c.expect("{");
  while (c.peek() === "%") {
    const from = c.at;
    c.expect("%");
    const number = c.whole("a node number");
    if (number !== nodes.length) c.fail(`this is %${number}, and %${nodes.length} comes next`, from);
    c.expect(":");
    nodes.push(line(c, types(c), find, tensors, value, special));
  }
  c.expect("inputs");
  const inputs = tree(c, special, "inputs");
  c.expect("outputs");
  const outputs = tree(c, special, "outputs");
  c.expect("}");
  return graphOf(inputs as never, outputs) as unknown as TextGraph;
}

function tree(c: Cursor, special: (c: Cursor) => unknown, what: string): unknown {
  c.blank();
  const from = c.at;
  const made = c.literal(special);
  rebuild(made, (leaf, path) => {
    if (!isValue(leaf) || (what === "inputs" && leaf.node.op !== inputOp))
      c.fail(`${what} ${path} is no ${what === "inputs" ? "input" : "value"}`, from);
    return leaf;
  });
  return made;
}

function types(c: Cursor): TensorType | TensorType[] {
  if (!c.take("(")) return oneType(c);
  const list: TensorType[] = [];
  if (!c.take(")")) {
    do list.push(oneType(c));
    while (c.take(","));
    c.expect(")");
  }
  c.expect("=");
  return list;
}

function oneType(c: Cursor): TensorType {
  const from = c.at;
  const name = c.match(/[a-z]+\d*/y, "a dtype");
  const dtype = dtypes.find((d) => d === name) ?? c.fail(`${name} is no dtype; dtypes are ${dtypes.join(", ")}`, from);
  c.expect("[");
  const shape: number[] = [];
  if (!c.take("]")) {
    do shape.push(c.whole("a size"));
    while (c.take(","));
    c.expect("]");
  }
  return tensorType(dtype, shape);
}

function line(
  c: Cursor,
  given: TensorType | TensorType[],
  find: FindOp,
  tensors: Readonly<Record<string, Tensor>>,
  value: () => Value,
  special: (c: Cursor) => unknown,
): Node {
  if (!Array.isArray(given)) c.expect("=");
  c.blank();
  const from = c.at;
  const name = c.word("an op");
  const node =
    name === inputOp.name || name === variableOp.name || name === constantOp.name
      ? leafNode(c, name, given, tensors, from)
      : applied(c, name, given, find, value, special, from);
  if (c.takeWord("as")) node.label = c.string();
  if (c.takeWord("in")) node.where = { scope: c.string(), source: null, span: null, stack: null };
  return node;
}

function leafNode(
  c: Cursor,
  name: string,
  given: TensorType | TensorType[],
  tensors: Readonly<Record<string, Tensor>>,
  from: number,
): Node {
  if (Array.isArray(given)) c.fail(`${name} has one result`, from);
  if (name === inputOp.name) return new Node(inputOp, [], {}, given, forever);
  const held = constantData(c, given, tensors);
  if (name === constantOp.name) return constantOf(held, given).node;
  const node = new Node(variableOp, [], {}, given, forever);
  node.memo = held;
  return node;
}

function constantData(c: Cursor, type: TensorType, tensors: Readonly<Record<string, Tensor>>): Held {
  c.blank();
  const from = c.at;
  if (c.take("@")) {
    const name = c.word("a tensor's name");
    const t = (Object.hasOwn(tensors, name) ? tensors[name] : undefined) ?? c.fail(`tensor @${name} is not beside the text`, from);
    if (!sameType(t.type, type)) c.fail(`tensor @${name} is ${typeText(t.type)}, the text says ${typeText(type)}`, from);
    return t;
  }
  const data = type.shape.length === 0 ? [c.number()] : (c.literal(() => c.fail("constants are numbers", from)) as unknown[]);
  if (!Array.isArray(data) || data.length !== sizeOf(type.shape) || data.some((x) => typeof x !== "number"))
    c.fail(`${typeText(type)} wants ${sizeOf(type.shape)} numbers`, from);
  const array = allocate(type.dtype, data.length);
  for (let i = 0; i < array.length; i++) array[i] = data[i] as number;
  settle(type.dtype, array);
  for (let i = 0; i < array.length; i++)
    if (!Object.is(array[i], data[i]) && !(array[i] === 0 && data[i] === 0)) c.fail(`${type.dtype} cannot hold ${String(data[i])}`, from);
  return type.shape.length === 0 ? array[0]! : hold(type, array);
}

function applied(
  c: Cursor,
  name: string,
  given: TensorType | TensorType[],
  find: FindOp,
  value: () => Value,
  special: (c: Cursor) => unknown,
  from: number,
): Node {
  const op = find(name) ?? c.fail(`${name} is no known op; ops from outside are passed to parse in { ops: [...] }`, from);
  const operands: (Value | null)[] = [];
  c.expect("(");
  if (!c.take(")")) {
    do operands.push(c.take("null") ? null : value());
    while (c.take(","));
    c.expect(")");
  }
  const attrs = c.peek() === "{" ? (c.literal(special) as object) : {};
  checkArity(c, op, operands, from);
  const node = new Node(op, operands, attrs, Array.isArray(given) ? (given[0] ?? tensorType("f64", [0])) : given, keeperOf(operands));
  if (Array.isArray(given)) node.outputs = given.map((t, i) => new Output(t, node, i));
  let inferred: TensorType | readonly TensorType[];
  try {
    inferred = op.infer(
      operands.map((v) => v?.type ?? null),
      attrs,
    );
  } catch (e) {
    if (e instanceof ChainruleError || e instanceof TypeError) c.fail(e.message, from);
    throw e;
  }
  const wanted = Array.isArray(inferred) ? (inferred as readonly TensorType[]) : [inferred as TensorType];
  const said = Array.isArray(given) ? given : [given];
  if (Array.isArray(inferred) !== Array.isArray(given) || wanted.length !== said.length || wanted.some((t, i) => !sameType(t, said[i]!)))
    c.fail(`${name} gives ${wanted.map(typeText).join(", ")}, the text says ${said.map(typeText).join(", ")}`, from);
  return node;
}

function checkArity(c: Cursor, op: AnyOp, operands: readonly (Value | null)[], from: number): void {
  const rest = op.slots[op.slots.length - 1]?.arity === "rest";
  const least = rest ? op.slots.length - 1 : op.slots.length;
  if (operands.length < least || (!rest && operands.length > least))
    c.fail(`${op.name} has ${operands.length} operands; it takes ${op.operands.join(", ")}`, from);
  operands.forEach((v, i) => {
    if (v === null && op.slots[Math.min(i, op.slots.length - 1)]!.arity !== "optional")
      c.fail(`${op.name}: operand ${i} is not optional`, from);
  });
}
