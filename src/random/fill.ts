import type { NumberArray } from "../ir/dtype.ts";
import { inverseNormal } from "./inverse-normal.ts";
import { exchangePlaces, threefry2x32 } from "./threefry.ts";

/** How many random bits a number is made of: the significand of f64, f32, f16, bf16, so that rounding never reaches 1. */
export type UniformBits = 53 | 24 | 11 | 8;

const HIGH = 2 ** 26;
const UNIT_53 = 2 ** -53;
const UNIT_52 = 2 ** -52;
const UNIT_32 = 2 ** -32;

/** The 53 bits of a block as a whole number. */
function wide(pair: Uint32Array): number {
  return (pair[0]! >>> 5) * HIGH + (pair[1]! >>> 6);
}

/**
 * Uniform on [0, 1): multiples of 2^-bits. 53 bits take a block per number (27 bits of its first word over 26 of its second); fewer take the top bits
 * of one word of the stream per number. As all fills here: number i depends on the key and i alone, the same bits on every engine.
 */
export function fillUniform(key: NumberArray, dst: NumberArray, bits: UniformBits): void {
  const pair = new Uint32Array(2);
  const k0 = key[0]!;
  const k1 = key[1]!;
  if (bits === 53) {
    for (let i = 0; i < dst.length; i++) {
      threefry2x32(k0, k1, i, 0, pair);
      dst[i] = wide(pair) * UNIT_53;
    }
    return;
  }
  const shift = 32 - bits;
  const unit = 2 ** -bits;
  for (let i = 0; i < dst.length; i += 2) {
    threefry2x32(k0, k1, i / 2, 0, pair);
    dst[i] = (pair[0]! >>> shift) * unit;
    if (i + 1 < dst.length) dst[i + 1] = (pair[1]! >>> shift) * unit;
  }
}

/**
 * Standard normal numbers, the quantile function of uniform numbers: with "f64" of (k + 1/2) 2^-52, k the top 52 bits of a block, with "f32" of
 * (k + 1/2) 2^-32, k a word of the stream (largest size about 6.3). Half a step in from the ends, both are exact and symmetric, and no infinity comes out.
 */
export function fillNormal(key: NumberArray, dst: NumberArray, precision: "f64" | "f32"): void {
  const pair = new Uint32Array(2);
  const k0 = key[0]!;
  const k1 = key[1]!;
  if (precision === "f64") {
    for (let i = 0; i < dst.length; i++) {
      threefry2x32(k0, k1, i, 0, pair);
      dst[i] = inverseNormal((Math.floor(wide(pair) / 2) + 0.5) * UNIT_52);
    }
    return;
  }
  for (let i = 0; i < dst.length; i += 2) {
    threefry2x32(k0, k1, i / 2, 0, pair);
    dst[i] = inverseNormal((pair[0]! + 0.5) * UNIT_32);
    if (i + 1 < dst.length) dst[i + 1] = inverseNormal((pair[1]! + 0.5) * UNIT_32);
  }
}

/** 1 with probability p, else 0: whether a 53-bit uniform number is less than p. */
export function fillBernoulli(key: NumberArray, dst: NumberArray, p: number): void {
  const pair = new Uint32Array(2);
  for (let i = 0; i < dst.length; i++) {
    threefry2x32(key[0]!, key[1]!, i, 0, pair);
    dst[i] = wide(pair) * UNIT_53 < p ? 1 : 0;
  }
}

/**
 * A permutation of 0 .. dst.length - 1: Fisher-Yates from the end, place i swapped with place floor(u (i + 1)), u the key's 53-bit uniform number i.
 * Against equal chances it is off by less than n 2^-53.
 */
export function fillPermutation(key: NumberArray, dst: NumberArray): void {
  for (let i = 0; i < dst.length; i++) dst[i] = i;
  exchangePlaces(key[0]!, key[1]!, dst);
}
