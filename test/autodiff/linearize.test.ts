import { describe, expect, test } from "vitest";
import {
  add,
  constant,
  evaluate,
  f32,
  f64,
  grad,
  i32,
  input,
  jit,
  jvp,
  linearize,
  linearTranspose,
  matmul,
  mul,
  read,
  reference,
  round,
  scan,
  sin,
  slice,
  square,
  sum,
  tap,
  tensor,
  type Value,
  variable,
  vjp,
} from "../../src/index.ts";

const f = ({ x, w }: { x: Value; w: Value }) => ({ a: mul(sin(x), w), b: sum(square(w)) });

test("linearize is jvp whose forward graph is built once and takes any number of directions", () => {
  let calls = 0;
  const counted = (p: { x: Value; w: Value }) => {
    calls++;
    return f(p);
  };
  const at = { x: 0.7, w: tensor([1, 2]) };
  const { value, push } = linearize(counted)(at);
  expect(evaluate(value.a).data).toEqual(evaluate(f({ x: variable(0.7), w: variable([1, 2]) }).a).data);
  for (const d of [
    { x: 1, w: tensor([0, 0]) },
    { x: -2, w: tensor([3, 4]) },
    { x: 0, w: 1 },
  ]) {
    const tangent = evaluate(push(d));
    const wanted = evaluate(jvp(f)(at, d).tangent);
    expect(tangent.a.data).toEqual(wanted.a.data);
    expect(tangent.b.data).toEqual(wanted.b.data);
  }
  expect(calls).toBe(1);
});

test("values inside are computed once for all directions", () => {
  let runs = 0;
  const g = (x: Value) => square(tap(sin(x), "inside", () => void runs++));
  const { push } = linearize(g)(0.5);
  const slope = 2 * Math.sin(0.5) * Math.cos(0.5);
  expect(read(push(1))).toBeCloseTo(slope, 14);
  runs = 0;
  expect(read(push(3))).toBeCloseTo(3 * slope, 14);
  expect(runs).toBe(1);
});

test("push is differentiated further, and linearize nests", () => {
  const third = grad((x: Value) => linearize((y: Value) => grad((z: Value) => mul(z, mul(z, square(z))))(y))(x).push(1))(2);
  expect(read(third)).toBe(48);
});

test("linearTranspose turns a linear function round", () => {
  const m = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const back = linearTranspose((x: Value) => matmul(m, x), f64(3));
  expect(evaluate(back(tensor([1, 10]))).data).toEqual(Float64Array.of(41, 52, 63));
  const sums = linearTranspose(({ a, b }: { a: Value; b: Value }) => [add(a, sum(b)), slice(b, { start: 1 })] as const, {
    a: f64(),
    b: f64(2),
  });
  const { a, b } = evaluate(sums([2, tensor([5])]));
  expect([a.data[0], ...b.data]).toEqual([2, 2, 7]);
});

test("the transpose of a loop runs it backward, and the transpose of the transpose is the function", () => {
  const step = (c: Value) =>
    scan(
      (h) => ({
        carry: matmul(
          tensor([
            [1, 2],
            [0, 1],
          ]),
          h,
        ),
      }),
      c,
      null,
      { length: 3 },
    ).carry;
  const back = linearTranspose(step, f64(2));
  expect(evaluate(back(tensor([1, 0]))).data).toEqual(Float64Array.of(1, 6));
  const again = linearTranspose(back, f64(2));
  expect(evaluate(again(tensor([0, 1]))).data).toEqual(evaluate(step(constant([0, 1]))).data);
});

test("a pushed direction is a linear function, whose transpose is the pull", () => {
  const g = (x: Value) => mul(sin(x), tensor([1, 2]));
  const { push } = linearize(g)(0.7);
  const pull = vjp(g)(0.7).pull;
  expect(read(linearTranspose(push, f64())(tensor([3, 4])))).toBeCloseTo(read(pull(tensor([3, 4]))), 14);
});

test("what uses values that are not there yet is judged by its derivative", () => {
  const run = jit((w: Value, ct: Value) => linearTranspose((x: Value) => mul(w, x), f64())(ct), reference());
  expect(run(3, 5).data[0]).toBe(15);
});

test("f32 works, too", () => {
  expect(evaluate(linearTranspose((x: Value) => mul(x, 1 / 3), f32(2))(tensor([3, 6], "f32"))).data[1]).toBeCloseTo(2, 6);
});

describe("lessons:", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a square",
      () => linearTranspose((x: Value) => square(x), f64()),
      "linearTranspose: the function is not linear: its derivative depends on x; linearize it at a point",
    ],
    [
      "a named leaf",
      () => linearTranspose(({ a, b }: { a: Value; b: Value }) => mul(a, b), { a: f64(), b: f64() }),
      "the function is not linear: its derivative depends on",
    ],
    ["an added constant", () => linearTranspose((x: Value) => add(x, 1), f64(2)), "an added constant or a rounding is not linear"],
    [
      "a rounding",
      () => linearTranspose((x: Value) => round(mul(x, 10)), f64(2)),
      "linearTranspose: the function is not linear: <ct, f(v)> is",
    ],
    ["integers", () => linearTranspose((x: Value) => x, i32(2)), "linearTranspose: x is i32[2]; integers have no gradient"],
    ["a type for a cotangent", () => linearTranspose((x: Value) => x, f64())(f64() as never), "linearTranspose: the cotangent is a type"],
    ["a type for a direction", () => linearize((x: Value) => x)(1).push(f64() as never), "push: the direction is a type"],
    [
      "integers in linearize",
      () => linearize((x: Value) => x)(constant(1, "i32")),
      "linearize: the argument is i32[]; integers have no gradient",
    ],
    ["a direction without a leaf", () => linearize(f)({ x: 1, w: 1 }).push({ x: 1 } as never), "push: missing w; wanted x, w"],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });
  test("an input of another graph is no value", () => {
    const other = input(f64(), "other");
    expect(() => linearTranspose((x: Value) => mul(x, other), f64())).not.toThrow();
  });
});
