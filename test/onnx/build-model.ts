import type { AttributeMessage, FunctionMessage, GraphMessage, ModelMessage, NodeMessage, TensorMessage } from "../../src/onnx/schema.ts";
import { modelShape } from "../../src/onnx/schema.ts";
import { type Message, writeMessage } from "../../src/onnx/wire.ts";

const text: TextEncoder = new TextEncoder();

/** An input or output: `port("x", [2, "n"])`; a size that is a word is a symbol. */
export function port(name: string, shape: readonly (number | string)[] = [2], element = 1): Message {
  const dim = shape.map((s) => (typeof s === "number" ? { dim_value: s } : { dim_param: s }));
  return { name, type: { tensor_type: { elem_type: element, shape: { dim } } } };
}

/** A weight of floats. */
export function weight(name: string, dims: readonly number[], float_data: readonly number[]): TensorMessage {
  return { name, dims, data_type: 1, float_data };
}

/** A weight of 64-bit integers. */
export function wholes(name: string, int64_data: readonly number[]): TensorMessage {
  return { name, dims: [int64_data.length], data_type: 7, int64_data };
}

/** An attribute by the kind of its value. */
export function attribute(
  name: string,
  value: number | string | readonly number[] | TensorMessage | { readonly graph: GraphMessage },
): AttributeMessage {
  if (typeof value === "number") return Number.isInteger(value) ? { name, i: value, type: 2 } : { name, f: value, type: 1 };
  if (typeof value === "string") return { name, s: text.encode(value), type: 3 };
  if (Array.isArray(value)) return { name, ints: value as readonly number[], type: 7 };
  if ("graph" in value) return { name, g: value.graph, type: 5 };
  return { name, t: value as TensorMessage, type: 4 };
}

/** A node: `node("Add", ["x", "w"], ["y"], { axis: 1 }, "fc/Add")`. */
export function node(
  op_type: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, Parameters<typeof attribute>[1]>> = {},
  name = "",
  domain = "",
): NodeMessage {
  return { op_type, input, output, attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)), name, domain };
}

/** What a model is made of; opset 18 and one input x of f32[2] and output y when left out. */
export interface Parts {
  readonly nodes: readonly NodeMessage[];
  readonly inputs?: readonly Message[];
  readonly outputs?: readonly Message[];
  readonly weights?: readonly TensorMessage[];
  readonly opset?: number;
  readonly functions?: readonly FunctionMessage[];
  readonly graph?: Message;
}

/** The bytes of a model. */
export function modelBytes({
  nodes,
  inputs = [port("x")],
  outputs = [port("y")],
  weights = [],
  opset = 18,
  functions = [],
  graph = {},
}: Parts): Uint8Array {
  const message: ModelMessage = {
    ir_version: 9,
    graph: { node: nodes, name: "g", initializer: weights, input: inputs, output: outputs, ...graph } as GraphMessage,
    opset_import: [{ domain: "", version: opset }],
    functions,
  };
  return writeMessage(message as Message, modelShape);
}
