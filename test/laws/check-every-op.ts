import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Broken, laws, lawsAt } from "./run-laws.ts";
import { leftOver, ops, samplerOf } from "./samplers.ts";

/** Tests that every op and composite keeps every law on `numRuns` drawn cases. */
export function checkEveryOp(numRuns: number, seed: number): void {
  const said: Record<string, number> = {};

  test("every export that takes operands has a sampler, and every sampler an export", () => {
    expect([...ops.keys()].filter((name) => samplerOf(name) === undefined)).toEqual([]);
    expect(leftOver).toEqual([]);
    expect(ops.size).toBeGreaterThan(100);
  });

  describe("the laws hold for", () => {
    for (const name of ops.keys()) {
      test(name, () => {
        let broken: Broken | null = null;
        const holds = fc.property(fc.noBias(fc.integer()), (at) => {
          broken = lawsAt(name, at, laws, said);
          return broken === null;
        });
        // A seed does not shrink to a smaller case, so the first one that fails is the report.
        fc.check(holds, { numRuns, seed, endOnFailure: true });
        expect(broken).toBeNull();
      });
    }
  });

  test("every law but that of decompositions, which ours do not declare, had something to say often", () => {
    const quiet = Object.keys(laws).filter((law) => law !== "lower = eval" && (said[law] ?? 0) < 10 * numRuns);
    expect(quiet).toEqual([]);
  });
}
