import { describe, expect, test } from "vitest";
import {
  argMax,
  argMin,
  cast,
  evaluate,
  f16,
  f32,
  f64,
  grad,
  hessian,
  i32,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  read,
  sort,
  sum,
  tensor,
  toArray,
  topK,
  type Value,
  variance,
  zeros,
} from "../../../src/index.ts";
import { checkDerivatives, sample } from "../differentiation.ts";

const x23 = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

const smooth: Readonly<Record<string, (x: Value) => Value>> = {
  max: (x) => max(x, { axis: 1 }),
  "min of all": (x) => min(x),
  prod: (x) => prod(x, { axis: [0, 2], keepDims: true }),
  "prod along the middle": (x) => prod(x, { axis: 1 }),
  mean: (x) => mean(x, { axis: [0, -1] }),
  variance: (x) => variance(x, { axis: 1, correction: 1 }),
  "variance of all": (x) => variance(x, { keepDims: true }),
  logSumExp: (x) => logSumExp(x, { axis: [1, 2] }),
  "norm 1": (x) => norm(x, { axis: 0, ord: 1 }),
  "norm 2": (x) => norm(x, { axis: [0, 2], keepDims: true }),
  "norm 3": (x) => norm(x, { ord: 3, axis: 2 }),
  "norm 1.5": (x) => norm(x, { ord: 1.5 }),
  "norm Infinity": (x) => norm(x, { ord: Number.POSITIVE_INFINITY, axis: 1 }),
  "norm Infinity of all, kept": (x) => norm(x, { ord: Number.POSITIVE_INFINITY, keepDims: true }),
  sort: (x) => sort(x, { axis: 1, descending: true }).values,
  topK: (x) => topK(x, { k: 2, axis: 0, largest: false }).values,
};

describe("derivatives", () => {
  for (const [name, f] of Object.entries(smooth)) test(name, () => checkDerivatives((x) => f(x), sample([2, 3, 2], 3)));
});

test("prod is right with zeros, to second order", () => {
  const g = (x: number[]) => toArray(grad((v: Value) => prod(v))(tensor(x)));
  expect(g([2, 0, 3])).toEqual([0, 6, 0]);
  expect(g([0, 0, 3])).toEqual([0, 0, 0]);
  expect(toArray(hessian((v: Value) => prod(v))(tensor([0, 0, 3])))).toEqual([
    [0, 3, 0],
    [3, 0, 0],
    [0, 0, 0],
  ]);
  expect(read(prod(zeros(f64(0))))).toBe(1);
  expect(toArray(grad((v: Value) => prod(v))(zeros(f64(0))))).toEqual([]);
  expect(g([7])).toEqual([1]);
});

test("ties share, NaN wins", () => {
  expect(toArray(grad((v: Value) => max(v))(tensor([3, 1, 3])))).toEqual([0.5, 0, 0.5]);
  expect(toArray(grad((v: Value) => min(v))(tensor([1, 1, 1, 3])))).toEqual([1 / 3, 1 / 3, 1 / 3, 0]);
  expect(read(max(tensor([1, NaN, 3])))).toBeNaN();
  expect(toArray(grad((v: Value) => max(v))(tensor([1, NaN, 3])))).toEqual([0, 1, 0]);
  expect(read(argMax(tensor([1, NaN, NaN])))).toBe(1);
  expect(read(argMin(tensor([2, 1, 1])))).toBe(1);
  expect(toArray(grad((v: Value) => norm(v, { ord: Number.POSITIVE_INFINITY }))(tensor([-2, 1, 2])))).toEqual([-0.5, 0, 0.5]);
});

test("logSumExp does not overflow", () => {
  expect(read(logSumExp(tensor([1000, 1000])))).toBeCloseTo(1000 + Math.log(2), 12);
  const nothing = tensor([-Infinity, -Infinity]);
  expect(read(logSumExp(nothing))).toBe(-Infinity);
  expect(toArray(grad((v: Value) => logSumExp(v))(nothing))).toEqual([0, 0]);
  expect(read(logSumExp(tensor([0, Infinity])))).toBe(Infinity);
  expect(read(logSumExp(tensor([0, NaN])))).toBeNaN();
  expect(read(logSumExp(zeros(f64(0))))).toBe(-Infinity);
});

