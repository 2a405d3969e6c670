import { describe, expect, test } from "vitest";
import * as ops from "../../../src/index.ts";
import { constant, grad, jvp, type Operand, read, tensor, type Value } from "../../../src/index.ts";
import { digamma as psi, trigamma } from "../../../src/ops/kernels/special.ts";

type Number1 = (x: number) => number;
type Number2 = (x: number, y: number) => number;

const s = (x: number): number => 1 / (1 + Math.exp(-x));
const sech2 = (x: number): number => 1 / Math.cosh(x) ** 2;
const both = [-2.3, -0.4, 0.7, 1.9];
const positive = [0.2, 0.9, 3.7];
const inside = [-0.8, -0.1, 0.6];

/** Per op: value, first and second derivative in closed form, and where. */
const unary: Readonly<Record<string, readonly [Number1, Number1, Number1, readonly number[]]>> = {
  neg: [(x) => -x, () => -1, () => 0, both],
  abs: [Math.abs, Math.sign, () => 0, both],
  sign: [Math.sign, () => 0, () => 0, both],
  exp: [Math.exp, Math.exp, Math.exp, both],
  expm1: [Math.expm1, Math.exp, Math.exp, [...both, -30]],
  log: [Math.log, (x) => 1 / x, (x) => -1 / x ** 2, positive],
  log1p: [Math.log1p, (x) => 1 / (1 + x), (x) => -1 / (1 + x) ** 2, [...inside, 3]],
  sqrt: [Math.sqrt, (x) => 0.5 * x ** -0.5, (x) => -0.25 * x ** -1.5, positive],
  rsqrt: [(x) => x ** -0.5, (x) => -0.5 * x ** -1.5, (x) => 0.75 * x ** -2.5, positive],
  reciprocal: [(x) => 1 / x, (x) => -1 / x ** 2, (x) => 2 / x ** 3, both],
  square: [(x) => x * x, (x) => 2 * x, () => 2, both],
  sin: [Math.sin, Math.cos, (x) => -Math.sin(x), both],
  cos: [Math.cos, (x) => -Math.sin(x), (x) => -Math.cos(x), both],
  tan: [Math.tan, (x) => 1 / Math.cos(x) ** 2, (x) => (2 * Math.tan(x)) / Math.cos(x) ** 2, both],
  asin: [Math.asin, (x) => (1 - x * x) ** -0.5, (x) => x * (1 - x * x) ** -1.5, inside],
  acos: [Math.acos, (x) => -((1 - x * x) ** -0.5), (x) => -x * (1 - x * x) ** -1.5, inside],
  atan: [Math.atan, (x) => 1 / (1 + x * x), (x) => (-2 * x) / (1 + x * x) ** 2, both],
  sinh: [Math.sinh, Math.cosh, Math.sinh, both],
  cosh: [Math.cosh, Math.sinh, Math.cosh, both],
  tanh: [Math.tanh, sech2, (x) => -2 * Math.tanh(x) * sech2(x), both],
  sigmoid: [s, (x) => s(x) * s(-x), (x) => s(x) * s(-x) * (s(-x) - s(x)), both],
  softplus: [(x) => Math.log1p(Math.exp(x)), s, (x) => s(x) * s(-x), both],
  erf: [
    (x) => read(ops.erf(x)),
    (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    (x) => ((-4 * x) / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    both,
  ],
  lgamma: [(x) => read(ops.lgamma(x)), psi, trigamma, [...positive, -0.5, -2.3]],
  digamma: [psi, trigamma, (x) => read(ops.polygamma(x, { order: 2 })), positive],
  floor: [Math.floor, () => 0, () => 0, both],
  ceil: [Math.ceil, () => 0, () => 0, both],
  round: [Math.round, () => 0, () => 0, both],
};

/** Per op: value, derivatives by x and by y, then by xx, xy and yy. */
const binary: Readonly<
  Record<string, readonly [Number2, Number2, Number2, Number2, Number2, Number2, readonly (readonly [number, number])[]]>
> = {
  add: [(x, y) => x + y, () => 1, () => 1, () => 0, () => 0, () => 0, [[1.5, -2]]],
  sub: [(x, y) => x - y, () => 1, () => -1, () => 0, () => 0, () => 0, [[1.5, -2]]],
  mul: [(x, y) => x * y, (_, y) => y, (x) => x, () => 0, () => 1, () => 0, [[1.5, -2]]],
  div: [(x, y) => x / y, (_, y) => 1 / y, (x, y) => -x / y ** 2, () => 0, (_, y) => -1 / y ** 2, (x, y) => (2 * x) / y ** 3, [[1.5, -2]]],
  mod: [
    (x, y) => x - y * Math.floor(x / y),
    () => 1,
    (x, y) => -Math.floor(x / y),
    () => 0,
    () => 0,
    () => 0,
    [
      [7.5, 2],
      [-7.5, 2],
      [7.5, -2],
      [-7.5, -2],
      [0.5, 2],
    ],
  ],
  pow: [
    (x, y) => x ** y,
    (x, y) => y * x ** (y - 1),
    (x, y) => x ** y * Math.log(x),
    (x, y) => y * (y - 1) * x ** (y - 2),
    (x, y) => x ** (y - 1) * (1 + y * Math.log(x)),
    (x, y) => x ** y * Math.log(x) ** 2,
    [
      [1.5, -2],
      [0.3, 2.5],
      // The mixed derivative at exponent 0 is 1/x; rules that zero the factor there lose it.
      [2.5, 0],
      [2, 1],
    ],
  ],
  maximum: [
    Math.max,
    (x, y) => (x > y ? 1 : 0),
    (x, y) => (y > x ? 1 : 0),
    () => 0,
    () => 0,
    () => 0,
    [
      [1, 2],
      [3, -1],
    ],
  ],
  minimum: [
    Math.min,
    (x, y) => (x < y ? 1 : 0),
    (x, y) => (y < x ? 1 : 0),
    () => 0,
    () => 0,
    () => 0,
    [
      [1, 2],
      [3, -1],
    ],
  ],
  atan2: [
    Math.atan2,
    (x, y) => y / (x * x + y * y),
    (x, y) => -x / (x * x + y * y),
    (x, y) => (-2 * x * y) / (x * x + y * y) ** 2,
    (x, y) => (x * x - y * y) / (x * x + y * y) ** 2,
    (x, y) => (2 * x * y) / (x * x + y * y) ** 2,
    [
      [1, 2],
      [-1, 2],
      [1.5, -0.5],
      [-1.5, -0.5],
    ],
  ],
};

const table = ops as unknown as Readonly<Record<string, (...x: Operand[]) => Value>>;

/** Equal to about 40 units in the last place, the closed forms' own rounding. */
function near(actual: number, wanted: number): void {
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(wanted)));
}

