import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { mod, type Value } from "../../../src/index.ts";
import { answers, matrices, type Numbers } from "../../linalg/compiled.ts";

const draws = drawsFrom(7);
/** A number of either sign between two powers of 2. */
const drawn = (low: number, high: number): number =>
  (draws.fraction() < 0.5 ? -1 : 1) * (1 + draws.fraction()) * 2 ** (low + Math.floor((high - low) * draws.fraction()));

async function same(x: Numbers, y: Numbers, shapes: readonly (readonly number[])[] = [[x.length], [y.length]]): Promise<number> {
  const operands = [matrices(x, ...shapes[0]!), matrices(y, ...shapes[1]!)];
  const { got, want, left } = await answers(operands, (a: Value, b: Value) => mod(a, b));
  // Bit for bit, signs of zeros too.
  expect(Array.from(got[0]!)).toEqual(Array.from(want[0]!));
  return left;
}

test.each([
  ["f64", Float64Array, 51],
  ["f32", Float32Array, 27],
] as const)(
  "compiled, mod of %s has the bits of the reference, and all quotients but the largest are the kernel's",
  async (_, numbers, most) => {
    const from = (xs: ArrayLike<number>, f: (x: number, i: number) => number): Numbers => new numbers(Array.from(xs, f));
    for (const span of [2, 10, most / 2]) {
      const x = from(new Float64Array(301), (_, i) => (i % 7 === 0 ? Math.round(drawn(-2, 6)) : drawn(-span, span)));
      // Beside whole quotients, where rounding decides.
      const y = from(x, (v, i) =>
        i % 5 === 0 && v !== 0 ? v / Math.round(drawn(1, 20)) : i % 3 === 0 ? Math.round(drawn(0, 4)) : drawn(-span, span),
      );
      expect(await same(x, y)).toBe(0);
    }
    const zeros = new numbers([0, -0, 4, -4, 4, -4, 0, -0, 1e-30, -1e-30]);
    expect(await same(zeros, new numbers([2, 2, 2, 2, -2, -2, -2, -2, 1, 1]))).toBe(0);
    const near = from(new Float64Array(64), (_, i) => 3 * (i + 1) - (i % 2));
    expect(
      await same(
        near,
        from(near, () => 3 - 2 ** -22),
      ),
    ).toBe(0);
  },
);

test("compiled, mod of operands that broadcast", async () => {
  for (const [a, b] of [
    [[6], []],
    [[], [6]],
    [[4, 5], [5]],
    [
      [4, 5],
      [4, 1],
    ],
    [
      [4, 1],
      [1, 5],
    ],
    [
      [2, 1, 3],
      [4, 1],
    ],
    [[], []],
    [[0, 3], [3]],
    [
      [3, 0],
      [3, 1],
    ],
  ] as const) {
    const fill = (shape: readonly number[]): Float64Array =>
      Float64Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => drawn(-3, 3));
    expect(await same(fill(a), fill(b), [a, b])).toBe(0);
  }
});

test("what is not finite, 0, out of range or a quotient that is not exact is the reference's", async () => {
  const odd = [[1, 0], [0, 0], [Number.NaN, 1], [1, Number.NaN], [Number.POSITIVE_INFINITY, 3], [-1, Number.POSITIVE_INFINITY], [1, 1e-300], [1e300, 3], [-1e300, 1e299], [2 ** 53 + 2, 1], [-7, 5e-324]] as const; // biome-ignore format: a list
  for (const [x, y] of odd) expect(await same(Float64Array.of(5, x, 5), Float64Array.of(3, y, 3))).toBe(1);
});
