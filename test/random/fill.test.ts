import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillBernoulli, fillNormal, fillPermutation, fillUniform } from "../../src/random/fill.ts";
import { inverseNormal } from "../../src/random/inverse-normal.ts";
import { fillWords, threefry2x32 } from "../../src/random/threefry.ts";

const key = Int32Array.of(11, -22);
const N = 40_000;

function moments(x: ArrayLike<number>): { mean: number; variance: number; skew: number; kurtosis: number } {
  let mean = 0;
  for (let i = 0; i < x.length; i++) mean += x[i]! / x.length;
  const central = [0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) for (let p = 2; p <= 4; p++) central[p]! += (x[i]! - mean) ** p / x.length;
  return { mean, variance: central[2]!, skew: central[3]! / central[2]! ** 1.5, kurtosis: central[4]! / central[2]! ** 2 };
}

/** Pearson's chi-square of counts against equal chances. */
function chiSquare(counts: readonly number[], total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("fillUniform", () => {
  it.each([53, 24, 11, 8] as const)("with %i bits: multiples of its unit in [0, 1), evenly spread, neighbours uncorrelated", (bits) => {
    const x = new Float64Array(N);
    fillUniform(key, x, bits);
    const counts = new Array<number>(100).fill(0);
    let lag = 0;
    let outside = 0;
    for (let i = 0; i < N; i++) {
      if (!(x[i]! >= 0 && x[i]! < 1 && Number.isInteger(x[i]! * 2 ** bits))) outside++;
      counts[Math.floor(x[i]! * 100)]!++;
      if (i > 0) lag += (x[i]! - 0.5) * (x[i - 1]! - 0.5);
    }
    expect(outside).toBe(0);
    const { mean, variance } = moments(x);
    // Four standard errors; 8 bits make bins of unequal chance.
    expect(Math.abs(mean - 0.5 * (1 - 2 ** -bits))).toBeLessThan(4 * Math.sqrt(1 / 12 / N));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / N));
    expect(Math.abs(lag / N)).toBeLessThan(4 / 12 / Math.sqrt(N));
    // 99 degrees of freedom: 160 has a chance of about 1e-4.
    if (bits > 11) expect(chiSquare(counts, N)).toBeLessThan(160);
  });

  it("takes its bits from the stream as documented", () => {
    const words = new Uint32Array(6);
    fillWords(key, words);
    const wide = new Float64Array(3);
    fillUniform(key, wide, 53);
    for (let i = 0; i < 3; i++) {
      const bits = (BigInt(words[2 * i]! >>> 5) << 26n) | BigInt(words[2 * i + 1]! >>> 6);
      expect(wide[i]).toBe(Number(bits) / 2 ** 53);
    }
    const narrow = new Float32Array(5);
    fillUniform(key, narrow, 24);
    expect([...narrow]).toEqual([...words.subarray(0, 5)].map((word) => (word >>> 8) / 2 ** 24));
  });

  it("gives different keys different numbers", () => {
    const a = new Float64Array(8);
    const b = new Float64Array(8);
    fillUniform(key, a, 53);
    fillUniform(Int32Array.of(11, -21), b, 53);
    expect([...a]).not.toEqual([...b]);
  });
});

describe("fillNormal", () => {
  it.each(["f64", "f32"] as const)("%s has the moments and the quantiles of a normal variable", (precision) => {
    const x = precision === "f64" ? new Float64Array(N) : new Float32Array(N);
    fillNormal(key, x, precision);
    const { mean, variance, skew, kurtosis } = moments(x);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(N));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / N));
    expect(Math.abs(skew)).toBeLessThan(4 * Math.sqrt(6 / N));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / N));
    const deciles = [-1.2815515655446004, -0.8416212335729143, -0.5244005127080407, -0.2533471031357997, 0];
    const edges = [
      ...deciles,
      ...deciles
        .slice(0, 4)
        .reverse()
        .map((q) => -q),
    ];
    const counts = new Array<number>(10).fill(0);
    for (const value of x) counts[edges.filter((edge) => value >= edge).length]!++;
    expect(chiSquare(counts, N)).toBeLessThan(34);
  });
});

describe("fillNormal's uniform numbers", () => {
  it("are the middles of 2^52 or 2^32 steps, from the stream as documented", () => {
    const words = new Uint32Array(6);
    fillWords(key, words);
    const wide = new Float64Array(3);
    fillNormal(key, wide, "f64");
    for (let i = 0; i < 3; i++) {
      const bits = (BigInt(words[2 * i]! >>> 5) << 25n) | BigInt(words[2 * i + 1]! >>> 7);
      expect(wide[i]).toBe(inverseNormal((Number(bits) + 0.5) / 2 ** 52));
    }
    const narrow = new Float32Array(5);
    fillNormal(key, narrow, "f32");
    expect([...narrow]).toEqual([...words.subarray(0, 5)].map((word) => Math.fround(inverseNormal((word + 0.5) / 2 ** 32))));
  });
});

describe("fillBernoulli", () => {
  it("is 1 with probability p", () => {
    for (const p of [0, 0.1, 0.5, 0.93, 1]) {
      const x = new Uint8Array(N);
      fillBernoulli(key, x, p);
      const share = x.reduce((sum, value) => sum + value, 0) / N;
      expect(Math.abs(share - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / N));
    }
  });
});

describe("fillPermutation", () => {
  it("is a permutation", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(60), (seed, n) => {
        const order = new Int32Array(n);
        fillPermutation(Int32Array.of(seed, 1), order);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
      { seed: 4 },
    );
  });

  it("is that of its definition, which takes a block a place", () => {
    const pair = new Uint32Array(2);
    for (const n of [0, 1, 2, 3, 4, 61, 100]) {
      const wanted = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        threefry2x32(11, -22, i, 0, pair);
        const j = Math.floor(((pair[0]! >>> 5) * 2 ** 26 + (pair[1]! >>> 6)) * 2 ** -53 * (i + 1));
        [wanted[i], wanted[j]] = [wanted[j]!, wanted[i]!];
      }
      const order = new Int32Array(n);
      fillPermutation(key, order);
      expect([...order]).toEqual(wanted);
    }
  });

  it("gives all orders of four equal chances", () => {
    const counts = new Map<string, number>();
    const order = new Int32Array(4);
    const draws = 12_000;
    for (let i = 0; i < draws; i++) {
      fillPermutation(Int32Array.of(i, 5), order);
      counts.set(order.join(""), (counts.get(order.join("")) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: 56 has a chance of about 1e-4.
    expect(chiSquare([...counts.values()], draws)).toBeLessThan(56);
  });
});
