import { expect, test } from "vitest";
import { compile, conv, evaluate, f32, f64, graph, mul, random, reference, sum, type Value, valueAndGrad } from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";
import { firstApart, roomFor } from "./tolerances.ts";

/** Batch, channels, sizes of the planes, of the window, padding before and behind each axis, dilation, stride; whether it is one loop. */
const cases = [
  [2, 4, [7, 11], [3, 3], [[0, 0], [0, 0]], 1, 1, true],
  [1, 5, [8, 9], [3, 3], [[1, 1], [1, 1]], 1, 1, true],
  [3, 7, [6, 13], [5, 2], [[2, 0], [1, 1]], 1, 1, true],
  [1, 4, [9, 9], [3, 3], [[2, 2], [2, 2]], 2, 1, true],
  [2, 6, [19], [4], [[3, 1]], 1, 1, true],
  [1, 4, [4, 5, 6], [2, 3, 1], [[0, 1], [1, 1], [0, 0]], 1, 1, true],
  [1, 4, [1, 1], [1, 1], [[0, 0], [0, 0]], 1, 1, true],
  [0, 4, [5, 5], [3, 3], [[1, 1], [1, 1]], 1, 1, false],
  [1, 4, [5, 5], [3, 3], [[3, 4], [4, 3]], 1, 1, false],
  [1, 4, [9, 9], [3, 3], [[1, 1], [1, 1]], 1, 2, false],
  [1, 3, [9, 9], [3, 3], [[1, 1], [1, 1]], 1, 1, false],
] as const; // biome-ignore format: a table

test.each(cases)("a window of its own for each channel, and both gradients, are the reference's: %i, %i, %j", async (...given) => {
  const [batch, channels, planes, window, padding, dilation, stride, direct] = given;
  const attrs = { padding, dilation, stride, groups: channels };
  for (const dtype of ["f32", "f64"] as const) {
    const type = dtype === "f32" ? f32 : f64;
    const x = evaluate(random.normal(random.key(1), type(batch, channels, ...planes)));
    const w = evaluate(random.normal(random.key(2), type(channels, 1, ...window)));
    const step = graph({ x: x.type, w: w.type }, ({ x, w }) => {
      const loss = (p: { x: Value; w: Value }): Value => {
        const y = conv(p.x, p.w, attrs as never);
        return sum(mul(y, mul(y, 0.5)));
      };
      return { y: conv(x, w, attrs as never), ...valueAndGrad(loss)({ x, w }).grad };
    });
    const want = (await compile(step, reference())).run({ x, w });
    const program = await compile(step, wasm());
    const got = program.run({ x, w });
    const { steps } = program.profile({ x, w }, { rounds: 1 });
    if (batch > 0) expect(steps.some((s) => s.kind === "convolution")).toBe(!direct);
    for (const key of ["y", "x", "w"] as const) {
      const room = roomFor("conv", dtype, [x.data, want.y.data] as never, want[key]!.data as never);
      expect(firstApart(want[key]!.data as never, got[key]!.data as never, room)).toBe(null);
    }
  }
});
