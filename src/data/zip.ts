import { DomainError, ParseError } from "../ir/errors.ts";
import { crc32 } from "./crc32.ts";
import { deflate, inflate } from "./deflate.ts";

/** One file inside a zip file, not yet unpacked. */
export interface ZipMember {
  readonly name: string;
  readonly method: "stored" | "deflate";
  /** The bytes as they stand in the file. */
  readonly packed: Uint8Array;
  /** Bytes after unpacking, as declared: unpacking stops with an error when there are more or fewer. */
  readonly size: number;
  readonly crc: number;
}

interface CentralEntry extends Omit<ZipMember, "packed"> {
  readonly packedSize: number;
  readonly at: number;
}

/** A member of a zip file that was not read: where its bytes lie. */
export interface ZipPlace extends Omit<ZipMember, "packed"> {
  readonly from: number;
  readonly to: number;
}

const escape32 = 0xffffffff;

/** Deflate packs no better than 1032 to 1: a member that declares more is a lie, found before memory is asked for. */
const bestRatio = 1032;

function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/**
 * The members of a zip file, from its central directory. Source: PKWARE APPNOTE 6.3.
 * @throws ParseError where the directory and the members do not agree, for encrypted or otherwise packed members, overlaps, or a name twice
 */
export function zipMembers(bytes: Uint8Array): ZipMember[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0, true) !== 0x4b50)
    throw new ParseError("zip: the file does not begin with PK; it is no zip file");
  const directory = findDirectory(view, 0);
  const { start, end } = directory;
  const entries = entriesIn(bytes.subarray(start, end), directory);
  const placed = entries.map((entry) => ({ entry, ...locate(headIn(bytes, entry.at), entry, start) }));
  return apart(placed).map(({ from, to, ...member }) => ({ ...member, packed: bytes.subarray(from, to) }));
}

/** The longest comment, and the records before it. */
const longestEnd = 2 ** 16 + 2 ** 10;

/**
 * The members of a zip file of any size, of which its directory and the heads of its members alone are read.
 * @throws as {@link zipMembers}
 */
export async function zipPlaces(read: (from: number, to: number) => Promise<Uint8Array>, size: number): Promise<ZipPlace[]> {
  const begin = await read(0, Math.min(4, size));
  if (begin[0] !== 0x50 || begin[1] !== 0x4b) throw new ParseError("zip: the file does not begin with PK; it is no zip file");
  const base = Math.max(0, size - longestEnd);
  const tail = await read(base, size);
  const directory = findDirectory(new DataView(tail.buffer, tail.byteOffset, tail.byteLength), base);
  const entries = entriesIn(await read(directory.start, directory.end), directory);
  const placed: (Place & { readonly entry: CentralEntry })[] = [];
  for (const entry of entries) {
    const head = await read(Math.min(entry.at, size), Math.min(entry.at + headLength, size));
    placed.push({ entry, ...locate(head, entry, directory.start) });
  }
  return apart(placed);
}

interface Place {
  readonly from: number;
  readonly to: number;
}

/** Members may not share bytes: many names for one packed block is how a small file unpacks to a huge one. */
function apart(placed: readonly (Place & { readonly entry: CentralEntry })[]): ZipPlace[] {
  let free = 0;
  let before = "";
  return [...placed]
    .sort((a, b) => a.entry.at - b.entry.at)
    .map(({ entry: { at, packedSize: _, ...member }, from, to }) => {
      if (at < free) throw new ParseError(`zip: members ${before} and ${member.name} overlap`);
      free = to;
      before = member.name;
      return { ...member, from, to };
    });
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** The entries of a directory, which begins at `start` of its file. */
function entriesIn(bytes: Uint8Array, { count, start }: Directory): CentralEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: CentralEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readCentral(bytes, view, at, start);
    if (names.has(entry.name)) throw new ParseError(`zip: ${JSON.stringify(entry.name)} is in the file twice`);
    names.add(entry.name);
    entries.push(entry);
    at = next;
  }
  if (at !== bytes.length) throw new ParseError(`zip: the directory has ${bytes.length - at} bytes more than its ${count} entries take`);
  return entries;
}

/** Finds the end record, which is last but for a comment, and the one of zip64 before it. @param base where `view`, which ends with the file, begins in it */
function findDirectory(view: DataView, base: number): Directory {
  let at = view.byteLength - 22;
  const last = Math.max(0, at - 0xffff);
  while (at >= last && !(view.getUint32(at, true) === 0x06054b50 && at + 22 + view.getUint16(at + 20, true) === view.byteLength)) at--;
  if (at < last) throw new ParseError("zip: the file has no directory at its end; it is cut short or no zip file");
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let start = view.getUint32(at + 16, true);
  let limit = base + at;
  if (view.getUint16(at + 4, true) !== 0 && view.getUint16(at + 4, true) !== 0xffff)
    throw new ParseError("zip: the file is one of several parts; join them first");
  if (count === 0xffff || size === escape32 || start === escape32) {
    const locator = at - 20;
    if (locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
      limit = u64(view, locator + 8);
      const record = limit - base;
      if (record < 0 || record + 56 > locator || view.getUint32(record, true) !== 0x06064b50)
        throw new ParseError("zip: the zip64 end record is not where it should be");
      count = u64(view, record + 32);
      size = u64(view, record + 40);
      start = u64(view, record + 48);
    }
  }
  if (start + size > limit)
    throw new ParseError(`zip: the directory would end at byte ${start + size}, past its end record at ${limit}; the file is damaged`);
  return { count, start, end: start + size };
}