describe.each(Object.entries(unary))("%s", (name, [value, first, second, points]) => {
  const f = (x: Value): Value => table[name]!(x);
  test.each(points)("at %d: value, first and second derivative, in all modes", (x) => {
    near(read(f(constant(x))), value(x));
    for (const inner of ["forward", "reverse"] as const) {
      near(read(grad(f, { mode: inner })(x)), first(x));
      for (const outer of ["forward", "reverse"] as const) near(read(grad(grad(f, { mode: inner }), { mode: outer })(x)), second(x));
    }
  });
});

describe.each(Object.entries(binary))("%s", (name, [value, dx, dy, dxx, dxy, dyy, points]) => {
  type Pair = { readonly x: Value; readonly y: Value };
  const f = ({ x, y }: Pair): Value => table[name]!(x, y);
  test.each(points)("at (%d, %d): value, first and second derivatives, in all modes", (x, y) => {
    const at = { x, y };
    near(read(f({ x: constant(x), y: constant(y) })), value(x, y));
    for (const mode of ["forward", "reverse"] as const) {
      const slope = grad(f, { mode });
      near(read(slope(at).x), dx(x, y));
      near(read(slope(at).y), dy(x, y));
      const byX = grad((p: Pair) => slope(p).x)(at);
      const byY = grad((p: Pair) => slope(p).y, { mode: "forward" })(at);
      near(read(byX.x), dxx(x, y));
      near(read(byX.y), dxy(x, y));
      near(read(byY.x), dxy(x, y));
      near(read(byY.y), dyy(x, y));
    }
    near(read(jvp(f)(at, { x: 2, y: -3 }).tangent), 2 * dx(x, y) - 3 * dy(x, y));
  });
});

test("the third derivative of lgamma is polygamma of order 2, and so on", () => {
  const third = grad(grad(grad((x: Value) => ops.lgamma(x))));
  near(read(third(2.5)), read(ops.polygamma(2.5, { order: 2 })));
  near(read(grad(third, { mode: "forward" })(2.5)), read(ops.polygamma(2.5, { order: 3 })));
});

test("values where a plain formula would overflow or cancel", () => {
  expect(read(ops.sigmoid(-800))).toBe(0);
  expect(read(ops.sigmoid(-40))).toBe(Math.exp(-40) / (1 + Math.exp(-40)));
  expect(read(ops.softplus(800))).toBe(800);
  expect(read(ops.softplus(-40))).toBe(Math.log1p(Math.exp(-40)));
  expect(read(grad((x: Value) => ops.expm1(x))(-50))).toBe(Math.exp(-50));
  expect(read(grad((x: Value) => ops.softplus(x))(800))).toBe(1);
});

test("broadcast operands get the sum of their gradients", () => {
  const g = grad(({ x, y }: { x: Value; y: Value }) => ops.sum(ops.maximum(x, y)))({
    x: tensor([
      [1, 5],
      [3, 2],
    ]),
    y: tensor([2, 2]),
  });
  expect(ops.toArray(g.x)).toEqual([
    [0, 1],
    [1, 0.5],
  ]);
  expect(ops.toArray(g.y)).toEqual([1, 0.5]);
});
