import { byteSize, writeElements } from "../files/element-bytes.ts";
import { allocate, type DType } from "../ir/dtype.ts";
import type { Node, Value } from "../ir/node.ts";
import { stridesOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType } from "../ir/type.ts";
import type { AttributeMessage, GraphMessage, NodeMessage, TensorMessage, ValueMessage } from "./schema.ts";
import { elementNumber } from "./tensor-data.ts";

/** An attribute as rows write it. */
export type Attribute = number | string | readonly number[] | { readonly graph: GraphMessage } | { readonly float: number };

/** What is shared by a graph and the graphs inside it: names are unique over all of them, and weights stand outermost. */
export interface Shared {
  readonly taken: Set<string>;
  /** The number that was tried last behind each name that was taken. */
  readonly last: Map<string, number>;
  readonly initializers: TensorMessage[];
  readonly constants: Map<string, string>;
  /** Which node of ours each node of the file was written for, where somebody wants to know. */
  readonly origins: Map<string, Node> | null;
  /** Rows that come before the table's: how a runtime that is known takes an op best. */
  readonly own: OwnRows;
}

/** Rows by the names of ops; one that does not fit the node says null. */
export type OwnRows = Readonly<Record<string, (e: Emitter, w: Written) => string | null>>;

/** What a file begins with. */
export function nothingWritten(origins: Map<string, Node> | null = null, own: OwnRows = {}): Shared {
  return { taken: new Set(), last: new Map(), initializers: [], constants: new Map(), origins, own };
}

const text: TextEncoder = /* @__PURE__ */ new TextEncoder();

function attributeOf(name: string, value: Attribute): AttributeMessage {
  if (typeof value === "number") return { name, i: value, type: 2 };
  if (typeof value === "string") return { name, s: text.encode(value), type: 3 };
  if ("graph" in value) return { name, g: value.graph, type: 5 };
  if ("float" in value) return { name, f: value.float, type: 1 };
  return { name, ints: value as readonly number[], type: 7 };
}

/** A tensor as a message, its elements as raw bytes. */
export function tensorMessage(name: string, { type, data }: Tensor): TensorMessage {
  const raw = new Uint8Array(data.length * byteSize(type.dtype));
  writeElements(type.dtype, data, raw, 0);
  return { name, dims: type.shape, data_type: elementNumber(type.dtype), raw_data: raw };
}

/** The type of an input or output. */
export function valueMessage(name: string, { dtype, shape }: TensorType): ValueMessage {
  return { name, type: { tensor_type: { elem_type: elementNumber(dtype), shape: { dim: shape.map((dim_value) => ({ dim_value })) } } } };
}

/** Collects the nodes of a graph that is being written. */
export class Emitter {
  readonly nodes: NodeMessage[];
  readonly names: Map<Value, string>;
  readonly shared: Shared;
  /** The node that is being written: what errors and names speak of. */
  current: Node | null = null;

  constructor(shared: Shared, names: Map<Value, string>, nodes: NodeMessage[] = []) {
    this.shared = shared;
    this.names = names;
    this.nodes = nodes;
  }

  /** The same graph with more names in sight: what is written there stands here. */
  within(given: ReadonlyMap<Value, string>): Emitter {
    return new Emitter(this.shared, new Map([...this.names, ...given]), this.nodes);
  }

  /** A name that nothing has yet. */
  fresh(wish: string): string {
    const base = wish === "" ? "v" : wish;
    const { taken, last } = this.shared;
    let name = base;
    if (taken.has(base)) {
      let k = last.get(base) ?? 0;
      do name = `${base}_${++k}`;
      while (taken.has(name));
      last.set(base, k);
    }
    taken.add(name);
    return name;
  }

