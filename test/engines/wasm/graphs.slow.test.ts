import fc from "fast-check";
import { expect, test } from "vitest";
import { wasm } from "../../../src/wasm.ts";
import { differenceOn } from "./agree-on-graph.ts";

const engine = wasm();

test.each(["f64", "f32"] as const)("random graphs in %s, with their gradients, agree with the reference and run to run", (dtype) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(differenceOn(engine, seed, dtype)).toBeNull();
    }),
    { numRuns: 60, seed: 17 },
  );
});
