import { ParseError } from "../ir/errors.ts";

/**
 * Protocol buffers as ONNX uses them: a description of a message is a record of its fields by number, and one reader and one writer serve them all.
 * Source: protobuf.dev, "Encoding". Nothing is allocated for what a length only claims: bytes are views on the file, and lists grow by what is there.
 */
export type Kind = "int" | "uint" | "float" | "double" | "text" | "bytes" | (() => MessageShape);

/** A field: its name in records, what it holds, and whether it repeats. */
export interface FieldShape {
  readonly name: string;
  readonly kind: Kind;
  readonly many?: true;
}

/** A message: its name, for errors, and its fields by number. */
export interface MessageShape {
  readonly name: string;
  readonly fields: Readonly<Record<number, FieldShape>>;
}

/** A message as read: a value per field that was there, lists where it repeats, and what the description does not know as it stood. */
export type Message = Record<string, unknown>;

/** The key under which a message keeps the bytes of fields that its description does not know, so that writing it again loses nothing. */
export const unknownFields = "unknown fields";

const deepest = 100;
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true });
const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** What 64-bit integers are cut to where they stand for "to the end"; see {@link wholeOf}. */
const exact: number = 2 ** 53;

/**
 * A 64-bit integer as a number. The two ends of the range, which exporters write for "to the end" (and up to 2 less, from the other end), become
 * +-2^53; every other integer beyond 2^53 would be rounded, so it is refused.
 * @throws ParseError
 */
export function wholeOf(low: number, high: number, signed: boolean, where: string): number {
  const top = signed ? high | 0 : high >>> 0;
  if (top >= -0x200000 && top < 0x200000) return top * 2 ** 32 + (low >>> 0);
  const value = (BigInt(top) << 32n) | BigInt(low >>> 0);
  if (signed && value >= 2n ** 63n - 2n) return exact;
  if (signed && value <= 2n - 2n ** 63n) return -exact;
  throw new ParseError(`${where}: the 64-bit integer ${value} is beyond 2^53, up to which integers are exact here; export smaller numbers`);
}

/** Reads one message's bytes. */
class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  readonly end: number;
  readonly where: string;
  /** The two halves of the last integer. */
  low = 0;
  high = 0;
  constructor(bytes: Uint8Array, at: number, end: number, where: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
    this.where = where;
  }
  fail(what: string): never {
    throw new ParseError(`onnx: the file is damaged or cut short: in ${this.where}, at byte ${this.at}, ${what}`);
  }
  varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) this.fail("a number has no end");
      const byte = this.bytes[this.at++]!;
      const part = byte & 127;
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high = part >>> 4;
      } else if (shift < 63) high |= part << (shift - 32);
      else if (part > 1) this.fail("a number is longer than 64 bits");
      else high |= part << 31;
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    this.fail("a number is longer than 64 bits");
  }
  /** A length or tag, which fits 32 bits. */
  small(): number {
    this.varint();
    if (this.high !== 0) this.fail("a length is beyond the file");
    return this.low;
  }
  whole(signed: boolean): number {
    this.varint();
    return wholeOf(this.low, this.high, signed, `onnx: ${this.where}`);
  }
  /** The end of what a length announces. */
  stretch(): number {
    const length = this.small();
    if (length > this.end - this.at) this.fail(`${length} bytes are announced and ${this.end - this.at} are left`);
    return this.at + length;
  }
  take(count: number): number {
    if (count > this.end - this.at) this.fail(`${count} bytes are wanted and ${this.end - this.at} are left`);
    const start = this.at;
    this.at += count;
    return start;
  }
}

const wires: Readonly<Record<string, number>> = { int: 0, uint: 0, float: 5, double: 1, text: 2, bytes: 2 };

function one(cursor: Cursor, kind: Kind, depth: number): unknown {
  switch (kind) {
    case "int":
      return cursor.whole(true);
    case "uint":
      return cursor.whole(false);
    case "float":
      return cursor.view.getFloat32(cursor.take(4), true);
    case "double":
      return cursor.view.getFloat64(cursor.take(8), true);
  }
  const end = cursor.stretch();
  const start = cursor.at;
  cursor.at = end;
  if (kind === "bytes") return cursor.bytes.subarray(start, end);
  if (kind === "text") return textOf(cursor.bytes.subarray(start, end), cursor.where);
  if (depth >= deepest) cursor.fail(`messages are nested deeper than ${deepest}`);
  return fieldsOf(new Cursor(cursor.bytes, start, end, ""), kind(), depth + 1);
}

/** Bytes as text. @throws ParseError for bytes that are no UTF-8 */
export function textOf(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ParseError(`onnx: a name in ${where} is not UTF-8`, { cause });
  }
}

function skip(cursor: Cursor, wire: number): void {
  if (wire === 0) cursor.varint();
  else if (wire === 1) cursor.take(8);
  else if (wire === 5) cursor.take(4);
  else if (wire === 2) cursor.at = cursor.stretch();
  else cursor.fail(`wire type ${wire} is none that ONNX uses`);
}

