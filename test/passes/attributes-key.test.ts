import { expect, test } from "vitest";
import { graph } from "../../src/index.ts";
import { attributesKey } from "../../src/passes/attributes-key.ts";

test("attributes that differ have different keys, whatever they hold", () => {
  const all = [{}, { a: 0 }, { a: -0 }, { a: Number.NaN }, { a: "#NaN" }, { a: Number.POSITIVE_INFINITY }, { a: null }, { a: undefined }, { a: [1, 2] }, { a: [[1], 2] }, { a: "1" }, { a: { b: true } }, { b: 0 }]; // biome-ignore format: a list
  const keys = all.map((x) => attributesKey(x));
  expect(keys.every((k) => k !== null)).toBe(true);
  expect(new Set(keys).size).toBe(all.length);
  expect(attributesKey({ a: [1, { b: 2 }] })).toBe(attributesKey({ a: [1, { b: 2 }] }));
});

test("functions, graphs and objects of classes have no key", () => {
  const g = graph({}, () => ({}));
  for (const x of [g, () => 0, new Map(), new Float64Array(2), Symbol.iterator, { deep: [new Date()] }])
    expect(attributesKey({ x })).toBe(null);
});
