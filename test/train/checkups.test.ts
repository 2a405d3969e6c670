import { expect, test } from "vitest";
import { Checkups } from "../../src/train/checkups.ts";

test("checkups come out as they went in, and those of a checkpoint take the place of all before", () => {
  const checkups = new Checkups();
  expect(checkups.all()).toEqual([]);
  const first = { step: 3, epoch: 1, loss: 0.5, metrics: { accuracy: 0.25 } };
  const second = { step: 6, epoch: 2, loss: Number.NaN, metrics: {} };
  for (const { step, epoch, loss, metrics } of [first, second]) checkups.add(step, epoch, loss, metrics);
  const all = checkups.all();
  expect(all).toEqual([first, second]);
  checkups.load([second]);
  checkups.add(9, 3, 0.125, {});
  expect(checkups.all()).toEqual([second, { step: 9, epoch: 3, loss: 0.125, metrics: {} }]);
  expect(all).toEqual([first, second]);
  expect(JSON.stringify(checkups.all()[1])).toBe('{"step":9,"epoch":3,"loss":0.125,"metrics":{}}');
});
