import { expect, test } from "vitest";
import { importCycles } from "../scripts/layers.ts";

test("importCycles finds each cycle of a chain of 100,000 files without a stack overflow", () => {
  const graph = new Map<string, string[]>();
  for (let i = 0; i < 100_000; i++) graph.set(`f${i}`, [`f${i + 1}`]);
  expect(importCycles(graph)).toEqual([]);
  graph.set("f100000", ["f99999"]);
  expect(importCycles(graph)).toEqual([["f99999", "f100000", "f99999"]]);
});
