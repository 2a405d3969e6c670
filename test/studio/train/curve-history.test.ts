import { expect, test } from "vitest";
import { CurveHistory } from "../../../studio/train/curve-history.ts";

test("stays small however long it gets, and depends on the number of epochs alone", () => {
  const point = (epoch: number) => ({ epoch, train: 1 / epoch, test: 0, trainRight: 0, testRight: 0 });
  const history = new CurveHistory(100);
  for (let epoch = 0; epoch <= 12_345; epoch++) history.add(point(epoch));
  expect(history.points.length).toBeLessThan(100);
  expect(history.points.length).toBeGreaterThanOrEqual(49);
  expect(history.points.map(({ epoch }) => epoch)).toEqual(history.points.map((_, i) => i * history.stride));
  expect(history.last!.epoch).toBe(12_345);
});