function fieldsOf(from: Cursor, shape: MessageShape, depth: number): Message {
  const cursor = new Cursor(from.bytes, from.at, from.end, shape.name);
  const out: Message = {};
  while (cursor.at < cursor.end) {
    const start = cursor.at;
    const tag = cursor.small();
    const wire = tag & 7;
    const field = shape.fields[tag >>> 3];
    if (tag >>> 3 === 0) cursor.fail("a field has number 0");
    if (field === undefined) {
      skip(cursor, wire);
      ((out[unknownFields] ??= []) as Uint8Array[]).push(cursor.bytes.subarray(start, cursor.at));
      continue;
    }
    const { name, kind, many } = field;
    const wanted = typeof kind === "function" ? 2 : wires[kind]!;
    if (many === undefined) {
      if (wire !== wanted) cursor.fail(`${name} has wire type ${wire}, not ${wanted}`);
      if (typeof kind === "function" && name in out) cursor.fail(`${name} stands twice`);
      out[name] = one(cursor, kind, depth);
      continue;
    }
    const list = (out[name] ??= []) as unknown[];
    if (wire === wanted) list.push(one(cursor, kind, depth));
    else if (wire === 2 && wanted !== 2) packed(cursor, kind, list);
    else cursor.fail(`${name} has wire type ${wire}, not ${wanted}`);
  }
  return out;
}

/** Numbers without tags between them. */
function packed(cursor: Cursor, kind: Kind, list: unknown[]): void {
  const end = cursor.stretch();
  const part = new Cursor(cursor.bytes, cursor.at, end, cursor.where);
  while (part.at < end) list.push(one(part, kind, 0));
  cursor.at = end;
}

/** The message in `bytes`. Fields it does not know are passed over. @throws ParseError for what is no such message */
export function readMessage(bytes: Uint8Array, shape: MessageShape): Message {
  return fieldsOf(new Cursor(bytes, 0, bytes.length, shape.name), shape, 0);
}

/** A list of parts whose length is known, so that lengths can be written before what they measure. */
interface Parts {
  readonly list: Uint8Array[];
  length: number;
}

function push(parts: Parts, bytes: Uint8Array): void {
  parts.list.push(bytes);
  parts.length += bytes.length;
}

function varintBytes(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  if (typeof value === "number" && value >= 0 && value < 2 ** 31) {
    let left = value;
    for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
    bytes.push(left);
    return Uint8Array.from(bytes);
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function fixed(width: 4 | 8, value: number): Uint8Array {
  const bytes = new Uint8Array(width);
  const view = new DataView(bytes.buffer);
  if (width === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return bytes;
}

function writeOne(parts: Parts, kind: Kind, value: unknown): void {
  if (kind === "int" || kind === "uint") push(parts, varintBytes(value as number));
  else if (kind === "float") push(parts, fixed(4, value as number));
  else if (kind === "double") push(parts, fixed(8, value as number));
  else if (kind === "text" || kind === "bytes") {
    const bytes = kind === "text" ? encoder.encode(value as string) : (value as Uint8Array);
    push(parts, varintBytes(bytes.length));
    push(parts, bytes);
  } else {
    const inner = partsOf(value as Message, kind());
    push(parts, varintBytes(inner.length));
    for (const bytes of inner.list) push(parts, bytes);
  }
}

function partsOf(message: Message, shape: MessageShape): Parts {
  const parts: Parts = { list: [], length: 0 };
  for (const [number, { name, kind, many }] of Object.entries(shape.fields)) {
    const value = message[name];
    if (value === undefined) continue;
    const wire = typeof kind === "function" ? 2 : wires[kind]!;
    if (many === undefined || wire === 2) {
      for (const item of many === undefined ? [value] : (value as readonly unknown[])) {
        push(parts, varintBytes((Number(number) << 3) | wire));
        writeOne(parts, kind, item);
      }
    } else if ((value as readonly unknown[]).length > 0) {
      const inner: Parts = { list: [], length: 0 };
      for (const item of value as readonly unknown[]) writeOne(inner, kind, item);
      push(parts, varintBytes((Number(number) << 3) | 2));
      push(parts, varintBytes(inner.length));
      for (const bytes of inner.list) push(parts, bytes);
    }
  }
  for (const bytes of (message[unknownFields] ?? []) as readonly Uint8Array[]) push(parts, bytes);
  return parts;
}

/** Bytes in pieces, and how many they are. */
export interface Pieces {
  readonly list: readonly Uint8Array[];
  readonly length: number;
}

/** A message as its bytes, not yet in one piece: views on what it holds, and what lies between them. */
export function piecesOfMessage(message: Message, shape: MessageShape): Pieces {
  return partsOf(message, shape);
}

/** Pieces in one. */
export function joined({ list, length }: Pieces): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const bytes of list) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** The bytes of a message: fields in the order of their numbers, numbers that repeat packed. */
export function writeMessage(message: Message, shape: MessageShape): Uint8Array {
  return joined(partsOf(message, shape));
}
