import { expect, test } from "vitest";
import { digitImage } from "../../../studio/train/digit-image.ts";

const rows = (image: Float32Array): number[] =>
  Array.from({ length: 8 }, (_, r) => image.slice(8 * r, 8 * r + 8).reduce((a, b) => a + b, 0));
const columns = (image: Float32Array): number[] =>
  Array.from({ length: 8 }, (_, c) => Array.from({ length: 8 }, (_, r) => image[8 * r + c]!).reduce((a, b) => a + b, 0));

test("a digit fills the picture in height and stands in the middle, wherever and however large it was drawn", () => {
  const one = (x: number, top: number, bottom: number) =>
    digitImage([
      [
        [x, top],
        [x, (top + bottom) / 2],
        [x, bottom],
      ],
    ])!;
  const image = one(0.2, 0.1, 0.5);
  expect([...image]).toEqual([...one(0.8, 0.3, 0.95)]);
  expect(rows(image).every((ink) => ink > 0.4)).toBe(true);
  expect(columns(image).map((ink) => ink > 0)).toEqual([false, false, false, true, true, false, false, false]);
  expect(Math.max(...image)).toBeLessThanOrEqual(1);
});

test("an empty pad is nothing, and a dot stays small", () => {
  expect(digitImage([])).toBeNull();
  const dot = digitImage([[[0.5, 0.5]]])!;
  expect(dot.filter((v) => v > 0).length).toBeLessThan(10);
});
