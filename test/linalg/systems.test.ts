import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import {
  at,
  cholesky,
  evaluate,
  expr,
  f32,
  f64,
  grad,
  graph,
  inverse,
  matmul,
  type Operand,
  parse,
  print,
  solve,
  sum,
  type Tensor,
  tensor,
  toArray,
  transpose,
  triangularSolve,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";
import { definite, regular } from "../laws/linalg-samplers.ts";
import { mild } from "../laws/sample.ts";

const singular = tensor([
  [1, 2],
  [2, 4],
]);

function largestDifference(a: Value, b: Operand): number {
  const [x, y] = [(evaluate(a) as { data: ArrayLike<number> }).data, (evaluate(b) as { data: ArrayLike<number> }).data];
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i]! - y[i]!));
  return most;
}

describe("solve", () => {
  test("takes a vector, columns, and one matrix for a batch of right sides", () => {
    const a = tensor([
      [2, 1],
      [1, 3],
    ]);
    expect(toArray(solve(a, tensor([3, 4])))).toEqual([1, 1]);
    expect(
      toArray(
        solve(
          a,
          tensor([
            [[3], [4]],
            [[5], [5]],
          ]),
        ),
      ),
    ).toEqual([
      [[1], [1]],
      [[2], [1]],
    ]);
    expect(solve(tensor(new Float32Array(8), f32(2, 2, 2)), tensor(new Float32Array(2))).type).toEqual(f32(2, 2));
  });

  test("exchanges rows where a pivot is small, and solves 100 equations to the last digits", () => {
    expect(
      toArray(
        solve(
          tensor([
            [1e-20, 1],
            [1, 1],
          ]),
          tensor([1, 2]),
        ),
      ),
    ).toEqual([1, 1]);
    const a = regular(drawsFrom(1), [], 100);
    const x = tensor(Float64Array.from({ length: 100 }, (_, i) => Math.sin(i)));
    expect(largestDifference(solve(a, matmul(a, x)), x)).toBeLessThan(1e-12);
    expect(largestDifference(matmul(a, inverse(a)), solve(a, a))).toBeLessThan(1e-12);
  });

  test("spreads NaN, and takes it for no singular matrix", () => {
    expect(
      toArray(
        solve(
          tensor([
            [0, 1],
            [Number.NaN, 1],
          ]),
          tensor([1, 2]),
        ),
      ),
    ).toEqual([Number.NaN, Number.NaN]);
    expect(toArray(inverse(tensor([[Number.NaN]])))).toEqual([[Number.NaN]]);
    expect(
      toArray(
        cholesky(
          tensor([
            [4, Number.NaN],
            [Number.NaN, -1],
          ]),
        ),
      ),
    ).toEqual([
      [2, 0],
      [Number.NaN, Number.NaN],
    ]);
  });
});

describe("cholesky", () => {
  test("is the lower factor of the symmetric part, for 100 rows too", () => {
    expect(
      toArray(
        cholesky(
          tensor([
            [4, 1],
            [3, 5],
          ]),
        ),
      ),
    ).toEqual([
      [2, 0],
      [1, 2],
    ]);
    const a = definite(drawsFrom(2), [2], 100);
    const l = cholesky(a);
    expect(largestDifference(matmul(l, transpose(l, { axes: [0, 2, 1] })), a)).toBeLessThan(1e-12);
  });

  test("has a symmetric gradient", () => {
    const [[, above], [below]] = toArray(
      grad((a: Value) => sum(cholesky(a)))(
        tensor([
          [4, 2],
          [2, 5],
        ]),
      ),
    ) as [[number, number], [number, number]];
    expect(above).toBe(below);
  });
});

test("formulas and the text form know them by name", () => {
  const a = variable(
    [
      [4, 2],
      [2, 5],
    ],
    "A",
  );
  const b = variable([6, 7], "b");
  expect(toArray(expr`solve(${a}, ${b}, transpose=true)`)).toEqual([1, 1]);
  expect(toArray(expr`triangularSolve(cholesky(${a}), ${b})`)).toEqual([3, 2]);
  const g = graph({ a: f64(2, 2) }, ({ a }) => ({ l: cholesky(a), x: solve(a, tensor([1, 2]), { transpose: true }) }));
  const text = print(g as never);
  expect(print(parse(text))).toBe(text);
});

