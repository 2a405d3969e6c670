import { readWhole, withFile } from "../files/open-file.ts";
import { ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { type ExternalFiles, readExternal } from "./external-data.ts";
import { type GraphMessage, type ModelMessage, modelShape, type NodeMessage, type TensorMessage } from "./schema.ts";
import { tensorOf } from "./tensor-data.ts";
import { readMessage } from "./wire.ts";

/** Where a model comes from: a path (Node), an address, its bytes, or a file that a user chose in a page. */
export type Source = string | URL | Uint8Array | Blob;

/** A model file that was read, with the data that lies beside it. */
export interface ModelFile {
  readonly message: ModelMessage;
  readonly graph: GraphMessage;
  /** A tensor of the file, decoded once. */
  readonly tensor: (message: TensorMessage, where: string) => Tensor;
}

/** Protocol buffers end here; what is larger keeps its weights in other files. */
const mostBytes: number = 2 ** 31 - 1;

function checkSize(size: number): void {
  if (size === 0) throw new ParseError("onnx: the file is empty");
  if (size > mostBytes)
    throw new ParseError(
      `onnx: the file has ${size} bytes; a model file has less than 2 GiB, and larger models keep their weights in external data beside it`,
    );
}

async function bytesOf(source: Source): Promise<{ readonly bytes: Uint8Array; readonly folder: string | null }> {
  if (source instanceof Uint8Array) {
    checkSize(source.length);
    return { bytes: source, folder: null };
  }
  if (source instanceof Blob) {
    checkSize(source.size);
    return { bytes: new Uint8Array(await source.arrayBuffer()), folder: null };
  }
  const text = String(source);
  if (/^(https?|blob|data):/i.test(text)) {
    const answer = await fetch(text);
    if (!answer.ok) throw new ParseError(`onnx: ${text} answered ${answer.status}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    checkSize(bytes.length);
    return { bytes, folder: null };
  }
  const path = /^file:/i.test(text) ? decodeURIComponent(new URL(text).pathname) : text;
  const bytes = await withFile(path, async (file, size) => {
    checkSize(size);
    return readWhole(file, size);
  });
  return { bytes, folder: path.replace(/[^/\\]*$/, "") };
}

/** All tensors of a graph and of the graphs inside it, without recursion. */
function tensorsIn(graph: GraphMessage, functions: readonly { readonly node?: readonly NodeMessage[] }[]): TensorMessage[] {
  const found: TensorMessage[] = [];
  const open: { readonly node?: readonly NodeMessage[]; readonly initializer?: readonly TensorMessage[] }[] = [graph, ...functions];
  for (const part of open) {
    for (const tensor of part.initializer ?? []) found.push(tensor);
    for (const node of part.node ?? [])
      for (const { t, g } of node.attribute ?? []) {
        if (t !== undefined) found.push(t);
        if (g !== undefined) open.push(g);
      }
  }
  return found;
}

/** The bytes of a model as its parts, data in other files read. @throws ParseError for what is no ONNX model */
export async function openModel(source: Source, external: ExternalFiles): Promise<ModelFile> {
  const { bytes, folder } = await bytesOf(source);
  const message = readMessage(bytes, modelShape) as ModelMessage;
  const { graph } = message;
  if (graph === undefined || message.ir_version === undefined)
    throw new ParseError(
      "onnx: this is no ONNX model: it has no graph or no version; is it a PyTorch checkpoint, or a page that says the file is missing?",
    );
  const tensors = tensorsIn(graph, message.functions ?? []);
  const outside = await readExternal(
    tensors.filter((t) => t.data_location === 1),
    folder,
    external,
  );
  const decoded = new Map<TensorMessage, Tensor>();
  const tensor = (of: TensorMessage, where: string): Tensor => {
    let found = decoded.get(of);
    if (found === undefined) decoded.set(of, (found = tensorOf(of, where, outside.get(of))));
    return found;
  };
  return { message, graph, tensor };
}
