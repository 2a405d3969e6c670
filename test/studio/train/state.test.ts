import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultTrain, limits, readTrain } from "../../../studio/train/state.ts";

test("reads what it wrote", () => {
  const settings = {
    ...defaultTrain,
    data: "draw",
    drawn: [[1, -2, 0]],
    layers: [],
    features: ["x1", "sin(x2)"],
    rate: 1e-9,
    pace: "full",
  } as const;
  expect(readTrain(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});

test("replaces what does not fit and keeps what does", () => {
  const read = readTrain({
    data: "<script>",
    layers: [4, 1e9],
    rate: Number.NaN,
    seed: -1,
    batch: 2.5,
    noise: "12",
    features: ["x2", "x1", "x1", "x3"],
    drawn: [[0, 0, 2]],
    csv: "a".repeat(limits.csv + 1),
    penalty: "l1",
    extra: true,
  });
  expect(read).toEqual({ ...defaultTrain, penalty: "l1" });
  expect(readTrain({ layers: Array(65).fill(1) }).layers).toEqual(defaultTrain.layers);
  expect(readTrain({ layers: Array(64).fill(1) }).layers).toHaveLength(64);
  expect(readTrain({ features: [] }).features).toEqual(defaultTrain.features);
  expect(readTrain({ features: ["x2", "x1"] }).features).toEqual(["x1", "x2"]);
});

test("gives a state that it reads the same again, of anything at all", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.record({ layers: fc.anything(), drawn: fc.anything(), rate: fc.double(), seed: fc.integer() })),
      (given) => {
        const read = readTrain(given);
        expect(readTrain(read)).toEqual(read);
      },
    ),
    { seed: 8, numRuns: 300 },
  );
});
