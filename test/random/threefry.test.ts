import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillWords, foldName, foldNumber, keyOfSeed, splitKey, threefry2x32 } from "../../src/random/threefry.ts";
import { fixture } from "../reference/fixture.ts";

interface Vector {
  readonly rounds: number;
  readonly counter: readonly [number, number];
  readonly key: readonly [number, number];
  readonly result: readonly [number, number];
  readonly source: string;
}

function block(key: [number, number], counter: [number, number]): string {
  const out = new Uint32Array(3);
  threefry2x32(...key, ...counter, out, 1);
  return `${out[1]!.toString(16)} ${out[2]!.toString(16)}`;
}

function keyBy(write: (key: Int32Array) => void): string {
  const key = new Int32Array(2);
  write(key);
  return `${key[0]} ${key[1]}`;
}

const seven = Int32Array.of(0, 7);

describe("threefry2x32", () => {
  it("gives Random123's known answers", () => {
    const ones = 0xffffffff;
    expect(block([0, 0], [0, 0])).toBe("6b200159 99ba4efe");
    expect(block([ones, ones], [ones, ones])).toBe("1cb996fc bb002be7");
    expect(block([-1, -1], [-1, -1])).toBe("1cb996fc bb002be7");
    expect(block([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toBe("c4923a9c 483df7a0");
  });

  it("gives every vector of 20 rounds in the fixture, those published with Random123 and those computed by another implementation", () => {
    const vectors = fixture<Vector>("threefry").cases.filter(({ rounds }) => rounds === 20);
    expect(vectors.filter(({ source }) => source.includes("kat_vectors")).length).toBe(3);
    expect(vectors.length).toBe(35);
    for (const { key, counter, result } of vectors) expect(block([...key], [...counter])).toBe(result.map((w) => w.toString(16)).join(" "));
  });

  it("streams: a longer one begins with the shorter one", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.nat(40), fc.nat(40), (a, b, short, more) => {
        const key = Int32Array.of(a, b);
        const head = new Uint32Array(short);
        const whole = new Uint32Array(short + more);
        fillWords(key, head);
        fillWords(key, whole);
        expect([...whole.subarray(0, short)]).toEqual([...head]);
      }),
      { seed: 1 },
    );
  });

  it("streams the blocks in order", () => {
    const words = new Uint32Array(5);
    fillWords(Int32Array.of(3, -4), words);
    expect(block([3, -4], [1, 0])).toBe(`${words[2]!.toString(16)} ${words[3]!.toString(16)}`);
    expect(block([3, -4], [2, 0]).split(" ")[0]).toBe(words[4]!.toString(16));
  });
});

describe("keys", () => {
  it("of seeds hold their 64 bits", () => {
    expect(keyBy((key) => keyOfSeed(7, key))).toBe("0 7");
    expect(keyBy((key) => keyOfSeed(-1, key))).toBe("-1 -1");
    expect(keyBy((key) => keyOfSeed(2 ** 40 + 5, key))).toBe("256 5");
    expect(keyBy((key) => keyOfSeed(0xffffffff, key))).toBe("0 -1");
  });

  it("that come of splits, numbers and names all differ, and from the words drawn", () => {
    const seen = new Set<string>();
    const keys = new Int32Array(2 * 100);
    splitKey(seven, 100, keys);
    for (let i = 0; i < 100; i++) seen.add(`${keys[2 * i]} ${keys[2 * i + 1]}`);
    for (let i = -50; i < 50; i++) seen.add(keyBy((key) => foldNumber(seven, i, key)));
    for (let i = 1; i <= 50; i++) seen.add(keyBy((key) => foldNumber(seven, i * 2 ** 32, key)));
    const names = ["", "a", "b", "ab", "ba", "a\0", "layer1", "layer2", "layer12"];
    for (const name of names) seen.add(keyBy((key) => foldName(seven, name, key)));
    const words = new Int32Array(200);
    fillWords(seven, new Uint32Array(words.buffer));
    for (let i = 0; i < 100; i++) seen.add(`${words[2 * i]} ${words[2 * i + 1]}`);
    expect(seen.size).toBe(100 + 100 + 50 + names.length + 100);
  });

  it("split alike whatever the count", () => {
    const few = new Int32Array(4);
    const many = new Int32Array(20);
    splitKey(seven, 2, few);
    splitKey(seven, 10, many);
    expect([...many.subarray(0, 4)]).toEqual([...few]);
  });

  it("stay as they are from one version to the next", () => {
    expect(keyBy((key) => foldName(seven, "layer1", key))).toMatchInlineSnapshot(`"-2146460206 -1285351111"`);
    expect(keyBy((key) => foldNumber(seven, -3, key))).toMatchInlineSnapshot(`"-1703489330 837474865"`);
    expect(keyBy((key) => splitKey(seven, 1, key))).toMatchInlineSnapshot(`"-1450435635 -698391940"`);
  });
});
