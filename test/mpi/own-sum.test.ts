import { expect, test } from "vitest";
import { partsOf, stepsAround } from "../../src/mpi/own-sum.ts";

test.each([2, 3, 4, 5, 8])("steps around %i ranks leave the sum of all on each, and no rank waits for what nobody sends", (ranks) => {
  for (const count of [1, 15, 16, 17, 1000]) {
    const starts = partsOf(count, ranks, 4);
    expect([starts[0], starts.at(-1)]).toEqual([0, count]);
    const all = Array.from({ length: ranks }, (_, r) => Float64Array.from({ length: count }, (_, i) => (r + 1) * (i + 1)));
    const steps = all.map((_, r) => stepsAround(r, starts));
    for (let t = 0; t < steps[0]!.length; t++) {
      const sent = steps.map((own, r) => all[r]!.slice(own[t]!.sent, own[t]!.sent + own[t]!.sentCount));
      for (const [r, own] of steps.entries()) {
        const { from, got, gotCount, adds } = own[t]!;
        expect(steps[from]![t]!.to).toBe(r);
        expect(sent[from]).toHaveLength(gotCount);
        for (let i = 0; i < gotCount; i++) all[r]![got + i] = sent[from]![i]! + (adds ? all[r]![got + i]! : 0);
      }
    }
    const factor = (ranks * (ranks + 1)) / 2;
    for (const own of all) expect([...own]).toEqual(Array.from({ length: count }, (_, i) => factor * (i + 1)));
  }
});

test("each element is added up on one rank alone, and parts begin at whole lines of the cache", () => {
  const starts = partsOf(1000, 4, 4);
  expect(starts).toEqual([0, 256, 512, 752, 1000]);
  const added = [0, 1, 2, 3].flatMap((r) =>
    stepsAround(r, starts)
      .slice(0, 3)
      .filter(({ adds }) => adds)
      .slice(-1),
  );
  expect(added.map(({ got }) => got).sort((a, b) => a - b)).toEqual(starts.slice(0, 4));
});
