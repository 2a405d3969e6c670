import { writeFileWhole } from "../files/write-file.ts";
import { GraphError } from "../ir/errors.ts";
import { type AnyGraph, isGraph } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensorMessage } from "./emitter.ts";
import { openedOf } from "./model.ts";
import { modelShape, type TensorMessage } from "./schema.ts";
import { type Message, writeMessage } from "./wire.ts";
import { checked, writeGraphModel } from "./write-graph.ts";

/** What can be written: a model that was read, with the weights it has now, or any graph. */
export type Writable =
  | AnyGraph
  | { readonly params: { readonly [name: string]: Tensor }; readonly initializers: { readonly [name: string]: string } };

/**
 * The bytes of an `.onnx` file. A model that was read is written as it was, nodes and names unchanged, with its present weights; data that stood in other files
 * is then inside. A graph is written in operator set 18: constants become weights, paths of inputs and outputs names; gradients and whole training steps
 * are graphs too.
 * @throws GraphError for an op that ONNX does not have, with the node and the reason
 */
export function writeModel(model: Writable): Uint8Array {
  if (isGraph(model)) return writeGraphModel(model);
  const opened = openedOf(model);
  if (opened === undefined)
    throw new GraphError(
      "onnx.write: this is neither a model that onnx.read gave nor a graph; write graph(types, body) or model.with(params)",
    );
  const { file, parameters, params } = opened;
  const changed = new Map(parameters.map(({ name, initializer, value }) => [initializer, { value, now: params[name]! }]));
  const initializer = (file.graph.initializer ?? []).map((t): TensorMessage => {
    const own = changed.get(t.name ?? "");
    if (own !== undefined && (own.now !== own.value || t.data_location === 1)) return tensorMessage(t.name ?? "", own.now);
    if (t.data_location !== 1) return t;
    return tensorMessage(t.name ?? "", file.tensor(t, t.name ?? ""));
  });
  const message = { ...file.message, graph: { ...file.graph, initializer } };
  return checked(writeMessage(message as unknown as Message, modelShape));
}

/** Writes {@link writeModel}'s bytes to a file, whole or not at all. Node only. @throws DomainError when the file cannot be written; as `onnx.write` */
export async function saveModel(path: string, model: Writable): Promise<void> {
  await writeFileWhole(path, writeModel(model));
}
