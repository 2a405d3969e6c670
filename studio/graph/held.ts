import { atOnce } from "../shell/turns.ts";

/*
 * Numbers of a graph that are too many for the address. The address names them by a hash of their content and says what they are; they themselves lie in
 * the page's memory, in the browser's storage, or in a file. This comes with the page's first load, so it imports nothing of the library.
 */

/** What the numbers of one variable are. */
export interface HeldPart {
  readonly dtype: "f32" | "i32";
  readonly shape: readonly number[];
  /** Of whole numbers: the largest of them. */
  readonly most?: number;
}

/** What made the numbers: so many steps of the training whose settings have this hash. */
export interface Learnt {
  readonly steps: number;
  readonly settings: string;
}

/** What the address says of numbers that it does not hold. */
export interface Held {
  /** A hash of their content. */
  readonly key: string;
  readonly parts: Readonly<Record<string, HeldPart>>;
  readonly learnt?: Learnt;
  /** The reader had none of this key and drew numbers of these shapes from this seed. */
  readonly drawn?: number;
}

/** The numbers of one variable. */
export interface HeldTensor extends HeldPart {
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}
export type HeldTensors = Readonly<Record<string, HeldTensor>>;

/** Numbers by their key. */
export interface HeldNumbers {
  readonly key: string;
  readonly tensors: HeldTensors;
}

/** The most numbers that an address may name: more than the largest fully connected net of the Train tab with a batch. */
const mostHeld = 100_000_000;
const mostParts = 5000;

export function sizeOf({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** How many numbers there are. */
export function countOf(parts: Readonly<Record<string, HeldPart>>): number {
  return Object.values(parts).reduce((n, part) => n + sizeOf(part), 0);
}

/** Bytes of all, in memory and in a file. */
export const bytesOf = (parts: Readonly<Record<string, HeldPart>>): number => 4 * countOf(parts);

const isWhole = (x: unknown, most: number): x is number => typeof x === "number" && Number.isSafeInteger(x) && x >= 0 && x <= most;

function partIn(given: unknown): HeldPart | null {
  if (typeof given !== "object" || given === null) return null;
  const { dtype, shape, most } = given as Readonly<Record<string, unknown>>;
  if (dtype !== "f32" && dtype !== "i32") return null;
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every((n) => isWhole(n, mostHeld))) return null;
  return { dtype, shape, ...(dtype === "i32" && isWhole(most, 2 ** 31 - 1) && { most }) };
}

/** Reads what an address says of numbers beside it; undefined where it says nothing that fits. */
export function readHeld(given: unknown): Held | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { key, parts: list, learnt, drawn } = given as Readonly<Record<string, unknown>>;
  if (typeof key !== "string" || !/^[0-9a-f]{32}$/.test(key) || typeof list !== "object" || list === null) return undefined;
  const entries = Object.entries(list);
  if (entries.length === 0 || entries.length > mostParts) return undefined;
  const known = entries.flatMap(([name, one]) => {
    const part = partIn(one);
    return part === null ? [] : [[name, part] as const];
  });
  if (known.length < entries.length) return undefined;
  const parts = Object.fromEntries(known);
  if (countOf(parts) > mostHeld) return undefined;
  const from = (typeof learnt === "object" && learnt !== null ? learnt : {}) as Readonly<Record<string, unknown>>;
  const { steps, settings } = from;
  return {
    key,
    parts,
    ...(isWhole(steps, Number.MAX_SAFE_INTEGER) &&
      typeof settings === "string" &&
      settings.length <= 64 && { learnt: { steps, settings } }),
    ...(isWhole(drawn, 2 ** 32 - 1) && { drawn }),
  };
}

/** What numbers are, without them. */
export function partsOf(tensors: HeldTensors): Readonly<Record<string, HeldPart>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      if (dtype === "f32") return [name, { dtype, shape }];
      let most = 0;
      for (const x of data) most = Math.max(most, x);
      return [name, { dtype, shape, most }];
    }),
  );
}

