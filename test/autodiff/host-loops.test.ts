import { expect, test } from "vitest";
import {
  add,
  cond,
  constant,
  expr,
  grad,
  greater,
  hvp,
  jvp,
  mul,
  read,
  scan,
  sin,
  square,
  sub,
  type Value,
  vjp,
  whileLoop,
} from "../../src/index.ts";

const modes = ["forward", "reverse"] as const;

/** Descends from x / 2 to where (y - x^2)^2 + y^4 / 10 is smallest, by gradients taken inside, as many steps as it takes. */
function descend(inner: (typeof modes)[number]): (x: Value) => Value {
  return (x) => {
    let y: Value = mul(x, 0.5);
    for (let k = 0; k < 1000; k++) {
      const slope = grad((z: Value) => expr`(${z} - ${x}^2)^2 + ${z}^4 / 10`, { mode: inner })(y);
      if (Math.abs(read(slope)) < 1e-12) break;
      y = sub(y, mul(0.2, slope));
    }
    return y;
  };
}

/** dy/dx where 2 (y - x^2) + 0.4 y^3 = 0, and its derivative. */
function truth(x: number): { y: number; first: number; second: number } {
  let y = 0.5;
  for (let k = 0; k < 100; k++) y -= (2 * (y - x * x) + 0.4 * y ** 3) / (2 + 1.2 * y * y);
  const first = (4 * x) / (2 + 1.2 * y * y);
  return { y, first, second: (4 - 2.4 * y * first * first) / (2 + 1.2 * y * y) };
}

test.each(modes.flatMap((outer) => modes.map((inner) => [outer, inner] as const)))(
  "a descent whose length depends on values, with a gradient in each step: %s over %s",
  (outer, inner) => {
    const f = descend(inner);
    const { y, first, second } = truth(0.8);
    expect(read(f(constant(0.8)))).toBeCloseTo(y, 10);
    expect(read(grad(f, { mode: outer })(0.8))).toBeCloseTo(first, 8);
    expect(read(grad((x: Value) => grad(f, { mode: outer })(x), { mode: inner })(0.8))).toBeCloseTo(second, 6);
    expect(read(hvp(f)(0.8, 1))).toBeCloseTo(second, 6);
  },
);

test("no perturbation is confused: the derivative of x (d/dy)(x + y) is 1, at every depth and in every mix of modes", () => {
  for (const a of modes)
    for (const b of modes) expect(read(grad((x: Value) => mul(x, grad((y: Value) => add(x, y), { mode: a })(x)), { mode: b })(1))).toBe(1);
  // x * d/dy (x * d/dz (x + y + z)) summed: each inner derivative is of its own variable only.
  const deep = (x: Value) => mul(x, grad((y: Value) => mul(mul(x, y), grad((z: Value) => mul(add(add(x, y), z), z))(y)))(x));
  // d/dz ((x + y + z) z) at z = y: x + 3y; then d/dy (x y (x + 3y)) at y = x: 7 x^2; so x * 7 x^2
  expect(read(deep(constant(2)))).toBe(56);
  expect(read(grad(deep)(2))).toBe(84);
  expect(read(jvp(deep)(2, 1).tangent)).toBe(84);
});

test("the same holds when the inner derivative sits in a loop or branch of the graph", () => {
  const inLoop = (x: Value) => scan((c) => ({ carry: mul(c, grad((y: Value) => mul(x, square(y)))(x)) }), x, null, { length: 2 }).carry; // x (2 x^2)^2
  expect(read(inLoop(constant(1.5)))).toBeCloseTo(4 * 1.5 ** 5, 12);
  expect(read(grad(inLoop)(1.5))).toBeCloseTo(20 * 1.5 ** 4, 11);
  expect(read(grad((x: Value) => jvp(inLoop)(x, 1).tangent)(1.5))).toBeCloseTo(80 * 1.5 ** 3, 10);
  const inBranch = (x: Value) =>
    cond(
      greater(x, 0),
      () => mul(x, grad((y: Value) => add(x, square(y)))(x)),
      () => x,
    );
  expect(read(grad(inBranch)(3))).toBe(12);
  const inWhile = (x: Value) =>
    whileLoop(
      (c) => greater(5, c),
      (c) => mul(c, grad((y: Value) => mul(x, y))(c)),
      x,
    );
  expect(read(grad(inWhile)(1.5))).toBeCloseTo(4 * 1.5 ** 3, 11);
});

test("loops over read values nest in gradients of gradients", () => {
  const smallest = (x: Value) => {
    let n = 0;
    let p = x;
    while (read(p) < 100) {
      p = mul(p, grad((y: Value) => mul(y, grad((z: Value) => mul(z, sin(z)))(x)))(p));
      n++;
    }
    expect(n).toBeGreaterThan(3);
    return p;
  };
  // d(z sin z) = sin z + z cos z = g(x), so p = x g(x)^n
  const x = 1.2;
  const g = Math.sin(x) + x * Math.cos(x);
  const dg = 2 * Math.cos(x) - x * Math.sin(x);
  let n = 0;
  for (let p = x; p < 100; p *= g) n++;
  expect(read(smallest(constant(x)))).toBeCloseTo(x * g ** n, 8);
  expect(read(grad(smallest)(x)) / (g ** n + x * n * g ** (n - 1) * dg)).toBeCloseTo(1, 11);
  expect(read(vjp(smallest)(x).pull(2)) / (2 * (g ** n + x * n * g ** (n - 1) * dg))).toBeCloseTo(1, 11);
});