test("norm neither overflows nor divides by zero", () => {
  expect(read(norm(tensor([3e200, 4e200])))).toBeCloseTo(5e200, -190);
  expect(toArray(grad((v: Value) => norm(v))(tensor([0, 0])))).toEqual([0, 0]);
  for (const ord of [1, 1.5, 2, 3, Number.POSITIVE_INFINITY])
    for (const row of toArray(hessian((v: Value) => norm(v, { ord }))(tensor([0, 0]))) as number[][])
      for (const v of row) expect(v).toBeCloseTo(0, 12);
  expect(read(norm(zeros(f64(0))))).toBe(0);
});

test("dtypes", () => {
  expect(mean(tensor([true, false])).type).toEqual(f32());
  expect(read(mean(tensor([true, false])))).toBe(0.5);
  expect(sum(tensor([true, true])).type).toEqual(i32());
  expect(read(prod(tensor([65536, 65537], "i32")))).toBe(65536);
  expect(read(max(tensor([-3, -5], "i32")))).toBe(-3);
  expect(argMax(x23, { axis: 1, keepDims: true }).type).toEqual(i32(2, 1));
  expect(variance(cast(x23, "f16")).type).toEqual(f16());
  // 0.1 as f32 added 1000 times in f32 drifts; in double it does not.
  expect(read(sum(tensor(new Float32Array(1000).fill(0.1))))).toBe(Math.fround(1000 * Math.fround(0.1)));
});

test("several axes, and none", () => {
  expect(read(argMax(x23))).toBe(5);
  expect(toArray(argMin(tensor([[[3, 1]], [[0, 9]]]), { axis: [0, 1] }))).toEqual([1, 0]);
  expect(read(max(2.5))).toBe(2.5);
  expect(read(variance(tensor([5]), { correction: 1 }))).toBeNaN();
  expect(read(mean(zeros(f64(0))))).toBeNaN();
  expect(toArray(max(zeros(f64(0, 3)), { axis: 1 }))).toEqual([]);
  expect(topK(x23, { k: 0 }).values.type).toEqual(f64(2, 0));
});

test("sort and topK are stable, NaN is the largest", () => {
  const { values, indices } = sort(tensor([2, NaN, 1, 2]));
  expect([toArray(values), toArray(indices)]).toEqual([
    [1, 2, 2, NaN],
    [2, 0, 3, 1],
  ]);
  expect(toArray(topK(tensor([2, 1, 2]), { k: 2 }).indices)).toEqual([0, 2]);
});

const lessons: readonly (readonly [string, () => unknown])[] = [
  ['mean: x is i32[2] and a mean is seldom a whole number; write mean(cast(x, "f32"))', () => mean(tensor([1, 2], "i32"))],
  ["max: x is f64[0,3] and axis 0 has no elements; the largest of nothing is not defined", () => max(zeros(f64(0, 3)), { axis: 0 })],
  ["argMin: x is f64[0] and axis 0 has no elements; the place of the smallest of nothing is not defined", () => argMin(zeros(f64(0)))],
  ['min: x is bool[1] and min takes numbers, not truth values; write cast(x, "i32")', () => min(tensor([true]))],
  ['logSumExp: x is i32[1] and logSumExp takes floating-point numbers; write cast(x, "f32")', () => logSumExp(tensor([1], "i32"))],
  ["norm: ord is 0; it is a number above 0, or Infinity for the largest magnitude", () => norm(x23, { ord: 0 })],
  ["topK: k is 4 and axis 1 of x, f64[2,3], has size 3; k is a whole number from 0 to 3", () => topK(x23, { k: 4 })],
  ["sort: x is f64[], a scalar; it has no axis to order", () => sort(1)],
  ["variance: axis 2 is out of range for rank 2; axes are -2..1", () => variance(x23, { axis: 2 })],
];

test.each(lessons)("%s", (message, run) => {
  expect(run).toThrow(message);
});

test("evaluated types are the inferred ones", () => {
  for (const v of [max(x23, { axis: 0 }), argMax(x23, { axis: [0, 1] }), mean(x23, { keepDims: true })])
    expect(evaluate(v).type).toEqual(v.type);
});
