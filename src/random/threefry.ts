import type { NumberArray } from "../ir/dtype.ts";

/** The key schedule's constant (Skein's parity word, cut to 32 bits). */
const PARITY = 0x1bd11bda;
const HIGH = 2 ** 26;
const UNIT_53 = 2 ** -53;

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/**
 * Threefry-2x32 with 20 rounds: writes to out[at] and out[at + 1] the two words that the key gives for a counter, all of them 32-bit words.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); the numbers are those of Random123.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array, at = 0): void {
  const k0 = key0 | 0;
  const k1 = key1 | 0;
  const k2 = PARITY ^ k0 ^ k1;
  let a = (counter0 + k0) | 0;
  let b = (counter1 + k1) | 0;
  // The three words of the key come in turn: those of the next injection are always x and y.
  let x = k1;
  let y = k2;
  let z = k0;
  for (let group = 1; ; group += 2) {
    a = (a + b) | 0;
    b = rotate(b, 13) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 15) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 26) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 6) ^ a;
    a = (a + x) | 0;
    b = (b + y + group) | 0;
    if (group === 5) break;
    a = (a + b) | 0;
    b = rotate(b, 17) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 29) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 16) ^ a;
    a = (a + b) | 0;
    b = rotate(b, 24) ^ a;
    a = (a + y) | 0;
    b = (b + z + group + 1) | 0;
    const next = z;
    z = y;
    y = x;
    x = next;
  }
  out[at] = a;
  out[at + 1] = b;
}

/**
 * Exchanges each place i of an array, from the last down to the second, with place floor(u (i + 1)), u the 53-bit uniform number of the block at counter (i, 0). Two blocks at
 * once, because each round of one waits for the one before, and nothing of one for the other; written out here, which takes half the time of calls for blocks.
 */
export function exchangePlaces(key0: number, key1: number, dst: NumberArray): void {
  const k0 = key0 | 0;
  const k1 = key1 | 0;
  const k2 = PARITY ^ k0 ^ k1;
  for (let i = dst.length - 1; i > 0; i -= 2) {
    let a = (i + k0) | 0;
    let b = k1;
    let c = (i - 1 + k0) | 0;
    let d = k1;
    let x = k1;
    let y = k2;
    let z = k0;
    for (let group = 1; ; group += 2) {
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 13) ^ a;
      d = rotate(d, 13) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 15) ^ a;
      d = rotate(d, 15) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 26) ^ a;
      d = rotate(d, 26) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 6) ^ a;
      d = rotate(d, 6) ^ c;
      const odd = (y + group) | 0;
      a = (a + x) | 0;
      c = (c + x) | 0;
      b = (b + odd) | 0;
      d = (d + odd) | 0;
      if (group === 5) break;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 17) ^ a;
      d = rotate(d, 17) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 29) ^ a;
      d = rotate(d, 29) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 16) ^ a;
      d = rotate(d, 16) ^ c;
      a = (a + b) | 0;
      c = (c + d) | 0;
      b = rotate(b, 24) ^ a;
      d = rotate(d, 24) ^ c;
      const even = (z + group + 1) | 0;
      a = (a + y) | 0;
      c = (c + y) | 0;
      b = (b + even) | 0;
      d = (d + even) | 0;
      const next = z;
      z = y;
      y = x;
      x = next;
    }
    const p = (((a >>> 5) * HIGH + (b >>> 6)) * UNIT_53 * (i + 1)) | 0;
    const first = dst[i]!;
    dst[i] = dst[p]!;
    dst[p] = first;
    // At place 0, where there are two left, this is an exchange with itself.
    const q = (((c >>> 5) * HIGH + (d >>> 6)) * UNIT_53 * i) | 0;
    const second = dst[i - 1]!;
    dst[i - 1] = dst[q]!;
    dst[q] = second;
  }
}

/*
 * The second counter word says what a block is for, so that the same key gives unrelated words for drawing, for splitting and for folding:
 * drawing has its top bits 00, splitting 10, folding in a number 01 (its lower bits are the number's), folding in a name 11.
 */
const SPLIT = 0x80000000;
const NUMBER = 0x40000000;
const NAME = 0xc0000000;

/**
 * Fills `out` with the first words of a key's stream: words 2i and 2i + 1 are the block at counter (i, 0). A longer stream
 * begins with the shorter one.
 */
export function fillWords(key: NumberArray, out: Uint32Array): void {
  const pair = new Uint32Array(2);
  for (let i = 0; 2 * i < out.length; i++) {
    threefry2x32(key[0]!, key[1]!, i, 0, pair);
    out[2 * i] = pair[0]!;
    if (2 * i + 1 < out.length) out[2 * i + 1] = pair[1]!;
  }
}

/** Writes the key of a whole-number seed, its 64 bits in two's complement as [high, low], to `key`. */
export function keyOfSeed(seed: number, key: NumberArray): void {
  key[0] = Math.floor(seed / 2 ** 32) | 0;
  key[1] = seed | 0;
}

/** Writes `count` new keys, two words each, to `keys`. The first of them are the same whatever the count. */
export function splitKey(key: NumberArray, count: number, keys: NumberArray): void {
  const pair = new Uint32Array(2);
  for (let i = 0; i < count; i++) {
    threefry2x32(key[0]!, key[1]!, i, SPLIT, pair);
    keys[2 * i] = pair[0]! | 0;
    keys[2 * i + 1] = pair[1]! | 0;
  }
}

/** Writes to `folded` the key that comes of `key` and a whole number within ±2^53; different numbers give different blocks. */
export function foldNumber(key: NumberArray, number: number, folded: NumberArray): void {
  const pair = new Uint32Array(2);
  threefry2x32(key[0]!, key[1]!, number | 0, NUMBER | (Math.floor(number / 2 ** 32) & 0x3fffffff), pair);
  folded[0] = pair[0]! | 0;
  folded[1] = pair[1]! | 0;
}

/** Writes to `folded` the key that comes of `key` and a name: its UTF-16 code units, two a block, each block's words the key of the next. */
export function foldName(key: NumberArray, name: string, folded: NumberArray): void {
  const pair = new Uint32Array(2);
  // The length comes first, so that no name is the beginning of another.
  threefry2x32(key[0]!, key[1]!, name.length, NAME, pair);
  for (let i = 0; i < name.length; i += 2) {
    const next = i + 1 < name.length ? name.charCodeAt(i + 1) : 0;
    threefry2x32(pair[0]!, pair[1]!, (name.charCodeAt(i) << 16) | next, NAME, pair);
  }
  folded[0] = pair[0]! | 0;
  folded[1] = pair[1]! | 0;
}
