import { expect, test } from "vitest";
import { nextBeat } from "../../../studio/train/next-beat.ts";

/** Frames of a screen, some late, and the times at which something was drawn in them. */
function drawn(frames: readonly number[], beat: number): number[] {
  const times: number[] = [];
  let due = 0;
  for (const now of frames) {
    if (now < due - 4) continue;
    times.push(now);
    due = nextBeat(due, beat, now + 3);
  }
  return times;
}

test("late frames cost no picture: thirty a second on a screen of sixty frames, whatever is late", () => {
  // Every seventh frame does not come, every fifth comes 6 ms late.
  const frames = Array.from({ length: 600 }, (_, i) => (1000 * i) / 60 + (i % 5 === 0 ? 6 : 0)).filter((_, i) => i % 7 !== 3);
  const times = drawn(frames, 1000 / 30);
  expect(times.length).toBeGreaterThanOrEqual(299);
  expect(times.length).toBeLessThanOrEqual(301);
  // In no second are there more than what was lost before it.
  for (const from of times) expect(times.filter((t) => t >= from && t < from + 1000).length).toBeLessThanOrEqual(33);
});

test("after a long stop the rhythm begins anew, without a burst", () => {
  const frames = [
    ...Array.from({ length: 60 }, (_, i) => (1000 * i) / 60),
    ...Array.from({ length: 60 }, (_, i) => 20_000 + (1000 * i) / 60),
  ];
  const late = drawn(frames, 1000 / 30).filter((t) => t >= 20_000);
  expect(late.length).toBeLessThanOrEqual(32);
  expect(late.length).toBeGreaterThanOrEqual(29);
});
