import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Tensor } from "../../src/ir/tensor.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { type TensorMessage, tensorShape } from "../../src/onnx/schema.ts";
import { tensorOf } from "../../src/onnx/tensor-data.ts";
import { readMessage } from "../../src/onnx/wire.ts";

/** One of ONNX's backend node tests: a model of one node, its inputs and what it gives. */
export interface NodeCase {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  readonly rtol: number;
  readonly atol: number;
}

/** The files of a tar archive, in the old and the ustar layout, from memory. */
export function untar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number): string =>
    new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= bytes.length; ) {
    const name = text(at, 100);
    if (name === "") break;
    const size = Number.parseInt(text(at + 124, 12), 8);
    if (size > 0)
      files.set(text(at + 345, 155) === "" ? name : `${text(at + 345, 155)}/${name}`, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** All cases of an archive, the fixture unless another is named: see `test/fixtures/onnx/README.md`. */
export function nodeCases(path: string = fileURLToPath(new URL("../fixtures/onnx/node-cases.tar.gz", import.meta.url))): NodeCase[] {
  const files = untar(gunzipSync(readFileSync(path)));
  const names = [...new Set([...files.keys()].map((f) => f.split("/")[0]!))].sort();
  const numbered = (name: string, kind: string): Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (let i = 0; ; i++) {
      const file = files.get(`${name}/0/${kind}_${i}.pb`);
      if (file === undefined) return found;
      found.push(file);
    }
  };
  return names.map((name) => {
    const [rtol, atol] = new TextDecoder()
      .decode(files.get(`${name}/tolerance.txt`))
      .trim()
      .split(/\s+/)
      .map(Number);
    return {
      name,
      model: files.get(`${name}/model.onnx`)!,
      inputs: numbered(name, "input"),
      outputs: numbered(name, "output"),
      rtol: rtol!,
      atol: atol!,
    };
  });
}

/** Cases of operators beyond the first archive, of onnx 1.23.1: bits, products of quantised numbers, sampling, spectra, recurrent attention. */
export function moreCases(): NodeCase[] {
  return nodeCases(fileURLToPath(new URL("../fixtures/onnx/node-cases-more.tar.gz", import.meta.url)));
}

/** A TensorProto file. */
export function tensorFile(bytes: Uint8Array): Tensor {
  return tensorOf(readMessage(bytes, tensorShape) as TensorMessage, "a case");
}

/** Where two tensors differ by more than a case allows, in words; null where they do not. */
export function difference(got: Tensor, wanted: Tensor, rtol: number, atol: number): string | null {
  if (got.type.dtype !== wanted.type.dtype) return `dtype ${got.type.dtype}, wanted ${wanted.type.dtype}`;
  if (got.type.shape.join() !== wanted.type.shape.join()) return `shape [${got.type.shape}], wanted [${wanted.type.shape}]`;
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = [got.data[i]!, wanted.data[i]!];
    if (Object.is(a, b) || a === b || (a !== a && b !== b)) continue;
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b))) return `element ${i} is ${a}, wanted ${b}`;
  }
  return null;
}

/** A case's model, its inputs by name (the initialisers among them left out) and the names of its outputs. */
export interface OpenedCase {
  readonly model: Awaited<ReturnType<typeof onnx.read>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
}

/** Reads a case. */
export async function opened(c: NodeCase): Promise<OpenedCase> {
  const model = await onnx.read(c.model);
  const names = Object.keys(model.inputs);
  return {
    model,
    inputs: Object.fromEntries(names.map((name, i) => [name, tensorFile(c.inputs[i]!)])),
    outputs: Object.keys(model.outputs),
  };
}
