import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearestName } from "../../src/notation/nearest.ts";

test.each([
  ["sofmax", "softmax"],
  ["sigmiod", "sigmoid"],
  ["ReLU", "relu"],
  ["logsoftmax", "logSoftmax"],
  ["maximun", "maximum"],
  ["zzz", undefined],
  ["x", undefined],
  ["si", "sin"],
  ["meen", "mean"],
  ["가중지", "가중치"],
  ["a".repeat(41), undefined],
])("%s -> %s", (name, nearest) => {
  expect(nearestName(name, ["softmax", "sigmoid", "relu", "logSoftmax", "maximum", "sin", "mean", "y", "가중치", "a".repeat(40)])).toBe(
    nearest,
  );
});

test("the distance is a metric's: 0 only for the same, symmetric, one for one edit or swap", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(editDistance(a, `${a}z`)).toBe(1);
    }),
    { seed: 1 },
  );
  expect([editDistance("ab", "ba"), editDistance("kitten", "sitting"), editDistance("abcd", "acbd"), editDistance("", "abc")]).toEqual([
    1, 3, 1, 3,
  ]);
});
