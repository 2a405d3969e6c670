import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { digamma, lgamma, type Value } from "../../../src/index.ts";
import { answers, matrices } from "../../linalg/compiled.ts";

const tables = JSON.parse(readFileSync(new URL("../../fixtures/special.json", import.meta.url), "utf8")) as Record<
  "lgamma" | "digamma",
  [number, number][]
>;
const ops = { lgamma, digamma };
const names = ["lgamma", "digamma"] as const;

/** The compiled kernel's answers; none is left to the reference kernel. */
async function compiled(name: keyof typeof ops, xs: Float64Array | Float32Array): Promise<readonly [Float64Array, Float64Array]> {
  const { got, want, left } = await answers([matrices(xs, xs.length)], (v: Value) => ops[name](v));
  expect(left).toBe(0);
  return [got[0]!, want[0]!] as [Float64Array, Float64Array];
}

test.each(names)("compiled, %s is that of the 50-digit table, absolute beside the zeros below 0", async (name) => {
  // Those above 0 by the loop that has no reflection, and by the other one, too.
  for (const rows of [tables[name].filter(([x]) => x > 0), tables[name]]) {
    const [y] = await compiled(
      name,
      Float64Array.from(rows, ([x]) => x),
    );
    rows.forEach(([x, exact], i) => {
      expect(Math.abs(y[i]! - exact) / (x > 0 ? Math.abs(exact) : Math.max(1, Math.abs(exact)))).toBeLessThan(8 * 2 ** -52);
    });
    const narrow = Float32Array.from(rows, ([x]) => x).filter((x) => Number.isFinite(x));
    const [z, wanted] = await compiled(name, narrow);
    for (let i = 0; i < z.length; i++)
      if (!Object.is(z[i], wanted[i]))
        expect(Math.abs(z[i]! - wanted[i]!)).toBeLessThan(2 ** -23 * Math.max(narrow[i]! < 0 ? 2 ** -29 : 0, Math.abs(wanted[i]!)));
  }
});

test.each(names)("compiled, %s is the reference's where one formula ends and the next begins", async (name) => {
  const ends = [0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 9.5, 10, 11, 2 ** -70, 2 ** 58];
  const xs = Float64Array.from([1, -1].flatMap((sign) => ends.flatMap((x) => [1 - 2 ** -52, 1 - 2 ** -30, 1, 1 + 2 ** -30, 1 + 2 ** -52].map((by) => sign * x * by)))); // biome-ignore format: a list
  for (const given of [xs.filter((x) => x > 0), xs]) {
    const [y, exact] = await compiled(name, given);
    for (let i = 0; i < y.length; i++)
      if (!Object.is(y[i], exact[i]))
        expect(Math.abs(y[i]! - exact[i]!)).toBeLessThan(8 * 2 ** -52 * Math.max(given[i]! < 0 ? 1 : 0, Math.abs(exact[i]!)));
  }
});

test.each(names)("compiled, %s has the reference's poles, infinities and NaN", async (name) => {
  const large = [1e155, 1e200, 2.5e305, 2.6e305, 1.7e308, Number.POSITIVE_INFINITY];
  const small = [0, 5e-324, 1e-310, 1e-300, 2 ** -71];
  const whole = [1, 2, 7, 100, 2 ** 51 + 0.5, 2 ** 52, 2 ** 53, 1e300];
  const all = [...large, ...small, ...whole].flatMap((x) => [x, -x]).concat(Number.NaN);
  for (const given of [all, all.filter((x) => !(x < 0))])
    for (const xs of [Float64Array.from(given), Float32Array.from(given)]) {
      const [y, exact] = await compiled(name, xs);
      for (let i = 0; i < y.length; i++) if (!Object.is(y[i], exact[i])) expect(Math.abs(y[i]! / exact[i]! - 1)).toBeLessThan(4 * 2 ** -52);
    }
  for (const n of [0, 1]) expect((await compiled(name, new Float64Array(n).fill(-0.5)))[0]).toHaveLength(n);
});
