import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stridesOf } from "../../../src/ir/shape.ts";
import { type Reduction, reduceStrided } from "../../../src/ops/kernels/reduce.ts";
import { awkward, coordinates, flat, numbers, shapes, volume } from "./arbitrary.ts";

const fold: Record<Reduction, (xs: number[]) => number> = {
  sum: (xs) => xs.reduce((a, b) => a + b, 0),
  prod: (xs) => xs.reduce((a, b) => a * b, 1),
  max: (xs) => Math.max(...xs),
  min: (xs) => Math.min(...xs),
};

describe("reduceStrided", () => {
  it.each(["sum", "prod", "max", "min"] as const)("%s agrees with the definition over any axes, row-major or transposed", (kind) => {
    const cases = shapes(4, 4).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axes: fc.subarray(shape.map((_, i) => i)),
        data: fc.array(awkward, { minLength: volume(shape), maxLength: volume(shape) }),
        turned: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(cases, ({ shape, axes, data, turned }) => {
        const strides = turned ? stridesOf([...shape].reverse()).reverse() : stridesOf(shape);
        const kept = shape.filter((_, axis) => !axes.includes(axis));
        const groups = new Map<number, number[]>(coordinates(kept).map((at) => [flat(kept, at), []]));
        for (const at of coordinates(shape)) {
          const place = flat(
            kept,
            at.filter((_, axis) => !axes.includes(axis)),
          );
          groups.get(place)!.push(data[at.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!);
        }
        const dst = new Float64Array(volume(kept));
        reduceStrided(kind, Float64Array.from(data), shape, axes, dst, turned ? strides : undefined);
        expect([...dst].map((x) => x + 0)).toEqual([...groups.values()].map((xs) => fold[kind](xs) + 0));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it("sums long runs pairwise, in double also for Float32Array", () => {
    const n = 100_003;
    const tenth = new Float64Array(n).fill(0.1);
    const total = new Float64Array(1);
    reduceStrided("sum", tenth, [n], [0], total);
    expect(Math.abs(total[0]! - n * 0.1)).toBeLessThan(1e-10);
    const rounded = new Float32Array(1);
    reduceStrided("sum", Float32Array.from(tenth), [n], [0], rounded);
    expect(rounded[0]).toBe(Math.fround(n * Math.fround(0.1)));
  });

  it("covers every length around the pairwise leaves", () => {
    for (const n of [1, 127, 128, 129, 255, 256, 257, 300, 511, 1000]) {
      const total = new Float64Array(1);
      reduceStrided(
        "sum",
        Int32Array.from({ length: n }, (_, i) => i * i),
        [n],
        [0],
        total,
      );
      expect(total[0]).toBe(((n - 1) * n * (2 * n - 1)) / 6);
    }
  });

  it("reads a view from an offset", () => {
    const dst = new Float64Array(2);
    reduceStrided("max", numbers(6, 1).fill(9, 0, 1), [2, 2], [1], dst, [-2, 1], 4);
    const x = numbers(6, 1);
    expect([...dst]).toEqual([Math.max(x[4]!, x[5]!), Math.max(x[2]!, x[3]!)]);
  });
});
