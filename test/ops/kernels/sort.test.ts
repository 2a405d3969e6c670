import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argMaxInto, argMinInto, sortInto, topKInto } from "../../../src/ops/kernels/sort.ts";
import { awkward } from "./arbitrary.ts";

/** Compares with NaN as the largest number. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The sorted positions of a line; Array.prototype.sort is stable. */
function order(line: number[], descending: boolean): number[] {
  return line.map((_, i) => i).sort((i, j) => (descending ? compare(line[j]!, line[i]!) : compare(line[i]!, line[j]!)));
}

const tables = fc
  .record({ outer: fc.nat(3), size: fc.integer({ min: 1, max: 70 }), inner: fc.integer({ min: 1, max: 3 }) })
  .chain((layout) =>
    fc.record({
      layout: fc.constant(layout),
      x: fc.array(awkward, {
        minLength: layout.outer * layout.size * layout.inner,
        maxLength: layout.outer * layout.size * layout.inner,
      }),
      flag: fc.boolean(),
      k: fc.nat(layout.size),
    }),
  );

type Layout = { outer: number; size: number; inner: number };

function eachLine(layout: Layout, x: number[], visit: (line: number[], o: number, r: number) => void): void {
  for (let o = 0; o < layout.outer; o++)
    for (let r = 0; r < layout.inner; r++)
      visit(
        Array.from({ length: layout.size }, (_, i) => x[(o * layout.size + i) * layout.inner + r]!),
        o,
        r,
      );
}

describe("sort, top-k and arg-extremes", () => {
  it("sort as a stable comparison sort, NaN largest", () => {
    fc.assert(
      fc.property(tables, ({ layout, x, flag }) => {
        const values = new Float64Array(x.length);
        const indices = new Int32Array(x.length);
        sortInto(Float64Array.from(x), layout, flag, values, indices);
        eachLine(layout, x, (line, o, r) => {
          const expected = order(line, flag);
          const at = expected.map((_, i) => (o * layout.size + i) * layout.inner + r);
          expect(at.map((i) => indices[i])).toEqual(expected);
          expect(at.map((i) => values[i])).toEqual(expected.map((i) => line[i]));
        });
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it("top-k is the beginning of the sort, for few and for many", () => {
    fc.assert(
      fc.property(tables, ({ layout, x, flag, k }) => {
        const values = new Float64Array(layout.outer * k * layout.inner);
        const indices = new Int32Array(values.length);
        topKInto(Float64Array.from(x), layout, k, flag, values, indices);
        eachLine(layout, x, (line, o, r) => {
          const expected = order(line, flag).slice(0, k);
          const at = expected.map((_, j) => (o * k + j) * layout.inner + r);
          expect(at.map((i) => indices[i])).toEqual(expected);
          expect(at.map((i) => values[i])).toEqual(expected.map((i) => line[i]));
        });
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("argMax and argMin take the first, and the first NaN before all", () => {
    fc.assert(
      fc.property(tables, ({ layout, x }) => {
        const largest = new Int32Array(layout.outer * layout.inner);
        const smallest = new Int32Array(layout.outer * layout.inner);
        argMaxInto(Float64Array.from(x), layout, largest);
        argMinInto(Float64Array.from(x), layout, smallest);
        eachLine(layout, x, (line, o, r) => {
          const nan = line.findIndex(Number.isNaN);
          expect(largest[o * layout.inner + r]).toBe(nan >= 0 ? nan : line.indexOf(Math.max(...line)));
          expect(smallest[o * layout.inner + r]).toBe(nan >= 0 ? nan : line.indexOf(Math.min(...line)));
        });
      }),
      { seed: 8, numRuns: 200 },
    );
  });

  it("sorts long lines of integers, already sorted and reversed ones too", () => {
    const n = 1000;
    for (const x of [Int32Array.from({ length: n }, (_, i) => i), Int32Array.from({ length: n }, (_, i) => (i * 7919) % n)]) {
      const values = new Int32Array(n);
      const indices = new Int32Array(n);
      sortInto(x, { outer: 1, size: n, inner: 1 }, true, values, indices);
      expect([...values]).toEqual(Array.from({ length: n }, (_, i) => n - 1 - i));
      expect(x[indices[3]!]).toBe(n - 4);
    }
  });
});
