import { describe, expect, test, vi } from "vitest";
import { fillPermutation } from "../../src/random/fill.ts";
import { mostPlaces, orderModule, orderModuleBytes } from "../../src/random/order-module.ts";

const permutation = (key: Int32Array, size: number): Int32Array => {
  const order = new Int32Array(size);
  fillPermutation(key, order);
  return order;
};
/** Compared by hand: a matcher takes a microsecond for each element. */
const isSame = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
const keys = [Int32Array.of(0, 0), Int32Array.of(11, -22), Int32Array.of(-(2 ** 31), 2 ** 31 - 1), Int32Array.of(123456789, -1)];

describe("the module of orders", () => {
  test("writes the permutations that fillPermutation does, of every size near its vectors and of the largest", () => {
    const { memory, order } = orderModule()!;
    for (const key of keys)
      for (const size of [...Array.from({ length: 70 }, (_, i) => i + 2), 100, 1000, 4095, mostPlaces - 1, mostPlaces]) {
        order(key[0]!, key[1]!, size);
        expect(isSame(new Int32Array(memory.buffer, 0, size), permutation(key, size)), String(size)).toBe(true);
      }
  });

  test("is small enough for pages to compile at once", () => {
    expect(orderModuleBytes().length).toBeLessThan(4096);
  });
});

describe("fillOrder", () => {
  /** A fresh module: it counts what it was asked for. */
  const fresh = async (): Promise<(key: Int32Array, order: Int32Array) => void> => {
    vi.resetModules();
    return (await import("../../src/random/order.ts")).fillOrder;
  };
  /** How many modules are made while orders of so many places are filled, and whether all are right. */
  async function filled(sizes: readonly number[]): Promise<number> {
    const fillOrder = await fresh();
    const made = vi.spyOn(WebAssembly, "Module");
    try {
      for (const [i, size] of sizes.entries()) {
        const key = Int32Array.of(i, 7);
        const order = new Int32Array(size).fill(-1);
        fillOrder(key, order);
        expect(isSame(order, permutation(key, size)), String(size)).toBe(true);
      }
      return made.mock.calls.length;
    } finally {
      made.mockRestore();
    }
  }

  test("gives the same before a module is worth its time and after, sizes in any turn", async () => {
    expect(await filled(new Array<number>(600).fill(100))).toBe(0);
    expect(await filled(new Array<number>(700).fill(100))).toBe(1);
    expect(await filled([65536, 100, 33, 100, 31, 32, 0, 1, 2, 8192, 8193, 100, 8192])).toBe(1);
    expect(await filled([100_000, 10, 8193, 10])).toBe(0);
  });

  test("gives the same on hosts that compile nothing", async () => {
    const fillOrder = await fresh();
    vi.stubGlobal("WebAssembly", undefined);
    try {
      for (const size of [65536, 100, 64, 100]) {
        const order = new Int32Array(size);
        fillOrder(keys[1]!, order);
        expect(isSame(order, permutation(keys[1]!, size)), String(size)).toBe(true);
      }
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
