import { describe, expect, test } from "vitest";
import {
  averagePool,
  conv,
  convTranspose,
  cross,
  dot,
  einsum,
  evaluate,
  f64,
  matmul,
  maxPool,
  ones,
  reshape,
  slice,
  square,
  tensor,
  toArray,
  transpose,
  type Value,
  zeros,
} from "../../../src/index.ts";
import { checkDerivatives, sample } from "../differentiation.ts";

/** Two operands made of one, so that the second derivative has mixed terms. */
const image = (x: Value): Value => reshape(slice(x, { end: 32 }), { shape: [1, 2, 4, 4] });
const kernel = (x: Value): Value => reshape(slice(x, { start: 16, end: 40 }), { shape: [6, 1, 2, 2] });

const smooth: Readonly<Record<string, (x: Value) => Value>> = {
  "matmul with itself": (x) => {
    const m = reshape(x, { shape: [4, 10] });
    return matmul(m, transpose(m));
  },
  "matmul of a vector and a batch": (x) => matmul(slice(x, { end: 5 }), reshape(x, { shape: [2, 5, 4] })),
  "matmul of a batch and a vector": (x) => matmul(reshape(x, { shape: [2, 5, 4] }), slice(x, { end: 4 })),
  "matmul of a batch and a matrix": (x) => matmul(reshape(x, { shape: [2, 5, 4] }), reshape(slice(x, { end: 8 }), { shape: [4, 2] })),
  dot: (x) => dot(x, square(x)),
  cross: (x) => cross(slice(x, { end: 3 }), square(slice(x, { start: 3, end: 6 }))),
  "einsum with a diagonal": (x) => einsum("iij,j->i", reshape(slice(x, { end: 36 }), { shape: [3, 3, 4] }), slice(x, { end: 4 })),
  "einsum of three": (x) => {
    const m = reshape(slice(x, { end: 9 }), { shape: [3, 3] });
    return einsum("...i,ij,j...->i...", m, m, m);
  },
  conv: (x) =>
    conv(image(x), kernel(x), slice(x, { end: 6 }), {
      stride: [1, 2],
      padding: [
        [1, 0],
        [0, 1],
      ],
      dilation: [2, 1],
      groups: 2,
    }),
  convTranspose: (x) =>
    convTranspose(image(x), reshape(slice(x, { start: 16, end: 40 }), { shape: [2, 3, 2, 2] }), slice(x, { end: 6 }), {
      stride: 2,
      padding: 1,
      outputPadding: 1,
      groups: 2,
    }),
  maxPool: (x) => maxPool(square(image(x)), { size: 3, stride: 2, padding: 1, ceilMode: true }),
  averagePool: (x) => averagePool(square(image(x)), { size: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
};

describe("derivatives", () => {
  for (const [name, f] of Object.entries(smooth)) test(name, () => checkDerivatives(f, sample([40], 3)));
});

test("what they give", () => {
  expect(evaluate(matmul(tensor([65537], "i32"), tensor([65536], "i32"))).data[0]).toBe(65536);
  expect(toArray(matmul(zeros(f64(2, 0)), zeros(f64(0, 2))))).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(toArray(cross(tensor([1, 0, 0]), tensor([0, 1, 0])))).toEqual([0, 0, 1]);
  expect(conv(ones(f64(1, 1, 5)), ones(f64(1, 1, 3)), { padding: "same", stride: 2 }).type).toEqual(f64(1, 1, 3));
});

const lessons: readonly (readonly [string, () => unknown])[] = [
  ["matmul: a is f64[4,3] and b is f64[4,1]; the inner sizes 3 and 4 must match", () => matmul(ones(f64(4, 3)), ones(f64(4, 1)))],
  [
    "matmul: a is f64[] and b is f64[2]; a matrix product takes vectors or matrices: write mul for a scalar factor",
    () => matmul(1, ones(f64(2))),
  ],
  ["the sizes before the last two must be equal or 1", () => matmul(ones(f64(2, 1, 1)), ones(f64(3, 1, 1)))],
  ["dot: a is f64[2] and b is f64[3]", () => dot(ones(f64(2)), ones(f64(3)))],
  ["cross: b is f64[2]; its last axis has size 3", () => cross(ones(f64(3)), ones(f64(2)))],
  ['einsum "ij->k": the result has label k, which no operand has', () => einsum("ij->k", ones(f64(2, 2)))],
  ['einsum "ij,jk": 2 operands are described and 1 were given', () => einsum("ij,jk", ones(f64(2, 2)))],
  ['einsum "ij,jk->ik": label j stands for sizes', () => einsum("ij,jk->ik", ones(f64(2, 3)), ones(f64(4, 2)))],
  ["conv: stride has 3 numbers and there are 1 spatial axes", () => conv(ones(f64(1, 1, 5)), ones(f64(1, 1, 3)), { stride: [1, 1, 1] })],
  ["averagePool: x is f64[3]; it is [batch, channels, ...space] with 1 to 3 spatial axes", () => averagePool(ones(f64(3)), { size: 2 })],
];

test.each(lessons)("%s", (message, run) => {
  expect(run).toThrow(message);
});
