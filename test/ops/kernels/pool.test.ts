import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AveragePoolShape,
  averagePoolForward,
  averagePoolInputGradient,
  maxPoolForward,
  maxPoolInputGradient,
  type PoolShape,
} from "../../../src/ops/kernels/pool.ts";
import { awkward, coordinates, flat, numbers, volume } from "./arbitrary.ts";
import { windows } from "./windows.ts";

/** The positions in the padded input that the window at `place` sees. */
function taps(shape: PoolShape, place: number[]): number[][] {
  return coordinates(shape.kernel).map((tap) =>
    tap.map((t, i) => place[i]! * shape.stride[i]! + t * shape.dilation[i]! - shape.padding[i]!),
  );
}

function inside(shape: PoolShape, at: number[]): boolean {
  return at.every((p, i) => p >= 0 && p < shape.input[i]!);
}

const bools = fc.boolean();
const windowsOfEither = bools.chain((ceil) => windows(ceil));

describe("max pooling", () => {
  it("finds the first largest element and its position, NaN before all", () => {
    const cases = fc.record({ window: windowsOfEither, planes: fc.integer({ min: 1, max: 3 }) }).chain(({ window, planes }) =>
      fc.record({
        shape: fc.constant({ ...window, planes }),
        x: fc.array(awkward, { minLength: planes * volume(window.input), maxLength: planes * volume(window.input) }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ shape, x }) => {
        const count = shape.planes * volume(shape.output);
        const values = new Float64Array(count);
        const indices = new Int32Array(count);
        maxPoolForward(Float64Array.from(x), values, indices, shape);
        let i = 0;
        for (let plane = 0; plane < shape.planes; plane++)
          for (const place of coordinates(shape.output)) {
            const seen = taps(shape, place)
              .filter((at) => inside(shape, at))
              .map((at) => plane * volume(shape.input) + flat(shape.input, at));
            const elements = seen.map((at) => x[at]!);
            const nan = elements.findIndex(Number.isNaN);
            const best = nan >= 0 ? nan : elements.indexOf(Math.max(...elements));
            expect(indices[i]).toBe(seen[best] ?? -1);
            expect(values[i]).toBe(elements[best] ?? -Infinity);
            i++;
          }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("passes the gradient to the element that won, summed over overlapping windows", () => {
    const dx = new Float32Array(4).fill(9);
    maxPoolInputGradient(Float32Array.of(1, 2, 4, 8), Int32Array.of(2, 2, -1, 0), dx);
    expect([...dx]).toEqual([8, 0, 3, 0]);
  });
});

describe("average pooling", () => {
  const cases = fc.record({ window: windowsOfEither, planes: fc.integer({ min: 1, max: 2 }), countIncludePad: bools });

  it("divides as PyTorch does, and its transpose spreads as it gathers", () => {
    fc.assert(
      fc.property(cases, ({ window, planes, countIncludePad }) => {
        const shape: AveragePoolShape = { ...window, planes, countIncludePad };
        const x = numbers(planes * volume(shape.input), 1);
        const g = numbers(planes * volume(shape.output), 2);
        const y: number[] = [];
        const dx = new Float64Array(x.length);
        for (let plane = 0; plane < planes; plane++)
          for (const place of coordinates(shape.output)) {
            const all = taps(shape, place);
            const real = all.filter((at) => inside(shape, at));
            const padded = all.filter((at) => at.every((p, i) => p >= -shape.padding[i]! && p < shape.input[i]! + shape.paddingHigh[i]!));
            const divisor = countIncludePad ? padded.length : real.length;
            let sum = 0;
            for (const at of real) {
              const from = plane * volume(shape.input) + flat(shape.input, at);
              sum += x[from]!;
              dx[from]! += g[y.length]! / divisor;
            }
            y.push(real.length === 0 ? 0 : sum / divisor);
          }
        const own = new Float64Array(y.length).fill(NaN);
        averagePoolForward(x, own, shape);
        expect([...own].map((v) => v + 0)).toEqual(y.map((v) => v + 0));
        const ownX = new Float64Array(x.length).fill(NaN);
        averagePoolInputGradient(g, ownX, shape);
        expect([...ownX]).toEqual([...dx]);
        const single = new Float32Array(x.length).fill(NaN);
        averagePoolInputGradient(g, single, shape);
        expect([...single]).toEqual([...Float32Array.from(dx)]);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("in ceil mode leaves what lies beyond the padding out of the divisor", () => {
    // torch.nn.functional.avg_pool1d(torch.tensor([[1., 2, 3, 4]]), 3, 2, 1, ceil_mode=True): the last window covers 4 and the padding.
    const y = new Float64Array(3);
    const shape = { planes: 1, input: [4], kernel: [3], output: [3], stride: [2], padding: [1], paddingHigh: [1], dilation: [1] };
    averagePoolForward(Float64Array.of(1, 2, 3, 4), y, { ...shape, countIncludePad: true });
    expect([...y]).toEqual([1, 3, 2]);
    averagePoolForward(Float64Array.of(1, 2, 3, 4), y, { ...shape, countIncludePad: false });
    expect([...y]).toEqual([1.5, 3, 4]);
  });
});
