import { byteSize, readElements, writeElements } from "../files/element-bytes.ts";
import type { DType } from "../ir/dtype.ts";
import { DomainError, ParseError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { bytesOf, checkTensors } from "./given-data.ts";
import { repeatedKey } from "./repeated-key.ts";

/** What a safetensors file holds: tensors by name and free text by key. */
export interface SafetensorsContent {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/** Names of the format, in the order in which the official library lays tensors out: the last, widest ones come first in a file. */
const order: readonly (readonly [string, DType])[] = [
  ["BOOL", "bool"],
  ["U8", "u8"],
  ["I8", "i8"],
  ["I16", "i16"],
  ["U16", "u16"],
  ["F16", "f16"],
  ["BF16", "bf16"],
  ["I32", "i32"],
  ["U32", "u32"],
  ["F32", "f32"],
  ["F64", "f64"],
  ["I64", "i64"],
  ["U64", "u64"],
];
const metadataKey = "__metadata__";
const largestHeader = 100_000_000;

/** Where a tensor lies: bytes `from` to `to` after the header. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a whole safetensors file. Tensors are views on `bytes` where their place allows it, so `bytes` must not be changed afterwards; f16, bf16,
 * 64-bit integers and unaligned tensors are copied. Format: https://github.com/huggingface/safetensors ("Format" in its README).
 * @throws ParseError for anything that is not such a file: header longer than the file or than 100 MB, not JSON, a name twice, an unknown dtype,
 * offsets out of bounds, overlapping, with gaps, or not matching shape and dtype
 */
export function parseSafetensors(given: Uint8Array | ArrayBuffer): SafetensorsContent {
  const bytes = bytesOf("parseSafetensors", given, 'readTensorFile("x.safetensors")');
  const { entries, metadata, start } = safetensorsLayout(bytes, bytes.length);
  const tensors = entries.map(({ name, dtype, shape, from, to }): [string, Tensor] => {
    const data = readElements(dtype, bytes.subarray(start + from, start + to), "little", `safetensors: ${name}`);
    return [name, hold(tensorType(dtype, shape), data)];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * What the header of a safetensors file of `size` bytes says; `bytes` are the file, or its beginning up to `headerEnd`.
 * @throws ParseError as `parseSafetensors` does
 */
export function safetensorsLayout(
  bytes: Uint8Array,
  size: number,
): { readonly entries: readonly SafetensorsEntry[]; readonly metadata: Record<string, string>; readonly start: number } {
  const { header, start } = readHeader(bytes, size);
  const metadata = readMetadata(header[metadataKey]);
  const entries: SafetensorsEntry[] = [];
  for (const name of Object.keys(header)) if (name !== metadataKey) entries.push(readEntry(name, header[name]));
  checkLayout(entries, size - start);
  return { entries, metadata, start };
}

/** Where the header ends, by the first 8 bytes of a file of `size` bytes. @throws ParseError for a header longer than the file or than 100 MB */
export function headerEnd(bytes: Uint8Array, size: number): number {
  if (bytes.length < 8) throw new ParseError(`safetensors: the file has ${bytes.length} bytes; its first 8 must give the header's length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > largestHeader)
    throw new ParseError(
      `safetensors: the header would have ${length} bytes, more than the 100 MB allowed; this is no safetensors file, or it is damaged`,
    );
  const start = 8 + length;
  if (start > size)
    throw new ParseError(`safetensors: the header should end at byte ${start} and the file ends at ${size}; it is cut short`);
  return start;
}

function readHeader(bytes: Uint8Array, size: number): { header: Record<string, unknown>; start: number } {
  const start = headerEnd(bytes, size);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
    header = JSON.parse(text);
  } catch (cause) {
    throw new ParseError(`safetensors: the header is not JSON in UTF-8 (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
  if (!isRecord(header)) throw new ParseError("safetensors: the header must be a JSON object of tensors by name");
  const repeated = repeatedKey(text);
  if (repeated !== null) throw new ParseError(`safetensors: the name ${JSON.stringify(repeated)} is in the header twice`);
  return { header, start };
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw new ParseError(`safetensors: ${metadataKey} must be an object of strings`);
  const pairs = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== "string")
      throw new ParseError(`safetensors: ${metadataKey} holds strings only, and ${JSON.stringify(key)} is none`);
    return [key, text];
  });
  return Object.fromEntries(pairs);
}

function readEntry(name: string, value: unknown): SafetensorsEntry {
  const label = `safetensors: ${name}`;
  if (!isRecord(value)) throw new ParseError(`${label}: must be an object with dtype, shape and data_offsets`);
  const { dtype: code, shape, data_offsets: offsets } = value as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const dtype = order.find(([format]) => format === code)?.[1];
  if (dtype === undefined)
    throw new ParseError(`${label}: dtype ${JSON.stringify(code) ?? "is missing"}; known are ${order.map(([format]) => format).join(" ")}`);
  if (!isSizes(shape)) throw new ParseError(`${label}: shape must be a list of whole numbers, 0 or more`);
  if (!isSizes(offsets) || offsets.length !== 2) throw new ParseError(`${label}: data_offsets must be two whole numbers, 0 or more`);
  const [from, to] = offsets as [number, number];
  let size = byteSize(dtype) as number;
  for (const n of shape) size *= n;
  if (!(size <= Number.MAX_SAFE_INTEGER)) throw new ParseError(`${label}: shape [${shape}] is too large for any file`);
  if (from > to) throw new ParseError(`${label}: data_offsets [${from},${to}] end before they begin`);
  if (to - from !== size)
    throw new ParseError(
      `${label}: ${typeText(tensorType(dtype, shape))} takes ${size} bytes and data_offsets [${from},${to}] hold ${to - from}`,
    );
  return { name, dtype, shape: shape.map((n) => n + 0), from, to }; // JSON may say -0
}

function isSizes(x: unknown): x is number[] {
  return Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

/** Sorts entries by their place and checks that they cover the data from its first byte to its last, once. */
function checkLayout(entries: SafetensorsEntry[], length: number): void {
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  let before = "";
  for (const { name, from, to } of entries) {
    if (to > length)
      throw new ParseError(
        `safetensors: ${name}: data_offsets [${from},${to}] pass the end of the data, which has ${length} bytes; the file is cut short or damaged`,
      );
    if (from < end) throw new ParseError(`safetensors: ${before} and ${name} overlap: one ends at ${end} and the other begins at ${from}`);
    if (from > end) throw new ParseError(`safetensors: ${from - end} bytes before ${name} belong to no tensor`);
    end = to;
    before = name;
  }
  if (end < length) throw new ParseError(`safetensors: ${length - end} bytes at the end belong to no tensor`);
}

/** By the bytes of their UTF-8, which is by code point: what the official library compares. */
function compareNames(a: string, b: string): number {
  const p = new TextEncoder().encode(a);
  const q = new TextEncoder().encode(b);
  for (let i = 0; i < p.length && i < q.length; i++) if (p[i] !== q[i]) return p[i]! - q[i]!;
  return p.length - q.length;
}

/**
 * A safetensors file, byte for byte the same for the same content: tensors by decreasing width, then by name; header padded to 8 bytes, so that
 * every tensor is aligned. `metadata` keys are sorted.
 * @throws DomainError for a tensor named `__metadata__`; DTypeError for 64-bit integers beyond 2^53
 */
export function serializeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  checkTensors("serializeSafetensors", tensors);
  const rank = (tensor: Tensor) => order.findIndex(([, dtype]) => dtype === tensor.type.dtype);
  const entries = Object.entries(tensors).sort(([a, x], [b, y]) => rank(y) - rank(x) || compareNames(a, b));
  const parts: string[] = [];
  const keys = Object.keys(metadata).sort(compareNames);
  if (keys.length > 0)
    parts.push(`"${metadataKey}":{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`).join(",")}}`);
  let length = 0;
  for (const [name, { type, data }] of entries) {
    if (name === metadataKey)
      throw new DomainError(`safetensors: a tensor cannot be called ${metadataKey}, which the format keeps for text; name it otherwise`);
    const end = length + data.length * byteSize(type.dtype);
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${order[rank({ kind: "tensor", type, data })]![0]}","shape":[${type.shape}],"data_offsets":[${length},${end}]}`,
    );
    length = end;
  }
  const text = new TextEncoder().encode(`{${parts.join(",")}}`);
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(start + length);
  new DataView(out.buffer).setUint32(0, start - 8, true);
  out.fill(0x20, 8, start).set(text, 8);
  let at = start;
  for (const [, { type, data }] of entries) {
    writeElements(type.dtype, data, out, at);
    at += data.length * byteSize(type.dtype);
  }
  return out;
}
