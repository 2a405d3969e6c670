import { evaluate } from "../evaluate/evaluate.ts";
import { GraphError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import { inputOp, nameOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Body } from "../ir/op.ts";
import { leaves } from "../ir/tree.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { collect, inOrderOfMaking } from "../ir/walk.ts";
import { Emitter, type Shared } from "./emitter.ts";
import { type GraphMessage, modelShape, type ValueMessage } from "./schema.ts";
import { elementNumber } from "./tensor-data.ts";
import { type Message, writeMessage } from "./wire.ts";
import { writtenControl } from "./written-control.ts";
import { rows } from "./written-ops.ts";

/** The operator set that graphs are written in, and the version of the format that goes with it. */
export const writtenOpset = 18;
const writtenVersion = 8;
/** What protocol buffers hold. */
const mostBytes: number = 2 ** 31 - 1;

/** The type of an input or output. */
export function valueMessage(name: string, { dtype, shape }: TensorType): ValueMessage {
  return { name, type: { tensor_type: { elem_type: elementNumber(dtype), shape: { dim: shape.map((dim_value) => ({ dim_value })) } } } };
}

/** Writes what `roots` need, operands first. @throws GraphError for an op that ONNX does not have, with the node and the reason */
export function emitAll(e: Emitter, roots: readonly Value[]): void {
  const floor = new Set([...e.names.keys()].map((v) => v.node));
  for (const node of inOrderOfMaking(collect(roots, 0, "visit", floor)))
    if (!e.names.has(node) && !valuesOf(node).every((v) => e.names.has(v))) emit(e, node);
}

function emit(e: Emitter, node: Node): void {
  if (node.op === inputOp) throw new GraphError(`onnx: the graph reads ${nameOf(node)}, which is none of its inputs`);
  e.current = node;
  const values = valuesOf(node);
  // What has no operands is a constant; what forgot them is one by now.
  if (node.operands.length === 0 && node.op.slots.length === 0) {
    for (const v of values) e.names.set(v, e.weight(evaluate(v), node.label ?? "constant"));
    return;
  }
  if (node.memo !== undefined && node.operands.length === 0) {
    for (const v of values) e.names.set(v, e.weight(evaluate(v), node.label ?? node.op.name));
    return;
  }
  const names = writtenControl(e, node, writeBody) ?? plain(e, node);
  values.forEach((v, i) => {
    e.names.set(v, names[i]!);
  });
}

function plain(e: Emitter, node: Node): readonly string[] {
  const row = Object.hasOwn(rows, node.op.name) ? rows[node.op.name] : undefined;
  const { lower } = node.op.facts;
  if (row === undefined && lower !== null) {
    const made = lower(node);
    emitAll(e, [made]);
    return [e.names.get(made)!];
  }
  if (row === undefined || "no" in row) {
    const place = node.where?.scope ?? "";
    throw new GraphError(
      `onnx: ${nameOf(node)} is ${node.op.name}, ${typeText(node.type)}${place === "" ? "" : `, in ${place}`}, and cannot be written: ${row === undefined ? "it is an op from outside without a lower" : row.no}`,
      { op: node.op.name },
    );
  }
  const inputs = node.operands.map((v) => (v === null ? "" : e.names.get(v)!));
  const written = row(e, { node, inputs, operands: node.operands, dtype: node.type.dtype, shape: valuesOf(node)[0]?.type.shape ?? [] });
  return typeof written === "string" ? [written] : written;
}

/** A body as a graph inside a node: some of its inputs are the graph's, the others have names around it already. */
export function writeBody(
  e: Emitter,
  { inputs, outputs }: Body,
  given: ReadonlyMap<Value, string>,
  own: readonly Value[],
  more: (inner: Emitter) => readonly (readonly [string, TensorType])[],
): GraphMessage {
  const inner = new Emitter(e.shared, new Map([...e.names, ...given]));
  const declared = own.map((v) => {
    const name = inner.fresh(v.node.label ?? "carry");
    inner.names.set(v, name);
    return valueMessage(name, v.type);
  });
  for (const v of inputs) if (!inner.names.has(v)) throw new GraphError(`onnx: the body reads ${nameOf(v)}, which is none of its inputs`);
  emitAll(inner, outputs);
  const results = more(inner).map(([name, type]) => valueMessage(inner.op("Identity", [name]), type));
  return { name: inner.fresh("body"), node: inner.nodes, input: declared, output: results };
}

/** The bytes of a graph as a model. Constants are its weights, paths of inputs and outputs its names. */
export function writeGraphModel(graph: AnyGraph): Uint8Array {
  const shared: Shared = { taken: new Set(), initializers: [], constants: new Map() };
  const e = new Emitter(shared, new Map());
  const inputs = leaves(graph.inputs).map(({ path, leaf }) => {
    const v = leaf as Value;
    const name = e.fresh(path === "" ? (v.node.label ?? "x") : path);
    e.names.set(v, name);
    return valueMessage(name, v.type);
  });
  // In a training step new weights go by the names of the old ones; ONNX has one meaning for a name.
  const results = leaves(graph.outputs).map(({ path, leaf }) => {
    const wish = path === "" ? "y" : path;
    return { name: e.fresh(shared.taken.has(wish) ? `out.${wish}` : wish), value: leaf as Value };
  });
  emitAll(
    e,
    results.map(({ value }) => value),
  );
  e.current = null;
  const outputs = results.map(({ name, value }) => {
    e.nodes.push({ op_type: "Identity", input: [e.names.get(value)!], output: [name], name: e.fresh("Identity") });
    return valueMessage(name, value.type);
  });
  const message = {
    ir_version: writtenVersion,
    producer_name: "chainrule",
    graph: { name: "graph", node: e.nodes, initializer: shared.initializers, input: inputs, output: outputs },
    opset_import: [{ domain: "", version: writtenOpset }],
  };
  return checked(writeMessage(message as unknown as Message, modelShape));
}

/** @throws GraphError for more bytes than a model file can have */
export function checked(bytes: Uint8Array): Uint8Array {
  if (bytes.length > mostBytes) {
    const lesson = `onnx: the model would take ${bytes.length} bytes, and a model file has less than 2 GiB`;
    throw new GraphError(lesson);
  }
  return bytes;
}
