import { evaluate } from "../evaluate/evaluate.ts";
import { allocate, type DType, isFloat } from "../ir/dtype.ts";
import { ChainruleError, GraphError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import { constantOf, inputOp, isValue, nameOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Body } from "../ir/op.ts";
import { sameShape, sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { collect, inOrderOfMaking } from "../ir/walk.ts";
import { applyTo } from "../ops/define.ts";
import { Emitter, nothingWritten, type OwnRows, valueMessage, type Written } from "./emitter.ts";
import { type GraphMessage, type ModelMessage, modelShape, type NodeMessage, type ValueMessage } from "./schema.ts";
import { elementNumber } from "./tensor-data.ts";
import { type Facts, tightened } from "./tighten.ts";
import { joined, type Message, type Pieces, piecesOfMessage } from "./wire.ts";
import { writtenControl } from "./written-control.ts";
import { rows } from "./written-ops.ts";

/** The operator set that graphs are written in, and the version of the format that goes with it. */
export const writtenOpset = 18;
const writtenVersion = 8;
/** What protocol buffers hold. */
export const mostBytes: number = 2 ** 31 - 1;

/** Writes what `roots` need, operands first. @throws GraphError for an op that ONNX does not have, with the node and the reason */
export function emitAll(e: Emitter, roots: readonly Value[]): void {
  const floor = new Set([...e.names.keys()].map((v) => v.node));
  let order = inOrderOfMaking(collect(roots, 0, "visit", floor));
  const empty = nameEmpty(e, order);
  if (nameSmall(e, order, roots) || empty) {
    for (const node of order) if (valuesOf(node).every((v) => e.names.has(v))) floor.add(node);
    order = inOrderOfMaking(collect(roots, 0, "visit", floor));
  }
  const spared = sparedExpansions(order, roots);
  for (const node of order)
    if (spared.has(node) && !e.names.has(node)) e.names.set(node, e.names.get(node.operands[0]!)!);
    else if (!e.names.has(node) && !valuesOf(node).every((v) => e.names.has(v))) emit(e, node);
}

/** Operators that repeat an operand where it has size 1 themselves. */
const repeating: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "where"]);

/** Expansions that all who read them would make themselves, beside an operand that has every element: nothing has to be written for them. */
function sparedExpansions(order: readonly Node[], roots: readonly Value[]): ReadonlySet<Node> {
  const spared = new Set<Node>();
  // What forgot its operands is a constant.
  for (const node of order)
    if (node.op.name === "expand" && node.operands[0] != null && isFloat(node.type.dtype) && !isEmpty(node)) spared.add(node);
  if (spared.size === 0) return spared;
  for (const v of roots) spared.delete(v.node);
  const candidates = new Set(spared);
  for (const { op, operands, type } of order)
    for (const v of operands) {
      if (v === null || !spared.has(v.node)) continue;
      const whole = operands.some((other) => other != null && !candidates.has(other.node) && sameShape(other.type.shape, type.shape));
      if (!repeating.has(op.name) || !whole) spared.delete(v.node);
    }
  return spared;
}

/** Larger constants are made where the file is run. */
const mostSettled = 64;

/** Names small values that depend on no input: what they are is known now. True where there are such. */
function nameSmall(e: Emitter, order: readonly Node[], roots: readonly Value[]): boolean {
  const free = new Set<Node>();
  let found = false;
  const settle = (v: Value | null): void => {
    if (v === null || e.names.has(v) || !free.has(v.node) || v.node.operands.length === 0 || sizeOf(v.type.shape) > mostSettled) return;
    try {
      e.names.set(v, e.constant(Array.from(evaluate(v).data), v.type.dtype, v.type.shape));
      found = true;
    } catch (error) {
      // An error belongs to the run.
      if (!(error instanceof ChainruleError)) throw error;
    }
  };
  for (const node of order) {
    if (node.op === inputOp) continue;
    if (node.operands.every((v) => v === null || free.has(v.node))) free.add(node);
    else for (const v of node.operands) settle(v);
  }
  for (const v of roots) settle(v);
  return found;
}

const isEmpty = (v: Value | null): boolean => v?.type.shape.includes(0) === true;

