import { describe, expect, test } from "vitest";
import { Meter } from "../../src/train/ranks/meter.ts";

/** Two ranks whose steps wait so long for sums, one after the other, and tell each other. */
function run(steps: readonly (readonly [number, number])[], followed: readonly (readonly [number, number])[] = []): Meter {
  const meters = [new Meter(), new Meter()];
  for (const [i, waits] of steps.entries()) {
    meters.forEach((meter, rank) => void meter.summed(waits[rank]!));
    const told = meters.map((meter) => meter.tell());
    for (const meter of meters)
      meter.hear(
        told.map(([summed]) => summed),
        told.map(([, after]) => after),
      );
    meters.forEach((meter, rank) => void (followed[i] !== undefined && meter.followed(followed[i][rank]!)));
  }
  expect(meters[1]!.result(2, [8])).toEqual(meters[0]!.result(2, [8]));
  return meters[0]!;
}
const apart = [
  [5, 4],
  [3, 4],
  [4, 9],
] as const;

describe("what ranks wait for", () => {
  test("is a message as far as the last one to come waits too, and a late rank beyond that", () => {
    // Messages take 3 ms. Then rank 1 is late by 10 ms, twice: it waits 1 ms for messages, rank 0 for rank 1 as well.
    expect(run([...apart, [11, 1], [11, 1]]).result(2, [8])).toEqual({
      ranks: 2,
      bytes: 8,
      buckets: 1,
      alone: 3,
      waited: 1,
      late: 5,
      hidden: 1 - 1 / 3,
    });
  });

  test("is not known before there was a step that overlaps, and never less than nothing is hidden", () => {
    expect(run(apart).result(2, [8])).toBeNull();
    expect(run([...apart, [9, 8]]).result(2, [8])).toMatchObject({ waited: 8, late: 0.5, hidden: 0 });
  });

  test("has the weights that are gathered after an update in it, which nothing hides", () => {
    const followed = [
      [2, 2],
      [2, 2],
      [2, 2],
      [2, 6],
      [2, 2],
    ] as const;
    // What follows the last step is told by nobody any more: of two later steps one has the wait of the third before it, the other that of the fourth.
    expect(run([...apart, [1, 1], [1, 1]], followed).result(2, [8])).toMatchObject({ alone: 5, waited: 3, late: 1 });
  });

  test("is hidden on one rank, where nothing is sent", () => {
    const meter = new Meter();
    for (let i = 0; i < 5; i++) {
      meter.summed(0);
      meter.hear([meter.tell()[0]], [meter.tell()[1]]);
    }
    expect(meter.result(1, [8])).toMatchObject({ alone: 0, waited: 0, late: 0, hidden: 1 });
  });
});