/** Whether numbers are of these names, dtypes and shapes. What a storage or a file gives is not trusted. */
export function fitParts(tensors: HeldTensors, parts: Readonly<Record<string, HeldPart>>): boolean {
  return Object.entries(parts).every(([name, { dtype, shape }]) => {
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found === undefined || found.dtype !== dtype || found.shape.length !== shape.length) return false;
    const right = dtype === "f32" ? found.data instanceof Float32Array : found.data instanceof Int32Array;
    return right && found.data.length === sizeOf({ shape }) && found.shape.every((n, axis) => n === shape[axis]);
  });
}

/**
 * A hash of numbers with their names, dtypes and shapes: 128 bits as 32 hexadecimal digits. It tells numbers apart; it keeps nobody from making two of one
 * hash on purpose, who would mislead only the page that is given both. MurmurHash3_x86_128 by Austin Appleby (public domain), over the words of the elements.
 */
export function keyOf(tensors: HeldTensors): string {
  return atOnce(hashing(tensors));
}

/** The same, one variable after another. */
export function* hashing(tensors: HeldTensors): Generator<void, string, void> {
  const about = JSON.stringify(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, dtype, shape]));
  const hash = new Hash();
  hash.add(Int32Array.from(new TextEncoder().encode(about)));
  for (const { data } of Object.values(tensors)) {
    hash.add(new Int32Array(data.buffer, data.byteOffset, data.length));
    yield;
  }
  return hash.digits();
}

/** The same hash of a text. */
export function hashOf(text: string): string {
  const hash = new Hash();
  hash.add(Int32Array.from(new TextEncoder().encode(text)));
  return hash.digits();
}

const turn = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const [c1, c2, c3, c4] = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];

class Hash {
  #h1 = 0;
  #h2 = 0;
  #h3 = 0;
  #h4 = 0;
  #length = 0;

  /** Words in blocks of four; the last block of each tensor is filled up with zeros, and the count of words goes in at the end. */
  add(words: Int32Array): void {
    let [h1, h2, h3, h4] = [this.#h1, this.#h2, this.#h3, this.#h4];
    for (let i = 0; i < words.length; i += 4) {
      h1 ^= Math.imul(turn(Math.imul(words[i]!, c1), 15), c2);
      h1 = (Math.imul(turn(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
      h2 ^= Math.imul(turn(Math.imul(words[i + 1] ?? 0, c2), 16), c3);
      h2 = (Math.imul(turn(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
      h3 ^= Math.imul(turn(Math.imul(words[i + 2] ?? 0, c3), 17), c4);
      h3 = (Math.imul(turn(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
      h4 ^= Math.imul(turn(Math.imul(words[i + 3] ?? 0, c4), 18), c1);
      h4 = (Math.imul(turn(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
    }
    [this.#h1, this.#h2, this.#h3, this.#h4] = [h1, h2, h3, h4];
    this.#length += words.length;
  }

  digits(): string {
    const all = [this.#h1, this.#h2, this.#h3, this.#h4].map((h) => h ^ this.#length);
    const blend = (): void => {
      all[0] = (all[0]! + all[1]! + all[2]! + all[3]!) | 0;
      for (let i = 1; i < 4; i++) all[i] = (all[i]! + all[0]!) | 0;
    };
    blend();
    for (let i = 0; i < 4; i++) {
      let h = all[i]!;
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      all[i] = h ^ (h >>> 16);
    }
    blend();
    return all.map((h) => (h >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** The most bytes that the page's memory keeps of graphs that are no longer shown, for undo. */
const mostInMemory = 384 * 2 ** 20;
const memory = new Map<string, HeldNumbers>();

/** Keeps numbers in the page's memory; those that were not asked for longest give way. */
export function remember(numbers: HeldNumbers): void {
  memory.delete(numbers.key);
  memory.set(numbers.key, numbers);
  let bytes = [...memory.values()].reduce((n, { tensors }) => n + bytesOf(tensors), 0);
  for (const [key, { tensors }] of memory) {
    if (bytes <= mostInMemory || key === numbers.key) break;
    memory.delete(key);
    bytes -= bytesOf(tensors);
  }
}

/** Numbers that the page's memory has. */
export function recall(key: string): HeldNumbers | undefined {
  const found = memory.get(key);
  if (found !== undefined) remember(found);
  return found;
}
