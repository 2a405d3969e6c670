import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { tensorFacts } from "../../studio/import/facts.ts";
import { isAboveThere, isBelowThere, isNaNThere } from "../../studio/tensors/not-finite.ts";

const { NaN: nan, POSITIVE_INFINITY: above, NEGATIVE_INFINITY: below } = Number;

test("NaN and each infinity are counted apart, in the histogram and in each block of the heat map", () => {
  const facts = tensorFacts(
    tensor(
      [
        [1, nan, above, below],
        [nan, -3, above, 2],
      ],
      "f32",
    ),
  );
  expect([facts.nan, facts.above, facts.below, facts.min, facts.max, facts.mean]).toEqual([2, 2, 1, -3, 2, 0]);
  expect(facts.bins.reduce((a, b) => a + b, 0)).toBe(3);
  expect([...facts.map!.bad]).toEqual([0, isNaNThere, isAboveThere, isBelowThere, isNaNThere, 0, isAboveThere, 0]);
  expect([...facts.map!.cells]).toEqual([1, 0, 0, 0, 0, -3, 0, 2]);
});

test("a block with both infinities is no NaN, and one bad number hides no other block", () => {
  const row = new Float64Array(128).fill(4);
  row[0] = above;
  row[1] = below;
  row[2] = nan;
  row[3] = above;
  const { map } = tensorFacts(tensor(row));
  expect(map!.columns).toBe(64);
  expect([...map!.bad.slice(0, 3)]).toEqual([isAboveThere | isBelowThere, isNaNThere | isAboveThere, 0]);
  expect(map!.cells[2]).toBe(4);
});

test("large numbers, no numbers and nothing finite have facts too", () => {
  const huge = tensorFacts(tensor(new Float64Array(200).fill(Number.MAX_VALUE)));
  expect(huge.mean).toBe(Number.MAX_VALUE);
  expect([...huge.map!.bad]).toEqual(Array(64).fill(0));
  expect(tensorFacts(tensor(new Float64Array(0))).map).toBe(null);
  const none = tensorFacts(tensor([nan, above]));
  expect([none.min, none.mean, none.bins]).toEqual([null, null, []]);
});