function readCentral(bytes: Uint8Array, view: DataView, at: number, base: number): { entry: CentralEntry; next: number } {
  const end = bytes.length;
  if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw new ParseError(`zip: the directory is damaged at byte ${base + at}`);
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > end) throw new ParseError(`zip: the directory is damaged at byte ${base + at}`);
  const name = decodeName(bytes.subarray(at + 46, nameEnd));
  const flags = view.getUint16(at + 8, true);
  const code = view.getUint16(at + 10, true);
  if (flags & 1) throw new ParseError(`zip: ${name} is encrypted; save it without a password`);
  if (code !== 0 && code !== 8) throw new ParseError(`zip: ${name} is packed by method ${code}; stored (0) and deflate (8) are known`);
  const wide = wideFields(view, nameEnd, extraEnd, name);
  const take = (field: number): number => {
    const value = view.getUint32(at + field, true);
    return value === escape32 ? wide() : value;
  };
  // In the order in which the zip64 extra field lists those that do not fit 32 bits.
  const size = take(24);
  const packedSize = take(20);
  const offset = take(42);
  if (code === 0 && size !== packedSize) throw new ParseError(`zip: ${name} is stored in ${packedSize} bytes and declared as ${size}`);
  if (code === 8 && size > packedSize * bestRatio)
    throw new ParseError(`zip: ${name} declares ${size} bytes, which ${packedSize} packed bytes cannot hold`);
  return {
    entry: { name, method: code === 0 ? "stored" : "deflate", size, packedSize, at: offset, crc: view.getUint32(at + 16, true) },
    next,
  };
}

/** Reads the 64-bit fields of a member's extra data, one after the other. */
function wideFields(view: DataView, from: number, to: number, name: string): () => number {
  let at = from;
  let end = from;
  for (let next = from; next + 4 <= to; ) {
    const length = view.getUint16(next + 2, true);
    if (view.getUint16(next, true) === 1 && next + 4 + length <= to) {
      at = next + 4;
      end = at + length;
      break;
    }
    next += 4 + length;
  }
  return () => {
    if (at + 8 > end) throw new ParseError(`zip: ${name} has no zip64 sizes where its directory entry says so`);
    at += 8;
    return u64(view, at - 8);
  };
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ParseError("zip: a member's name is not UTF-8; rename it", { cause });
  }
}

/** The head of a member, which stands before its bytes, is so long without its name and extra data. */
const headLength = 30;

function headIn(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at, at + headLength);
}

/** Where the packed bytes of a member are, by its head. */
function locate(head: Uint8Array, { name, at, packedSize }: CentralEntry, directory: number): Place {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (at + headLength > directory || head.length < headLength || view.getUint32(0, true) !== 0x04034b50)
    throw new ParseError(`zip: ${name} should begin at byte ${at} and does not; the file is damaged`);
  const from = at + headLength + view.getUint16(26, true) + view.getUint16(28, true);
  if (from + packedSize > directory) throw new ParseError(`zip: ${name} runs into the directory; the file is damaged`);
  return { from, to: from + packedSize };
}

/**
 * The bytes of a member, unpacked and checked.
 * @throws ParseError where size or checksum is not as declared
 */
export async function unpack({ name, method, packed, size, crc }: ZipMember): Promise<Uint8Array> {
  const bytes = method === "stored" ? packed : await inflate(packed, size, `zip: ${name}`);
  if (crc32(bytes) !== crc) throw new ParseError(`zip: ${name} is damaged: its checksum does not match`);
  return bytes;
}

/**
 * A zip file of these files, in their order; the same bytes for the same content (times are 1980-01-01).
 * @throws DomainError for more than 65534 files or 4 GiB, which would need zip64
 */
export async function writeZip(files: readonly (readonly [string, Uint8Array])[], compress: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const members: { name: Uint8Array; packed: Uint8Array; size: number; crc: number; at: number }[] = [];
  let at = 0;
  for (const [text, bytes] of files) {
    const name = new TextEncoder().encode(text);
    const packed = compress ? await deflate(bytes) : bytes;
    members.push({ name, packed, size: bytes.length, crc: crc32(bytes), at });
    at += 30 + name.length + packed.length;
  }
  const directory = at;
  for (const { name } of members) at += 46 + name.length;
  if (at >= escape32 || members.length >= 0xffff || members.some(({ size, name }) => size >= escape32 || name.length > 0xffff))
    throw new DomainError("zip: the file would pass 4 GiB, 65534 members or a name of 65535 bytes; save as safetensors instead");
  const out = new Uint8Array(at + 22);
  const view = new DataView(out.buffer);
  let end = directory;
  for (const { name, packed, size, crc, at: start } of members) {
    // What the local header and the directory entry share: version, flags (names are UTF-8), method, time, date, checksum, sizes, name length.
    const common = (to: number): void => {
      view.setUint16(to, 20, true);
      view.setUint16(to + 2, 0x800, true);
      view.setUint16(to + 4, compress ? 8 : 0, true);
      view.setUint16(to + 8, 0x21, true);
      view.setUint32(to + 10, crc, true);
      view.setUint32(to + 14, packed.length, true);
      view.setUint32(to + 18, size, true);
      view.setUint16(to + 22, name.length, true);
    };
    view.setUint32(start, 0x04034b50, true);
    common(start + 4);
    out.set(name, start + 30);
    out.set(packed, start + 30 + name.length);
    view.setUint32(end, 0x02014b50, true);
    view.setUint16(end + 4, 20, true);
    common(end + 6);
    view.setUint32(end + 42, start, true);
    out.set(name, end + 46);
    end += 46 + name.length;
  }
  view.setUint32(end, 0x06054b50, true);
  view.setUint16(end + 8, members.length, true);
  view.setUint16(end + 10, members.length, true);
  view.setUint32(end + 12, end - directory, true);
  view.setUint32(end + 16, directory, true);
  return out;
}
