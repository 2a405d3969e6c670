import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  gatherElementsInto,
  gatherInto,
  gatherNDInto,
  type OutOfBounds,
  scatterAddInto,
  scatterElementsInto,
  scatterNDInto,
} from "../../../src/ops/kernels/gather.ts";
import { coordinates, flat, numbers, volume } from "./arbitrary.ts";

const fail: OutOfBounds = (index, position, size) => {
  throw new RangeError(`index ${index} at ${position} of ${size}`);
};

function indicesBelow(size: number, count: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: -size, max: size - 1 }), { minLength: count, maxLength: count });
}

const wrap = (index: number, size: number): number => (index + size) % size;
const layouts = fc.record({ outer: fc.nat(3), size: fc.integer({ min: 1, max: 4 }), inner: fc.constantFrom(1, 3, 40) });

describe("gather and scatterAdd", () => {
  const cases = layouts.chain((layout) => fc.record({ layout: fc.constant(layout), indices: indicesBelow(layout.size, 5) }));
  it("gather takes as np.take", () => {
    fc.assert(
      fc.property(cases, ({ layout: { outer, size, inner }, indices }) => {
        const x = numbers(outer * size * inner, 1);
        const dst = new Float64Array(outer * indices.length * inner);
        gatherInto(dst, x, { outer, size, inner }, Int32Array.from(indices), fail);
        const shape = [outer, indices.length, inner];
        const expected = coordinates(shape).map(([o, j, r]) => x[(o! * size + wrap(indices[j!]!, size)) * inner + r!]);
        expect([...dst]).toEqual(expected);
      }),
      { seed: 1 },
    );
  });
  it.each([Float64Array, Float32Array, Int32Array])("scatterAdd adds repeated indices (%o)", (Kind) => {
    fc.assert(
      fc.property(cases, ({ layout: { outer, size, inner }, indices }) => {
        const updates = Kind.from(numbers(outer * indices.length * inner, 2).map((v) => v * 100));
        const dst = new Kind(outer * size * inner).fill(7);
        scatterAddInto(dst, { outer, size, inner }, Int32Array.from(indices), updates, fail);
        const expected = new Float64Array(dst.length).fill(7);
        coordinates([outer, indices.length, inner]).forEach(([o, j, r], i) => {
          expected[(o! * size + wrap(indices[j!]!, size)) * inner + r!]! += updates[i]!;
        });
        expect([...dst]).toEqual([...Kind.from(expected)]);
      }),
      { seed: 2, numRuns: 50 },
    );
  });
});

describe("gatherElements and scatterElements", () => {
  const cases = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3)), { minLength: 1, maxLength: 3 })
    .chain((pairs) => fc.record({ pairs: fc.constant(pairs), axis: fc.nat(pairs.length - 1) }))
    .chain(({ pairs, axis }) => {
      const shape = pairs.map(([size]) => size);
      const indexShape = pairs.map(([size, cut], i) => (i === axis ? cut + 1 : Math.max(1, size - cut)));
      return fc.record({
        shape: fc.constant(shape),
        indexShape: fc.constant(indexShape),
        axis: fc.constant(axis),
        indices: indicesBelow(shape[axis]!, volume(indexShape)),
      });
    });
  const place = (shape: number[], axis: number, at: number[], index: number): number =>
    flat(
      shape,
      at.map((p, i) => (i === axis ? wrap(index, shape[axis]!) : p)),
    );

  it("take along an axis", () => {
    fc.assert(
      fc.property(cases, ({ shape, indexShape, axis, indices }) => {
        const x = numbers(volume(shape), 3);
        const dst = new Float64Array(indices.length);
        gatherElementsInto(dst, x, shape, axis, Int32Array.from(indices), indexShape, fail);
        expect([...dst]).toEqual(coordinates(indexShape).map((at, i) => x[place(shape, axis, at, indices[i]!)]));
      }),
      { seed: 3 },
    );
  });
  it.each(["none", "add"] as const)("put along an axis, reduction %s", (reduction) => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ shape, indexShape, axis, indices }, single) => {
        const updates = numbers(indices.length, 4);
        const dst = single ? new Float32Array(volume(shape)).fill(1) : new Float64Array(volume(shape)).fill(1);
        scatterElementsInto(dst, shape, axis, Int32Array.from(indices), updates, indexShape, reduction, fail);
        const expected = new Float64Array(dst.length).fill(1);
        coordinates(indexShape).forEach((at, i) => {
          const to = place(shape, axis, at, indices[i]!);
          expected[to] = (reduction === "add" ? expected[to]! : 0) + updates[i]!;
        });
        expect([...dst]).toEqual([...(single ? Float32Array.from(expected) : expected)]);
      }),
      { seed: 4 },
    );
  });
});

