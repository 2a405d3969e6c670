import { evaluate } from "../evaluate/evaluate.ts";
import { writeFilesWhole, writeFileWhole } from "../files/write-file.ts";
import { GraphError } from "../ir/errors.ts";
import { type AnyGraph, isGraph } from "../ir/graph.ts";
import { constant } from "../ir/leaf.ts";
import type { Tensor } from "../ir/tensor.ts";
import { transpose } from "../ops/index.ts";
import { tensorMessage } from "./emitter.ts";
import { type Opened, openedOf } from "./model.ts";
import { tensorsIn } from "./model-file.ts";
import type { AttributeMessage, GraphMessage, ModelMessage, NodeMessage, TensorMessage } from "./schema.ts";
import { joined } from "./wire.ts";
import { graphModel, mostBytes, piecesOfModel } from "./write-graph.ts";

/** What can be written: a model that was read, with the weights it has now, or any graph. */
export type Writable =
  | AnyGraph
  | { readonly params: { readonly [name: string]: Tensor }; readonly initializers: { readonly [name: string]: string } };

/** How a model is saved. */
export interface SaveOptions {
  /**
   * Whether the weights go to a file of their own beside the model, called after it with `.data` at the end, as other writers do. A number: only when the model with
   * its weights inside would take more bytes. 2 GiB, which is all that a model file can have, when left out.
   */
  readonly external?: boolean | number;
}

type OpenedModel = Opened & { readonly params: Readonly<Record<string, Tensor>> };

function openedModel(model: Writable): OpenedModel {
  const opened = openedOf(model);
  if (opened === undefined)
    throw new GraphError(
      "onnx.write: this is neither a model that onnx.read gave nor a graph; write graph(types, body) or model.with(params)",
    );
  return opened;
}

/** A tensor of the file with its data inside. */
function inside({ file }: Opened, t: TensorMessage): TensorMessage {
  const apart = file.apart(t);
  if (apart === null) return t;
  if (apart === undefined)
    throw new GraphError(
      `onnx.write: the data of ${t.name ?? "a tensor"} was not read, because the outputs that were asked for do not need it; onnx.save reads it, and so does onnx.read without outputs`,
    );
  const { external_data: _, data_location: __, ...rest } = t;
  return { ...rest, raw_data: apart };
}

/** Nodes whose tensors, those in graphs inside them included, have their data inside. What needs no change is what it was. */
function nodesInside(opened: Opened, nodes: readonly NodeMessage[]): readonly NodeMessage[] {
  if (tensorsIn(nodes, []).every((t) => opened.file.apart(t) === null)) return nodes;
  const attribute = (a: AttributeMessage): AttributeMessage => ({
    ...a,
    ...(a.t === undefined ? {} : { t: inside(opened, a.t) }),
    ...(a.g === undefined ? {} : { g: graphInside(opened, a.g) }),
  });
  return nodes.map((node) => (node.attribute === undefined ? node : { ...node, attribute: node.attribute.map(attribute) }));
}

function graphInside(opened: Opened, graph: GraphMessage): GraphMessage {
  return {
    ...graph,
    ...(graph.node === undefined ? {} : { node: nodesInside(opened, graph.node) }),
    ...(graph.initializer === undefined ? {} : { initializer: graph.initializer.map((t) => inside(opened, t)) }),
  };
}

/** A model that was read, as it was, with its present weights and all data inside. */
function modelMessage(opened: OpenedModel): ModelMessage {
  const { file, parameters, params } = opened;
  const { graph, message } = file;
  const changed = new Map(
    parameters.flatMap(({ name, initializer, value, copies }) => {
      const now = params[name]!;
      const places = [{ initializer, transposed: false }, ...copies];
      return now === value ? [] : places.map((place) => [place.initializer, { now, turned: place.transposed }] as const);
    }),
  );
  const initializer = (graph.initializer ?? []).map((t): TensorMessage => {
    const own = changed.get(t.name ?? "");
    if (own === undefined) return inside(opened, t);
    return tensorMessage(t.name ?? "", own.turned ? evaluate(transpose(constant(own.now))) : own.now);
  });
  return {
    ...message,
    graph: { ...graph, ...(graph.node === undefined ? {} : { node: nodesInside(opened, graph.node) }), initializer },
    ...(message.functions === undefined
      ? {}
      : { functions: message.functions.map((f) => (f.node === undefined ? f : { ...f, node: nodesInside(opened, f.node) })) }),
  };
}

/**
 * The bytes of an `.onnx` file. A model that was read is written as it was, nodes and names unchanged, with its present weights; data that stood in other files
 * is then inside. A graph is written in operator set 18: constants become weights, paths of inputs and outputs names; gradients and whole training steps
 * are graphs too.
 * @throws GraphError for an op that ONNX does not have, with the node and the reason; for 2 GiB and more, which `onnx.save` writes to two files
 */
export function writeModel(model: Writable): Uint8Array {
  return joined(piecesOfModel(isGraph(model) ? graphModel(model) : modelMessage(openedModel(model))));
}

/** Smaller tensors stay in the model file. */
const leastBeside = 1024;
/** Where tensors begin in a file of weights: at pages, which systems map, or at cache lines. */
const alignmentOf = (length: number): number => (length < 2 ** 20 ? 64 : 2 ** 12);

/** A model whose larger weights stand in a file called `location`, and the pieces of that file. */
function beside(model: ModelMessage, location: string): { readonly model: ModelMessage; readonly data: readonly Uint8Array[] } {
  const data: Uint8Array[] = [];
  let at = 0;
  const initializer = (model.graph?.initializer ?? []).map((t): TensorMessage => {
    const { raw_data: raw, ...rest } = t;
    if (raw === undefined || raw.length < leastBeside) return t;
    const step = alignmentOf(raw.length);
    const gap = Math.ceil(at / step) * step - at;
    if (gap > 0) data.push(new Uint8Array(gap));
    data.push(raw);
    at += gap + raw.length;
    const place = { location, offset: String(at - raw.length), length: String(raw.length) };
    return { ...rest, external_data: Object.entries(place).map(([key, value]) => ({ key, value })), data_location: 1 };
  });
  return { model: { ...model, graph: { ...model.graph, initializer } }, data };
}

/**
 * Writes a model to a file, whole or not at all, as `onnx.write` makes it; `onnx.save("tuned.onnx", model.with(params))`. Weights that do not fit a model file go to `tuned.onnx.data`
 * beside it, piece by piece. Node only.
 * @throws DomainError when a file cannot be written; GraphError as `onnx.write`
 */
export async function saveModel(path: string, model: Writable, options: SaveOptions = {}): Promise<void> {
  let message: ModelMessage;
  if (isGraph(model)) message = graphModel(model);
  else {
    const opened = openedModel(model);
    const { graph, message: own } = opened.file;
    const outside = tensorsIn(graph.node ?? [], own.functions ?? []);
    await opened.file.fetch([...(graph.initializer ?? []), ...outside]);
    message = modelMessage(opened);
  }
  const { external = mostBytes } = options;
  const most = typeof external === "number" ? external : external ? 0 : mostBytes;
  const whole = piecesOfModel(message, external === false);
  if (whole.length <= Math.min(most, mostBytes)) return writeFileWhole(path, whole.list);
  const two = beside(message, `${path.replace(/^.*[/\\]/, "")}.data`);
  await writeFilesWhole([
    { path: `${path}.data`, content: two.data },
    { path, content: piecesOfModel(two.model).list },
  ]);
}
