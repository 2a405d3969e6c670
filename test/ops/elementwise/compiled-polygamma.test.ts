import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { polygamma, type Value } from "../../../src/index.ts";
import { polygamma as polygammaOf } from "../../../src/ops/kernels/special.ts";
import { answers, matrices } from "../../linalg/compiled.ts";

test.each([1, 2, 3, 4, 7, 12])("compiled, polygamma of order %i is the reference's to a few units in the last place", async (order) => {
  // From a small number to a large one, through whole numbers.
  const xs = Float64Array.from({ length: 401 }, (_, i) => 10 ** (i / 40 - 4)).map((x, i) => (i % 9 === 0 ? Math.ceil(x) : x));
  for (const x of [xs, Float32Array.from(xs)]) {
    const { got, want, left } = await answers([matrices(x, xs.length)], (v: Value) => polygamma(v, { order }));
    expect(left).toBe(0);
    const [y, exact] = [got[0]!, want[0]!];
    const room = x === xs ? 10 * 2 ** -52 : 2 ** -23;
    for (let i = 0; i < y.length; i++) if (!Object.is(y[i], exact[i])) expect(Math.abs(y[i]! / exact[i]! - 1)).toBeLessThan(room);
  }
});

const tables = JSON.parse(readFileSync(new URL("../../fixtures/special.json", import.meta.url), "utf8")) as Record<
  "polygamma" | "highOrders",
  [number, number, number][]
>;
const { highOrders } = tables;

test.each([1, 2, 3, 4, 7, 12])("compiled, polygamma of order %i is that of the 50-digit table below 0, too", async (order) => {
  const rows = tables.polygamma.filter(([n]) => n === order);
  const x = Float64Array.from(rows, ([, x]) => x);
  expect(x.some((v) => v < 0)).toBe(true);
  const { got, left } = await answers([matrices(x, x.length)], (v: Value) => polygamma(v, { order }));
  expect(left).toBe(0);
  rows.forEach(([, , exact], i) => {
    expect(Math.abs(got[0]![i]! / exact - 1)).toBeLessThan(20 * 2 ** -52);
  });
  // In both halves of what is between two poles, and close to them; f32, too.
  const xs = Float64Array.from({ length: 200 }, (_, i) => -(i % 20) - [0.25, 0.5, 0.7499, 0.001, 0.999, 2 ** -12][i % 6]!);
  for (const given of [xs, Float32Array.from(xs)]) {
    const { got, want, left } = await answers([matrices(given, 200)], (v: Value) => polygamma(v, { order }));
    expect(left).toBe(0);
    // Orders have zeros there, beside which nothing but what is added up counts.
    const room = given === xs ? 40 * 2 ** -52 : 2 ** -22;
    for (let i = 0; i < 200; i++)
      if (!Object.is(got[0]![i], want[0]![i]))
        expect(Math.abs(got[0]![i]! - want[0]![i]!)).toBeLessThan(room * Math.max(Math.abs(want[0]![i]!), Math.PI ** (order + 1)));
  }
});

test.each([...new Set(highOrders.map(([n]) => n))])(
  "compiled, polygamma of order %i is that of the 50-digit table, whatever leaves the range on the way",
  async (order) => {
    const rows = highOrders.filter(([n]) => n === order);
    const x = Float64Array.from(rows, ([, x]) => x);
    const { got, left } = await answers([matrices(x, x.length)], (v: Value) => polygamma(v, { order }));
    expect(left).toBe(0);
    rows.forEach(([, , exact], i) => {
      if (got[0]![i] !== exact) expect(Math.abs(got[0]![i]! / exact - 1)).toBeLessThan(16 * 2 ** -52);
    });
    const {
      got: single,
      want,
      left: none,
    } = await answers([matrices(Float32Array.from(x), x.length)], (v: Value) => polygamma(v, { order }));
    expect(none).toBe(0);
    for (let i = 0; i < x.length; i++)
      if (!Object.is(single[0]![i], want[0]![i])) expect(Math.abs(single[0]![i]! / want[0]![i]! - 1)).toBeLessThan(2 ** -23);
  },
);

test.each([13, 50, 170, 400, 900])(
  "compiled, polygamma of order %i is the reference's for few and many numbers, small and large",
  async (order) => {
    // With each other number one of another size: two are computed with the terms that the smaller needs.
    for (const count of [0, 1, 2, 7, 200]) {
      const xs = Float64Array.from({ length: count }, (_, i) => (i % 3 === 0 ? order / 2 + i : 10 ** (i / 20 - 4)));
      const { got, want, left } = await answers([matrices(xs, count)], (v: Value) => polygamma(v, { order }));
      expect(left).toBe(0);
      for (let i = 0; i < count; i++)
        if (!Object.is(got[0]![i], want[0]![i]))
          expect(Math.abs(got[0]![i]! - want[0]![i]!)).toBeLessThan(2e-13 * Math.abs(want[0]![i]!) + 1e-320);
    }
    for (const x of [0, -2.5, Number.NaN, Number.POSITIVE_INFINITY, 1e-20, 1e20]) {
      const { got, want, left } = await answers([matrices(Float64Array.of(1.5, 2.5, x), 3)], (v: Value) => polygamma(v, { order }));
      expect([left, ...got]).toEqual([1, ...want]);
    }
  },
);

test("poles, what is not finite and what is out of range is the reference's", async () => {
  for (const x of [0, -0, -1, -7, -1e300, -5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-200, 1e150, 5e-324]) {
    const { got, want, left } = await answers([matrices(Float64Array.of(1.5, 2.5, x), 3)], (v: Value) => polygamma(v, { order: 2 }));
    expect(left).toBe(1);
    expect(got).toEqual(want);
    expect(got[0]![2]).toBe(polygammaOf(2, x));
  }
  const { left } = await answers([matrices(new Float64Array(0), 0)], (v: Value) => polygamma(v, { order: 2 }));
  expect(left).toBe(0);
});