describe("gatherND and scatterND", () => {
  const cases = fc
    .record({
      batches: fc.integer({ min: 1, max: 2 }),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
      inner: fc.constantFrom(1, 2, 33),
      count: fc.nat(4),
    })
    .chain((layout) =>
      fc.record({
        layout: fc.constant(layout),
        indices: fc.tuple(
          ...Array.from({ length: layout.batches * layout.count }, () =>
            fc.tuple(...layout.sizes.map((size) => fc.integer({ min: -size, max: size - 1 }))),
          ),
        ),
      }),
    );
  type Case = { batches: number; sizes: number[]; inner: number; count: number };
  const start = (layout: Case, tuple: number[], i: number): number =>
    (Math.floor(i / layout.count) * volume(layout.sizes) +
      flat(
        layout.sizes,
        tuple.map((index, level) => wrap(index, layout.sizes[level]!)),
      )) *
    layout.inner;

  it("takes slices", () => {
    fc.assert(
      fc.property(cases, ({ layout, indices }) => {
        const x = numbers(layout.batches * volume(layout.sizes) * layout.inner, 5);
        const dst = new Float64Array(indices.length * layout.inner);
        gatherNDInto(dst, x, layout, Int32Array.from(indices.flat()), fail);
        expect([...dst]).toEqual(
          indices.flatMap((tuple, i) => [...x.subarray(start(layout, tuple, i), start(layout, tuple, i) + layout.inner)]),
        );
      }),
      { seed: 5 },
    );
  });
  it.each(["none", "add"] as const)("puts slices, reduction %s", (reduction) => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ layout, indices }, single) => {
        const size = layout.batches * volume(layout.sizes) * layout.inner;
        const updates = numbers(indices.length * layout.inner, 6);
        const dst = single ? new Float32Array(size).fill(1) : new Float64Array(size).fill(1);
        scatterNDInto(dst, layout, Int32Array.from(indices.flat()), updates, reduction, fail);
        const expected = new Float64Array(size).fill(1);
        indices.forEach((tuple, i) => {
          for (let r = 0; r < layout.inner; r++) {
            const to = start(layout, tuple, i) + r;
            expected[to] = (reduction === "add" ? expected[to]! : 0) + updates[i * layout.inner + r]!;
          }
        });
        expect([...dst]).toEqual([...(single ? Float32Array.from(expected) : expected)]);
      }),
      { seed: 6 },
    );
  });
});

describe("indices out of bounds", () => {
  const x = new Float64Array(6);
  const layout = { outer: 1, size: 3, inner: 2 };
  const slices = { batches: 1, sizes: [3, 2], inner: 1, count: 2 };
  it("are reported with index, position and size", () => {
    expect(() => gatherInto(new Float64Array(4), x, layout, Int32Array.of(0, 3), fail)).toThrow("index 3 at 1 of 3");
    expect(() => gatherInto(new Float64Array(2), x, layout, Int32Array.of(-4), fail)).toThrow("index -4 at 0 of 3");
    expect(() => scatterAddInto(x, layout, Float64Array.of(NaN), new Float64Array(2), fail)).toThrow("index NaN at 0 of 3");
    expect(() => gatherElementsInto(new Float64Array(2), x, [3, 2], 1, Int32Array.of(1, 2), [2, 1], fail)).toThrow("index 2 at 1 of 2");
    expect(() => scatterElementsInto(x, [3, 2], 0, Int32Array.of(-9), x, [1, 1], "add", fail)).toThrow("index -9 at 0 of 3");
    expect(() => gatherNDInto(new Float64Array(2), x, slices, Int32Array.of(0, 0, 1, 2), fail)).toThrow("index 2 at 3 of 2");
    expect(() => scatterNDInto(x, slices, Int32Array.of(0, 0, 5, 0), x, "none", fail)).toThrow("index 5 at 2 of 3");
  });
});
