import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConvShape, convForward, convInputGradient, convWeightGradient } from "../../../src/ops/kernels/conv.ts";
import { coordinates, flat, numbers, volume } from "./arbitrary.ts";
import { windows } from "./windows.ts";

const cases: fc.Arbitrary<ConvShape> = fc
  .record({
    window: windows(false),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    inputs: fc.integer({ min: 1, max: 2 }),
    outputs: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ window, batch, groups, inputs, outputs }) => ({
    ...window,
    batch,
    groups,
    inChannels: groups * inputs,
    outChannels: groups * outputs,
  }));

function sizes(shape: ConvShape): { x: number; w: number; y: number } {
  return {
    x: shape.batch * shape.inChannels * volume(shape.input),
    w: (shape.outChannels * shape.inChannels * volume(shape.kernel)) / shape.groups,
    y: shape.batch * shape.outChannels * volume(shape.output),
  };
}

/** Visits every product of the definition: y[at] += w[weight] x[from]. */
function terms(shape: ConvShape, visit: (y: number, w: number, x: number) => void): void {
  const inputs = shape.inChannels / shape.groups;
  const outputs = shape.outChannels / shape.groups;
  for (let n = 0; n < shape.batch; n++)
    for (let o = 0; o < shape.outChannels; o++)
      for (const place of coordinates(shape.output))
        for (let c = 0; c < inputs; c++)
          for (const tap of coordinates(shape.kernel)) {
            const at = place.map((p, i) => p * shape.stride[i]! + tap[i]! * shape.dilation[i]! - shape.padding[i]!);
            if (at.some((p, i) => p < 0 || p >= shape.input[i]!)) continue;
            const channel = Math.floor(o / outputs) * inputs + c;
            visit(
              (n * shape.outChannels + o) * volume(shape.output) + flat(shape.output, place),
              (o * inputs + c) * volume(shape.kernel) + flat(shape.kernel, tap),
              (n * shape.inChannels + channel) * volume(shape.input) + flat(shape.input, at),
            );
          }
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  expect(worst).toBeLessThan(within);
}

function agree(shape: ConvShape): void {
  const size = sizes(shape);
  const [x, w, g] = [numbers(size.x, 1), numbers(size.w, 2), numbers(size.y, 3)];
  const [y, dx, dw] = [new Float64Array(size.y), new Float64Array(size.x), new Float64Array(size.w)];
  terms(shape, (at, weight, from) => {
    y[at]! += w[weight]! * x[from]!;
    dx[from]! += g[at]! * w[weight]!;
    dw[weight]! += g[at]! * x[from]!;
  });
  // Outputs start as NaN: every element must be written.
  const [ownY, ownX, ownW] = [y.map(() => NaN), dx.map(() => NaN), dw.map(() => NaN)];
  convForward(x, w, ownY, shape);
  convInputGradient(g, w, ownX, shape);
  convWeightGradient(g, x, ownW, shape);
  close(ownY, y, 1e-12);
  close(ownX, dx, 1e-12);
  close(ownW, dw, 1e-11);
}

describe("convolution", () => {
  it("and its two gradients agree with the definition for all attributes", () => {
    fc.assert(fc.property(cases, agree), { seed: 1, numRuns: process.env["CHAINRULE_FAST"] === "1" ? 60 : 300 });
  });

  it("crops by negative padding", () => {
    agree({
      batch: 1,
      groups: 1,
      inChannels: 1,
      outChannels: 1,
      input: [6],
      kernel: [2],
      output: [3],
      stride: [1],
      padding: [-1],
      dilation: [1],
    });
  });

  it("sums in double and rounds once for Float32Array", () => {
    const shape: ConvShape = {
      batch: 1,
      groups: 1,
      inChannels: 1,
      outChannels: 1,
      input: [3],
      kernel: [3],
      output: [1],
      stride: [1],
      padding: [0],
      dilation: [1],
    };
    const y = new Float32Array(1);
    convForward(Float32Array.of(1e8, 1, -1e8), Float32Array.of(1, 1, 1), y, shape);
    expect(y[0]).toBe(1);
    const dx = new Float32Array(3);
    convInputGradient(Float32Array.of(1e8, 1, -1e8), Float32Array.of(1, 1, 1), dx, { ...shape, output: [3], padding: [1] });
    expect([...dx]).toEqual([1e8, 1, -1e8 + 1].map(Math.fround));
  });

  it("of an empty batch writes nothing, and its weight gradient is zero", () => {
    const shape: ConvShape = {
      batch: 0,
      groups: 1,
      inChannels: 1,
      outChannels: 1,
      input: [3],
      kernel: [3],
      output: [1],
      stride: [1],
      padding: [0],
      dilation: [1],
    };
    const dw = new Float64Array(3).fill(NaN);
    convForward(new Float64Array(0), new Float64Array(3), new Float64Array(0), shape);
    convWeightGradient(new Float64Array(0), new Float64Array(0), dw, shape);
    expect([...dw]).toEqual([0, 0, 0]);
  });
});
