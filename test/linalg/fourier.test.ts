import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import {
  add,
  at,
  type Complex,
  evaluate,
  expr,
  f32,
  f64,
  fft,
  grad,
  ifft,
  irfft,
  type Operand,
  read,
  rfft,
  square,
  sum,
  type Tensor,
  tensor,
  toArray,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";
import { made } from "../laws/sample.ts";

function signal(n: number, seed: number): Tensor {
  const d = drawsFrom(seed);
  return made([n], () => 2 * d.fraction() - 1);
}

/** The definition, term by term. */
function slow(re: ArrayLike<number>, im: ArrayLike<number>, k: number): [number, number] {
  const n = re.length;
  let [a, b] = [0, 0];
  for (let j = 0; j < n; j++) {
    const angle = (-2 * Math.PI * ((j * k) % n)) / n;
    a += re[j]! * Math.cos(angle) - im[j]! * Math.sin(angle);
    b += re[j]! * Math.sin(angle) + im[j]! * Math.cos(angle);
  }
  return [a, b];
}

function distance(x: Operand, y: Operand): number {
  const [a, b] = [evaluate(x as Value) as Tensor, evaluate(y as Value) as Tensor];
  return Math.max(0, ...Array.from(a.data.subarray(0, 1000), (v, i) => Math.abs(v - b.data[i]!)));
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 19, 30, 34, 49, 64, 97, 100, 121, 128, 169, 210, 289, 1000, 1024, 1009, 2310])(
  "of length %i it is the definition, and ifft and irfft take it back",
  (n) => {
    const [re, im] = [signal(n, n), signal(n, n + 1)];
    const y = fft({ re, im });
    const [a, b] = [evaluate(y.re).data, evaluate(y.im).data];
    for (const k of new Set([0, 1, n >> 1, n - 1, (n * 2) % 7, Math.floor(n / 3)].map((i) => i % n))) {
      const [p, q] = slow(re.data, im.data, k);
      expect(Math.hypot(a[k]! - p, b[k]! - q)).toBeLessThan(1e-14 * (n + 10));
    }
    const back = ifft(y);
    expect(Math.max(distance(back.re, re), distance(back.im, im))).toBeLessThan(1e-14);
    expect(distance(irfft(rfft(re), { size: n }), re)).toBeLessThan(1e-14);
  },
);

test("a prime length of 100,003 goes in n log n steps and keeps its digits", () => {
  const x = signal(100_003, 3);
  const y = fft(x);
  const [p, q] = slow(x.data, new Float64Array(x.data.length), 12_345);
  expect(Math.hypot(read(at(y.re, 12_345)) - p, read(at(y.im, 12_345)) - q)).toBeLessThan(1e-9);
  expect(distance(ifft(y).re, x)).toBeLessThan(1e-13);
});

describe("fft", () => {
  test("takes any axis, in f32 too, and keeps the shape", () => {
    const x = tensor(new Float32Array([1, 2, 3, 4]), f32(2, 2));
    const down = fft(x, { axis: 0 });
    expect(toArray(down.re)).toEqual([
      [4, 6],
      [-2, -2],
    ]);
    expect(down.im.type).toEqual(f32(2, 2));
    expect(toArray(fft(x).re)).toEqual([
      [3, -1],
      [7, -1],
    ]);
    expect(fft(tensor(new Float64Array(0), f64(2, 0))).re.type).toEqual(f64(2, 0));
  });

  test("is exact at quarters of a turn", () => {
    const y = fft(tensor([0, 1, 0, 0]));
    expect([toArray(y.re), toArray(y.im)]).toEqual([
      [1, 0, -1, 0],
      [0, -1, 0, 1],
    ]);
  });

  test("keeps energy, so the gradient of that of the spectrum is 2 n x", () => {
    const energy = (x: Value): Value => {
      const y = fft(x);
      return sum(add(square(y.re), square(y.im)));
    };
    const x = signal(10, 4);
    expect(distance(grad(energy)(x), tensor(x.data.map((v: number) => 20 * v)))).toBeLessThan(1e-13);
  });

  test("spreads NaN, and ends", () => {
    for (const n of [8, 17])
      expect(Array.from(evaluate(fft(tensor(new Float64Array(n).fill(Number.NaN))).re).data).every(Number.isNaN)).toBe(true);
  });

  test("maps over examples, either part alone", () => {
    const xs = tensor([
      [1, 2, 3],
      [0, 1, -1],
    ]);
    const all = vmap((x: Value): Complex => fft({ re: tensor([1, 0, 0]), im: x }))(xs);
    for (let i = 0; i < 2; i++) expect(distance(at(all.re, i), fft({ re: tensor([1, 0, 0]), im: at(xs, i) }).re)).toBe(0);
    expect(toArray(vmap((x: Value) => irfft(rfft(x), { size: 3 }))(xs))).toHaveLength(2);
  });
});

describe("rfft and irfft", () => {
  test("have NumPy's sizes, and leave out what counts for nothing", () => {
    expect(rfft(signal(7, 1)).re.type).toEqual(f64(4));
    expect(rfft(signal(8, 1)).im.type).toEqual(f64(5));
    expect(irfft(rfft(signal(8, 1))).type).toEqual(f64(8));
    const odd = { re: tensor([1, 2, 3]), im: tensor([7, 0, 9]) };
    expect(toArray(irfft(odd))).toEqual(toArray(irfft(odd.re)));
    expect(toArray(irfft(tensor([2]), { size: 1 }))).toEqual([2]);
  });
});

test("formulas take one operand, two parts or the results of another", () => {
  const x = variable([1, 2, 3], "x");
  expect(toArray(expr`fft(${x})[0]`)).toEqual(toArray(fft(x).re));
  expect(toArray(expr`fft(${x}, im=${x}, axis=0)[1]`)).toEqual(toArray(fft({ re: x, im: x }).im));
  expect(distance(expr`ifft(fft(${x}))[0]`, x)).toBeLessThan(1e-15);
  expect(distance(expr`irfft(rfft(${x}), size=3)`, x)).toBeLessThan(1e-15);
});

describe("they refuse", () => {
  const three = tensor([1, 2, 3]);
  test.each<readonly [string, () => unknown, string, string]>([
    [
      "parts of two shapes",
      () => fft({ re: three, im: tensor([1, 2]) }),
      "shape",
      "fft: re is f64[3] and im is f64[2]; both parts have one shape",
    ],
    [
      "whole numbers",
      () => fft(tensor([1, 2], "i32")),
      "dtype",
      'fft: re is i32[2] and fft takes floating-point numbers; write cast(re, "f64")',
    ],
    ["a scalar", () => fft(1), "shape", "fft: re is f64[], a scalar; it has no axis to transform"],
    ["an axis that is not there", () => ifft(three, { axis: 1 }), "shape", "fft: axis 1 is out of range for rank 1"],
    [
      "something else",
      () => fft({} as never),
      "graph",
      "fft: x is no operand and has no part re; write fft(x) for real numbers and fft({ re, im }) for complex ones",
    ],
    [
      "a size with other coefficients",
      () => irfft(three, { size: 6 }),
      "shape",
      "irfft: axis 0 of f64[3] has 3 coefficients and size is 6; that many are of size 4 or 5",
    ],
    [
      "one coefficient without a size",
      () => irfft(tensor([1])),
      "shape",
      "irfft: axis 0 of f64[1] has 1 coefficients and size is 0; 1 coefficient is of size 1: write { size: 1 }",
    ],
  ])("%s", (_, run, code, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});
