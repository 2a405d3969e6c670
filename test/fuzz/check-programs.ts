import fc from "fast-check";
import { expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import { faultOf, programLaws } from "./program-laws.ts";
import { randomProgram } from "./random-program.ts";

/** Tests that random programs keep every law. */
export function checkPrograms(numRuns: number, seed: number, most: number): void {
  test(`${numRuns} random programs of up to ${most} lines keep every law, seed ${seed}`, () => {
    const used = new Map<string, number>();
    const said: Record<string, number> = {};
    let lines = 0;
    const holds = fc.property(fc.noBias(fc.integer()), (at) => {
      const d = drawsFrom(at);
      const program = randomProgram(d, d.whole(3, most), d.fraction() < 0.5);
      for (const name of program.used) used.set(name, (used.get(name) ?? 0) + 1);
      lines += program.text.split("\n").length - 2;
      const fault = faultOf(program, at, said);
      if (fault !== null) throw new Error(`seed ${at}: ${fault}`);
    });
    // A seed does not shrink to a smaller program, so the first that fails is the report.
    fc.assert(holds, { numRuns, seed, endOnFailure: true });
    expect(Object.keys(programLaws).filter((law) => (said[law] ?? 0) < 0.9 * numRuns)).toEqual([]);
    expect(lines / numRuns).toBeGreaterThan(most / 3);
    expect(used.size).toBeGreaterThan(numRuns >= 50 ? 45 : 25);
  });
}
