import { describe, expect, test } from "vitest";
import { evaluate, read, tensor } from "../../src/index.ts";
import { accuracy, classScores, confusionMatrix, perplexity, topK } from "../../src/train/metrics.ts";

const logits = tensor([
  [3, 1, 0],
  [0, 2, 1],
  [1, 1, 1],
  [0, 5, 4],
]);
const labels = tensor([0, 2, 1, 1], "i32");

describe("accuracy and topK", () => {
  test("count rows, and of equal logits the first", () => {
    expect(read(accuracy(logits, labels))).toBe(0.5);
    expect([1, 2, 3].map((k) => read(topK(logits, labels, { k })))).toEqual([0.5, 1, 1]);
    expect(read(topK(logits, tensor([1, 0, 2, 2], "i32"), { k: 2 }))).toBe(0.5);
  });

  test("accuracy leaves out what losses leave out", () => {
    expect(read(accuracy(logits, tensor([0, -1, 1, -1], "i32")))).toBe(0.5);
    expect(read(accuracy(logits, tensor([0, -1, -1, 1], "i32")))).toBe(1);
    expect(read(accuracy(logits, tensor([-1, -1, -1, -1], "i32")))).toBe(0);
  });

  test("refuse what are no logits and labels", () => {
    expect(() => accuracy(tensor([1, 2]), labels)).toThrow(
      "accuracy: logits are f64[2] and labels i32[4]; they are [rows, classes] and [rows]",
    );
    expect(() => topK(logits, labels, { k: 4 })).toThrow("topK: k is 4; it is a whole number from 1 to 3, the number of classes");
  });
});

describe("a confusion matrix", () => {
  test("has labels down and findings across, and gives scores of each class", () => {
    const table = evaluate(confusionMatrix(logits, labels));
    expect(table.type).toMatchObject({ dtype: "i32", shape: [3, 3] });
    expect([...table.data]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 0]);
    const scores = classScores(table);
    expect(scores.accuracy).toBe(0.5);
    expect(scores.recall).toEqual([1, 0.5, 0]);
    expect(scores.precision).toEqual([0.5, 0.5, Number.NaN]);
    expect(scores.f1).toEqual([2 / 3, 0.5, 0]);
    expect(() => classScores(tensor([1, 2]))).toThrow("classScores: the table is f64[2]; a confusion matrix is square");
  });
});

test("perplexity of guessing among 27 is 27", () => {
  expect(perplexity(Math.log(27))).toBeCloseTo(27, 12);
});
