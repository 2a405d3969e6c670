import { allocate } from "../ir/dtype.ts";
import { hold } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import { tensorMessage } from "./emitter.ts";
import type { AttributeMessage, GraphMessage, ModelMessage, NodeMessage, TensorMessage, ValueMessage } from "./schema.ts";
import { elementNumber, tensorOf } from "./tensor-data.ts";

function narrowed(t: TensorMessage): TensorMessage {
  if (t.data_type !== elementNumber("f64")) return t;
  const { type, data } = tensorOf(t, t.name ?? "a constant");
  const single = allocate("f32", data.length);
  single.set(data);
  return tensorMessage(t.name ?? "", hold(tensorType("f32", type.shape), single));
}

function typed(v: ValueMessage): ValueMessage {
  const t = v.type?.tensor_type;
  return t?.elem_type === elementNumber("f64") ? { ...v, type: { tensor_type: { ...t, elem_type: elementNumber("f32") } } } : v;
}

function attributeOf(a: AttributeMessage): AttributeMessage {
  if (a.t !== undefined) return { ...a, t: narrowed(a.t) };
  if (a.g !== undefined) return { ...a, g: graphOf(a.g) };
  const names = a.name === "to" || a.name === "dtype";
  return names && a.i === elementNumber("f64") ? { ...a, i: elementNumber("f32") } : a;
}

function nodeOf(node: NodeMessage): NodeMessage {
  return node.attribute === undefined ? node : { ...node, attribute: node.attribute.map(attributeOf) };
}

function graphOf(graph: GraphMessage): GraphMessage {
  return {
    ...graph,
    node: (graph.node ?? []).map(nodeOf),
    initializer: (graph.initializer ?? []).map(narrowed),
    input: (graph.input ?? []).map(typed),
    output: (graph.output ?? []).map(typed),
  };
}

/** A model as it was written, with f32 wherever it had f64: for runtimes that have no f64. Graphs inside nodes are never deep in what we write. */
export function inSingles(model: ModelMessage): ModelMessage {
  return { ...model, graph: graphOf(model.graph ?? {}) };
}