/**
 * Names what has no elements, and what follows from that alone (a sum over nothing is 0): runtimes are not sure on their feet there, and nothing is
 * computed anyway. True where there is such.
 */
function nameEmpty(e: Emitter, order: readonly Node[]): boolean {
  if (!order.some((node) => valuesOf(node).some(isEmpty) || node.operands.some(isEmpty))) return false;
  const free = new Set<Node>();
  let found = false;
  for (const node of order) {
    const { op, operands } = node;
    const values = valuesOf(node);
    if (operands.length === 0 && op !== inputOp) free.add(node);
    if (operands.length === 0) continue;
    const lone = operands.every((v) => v === null || isEmpty(v) || free.has(v.node));
    if (lone && operands.every((v) => v === null || !isEmpty(v))) free.add(node);
    const results = values.every(isEmpty) ? [] : lone && operands.some(isEmpty) && op.facts.family !== "control" ? settled(node) : null;
    if (results === null) continue;
    found = true;
    free.add(node);
    values.forEach((v, i) => {
      e.names.set(v, isEmpty(v) ? e.empty(v.type) : e.weight(results[i]!, node.label ?? op.name));
    });
  }
  return found;
}

/** What a node gives whose operands are empty or known; null where that is an error, which belongs to the run. */
function settled({ op, operands, attrs }: Node): readonly Tensor[] | null {
  const given = operands.map((v) => (v === null || !isEmpty(v) ? v : constantOf(hold(v.type, allocate(v.type.dtype, 0)), v.type)));
  try {
    const made = applyTo(op, given, attrs);
    const first = isValue(made) ? made : (Object.values(made as Record<string, Value>)[0] as Value);
    return valuesOf(first.node).map((v) => evaluate(v));
  } catch (error) {
    if (error instanceof ChainruleError) return null;
    throw error;
  }
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
  const names = writtenControl(e, node, writeBody, emitAll) ?? plain(e, node);
  values.forEach((v, i) => {
    e.names.set(v, isEmpty(v) ? e.empty(v.type) : names[i]!);
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
  const w: Written = { node, inputs, operands: node.operands, dtype: node.type.dtype, shape: valuesOf(node)[0]?.type.shape ?? [] };
  const { own } = e.shared;
  const written = (Object.hasOwn(own, node.op.name) ? own[node.op.name]!(e, w) : null) ?? row(e, w);
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

/** A value at the edge of a file: its name there, and the dtype it has outside where that is another one. */
export interface Edge {
  readonly name: string;
  readonly value: Value;
  readonly outside?: DType;
}

/**
 * The bytes of a model that makes `outputs` of `inputs`; names are those given, each once.
 * @param origins takes which node of ours each node of the file was written for
 * @param adapt what is done to the model before it becomes bytes
 * @param own rows of the one runtime that will read them
 */
export function writeEdges(
  inputs: readonly Edge[],
  outputs: readonly Edge[],
  origins: Map<string, Node> | null = null,
  adapt: (model: ModelMessage) => ModelMessage = (model) => model,
  own: OwnRows = {},
): Uint8Array {
  return joined(piecesOfModel(adapt(edgesMessage(inputs, outputs, origins, own))));
}

function edgesMessage(
  inputs: readonly Edge[],
  outputs: readonly Edge[],
  origins: Map<string, Node> | null,
  own: OwnRows = {},
): ModelMessage {
  const shared = nothingWritten(origins, own);
  const e = new Emitter(shared, new Map());
  for (const { name } of [...inputs, ...outputs]) shared.taken.add(name);
  const typed = ({ name, value: { type }, outside }: Edge): ValueMessage =>
    valueMessage(name, outside === undefined ? type : tensorType(outside, type.shape));
  const declared = inputs.map((edge) => {
    const { name, value, outside } = edge;
    e.names.set(value, isEmpty(value) ? e.empty(value.type) : outside === undefined ? name : e.cast(name, value.type.dtype));
    return typed(edge);
  });
  emitAll(
    e,
    outputs.map(({ value }) => value),
  );
  e.current = null;
  const results = outputs.map(({ value }) => e.names.get(value)!);
  e.nodes.splice(0, e.nodes.length, ...tightened(e.nodes, results, factsOf(e)));
  const direct = namedAtOnce(e, outputs, new Set(declared.map(({ name }) => name!)));
  for (const { name, value, outside } of outputs) {
    if (direct.has(name)) continue;
    const [op_type, attribute] = outside === undefined ? ["Identity", []] : ["Cast", [{ name: "to", i: elementNumber(outside), type: 2 }]];
    e.nodes.push({
      op_type: op_type as string,
      input: [e.names.get(value)!],
      output: [name],
      name: e.fresh(op_type as string),
      attribute: attribute as [],
    });
  }
  return {
    ir_version: writtenVersion,
    producer_name: "chainrule",
    graph: { name: "graph", node: e.nodes, initializer: shared.initializers, input: declared, output: outputs.map(typed) },
    opset_import: [{ domain: "", version: writtenOpset }],
  };
}

function factsOf({ names, shared }: Emitter): Facts {
  const constants = new Map(shared.initializers.filter((t) => t.data_type === elementNumber("i64")).map((t) => [t.name, t.raw_data!]));
  const singles = new Set([...names].flatMap(([{ type }, name]) => (type.dtype === "f32" ? [name] : [])));
  return {
    integers: (name) => {
      const raw = constants.get(name);
      return raw === undefined ? null : Array.from(new BigInt64Array(raw.slice().buffer), Number);
    },
    isSingle: (name) => singles.has(name),
  };
}

/**
 * Gives results the names of the outputs that they are, where each is one output alone and comes of a node: what copies it else would be work in runtimes that
 * do not see through it. The outputs that have their node now.
 */
function namedAtOnce(e: Emitter, outputs: readonly Edge[], inputs: ReadonlySet<string>): ReadonlySet<string> {
  const made = new Set(e.nodes.flatMap(({ output }) => output ?? []));
  const wanted = new Map<string, string | null>();
  for (const { name, value, outside } of outputs) {
    const own = e.names.get(value)!;
    wanted.set(own, wanted.has(own) || outside !== undefined || !made.has(own) || inputs.has(own) ? null : name);
  }
  const called = (own: string): string => wanted.get(own) ?? own;
  const renamed = (nodes: readonly NodeMessage[]): NodeMessage[] =>
    nodes.map((node) => ({
      ...node,
      input: (node.input ?? []).map(called),
      output: (node.output ?? []).map(called),
      attribute: (node.attribute ?? []).map((a) => (a.g === undefined ? a : { ...a, g: inner(a.g) })),
    }));
  const inner = (graph: GraphMessage): GraphMessage => ({ ...graph, node: renamed(graph.node ?? []) });
  e.nodes.splice(0, e.nodes.length, ...renamed(e.nodes));
  return new Set([...wanted.values()].filter((name) => name !== null));
}

/** A graph as a model. Constants are its weights, paths of inputs and outputs its names. */
export function graphModel(graph: AnyGraph): ModelMessage {
  const taken = new Set<string>();
  const own = (wish: string): string => {
    let name = wish;
    for (let k = 1; taken.has(name); k++) name = `${wish}_${k}`;
    taken.add(name);
    return name;
  };
  const inputs = leaves(graph.inputs).map(({ path, leaf }): Edge => {
    const value = leaf as Value;
    return { name: own(path === "" ? (value.node.label ?? "x") : path), value };
  });
  // In a training step new weights go by the names of the old ones; ONNX has one meaning for a name.
  const outputs = leaves(graph.outputs).map(({ path, leaf }): Edge => {
    const wish = path === "" ? "y" : path;
    return { name: own(taken.has(wish) ? `out.${wish}` : wish), value: leaf as Value };
  });
  return edgesMessage(inputs, outputs, null);
}

/** The bytes of a model, not yet in one piece. @throws GraphError, if `whole`, for more than a model file can have */
export function piecesOfModel(model: ModelMessage, whole = true): Pieces {
  const pieces = piecesOfMessage(model as unknown as Message, modelShape);
  if (whole && pieces.length > mostBytes) {
    const lesson = `onnx: the model would take ${pieces.length} bytes, and a model file has less than 2 GiB; onnx.save writes the weights to a file beside it`;
    throw new GraphError(lesson);
  }
  return pieces;
}