  /** One application of an operator; the names of its results. */
  several(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): string[] {
    const place = this.current?.where?.scope ?? "";
    const outputs = Array.from({ length: count }, () => this.fresh(this.current?.label ?? op.toLowerCase()));
    const name = this.fresh(place === "" ? op : `${place}/${op}`);
    if (this.current !== null) this.shared.origins?.set(name, this.current);
    this.nodes.push({
      op_type: op,
      input: inputs,
      output: outputs,
      name,
      attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
      ...(domain === "" ? {} : { domain }),
    });
    return outputs;
  }

  private readonly pairs: Map<string, string[]> = new Map();
  /** Result `index` of an operator with two, the second of which is optional: whoever asks for the other one gets it of the same node. */
  half(op: string, inputs: readonly string[], index: 0 | 1, attributes: Readonly<Record<string, Attribute>>): string {
    const key = JSON.stringify([op, inputs, attributes]);
    let outputs = this.pairs.get(key);
    if (outputs === undefined) {
      this.several(op, inputs, 1, attributes);
      // The node keeps this very list.
      outputs = this.nodes.at(-1)!.output as string[];
      this.pairs.set(key, outputs);
    }
    if (index === 1 && outputs.length === 1) outputs.push(this.fresh(op.toLowerCase()));
    return outputs[index]!;
  }

  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.several(op, inputs, 1, attributes)[0]!;
  }

  /** A tensor among the weights. */
  weight(value: Tensor, wish: string): string {
    const name = this.fresh(wish);
    this.shared.initializers.push(tensorMessage(name, value));
    return name;
  }

  /** Whole numbers, as shapes and axes are written. */
  ints(numbers: readonly number[]): string {
    return this.constant(numbers, "i64", [numbers.length]);
  }

  /** A small constant; equal ones are written once. */
  constant(numbers: readonly number[], dtype: DType, shape: readonly number[] = []): string {
    const key = `${dtype}[${shape.join()}]${numbers.map((x) => (Object.is(x, -0) ? "-0" : x)).join()}`;
    let name = this.shared.constants.get(key);
    if (name === undefined) {
      const data = allocate(dtype, numbers.length);
      for (let i = 0; i < data.length; i++) data[i] = numbers[i]!;
      name = this.weight(hold(tensorType(dtype, shape), data), shape.length === 0 ? `number_${numbers[0]}` : "numbers");
      this.shared.constants.set(key, name);
    }
    return name;
  }

  /** A tensor without elements. */
  empty(type: TensorType): string {
    return this.constant([], type.dtype, type.shape);
  }
  cast(x: string, dtype: DType): string {
    return this.op("Cast", [x], { to: elementNumber(dtype) });
  }
  reshape(x: string, shape: readonly number[]): string {
    return this.op("Reshape", [x, this.ints(shape)], { allowzero: 1 });
  }
  transpose(x: string, axes: readonly number[]): string {
    return axes.every((a, i) => a === i) ? x : this.op("Transpose", [x], { perm: axes });
  }
  /** Elements `start`, `start + step`, ... of an axis, `count` of them. */
  slice(x: string, axis: number, start: number, count: number, step = 1): string {
    const last = start + count * step;
    const end = last < 0 ? -(2 ** 31) : last;
    return this.op("Slice", [x, this.ints([start]), this.ints([end]), this.ints([axis]), this.ints([step])]);
  }
  sum(x: string, axes: readonly number[], keepDims: boolean): string {
    return this.reduce("ReduceSum", x, axes, keepDims);
  }
  reduce(op: string, x: string, axes: readonly number[], keepDims: boolean): string {
    return axes.length === 0
      ? this.op("Identity", [x])
      : this.op(op, [x, this.ints(axes)], { keepdims: keepDims ? 1 : 0, noop_with_empty_axes: 0 });
  }
}

/** A node with the names of its operands: what a row of the table sees. */
export interface Written {
  readonly node: Node;
  readonly inputs: readonly string[];
  readonly operands: readonly (Value | null)[];
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Row-major places of all coordinates of a shape. */
export function coordinates(shape: readonly number[]): number[][] {
  const strides = stridesOf(shape);
  const size = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: size }, (_, at) => shape.map((s, i) => Math.floor(at / strides[i]!) % s));
}
