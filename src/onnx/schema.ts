import type { Message, MessageShape } from "./wire.ts";

/*
 * The messages of onnx.proto (ONNX 1.23, IR version 14) that are read and written, with their official names and numbers. What is left out
 * (documentation strings, sharding, value annotations) is passed over.
 */

/** A key and a value. */
export interface EntryMessage {
  readonly key?: string;
  readonly value?: string;
}

/** A tensor: its elements are in one of the typed lists, in raw bytes, or in a file beside the model. */
export interface TensorMessage {
  readonly dims?: readonly number[];
  readonly data_type?: number;
  readonly segment?: Message;
  readonly float_data?: readonly number[];
  readonly int32_data?: readonly number[];
  readonly string_data?: readonly Uint8Array[];
  readonly int64_data?: readonly number[];
  readonly name?: string;
  readonly raw_data?: Uint8Array;
  readonly double_data?: readonly number[];
  readonly uint64_data?: readonly number[];
  readonly external_data?: readonly EntryMessage[];
  readonly data_location?: number;
}

/** A tensor that lists only its elements other than 0. */
export interface SparseTensorMessage {
  readonly values?: TensorMessage;
}

/** A size of a shape: a number, or a name that stands for one. */
export interface DimensionMessage {
  readonly dim_value?: number;
  readonly dim_param?: string;
}

/** The type of a value. */
export interface TypeMessage {
  readonly tensor_type?: { readonly elem_type?: number; readonly shape?: { readonly dim?: readonly DimensionMessage[] } };
  readonly sequence_type?: Message;
  readonly map_type?: Message;
  readonly optional_type?: Message;
  readonly sparse_tensor_type?: Message;
}

/** An input or output with its type. */
export interface ValueMessage {
  readonly name?: string;
  readonly type?: TypeMessage;
  readonly metadata_props?: readonly EntryMessage[];
}

/** An attribute of a node. */
export interface AttributeMessage {
  readonly name?: string;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorMessage;
  readonly g?: GraphMessage;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
  readonly type?: number;
  readonly ref_attr_name?: string;
  readonly sparse_tensor?: SparseTensorMessage;
}

/** One application of an operator. */
export interface NodeMessage {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly op_type?: string;
  readonly attribute?: readonly AttributeMessage[];
  readonly domain?: string;
  readonly overload?: string;
  readonly metadata_props?: readonly EntryMessage[];
}

/** Nodes, weights, inputs and outputs. */
export interface GraphMessage {
  readonly node?: readonly NodeMessage[];
  readonly name?: string;
  readonly initializer?: readonly TensorMessage[];
  readonly sparse_initializer?: readonly SparseTensorMessage[];
  readonly input?: readonly ValueMessage[];
  readonly output?: readonly ValueMessage[];
  readonly value_info?: readonly ValueMessage[];
  readonly metadata_props?: readonly EntryMessage[];
}

/** An operator that the model brings along, made of other operators. */
export interface FunctionMessage {
  readonly name?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly string[];
  readonly attribute_proto?: readonly AttributeMessage[];
  readonly node?: readonly NodeMessage[];
  readonly opset_import?: readonly OpsetMessage[];
  readonly domain?: string;
  readonly overload?: string;
}

/** Which version of a set of operators is meant. */
export interface OpsetMessage {
  readonly domain?: string;
  readonly version?: number;
}

/** A whole file. */
export interface ModelMessage {
  readonly ir_version?: number;
  readonly producer_name?: string;
  readonly producer_version?: string;
  readonly graph?: GraphMessage;
  readonly opset_import?: readonly OpsetMessage[];
  readonly metadata_props?: readonly EntryMessage[];
  readonly functions?: readonly FunctionMessage[];
}

const entry: MessageShape = {
  name: "StringStringEntryProto",
  fields: { 1: { name: "key", kind: "text" }, 2: { name: "value", kind: "text" } },
};

/** TensorProto. */
export const tensorShape: MessageShape = {
  name: "TensorProto",
  fields: {
    1: { name: "dims", kind: "int", many: true },
    2: { name: "data_type", kind: "int" },
    3: { name: "segment", kind: () => segment },
    4: { name: "float_data", kind: "float", many: true },
    5: { name: "int32_data", kind: "int", many: true },
    6: { name: "string_data", kind: "bytes", many: true },
    7: { name: "int64_data", kind: "int", many: true },
    8: { name: "name", kind: "text" },
    9: { name: "raw_data", kind: "bytes" },
    10: { name: "double_data", kind: "double", many: true },
    11: { name: "uint64_data", kind: "uint", many: true },
    13: { name: "external_data", kind: () => entry, many: true },
    14: { name: "data_location", kind: "int" },
  },
};

