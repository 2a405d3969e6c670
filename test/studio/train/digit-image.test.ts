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

test("narrow, wide and slanted digits come out as the data set has them: about half as wide as high, and upright", () => {
  const zero = (width: number, lean: number) =>
    digitImage([
      Array.from({ length: 25 }, (_, i) => {
        const [x, y] = [Math.cos((Math.PI * i) / 12), Math.sin((Math.PI * i) / 12)];
        return [0.5 + 0.2 * width * x - 0.2 * lean * y, 0.5 + 0.3 * y] as const;
      }),
    ])!;
  const plain = zero(1, 0);
  expect(columns(plain).map((ink) => ink > 0.2)).toEqual([false, true, true, true, true, true, true, false]);
  const apart = (image: Float32Array): number => image.reduce((most, v, i) => Math.max(most, Math.abs(v - plain[i]!)), 0);
  expect(apart(zero(0.6, 0))).toBeLessThan(0.2);
  expect(apart(zero(1.8, 0))).toBeLessThan(0.2);
  // Of a slant a third stays, which moves ink by less than half a block.
  expect(apart(zero(1, 0.6))).toBeLessThan(0.7);
  // About as much ink as the data set's digits, whose mean is 0.305.
  expect(plain.reduce((a, b) => a + b, 0) / 64).toBeGreaterThan(0.22);
  expect(plain.reduce((a, b) => a + b, 0) / 64).toBeLessThan(0.36);
});
