import fc from "fast-check";
import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { wasm } from "../../../src/wasm.ts";
import { differenceOn } from "./agree-on-graph.ts";
import { wholeDifference } from "./random-whole-graph.ts";

/** Other graphs with CHAINRULE_SEED. */
const given = process.env["CHAINRULE_SEED"];

test.each(["f64", "f32"] as const)(
  "three thousand random graphs in %s agree with the reference and run to run",
  (dtype) => {
    const engine = wasm();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(differenceOn(engine, seed, dtype)).toBeNull();
      }),
      { numRuns: 3000, seed: Number(given ?? 5) },
    );
  },
  1_200_000,
);

test.each(["f64", "f32"] as const)(
  "a thousand random graphs of many rows in %s agree with the reference and run to run",
  (dtype) => {
    const engine = wasm();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(differenceOn(engine, seed, dtype, true)).toBeNull();
      }),
      { numRuns: 1000, seed: Number(given ?? 23) },
    );
  },
  2_400_000,
);

test("twenty thousand random graphs of whole numbers of every dtype have the bits of the reference", () => {
  const [engine, seen] = [wasm(), { values: 0, errors: 0 }];
  const first = Number(given ?? 1);
  for (let seed = first; seed < first + 20_000; seed++) {
    const apart = wholeDifference(engine, drawsFrom(Math.imul(seed, 2654435761) | 0), seen);
    expect(apart && `seed ${seed}: ${apart}`).toBeNull();
  }
  expect(seen.values).toBeGreaterThan(10_000);
}, 1_200_000);