const segment: MessageShape = {
  name: "TensorProto.Segment",
  fields: { 1: { name: "begin", kind: "int" }, 2: { name: "end", kind: "int" } },
};

const sparseTensor: MessageShape = { name: "SparseTensorProto", fields: { 1: { name: "values", kind: () => tensorShape } } };

const dimension: MessageShape = {
  name: "TensorShapeProto.Dimension",
  fields: { 1: { name: "dim_value", kind: "int" }, 2: { name: "dim_param", kind: "text" } },
};

const tensorType: MessageShape = {
  name: "TypeProto.Tensor",
  fields: {
    1: { name: "elem_type", kind: "int" },
    2: { name: "shape", kind: () => ({ name: "TensorShapeProto", fields: { 1: { name: "dim", kind: () => dimension, many: true } } }) },
  },
};

const opaque: MessageShape = { name: "TypeProto", fields: {} };

const valueType: MessageShape = {
  name: "TypeProto",
  fields: {
    1: { name: "tensor_type", kind: () => tensorType },
    4: { name: "sequence_type", kind: () => opaque },
    5: { name: "map_type", kind: () => opaque },
    8: { name: "sparse_tensor_type", kind: () => opaque },
    9: { name: "optional_type", kind: () => opaque },
  },
};

const valueInfo: MessageShape = {
  name: "ValueInfoProto",
  fields: {
    1: { name: "name", kind: "text" },
    2: { name: "type", kind: () => valueType },
    4: { name: "metadata_props", kind: () => entry, many: true },
  },
};

const attribute: MessageShape = {
  name: "AttributeProto",
  fields: {
    1: { name: "name", kind: "text" },
    2: { name: "f", kind: "float" },
    3: { name: "i", kind: "int" },
    4: { name: "s", kind: "bytes" },
    5: { name: "t", kind: () => tensorShape },
    6: { name: "g", kind: () => graphShape },
    7: { name: "floats", kind: "float", many: true },
    8: { name: "ints", kind: "int", many: true },
    9: { name: "strings", kind: "bytes", many: true },
    20: { name: "type", kind: "int" },
    21: { name: "ref_attr_name", kind: "text" },
    22: { name: "sparse_tensor", kind: () => sparseTensor },
  },
};

const node: MessageShape = {
  name: "NodeProto",
  fields: {
    1: { name: "input", kind: "text", many: true },
    2: { name: "output", kind: "text", many: true },
    3: { name: "name", kind: "text" },
    4: { name: "op_type", kind: "text" },
    5: { name: "attribute", kind: () => attribute, many: true },
    7: { name: "domain", kind: "text" },
    8: { name: "overload", kind: "text" },
    9: { name: "metadata_props", kind: () => entry, many: true },
  },
};

/** GraphProto. */
export const graphShape: MessageShape = {
  name: "GraphProto",
  fields: {
    1: { name: "node", kind: () => node, many: true },
    2: { name: "name", kind: "text" },
    5: { name: "initializer", kind: () => tensorShape, many: true },
    11: { name: "input", kind: () => valueInfo, many: true },
    12: { name: "output", kind: () => valueInfo, many: true },
    13: { name: "value_info", kind: () => valueInfo, many: true },
    15: { name: "sparse_initializer", kind: () => sparseTensor, many: true },
    16: { name: "metadata_props", kind: () => entry, many: true },
  },
};

const opset: MessageShape = {
  name: "OperatorSetIdProto",
  fields: { 1: { name: "domain", kind: "text" }, 2: { name: "version", kind: "int" } },
};

const functionShape: MessageShape = {
  name: "FunctionProto",
  fields: {
    1: { name: "name", kind: "text" },
    4: { name: "input", kind: "text", many: true },
    5: { name: "output", kind: "text", many: true },
    6: { name: "attribute", kind: "text", many: true },
    7: { name: "node", kind: () => node, many: true },
    9: { name: "opset_import", kind: () => opset, many: true },
    10: { name: "domain", kind: "text" },
    11: { name: "attribute_proto", kind: () => attribute, many: true },
    13: { name: "overload", kind: "text" },
  },
};

/** ModelProto. */
export const modelShape: MessageShape = {
  name: "ModelProto",
  fields: {
    1: { name: "ir_version", kind: "int" },
    2: { name: "producer_name", kind: "text" },
    3: { name: "producer_version", kind: "text" },
    7: { name: "graph", kind: () => graphShape },
    8: { name: "opset_import", kind: () => opset, many: true },
    14: { name: "metadata_props", kind: () => entry, many: true },
    25: { name: "functions", kind: () => functionShape, many: true },
  },
};
