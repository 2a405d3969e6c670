import { withFile } from "../files/open-file.ts";
import { type Ranges, rangesOfBlob, rangesOfBytes, rangesOfFile } from "../files/ranges.ts";
import { GraphError, ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { kindText } from "../notation/given.ts";
import { type ExternalFiles, readExternal } from "./external-data.ts";
import { type FunctionMessage, type GraphMessage, type ModelMessage, modelShape, type NodeMessage, type TensorMessage } from "./schema.ts";
import { tensorOf } from "./tensor-data.ts";
import { thin } from "./thin.ts";
import { readMessage } from "./wire.ts";

/** Where a model comes from: a path (Node), an address, its bytes, or a file that a user chose in a page. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;

/** A model file that was read, but for the data of tensors that nobody has asked for yet. */
export interface ModelFile {
  readonly message: ModelMessage;
  readonly graph: GraphMessage;
  /** Reads the data of those among the tensors whose data is not there yet: what stands in other files, and the large weights of a large file. */
  readonly fetch: (tensors: Iterable<TensorMessage>) => Promise<void>;
  /** The bytes of a tensor that were read apart from the file's rest; null for a tensor that has its data with it, undefined for one that was not fetched. */
  readonly apart: (message: TensorMessage) => Uint8Array | null | undefined;
  /** A tensor of the file, decoded once; it was fetched before. */
  readonly tensor: (message: TensorMessage, where: string) => Tensor;
}

/** Protocol buffers end here; what is larger keeps its weights in other files. */
const mostBytes: number = 2 ** 31 - 1;
/** Smaller files are read whole. */
const leastThinned: number = 2 ** 24;

function checkSize(size: number): void {
  if (size === 0) throw new ParseError("onnx: the file is empty");
  if (size > mostBytes)
    throw new ParseError(
      `onnx: the file has ${size} bytes; a model file has less than 2 GiB, and larger models keep their weights in external data beside it`,
    );
}

/** What stands in the place of a model now and then, by how it begins, and what to do about it. */
const others: readonly (readonly [begin: string, what: string])[] = [
  [
    "version https://git-lfs",
    "a pointer of Git LFS, which stands for the model in a clone: git lfs pull fetches it, and so does a download of the file itself",
  ],
  ["<", "a page, as a server sends where there is no such file; look at the address"],
  ["PK\u0003\u0004", "a zip archive, as checkpoints of PyTorch are; unpack it, or write the model by torch.onnx.export"],
  ["\u001f\u008b", "packed by gzip; unpack it"],
];

/** @throws ParseError for what is known to be something else: the fault of a reader of ONNX in it would help nobody */
async function checkBeginning(file: Ranges): Promise<void> {
  const begin = String.fromCharCode(...(await file.read(0, Math.min(32, file.size))));
  const found = others.find(([start]) => begin.startsWith(start));
  if (found !== undefined) throw new ParseError(`onnx: this is no ONNX model but ${found[1]}`);
}

/** A file that can be read now and later. */
interface Store {
  readonly folder: string | null;
  use<T>(read: (file: Ranges) => Promise<T>): Promise<T>;
}

async function storeOf(source: Source): Promise<Store> {
  const held = (file: Ranges): Store => ({ folder: null, use: (read) => read(file) });
  if (source instanceof Uint8Array) return held(rangesOfBytes(source));
  if (source instanceof ArrayBuffer) return held(rangesOfBytes(new Uint8Array(source)));
  if (source instanceof Blob) return held(rangesOfBlob(source));
  if (typeof source !== "string" && !(source instanceof URL))
    throw new GraphError(`onnx: the model is ${kindText(source)}; it is a path, an address, bytes or a Blob: onnx.read("model.onnx")`);
  const text = String(source);
  if (/^(https?|blob|data):/i.test(text)) {
    const answer = await fetch(text);
    if (!answer.ok) throw new ParseError(`onnx: ${text} answered ${answer.status}`);
    return held(rangesOfBytes(new Uint8Array(await answer.arrayBuffer())));
  }
  const path = /^file:/i.test(text) ? decodeURIComponent(new URL(text).pathname) : text;
  return {
    folder: path.replace(/[^/\\]*$/, ""),
    use: (read) => withFile(path, (file, size) => read(rangesOfFile(file, size))),
  };
}

/** All tensors that nodes have with them, those in graphs inside them and in functions included, without recursion. */
export function tensorsIn(nodes: readonly NodeMessage[], functions: readonly FunctionMessage[]): TensorMessage[] {
  const found: TensorMessage[] = [];
  const open: { readonly node?: readonly NodeMessage[]; readonly initializer?: readonly TensorMessage[] }[] = [
    { node: nodes },
    ...functions,
  ];
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

/** The parts of a model. Of a large file, weights are left where they are until they are fetched. @throws ParseError for what is no ONNX model */
export async function openModel(source: Source, external: ExternalFiles): Promise<ModelFile> {
  const store = await storeOf(source);
  let fileSize = 0;
  const { bytes, left } = await store.use(async (file) => {
    checkSize(file.size);
    await checkBeginning(file);
    fileSize = file.size;
    const inMemory = source instanceof Uint8Array;
    if (inMemory || file.size < leastThinned)
      return { bytes: await file.read(0, file.size), left: new Map<number, readonly [number, number]>() };
    return thin(file);
  });
  const message = readMessage(bytes, modelShape) as ModelMessage;
  const { graph } = message;
  if (graph === undefined || message.ir_version === undefined)
    throw new ParseError(
      "onnx: this is no ONNX model: it has no graph or no version; is it a PyTorch checkpoint, or a page that says the file is missing?",
    );
  const places = new Map([...left].map(([i, place]) => [graph.initializer![i]!, place]));
  const found = new Map<TensorMessage, Uint8Array>();
  const decoded = new Map<TensorMessage, Tensor>();
  return {
    message,
    graph,
    fetch: async (tensors) => {
      const missing = [...new Set(tensors)].filter((t) => !found.has(t));
      const own = missing.filter((t) => places.has(t));
      if (own.length > 0)
        await store.use(async (file) => {
          if (file.size !== fileSize) throw new ParseError("onnx: the file was written anew since it was opened; read it again");
          for (const t of own) found.set(t, await file.read(...places.get(t)!));
        });
      const outside = missing.filter((t) => t.data_location === 1 && !places.has(t));
      for (const [t, data] of await readExternal(outside, store.folder, external)) found.set(t, data);
    },
    apart: (t) => (places.has(t) || t.data_location === 1 ? found.get(t) : null),
    tensor: (of, where) => {
      let tensor = decoded.get(of);
      if (tensor === undefined) decoded.set(of, (tensor = tensorOf(of, where, found.get(of))));
      return tensor;
    },
  };
}
