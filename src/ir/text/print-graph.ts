import type { AnyGraph } from "../graph.ts";
import { isGraph, nodesOf } from "../graph.ts";
import { constantOp, inputOp, isValue, variableOp } from "../leaf.ts";
import { type Node, type Value, valuesOf } from "../node.ts";
import { dense, type Held, type Tensor } from "../tensor.ts";
import { typeText } from "../type.ts";
import { numberLiteral, writeLiteral } from "./write-literal.ts";

/** Where large constants go: with a record here, tensors of more than `inline` elements are put into it by name and written `@name`. */
export interface PrintOptions {
  readonly tensors?: Record<string, Tensor>;
  readonly inline?: number;
}

/**
 * A graph as text: one line per node in order of computation, with its type, its attributes, its name and scope; then the trees of inputs and
 * outputs. `parse` is the exact inverse. Graph-valued attributes are written in place.
 * @throws GraphError for nodes with an attribute that has no text form, such as the rule of `customGradient`
 */
export function printGraph(g: AnyGraph, options: PrintOptions = {}): string {
  return printBlock(g, options, "");
}

function printBlock(g: AnyGraph, options: PrintOptions, indent: string): string {
  const lines: string[] = [];
  const numbers = new Map<Node, number>();
  const ref = (v: Value): string => `%${numbers.get(v.node)}${v.node.outputs === null ? "" : `.${v.index}`}`;
  const inner = `${indent}  `;
  const data = (x: unknown): string | null => (isGraph(x) ? printBlock(x, options, inner) : isValue(x) ? ref(x) : null);
  for (const node of nodesOf(g)) {
    const number = numbers.size;
    numbers.set(node, number);
    const type = valuesOf(node).map((v) => typeText(v.type));
    const head = `%${number}: ${node.outputs === null ? type[0] : `(${type.join(", ")})`} = `;
    lines.push(inner + head + body(node, ref, data, options) + marks(node));
  }
  const tree = (x: unknown): string => writeLiteral(x, "the tree", data);
  return (
    ["graph {", ...lines, `${inner}inputs ${tree(g.inputs)}`, `${inner}outputs ${tree(g.outputs)}`, `${indent}}`].join("\n") +
    (indent === "" ? "\n" : "")
  );
}

function body(node: Node, ref: (v: Value) => string, data: (x: unknown) => string | null, options: PrintOptions): string {
  if (node.op === inputOp) return "input";
  if (node.op === variableOp || node.op === constantOp) return `${node.op.name} ${constantText(node, options)}`;
  const operands = node.operands.map((v) => (v === null ? "null" : ref(v))).join(", ");
  const attrs = Object.keys(node.attrs).length === 0 ? "" : ` ${writeLiteral(node.attrs, node.op.name, data)}`;
  return `${node.op.name}(${operands})${attrs}`;
}

function constantText(node: Node, { tensors, inline = 16 }: PrintOptions): string {
  const t = dense(node.memo as Held, node.type);
  if (tensors !== undefined && t.data.length > inline) {
    let name = `t${Object.keys(tensors).length}`;
    while (Object.hasOwn(tensors, name)) name += "_";
    tensors[name] = t;
    return `@${name}`;
  }
  return node.type.shape.length === 0 ? numberLiteral(t.data[0]!) : `[${Array.from(t.data, numberLiteral).join(", ")}]`;
}

function marks(node: Node): string {
  const name = node.label === null ? "" : ` as ${JSON.stringify(node.label)}`;
  const scope = node.where?.scope == null ? "" : ` in ${JSON.stringify(node.where.scope)}`;
  return name + scope;
}
