import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { wasm } from "../../../src/wasm.ts";
import { wholeDifference } from "./random-whole-graph.ts";

test("random graphs of whole numbers of every dtype have the bits of the reference, and fail where it does", () => {
  const [engine, seen] = [wasm(), { values: 0, errors: 0 }];
  for (let seed = 1; seed <= 400; seed++) {
    const apart = wholeDifference(engine, drawsFrom(Math.imul(seed, 2654435761) | 0), seen);
    expect(apart && `seed ${seed}: ${apart}`).toBeNull();
  }
  expect(seen.values).toBeGreaterThan(200);
  expect(seen.errors).toBeGreaterThan(20);
});
