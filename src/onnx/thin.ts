import type { Ranges } from "../files/ranges.ts";
import { ParseError } from "../ir/errors.ts";

/** A model without the raw bytes of its larger weights. */
export interface Thin {
  /** A message of its own, which {@link readMessage} reads. */
  readonly bytes: Uint8Array;
  /** Where in the file the raw bytes of an initialiser lie that were left there, by its place among the initialisers. */
  readonly left: ReadonlyMap<number, readonly [from: number, to: number]>;
}

/** What is left in the file: the raw data of the initialisers of the graph. These are the numbers of the three fields (onnx.proto). */
const path: readonly number[] = [7, 5, 9];
/** Raw data of fewer bytes is read with the rest. */
const leastLeft: number = 2 ** 16;
/** Behind a weight that is left out little has to be read, as a rule: the next one's name and sizes. Windows that follow each other grow. */
const leastWindow: number = 2 ** 14;
const mostWindow: number = 2 ** 20;
/** Bytes that windows have read are kept up to so many; what was in others is read again. */
const mostKept: number = 2 ** 25;

/** A stretch of the file, or bytes that stand in its place. */
type Part = Uint8Array | readonly [from: number, to: number];

/** Reads numbers here and there, a window at a time. */
class Window {
  readonly file: Ranges;
  private bytes: Uint8Array = new Uint8Array();
  private start = 0;
  private size = leastWindow;
  private readonly kept: { readonly start: number; readonly bytes: Uint8Array }[] = [];
  private held = 0;
  /** The byte behind the last number. */
  at = 0;
  constructor(file: Ranges) {
    this.file = file;
  }
  fail(at: number, what: string): never {
    throw new ParseError(`onnx: the file is damaged or cut short: at byte ${at}, ${what}`);
  }
  /** A number of up to 53 bits at `at`, before `end`. */
  async number(at: number, end: number): Promise<number> {
    const last = Math.min(at + 10, end);
    if (at < this.start || last > this.start + this.bytes.length) {
      const follows = at >= this.start && at <= this.start + this.bytes.length;
      this.size = follows ? Math.min(mostWindow, 4 * this.size) : leastWindow;
      this.start = at;
      this.bytes = await this.file.read(at, Math.min(at + this.size, this.file.size));
      if (this.held + this.bytes.length <= mostKept) {
        this.held += this.bytes.length;
        this.kept.push({ start: at, bytes: this.bytes });
      }
    }
    let value = 0;
    for (let scale = 1, i = at; i < last; i++, scale *= 128) {
      const byte = this.bytes[i - this.start]!;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.at = i + 1;
        return value;
      }
    }
    return this.fail(at, end - at < 10 ? "a number has no end" : "a number is longer than 64 bits");
  }
  /** The bytes from `from` to `to`, of a window where they are within one. Each call's stretch lies behind that of the call before. */
  async stretch(from: number, to: number): Promise<Uint8Array> {
    const { kept } = this;
    while (kept.length > 1 && kept[1]!.start <= from) kept.shift();
    const [first] = kept;
    if (first !== undefined && first.start <= from && to <= first.start + first.bytes.length)
      return first.bytes.subarray(from - first.start, to - first.start);
    return this.file.read(from, to);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

const lengthOf = (part: Part): number => (part instanceof Uint8Array ? part.length : part[1] - part[0]);

/** The parts of a message, as long as they follow each other in the file, are one. */
class Parts {
  readonly list: Part[] = [];
  length = 0;
  push(part: Part): void {
    const before = this.list.at(-1);
    this.length += lengthOf(part);
    if (before !== undefined && !(before instanceof Uint8Array) && !(part instanceof Uint8Array) && before[1] === part[0])
      this.list[this.list.length - 1] = [before[0], part[1]];
    else this.list.push(part);
  }
}

interface Walk {
  readonly window: Window;
  readonly left: Map<number, readonly [number, number]>;
  graphs: number;
  initializers: number;
}

/** The fields of the message at `from`, what is left out apart. @param level how far along {@link path} this message is */
async function thinned(walk: Walk, from: number, to: number, level: number): Promise<Parts> {
  const { window } = walk;
  const parts = new Parts();
  for (let at = from; at < to; ) {
    const start = at;
    const tag = await window.number(at, to);
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field === 0) window.fail(start, "a field has number 0");
    const body = window.at;
    if (wire === 0) await window.number(body, to);
    else if (wire === 1) window.at = body + 8;
    else if (wire === 5) window.at = body + 4;
    else if (wire !== 2) window.fail(start, `wire type ${wire} is none that ONNX uses`);
    else {
      const length = await window.number(body, to);
      if (length > to - window.at) window.fail(body, `${length} bytes are announced and ${to - window.at} are left`);
      const [inner, end] = [window.at, window.at + length];
      window.at = end;
      if (field === path[level]) {
        if (level === 0) walk.graphs++;
        else if (level === 1) walk.initializers++;
        if (length >= leastLeft || level === 0) {
          if (level === 2) walk.left.set(walk.initializers - 1, [inner, end]);
          else {
            const thin = await thinned(walk, inner, end, level + 1);
            window.at = end;
            parts.push([start, body]);
            parts.push(varint(thin.length));
            for (const part of thin.list) parts.push(part);
          }
          at = end;
          continue;
        }
      }
    }
    if (window.at > to) window.fail(start, "a number is cut short");
    at = window.at;
    parts.push([start, at]);
  }
  return parts;
}

/**
 * Reads a model but for the raw bytes of its larger weights, of which it tells the places: of a large file only what says how it is made is read.
 * @throws ParseError for what is no such message; nothing large is allocated before that is known
 */
export async function thin(file: Ranges): Promise<Thin> {
  const walk: Walk = { window: new Window(file), left: new Map(), graphs: 0, initializers: 0 };
  const { list, length } = await thinned(walk, 0, file.size, 0);
  if (walk.graphs === 0) return { bytes: new Uint8Array(), left: walk.left };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of list) {
    bytes.set(part instanceof Uint8Array ? part : await walk.window.stretch(...part), at);
    at += lengthOf(part);
  }
  return { bytes, left: walk.left };
}
