import fc from "fast-check";
import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { plan } from "../../../src/engines/wasm/plan.ts";
import type { Value } from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";
import { differenceOn } from "./agree-on-graph.ts";
import { randomGraph } from "./random-graph.ts";

const engine = wasm();

test.each(["f64", "f32"] as const)("random graphs in %s, with their gradients, agree with the reference and run to run", (dtype) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(differenceOn(engine, seed, dtype)).toBeNull();
    }),
    { numRuns: 60, seed: 17 },
  );
});

test.each(["f64", "f32"] as const)("random graphs of many rows in %s agree, too", (dtype) => {
  for (let seed = 1; seed <= 12; seed++) expect(differenceOn(engine, seed, dtype, true)).toBeNull();
});

test("they reach steps that are run on some rows at a time, and results that take the place of what nobody reads any more", () => {
  let [rows, over] = [0, 0];
  for (let seed = 1; seed <= 16; seed++) {
    const { g } = randomGraph("f32", drawsFrom(seed), true);
    const [inputs, outputs] = [g.inputs, g.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [Value[], Value[]];
    const low = lowered(inputs, outputs);
    const { steps, buffers } = plan(low.inputs, low.outputs);
    rows += steps.filter((s) => s.kind === "rows").length;
    over += buffers.filter((b) => b.over !== null && b.over.place === "scratch" && b.offset === b.over.offset).length;
  }
  expect(rows).toBeGreaterThan(3);
  expect(over).toBeGreaterThan(10);
});