describe("they refuse", () => {
  const wide = tensor([[1, 2, 3]]);
  const square = tensor([
    [1, 0],
    [0, 1],
  ]);
  test.each<readonly [string, () => unknown, string, string]>([
    ["what is not square", () => cholesky(wide), "shape", "cholesky: a is f64[1,3], 1 by 3; cholesky takes square matrices"],
    [
      "a vector",
      () => inverse(tensor([1, 2])),
      "shape",
      "inverse: a is f64[2]; it takes a matrix, or matrices along leading axes: a row is reshape(x, { shape: [1, -1] })",
    ],
    [
      "whole numbers",
      () => inverse(tensor([[1]], "i32")),
      "dtype",
      'inverse: a is i32[1,1] and inverse takes floating-point numbers; write cast(a, "f64")',
    ],
    ["a scalar on the right", () => solve(square, 1), "shape", "solve: b is f64[]; it takes a vector of 2, or a matrix with 2 rows"],
    [
      "other rows on the right",
      () => solve(square, tensor([1, 2, 3])),
      "shape",
      "solve: a is f64[2,2] and b is f64[3]; b needs 2 rows, as many as a, and has 3",
    ],
    [
      "vectors side by side",
      () =>
        solve(
          square,
          tensor([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        ),
      "shape",
      "solve: a is f64[2,2] and b is f64[3,2]; b needs 2 rows, as many as a, and has 3; if b holds vectors along its last axis, write unsqueeze(b, { axis: -1 })",
    ],
    [
      "batches that do not broadcast",
      () => triangularSolve(tensor(new Float64Array(8), f64(2, 2, 2)), tensor(new Float64Array(6), f64(3, 2, 1))),
      "shape",
      "triangularSolve: a is f64[2,2,2] and b is f64[3,2,1]; the sizes before the last two must be equal or 1",
    ],
    [
      "a singular matrix",
      () => evaluate(solve(singular, tensor([1, 2]))),
      "domain",
      "solve: a is singular: pivot 1 of 2 is 0, column 1 being a combination of those before it; drop what is redundant, add a small multiple of the unit matrix, or take the least-squares solution from svd",
    ],
    [
      "a singular matrix of a batch",
      () =>
        evaluate(
          inverse(
            tensor([
              [
                [1, 0],
                [0, 1],
              ],
              [
                [0, 1],
                [0, 1],
              ],
            ]),
          ),
        ),
      "domain",
      "inverse: a[1] is singular: pivot 0 of 2 is 0",
    ],
    [
      "a triangle with 0 on its diagonal",
      () =>
        evaluate(
          triangularSolve(
            tensor([
              [1, 0],
              [1, 0],
            ]),
            tensor([1, 2]),
          ),
        ),
      "domain",
      "triangularSolve: a has 0 on its diagonal in row 1, so the system has no unique solution",
    ],
    [
      "a matrix that is not positive definite",
      () =>
        evaluate(
          cholesky(
            tensor([
              [
                [1, 2],
                [2, 4],
              ],
            ]),
          ),
        ),
      "domain",
      "cholesky: a[0] is not positive definite: its leading minor of order 2 is not above 0",
    ],
  ])("%s", (_, run, code, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});

describe("vmap of", () => {
  const d = drawsFrom(3);
  const as = regular(d, [3], 2);
  const [oneA, bs, columns] = [regular(d, [], 2), mild(d, [3, 2]), mild(d, [3, 2, 4])];
  const batched = regular(d, [2], 2);
  const one = (x: Tensor, i: number): Value => at(x, i);
  test.each<readonly [string, (a: Value) => Value, Tensor]>([
    ["the matrix and a vector", (a) => solve(a, tensor([1, 2])), as],
    ["a vector", (b) => solve(oneA, b), bs],
    ["a vector for a batch of matrices", (b) => triangularSolve(batched, b, { transpose: true }), bs],
    ["columns for a batch of matrices", (b) => solve(batched, b), columns],
    ["the matrix for columns of a batch", (a) => triangularSolve(a, columns, { lower: false }), as],
    ["inverse", (a) => inverse(a), as],
    ["cholesky", (a) => cholesky(matmul(a, transpose(a))), as],
  ])("%s is each example by itself", (_, f, xs) => {
    const all = vmap(f)(xs);
    for (let i = 0; i < 3; i++) expect(largestDifference(at(all, i), evaluate(f(one(xs, i))))).toBeLessThan(1e-14);
  });
});
