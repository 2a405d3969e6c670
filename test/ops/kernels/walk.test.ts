import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stridesOf } from "../../../src/ir/shape.ts";
import { axisLayout, copyStrided, joinAxes, offsetsOf } from "../../../src/ops/kernels/walk.ts";
import { coordinates, numbers, shapes, volume } from "./arbitrary.ts";

/** A view of an array of `shape`: its axes in another order, some turned round, some repeated. */
const views = shapes(4, 5).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    order: fc.shuffledSubarray(
      shape.map((_, i) => i),
      { minLength: shape.length, maxLength: shape.length },
    ),
    kind: fc.array(fc.constantFrom("plain", "flip", "repeat"), { minLength: shape.length, maxLength: shape.length }),
  }),
);

describe("walks", () => {
  it("copyStrided and offsetsOf read every view element by element", () => {
    fc.assert(
      fc.property(views, ({ shape, order, kind }) => {
        const own = stridesOf(shape);
        const src = numbers(volume(shape), 3);
        let offset = 0;
        const strides = order.map((axis) => {
          if (kind[axis] === "repeat") return 0;
          if (kind[axis] === "plain") return own[axis]!;
          offset += own[axis]! * Math.max(0, shape[axis]! - 1);
          return -own[axis]!;
        });
        const sizes = order.map((axis) => shape[axis]!);
        const expected = coordinates(sizes).map((at) => offset + at.reduce((sum, place, axis) => sum + place * strides[axis]!, 0));
        expect([...offsetsOf(sizes, strides)].map((o) => o + offset)).toEqual(expected);
        const dst = new Float64Array(volume(sizes));
        copyStrided(src, strides, offset, dst, sizes);
        expect([...dst]).toEqual(expected.map((o) => src[o]));
        // And the other way: scattered to where it came from, unless places repeat.
        if (!kind.some((k, axis) => k === "repeat" && shape[axis]! > 1)) {
          const back = new Float64Array(src.length);
          copyStrided(dst, stridesOf(sizes), 0, back, sizes, strides, offset);
          expect([...back]).toEqual([...src]);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("copies long runs, fills and converts", () => {
    const src = numbers(200, 1);
    const dst = new Float32Array(400);
    copyStrided(src, [0, 1], 0, dst, [2, 200]);
    expect([...dst]).toEqual([...src, ...src].map(Math.fround));
    const filled = new Int32Array(100);
    copyStrided(Float64Array.of(2.5), [0], 0, filled, [100]);
    expect([...filled]).toEqual(new Array(100).fill(2));
  });

  it("joinAxes makes one axis of what is walked evenly", () => {
    expect(joinAxes([2, 3, 1, 4], [[12, 4, 7, 1]])).toEqual({ sizes: [24], strides: [[1]] });
    expect(
      joinAxes(
        [2, 3, 4],
        [
          [12, 4, 1],
          [0, 4, 1],
        ],
      ),
    ).toEqual({
      sizes: [2, 12],
      strides: [
        [12, 1],
        [0, 1],
      ],
    });
    expect(joinAxes([], [[]]).sizes).toEqual([1]);
  });

  it("axisLayout splits a shape at an axis", () => {
    expect(axisLayout([2, 3, 4, 5], 2)).toEqual({ outer: 6, size: 4, inner: 5 });
  });
});
