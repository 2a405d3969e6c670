import { expect, test } from "vitest";
import { compile, conv, evaluate, f32, graph, mul, random, reference, sum, type Value, valueAndGrad } from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";
import { roomFor } from "./tolerances.ts";

/** Batch, groups, channels of x and y in a group, height and width of x, padding above, below, left and right. */
const shapes = [
  [1, 1, 8, 8, 4, 9, 0, 0, 0, 0],
  [2, 1, 8, 9, 9, 10, 0, 0, 0, 0],
  [3, 1, 11, 8, 7, 13, 1, 1, 1, 1],
  [2, 2, 8, 13, 5, 11, 2, 2, 2, 2],
  [1, 1, 10, 9, 16, 17, 0, 1, 2, 0],
  [2, 3, 8, 8, 6, 7, 1, 0, 0, 1],
  [3, 1, 12, 13, 31, 33, 1, 1, 1, 1],
  [0, 1, 8, 8, 8, 8, 1, 1, 1, 1],
] as const;

test.each(shapes)(
  "a convolution by 3 x 3 in tiles, and both its gradients, are the reference's: %i images, %i groups of %i and %i channels, %i x %i",
  async (...shape) => {
    const [batch, groups, ins, outs, height, width, above, below, left, right] = shape;
    const attrs = {
      padding: [
        [above, below],
        [left, right],
      ] as const,
      groups,
    };
    const x = evaluate(random.normal(random.key(1), f32(batch, groups * ins, height, width)));
    const w = evaluate(random.normal(random.key(2), f32(groups * outs, ins, 3, 3)));
    const weighed = evaluate(random.normal(random.key(3), f32(batch, groups * outs, height + above + below - 2, width + left + right - 2)));
    const step = graph({ x: x.type, w: w.type, weighed: weighed.type }, ({ x, w, weighed }) => {
      const { grad } = valueAndGrad((p: { x: Value; w: Value }) => sum(mul(conv(p.x, p.w, attrs as never), weighed)))({ x, w });
      return { y: conv(x, w, attrs as never), dx: grad.x, dw: grad.w };
    });
    const want = (await compile(step, reference())).run({ x, w, weighed });
    const fast = await compile(step, wasm());
    const got = fast.run({ x, w, weighed });
    const again = fast.run({ x, w, weighed });
    const shared = await compile(step, wasm({ threads: 2 }));
    const together = shared.run({ x, w, weighed });
    const operands = { y: [x.data, w.data], dx: [weighed.data, w.data], dw: [x.data, weighed.data] } as never as Record<string, number[][]>;
    for (const name of ["y", "dx", "dw"] as const) {
      expect(again[name].data).toEqual(got[name].data);
      expect(together[name].data).toEqual(got[name].data);
      const room = roomFor("conv", "f32", operands[name]!, want[name].data as never);
      let [most, at] = [0, -1];
      want[name].data.forEach((v, i) => {
        const off = Math.abs(Number(v) - Number(got[name].data[i]));
        if (!(off <= most)) [most, at] = [off, i];
      });
      expect([name, at, most, most <= room]).toEqual([name, at, most, true]);
    }
  },
);

test("an infinity in tiles touches only the results whose windows see it, and NaN too", async () => {
  for (const odd of [Number.POSITIVE_INFINITY, Number.NaN]) {
    const x = new Float32Array(8 * 100).fill(1);
    x[2 * 100 + 5 * 10 + 4] = odd;
    const g = graph({ x: f32(1, 8, 10, 10), w: f32(8, 8, 3, 3) }, ({ x, w }) => ({ y: conv(x, w) }));
    const { y } = (await compile(g, wasm())).run({ x, w: new Float32Array(576).fill(1) });
    const seen = Array.from(y.data, (v, i) => (Number.isFinite(Number(v)) ? null : i)).filter((i) => i !== null);
    const places = [3, 4, 5].flatMap((row) => [2, 3, 4].map((column) => row * 8 + column));
    expect(seen).toEqual(Array.from({ length: 8 }, (_, k) => places.map((p) => k * 64 + p)).flat());
    expect(y.data.filter((v) => Number.isFinite(Number(v))).every((v) => v === 72)).toBe(true);
  }
});
