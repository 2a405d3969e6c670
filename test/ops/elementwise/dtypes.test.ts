import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  cast,
  clip,
  constant,
  DomainError,
  type DType,
  DTypeError,
  equal,
  evaluate,
  exp,
  f32,
  grad,
  gradients,
  greater,
  isNaN as isNotNumber,
  jvp,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  mod,
  mul,
  notEqual,
  polygamma,
  pow,
  read,
  ShapeError,
  square,
  sum,
  tensor,
  toArray,
  type Value,
  variable,
  where,
} from "../../../src/index.ts";

const whole = (values: readonly number[], dtype: DType = "i32"): Value => constant(tensor([...values], dtype));

function failure(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("integers", () => {
  test("wrap in products, squares and powers", () => {
    const x = whole([100_003, -65_537]);
    expect(toArray(square(x))).toEqual([Math.imul(100_003, 100_003), Math.imul(65_537, 65_537)]);
    expect(toArray(mul(x, x))).toEqual(toArray(square(x)));
    expect(toArray(pow(x, whole([3, 0])))).toEqual([Math.imul(Math.imul(100_003, 100_003), 100_003), 1]);
    expect(toArray(pow(whole([2, -3, 7]), whole([10, 3, 1])))).toEqual([1024, -27, 7]);
  });
  test("of 64 bits are exact or refused, never wrapped", () => {
    expect(toArray(pow(whole([3], "i64"), 33))).toEqual([5559060566555523]);
    for (const build of [() => mul(whole([4e9], "i64"), 3e9), () => square(whole([4e9], "i64")), () => pow(whole([3], "i64"), 40)])
      expect(failure(() => evaluate(build()))).toBeInstanceOf(DTypeError);
  });
  test("take the remainder with the sign of the divisor", () => {
    expect(toArray(mod(whole([7, -7, 7, -7, -4]), whole([3, 3, -3, -3, 2])))).toEqual([1, 2, -2, -1, 0]);
    expect(failure(() => evaluate(mod(whole([7]), 0))).message).toBe(
      "mod: 7 mod 0 of integers; integers have no NaN: cast to a float first, or guard with where",
    );
  });
  test("have no negative powers", () => {
    const error = failure(() => evaluate(pow(whole([2]), -1)));
    expect(error).toBeInstanceOf(DomainError);
    expect(error.message).toBe('pow: 2^-1 of integers is no integer; cast to a float first: pow(cast(x, "f64"), ...)');
  });
});

describe("bool", () => {
  const t = constant(tensor([true, true, false, false]));
  const u = constant(tensor([true, false, true, false]));
  test("has its own ops", () => {
    expect(toArray(logicalAnd(t, u))).toEqual([true, false, false, false]);
    expect(toArray(logicalOr(t, u))).toEqual([true, true, true, false]);
    expect(toArray(logicalXor(t, u))).toEqual([false, true, true, false]);
    expect(toArray(logicalNot(t))).toEqual([false, false, true, true]);
    expect(toArray(equal(t, u))).toEqual([true, false, false, true]);
    expect(toArray(greater(t, u))).toEqual([false, true, false, false]);
  });
  test("is no number", () => {
    expect(failure(() => add(t, u)).message).toBe('add: x is bool[4] and add takes numbers, not truth values; write cast(x, "f32")');
    expect(failure(() => maximum(t, u)).message).toMatch(/maximum takes numbers, not truth values/);
    expect(failure(() => clip(t, { min: 0 })).message).toBe(
      'clip: x is bool[4] and clip takes numbers, not truth values; write cast(x, "f32")',
    );
    expect(failure(() => logicalNot(1)).message).toMatch(/x is f64\[\] and logicalNot takes truth values; write cast\(x, "bool"\)/);
  });
});

test("functions of real numbers refuse integers", () => {
  expect(failure(() => exp(whole([1]))).message).toBe('exp: x is i32[1] and exp takes floating-point numbers; write cast(x, "f32")');
  expect(failure(() => polygamma(whole([1]), { order: 1 })).message).toMatch(/polygamma takes floating-point numbers/);
  expect(failure(() => polygamma(1, { order: 0 })).message).toBe(
    "polygamma: order is 0; it is a whole number, 1 or more (order 0 is digamma)",
  );
});

test("f32 rounds at each result, scalars as tensors", () => {
  const x = 0.1;
  expect(read(exp(constant(x, "f32")))).toBe(Math.fround(Math.exp(Math.fround(x))));
  expect(toArray(exp(tensor([x], "f32")))).toEqual([Math.fround(Math.exp(Math.fround(x)))]);
  expect(evaluate(abs(tensor([-1, 2], "i8"))).data).toEqual(Int8Array.of(1, 2));
  expect(maximum(tensor([1], "f32"), 0.5).type).toEqual(f32(1));
  const g = grad((v: Value) => sum(maximum(v, 1)))(tensor([1, 3], "f32"));
  expect(evaluate(g).data).toEqual(Float32Array.of(0.5, 1));
});

test("comparisons are false beside NaN, notEqual true", () => {
  const x = tensor([Number.NaN, 1, Number.NaN]);
  const y = tensor([Number.NaN, Number.NaN, 1]);
  expect(toArray(equal(x, y))).toEqual([false, false, false]);
  expect(toArray(less(x, y))).toEqual([false, false, false]);
  expect(toArray(notEqual(x, y))).toEqual([true, true, true]);
  expect(toArray(isNotNumber(x))).toEqual([true, false, true]);
});

describe("where", () => {
  test("routes values and gradients over three broadcast operands", () => {
    const test3 = tensor([[true], [false]]);
    const g = grad(({ x, y }: { x: Value; y: Value }) =>
      sum(
        mul(
          where(test3, x, y),
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ),
      ),
    )({ x: tensor([5, 6]), y: 7 });
    expect(toArray(where(test3, tensor([5, 6]), 7))).toEqual([
      [5, 6],
      [7, 7],
    ]);
    expect([toArray(g.x), toArray(g.y)]).toEqual([[1, 2], 7]);
    const pushed = jvp(({ x }: { x: Value }) => where(test3, x, 7))({ x: tensor([5, 6]) }, { x: tensor([1, 10]) });
    expect(toArray(pushed.tangent)).toEqual([
      [1, 10],
      [0, 0],
    ]);
  });
  test("gives exactly 0 to the operand that was not taken, even of an infinite gradient", () => {
    const x = variable(0, "x");
    const y = variable(3, "y");
    const { dx, dy } = gradients(mul(where(constant(tensor(true)), x, y), Number.POSITIVE_INFINITY), { dx: x, dy: y });
    expect([read(dx), read(dy)]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });
  test("explains what does not fit", () => {
    expect(failure(() => where(tensor([1]), 1, 2)).message).toBe(
      "where: test is f64[1] and must be bool; compare: where(notEqual(test, 0), x, y)",
    );
    const error = failure(() => where(tensor([true, false]), tensor([1, 2, 3]), 0));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe("where: test is bool[2], x is f64[3] and y is f64[]; aligned at the right, sizes must be equal or 1");
  });
});

describe("clip", () => {
  test("holds values, keeps NaN, and passes gradients inside and on the edges", () => {
    const x = tensor([-3, -1, 0.5, 2, 9, Number.NaN]);
    expect(toArray(clip(x, { min: -1, max: 2 }))).toEqual([-1, -1, 0.5, 2, 2, Number.NaN]);
    expect(toArray(grad((v: Value) => sum(clip(v, { min: -1, max: 2 })))(x))).toEqual([0, 1, 1, 1, 0, 0]);
    expect(toArray(clip(x, {}))).toEqual([-3, -1, 0.5, 2, 9, Number.NaN]);
  });
  test("rounds its bounds to the dtype, so that a bound is on its own edge", () => {
    const x = tensor([0.7], "f32");
    expect(toArray(grad((v: Value) => sum(clip(v, { min: 0.7 })))(x))).toEqual([1]);
  });
  test("explains bad bounds", () => {
    expect(failure(() => clip(1, { min: 2, max: 1 })).message).toBe("clip: min 2 is above max 1; exchange them");
    expect(failure(() => clip(1, { min: Number.NaN })).message).toBe("clip: min is NaN; leave it out for no bound");
    expect(failure(() => clip(whole([1]), { max: 0.5 })).message).toMatch(/clip: max is 0.5, which i32 cannot hold/);
  });
});

describe("cast", () => {
  test("takes a word or a record, and its nodes carry the op itself", () => {
    const a = cast(tensor([1.5]), "f32");
    expect(a.node.op).toBe(cast);
    expect(cast.name).toBe("cast");
    expect(evaluate(cast(tensor([1.5]), { dtype: "f32" }))).toEqual(evaluate(a));
  });
  test("cuts toward zero, wraps integers, asks bool whether it is 0", () => {
    const x = tensor([-2.7, -0.5, 0, 1.9]);
    expect(toArray(cast(x, "i32"))).toEqual([-2, 0, 0, 1]);
    expect(toArray(cast(x, "bool"))).toEqual([true, true, false, true]);
    expect(toArray(cast(whole([300, -200]), "i8"))).toEqual([44, 56]);
    expect(toArray(cast(tensor([true, false]), "f64"))).toEqual([1, 0]);
  });
  test("rounds to f16 once, straight from the double", () => {
    // Through f32 this would fall on the midpoint of two f16 numbers and then to the even one below.
    expect(toArray(cast(tensor([1 + 2 ** -11 + 2 ** -40]), "f16"))).toEqual([1 + 2 ** -10]);
  });
  test("casts gradients back, to any order, and stops at integers", () => {
    const f = (x: Value): Value => cast(square(cast(x, "f32")), "f64");
    expect(read(grad(f)(3))).toBe(6);
    expect(read(grad(grad(f), { mode: "forward" })(3))).toBe(2);
    expect(read(grad((x: Value) => mul(x, cast(cast(x, "i32"), "f64")))(2.5))).toBe(2);
    expect(read(grad((x: Value) => mul(x, cast(cast(x, "i32"), "f64")), { mode: "forward" })(2.5))).toBe(2);
  });
  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])("refuses %d as i32, naming the element", (bad) => {
    const error = failure(() => evaluate(cast(tensor([0, bad]), "i32")));
    expect(error).toBeInstanceOf(DomainError);
    expect(error.message).toBe(
      `cast: element 1 is ${bad} and i32 holds whole numbers from -2147483648 to 2147483647; clip it first, or choose another dtype`,
    );
  });
  test("knows the dtypes", () => {
    expect(failure(() => cast(1, "float32" as DType)).message).toMatch(/^cast: float32 is no dtype; write one of f64, f32/);
  });
});

test("the exponent's logarithm is not built for a literal exponent", () => {
  const x = variable(-2, "x");
  const { dx } = gradients(pow(x, 2), { dx: x });
  expect(read(dx)).toBe(-4);
  expect(dx.node.op.name).toBe("mul");
  expect(dx.node.operands.map((v) => v!.node.op.name)).not.toContain("log");
  expect(read(grad((v: Value) => pow(v, 0))(0))).toBe(0);
  expect(read(grad((y: Value) => pow(2, y))(3))).toBe(8 * Math.LN2);
  expect(read(grad((y: Value) => pow(0, y))(3))).toBe(0);
});
