import { describe, expect, test } from "vitest";
import { ensureOp } from "../../src/control/ensure.ts";
import {
  add,
  constant,
  cos,
  diag,
  evaluate,
  f64,
  grad,
  hessian,
  i32,
  implicit,
  jacobian,
  jit,
  jvp,
  matmul,
  mul,
  read,
  reference,
  solve,
  square,
  sub,
  sum,
  tanh,
  tensor,
  transpose,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";

/** x = cos(p x). */
const dottie = implicit.fixedPoint((x: Value, p: Value) => cos(mul(p, x)));
/** dx/dp = -x sin(px) / (1 + p sin(px)). */
const slopeOf = (p: number): number => {
  const x = read(dottie(0.5, p));
  return (-x * Math.sin(p * x)) / (1 + p * Math.sin(p * x));
};

test("a fixed point has the derivative of the implicit function theorem, in both modes and to third order", () => {
  const f = (p: Value) => dottie(0.5, p);
  expect(read(f(constant(1)))).toBeCloseTo(0.7390851332151607, 9);
  expect(read(grad(f)(0.8))).toBeCloseTo(slopeOf(0.8), 9);
  expect(read(jvp(f)(0.8, 1).tangent)).toBeCloseTo(slopeOf(0.8), 9);
  const h = 1e-4;
  const second = (slopeOf(0.8 + h) - slopeOf(0.8 - h)) / (2 * h);
  expect(read(grad(grad(f))(0.8))).toBeCloseTo(second, 6);
  expect(read(jvp(grad(f))(0.8, 1).tangent)).toBeCloseTo(second, 6);
  expect(read(grad((p: Value) => jvp(f)(p, 1).tangent)(0.8))).toBeCloseTo(second, 6);
  expect(read(jvp((p: Value) => jvp(f)(p, 1).tangent)(0.8, 1).tangent)).toBeCloseTo(second, 6);
  const third = (slopeOf(0.8 + h) - 2 * slopeOf(0.8) + slopeOf(0.8 - h)) / h ** 2;
  expect(read(grad(grad(grad(f)))(0.8))).toBeCloseTo(third, 4);
});

test("nothing of the rounds is differentiated: the start has no gradient, and a solver may read", () => {
  let rounds = 0;
  const found = implicit.fixedPoint((x: Value, p: Value) => cos(mul(p, x)), {
    solve: (x, p) => {
      let [now, next] = [x, cos(mul(p, x))];
      while (Math.abs(read(now) - read(next)) > 1e-12) {
        rounds++;
        [now, next] = [next, cos(mul(p, next))];
      }
      return next;
    },
  });
  expect(read(grad((p: Value) => found(0.5, p))(0.8))).toBeCloseTo(slopeOf(0.8), 9);
  expect(rounds).toBeGreaterThan(10);
  expect(read(grad((x: Value) => dottie(x, 0.8))(0.5))).toBe(0);
});

test("what the function closes over is a parameter, too", () => {
  const f = (p: Value) => implicit.fixedPoint((x: Value, q: Value) => cos(mul(mul(p, q), x)))(0.5, 1);
  expect(read(grad(f)(0.8))).toBeCloseTo(slopeOf(0.8), 9);
  expect(read(jvp(f)(0.8, 1).tangent)).toBeCloseTo(slopeOf(0.8), 9);
});

test("it works in programs and over examples", () => {
  const slope = jit(
    grad((p: Value) => dottie(0.5, p)),
    reference(),
  );
  expect(slope(0.8).data[0]).toBeCloseTo(slopeOf(0.8), 9);
  const many = evaluate(vmap(grad((p: Value) => dottie(0.5, p)))(tensor([0.3, 0.8]))).data;
  expect(many[0]).toBeCloseTo(slopeOf(0.3), 9);
  expect(many[1]).toBeCloseTo(slopeOf(0.8), 9);
});

describe("a root of a system of trees", () => {
  // u^2 + v0 = a, v0 v1 = b, v1 - u = 1
  const find = implicit.root(({ u, v }: { u: Value; v: Value }, { a, b }: { a: Value; b: Value }) => {
    const [v0, v1] = [sum(mul(v, tensor([1, 0]))), sum(mul(v, tensor([0, 1])))];
    return { u: sub(add(square(u), v0), a), v: add(mul(tensor([1, 0]), sub(mul(v0, v1), b)), mul(tensor([0, 1]), sub(sub(v1, u), 1))) };
  });
  const start = { u: 1, v: tensor([1, 2]) };
  test("is found by Newton's method, and is differentiated", () => {
    const x = find(start, { a: 3, b: 4 });
    const { u, v } = { u: read(x.u), v: evaluate(x.v).data };
    expect(u * u + v[0]!).toBeCloseTo(3, 9);
    expect(v[0]! * v[1]!).toBeCloseTo(4, 9);
    const at = (a: number, b: number) => read(find(start, { a, b }).u);
    const h = 1e-5;
    const slope = grad((p: { a: Value; b: Value }) => find(start, p).u)({ a: 3, b: 4 });
    expect(read(slope.a)).toBeCloseTo((at(3 + h, 4) - at(3 - h, 4)) / (2 * h), 6);
    expect(read(slope.b)).toBeCloseTo((at(3, 4 + h) - at(3, 4 - h)) / (2 * h), 6);
  });
});

const n = 6;
const base = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => 0.3 * Math.sin(1 + 2 * i + 3 * j)));

describe.each(["dense", "bicgstab", "cg"] as const)("with the linear system solved by %s", (linear) => {
  // A(w) x = b, with A symmetric positive definite: the truth is solve.
  const matrix = (w: Value): Value => add(matmul(tensor(base), transpose(tensor(base))), diag(add(square(w), 1)));
  const truth = (w: Value) => sum(square(solve(matrix(w), constant([1, 2, 3, 4, 5, 6]))));
  const found = (w: Value) =>
    sum(
      square(
        implicit.root((x: Value, v: Value) => sub(matmul(matrix(v), x), tensor([1, 2, 3, 4, 5, 6])), { linear })(
          tensor([0, 0, 0, 0, 0, 0]),
          w,
        ),
      ),
    );
  const w = tensor([0.1, 0.5, -0.7, 1.2, 0.3, -0.2]);
  const same = (a: Value, b: Value) => {
    const [x, y] = [evaluate(a).data, evaluate(b).data];
    y.forEach((v, i) => {
      expect(x[i]).toBeCloseTo(v, 7);
    });
  };
  test("first and second derivatives are those of solve", () => {
    same(grad(found)(w), grad(truth)(w));
    same(jvp(found)(w, 1).tangent, jvp(truth)(w, 1).tangent);
    same(
      grad((v: Value) => sum(mul(grad(found)(v), tensor([1, 2, 3, 4, 5, 6]))))(w),
      grad((v: Value) => sum(mul(grad(truth)(v), tensor([1, 2, 3, 4, 5, 6]))))(w),
    );
    same(jvp(grad(found))(w, 1).tangent, jvp(grad(truth))(w, 1).tangent);
  });
});

test("argmin: the least squares solution as a function of the data, and its Jacobian", () => {
  const rows = tensor([
    [1, 0],
    [1, 1],
    [1, 2],
  ]);
  const cost = (x: Value, y: Value) => sum(square(sub(matmul(rows, x), y)));
  const fitted = implicit.argmin(cost, {
    solve: (x, y) => {
      let at = x;
      for (let k = 0; k < 20; k++) at = sub(at, solve(hessian((v: Value) => cost(v, y))(at), grad(cost)(at, y)));
      return at;
    },
  });
  const y = tensor([1, 2, 4]);
  const normal = (v: Value) => solve(matmul(transpose(rows), rows), matmul(transpose(rows), v));
  const [a, b] = [evaluate(jacobian((v: Value) => fitted(tensor([0, 0]), v))(y)).data, evaluate(jacobian(normal)(y)).data];
  b.forEach((v, i) => {
    expect(a[i]).toBeCloseTo(v, 9);
  });
});

test("implicit problems nest: the best rate of a fixed point", () => {
  const outer = implicit.root((p: Value, a: Value) => sub(dottie(0.5, p), a));
  const p = read(outer(0.8, 0.77));
  expect(read(dottie(0.5, p))).toBeCloseTo(0.77, 8);
  expect(read(grad((a: Value) => outer(0.8, a))(0.77))).toBeCloseTo(1 / slopeOf(p), 6);
});

describe("lessons:", () => {
  const one = constant(1);
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "steps that do not settle",
      () => read(implicit.fixedPoint((x: Value, p: Value) => mul(x, p))(1, 2)),
      "implicit.fixedPoint: not solved: the steps did not settle in 1000 rounds; start nearer, damp the step, raise limit, or bring { solve }: the residual is",
    ],
    [
      "Newton on an equation without a root",
      () => read(implicit.root((x: Value, p: Value) => add(square(x), p))(0.7, 1)),
      "implicit.root: not solved: Newton's method did not settle in 50 rounds; start nearer, or bring { solve }",
    ],
    [
      "a solver that does not",
      () => read(implicit.root((x: Value, p: Value) => sub(x, p), { solve: (x) => x })(1, 2)),
      "implicit.root: not solved: solve returned no root: the residual is 0.5, and 1e-9 is allowed",
    ],
    [
      "a solver of fixed points that does not",
      () => read(implicit.fixedPoint((x: Value, p: Value) => mul(p, x), { solve: (x) => x })(1, 2)),
      "implicit.fixedPoint: not solved: solve returned no fixed point",
    ],
    [
      "a minimum that is none",
      () => read(implicit.argmin((x: Value, p: Value) => square(sub(x, p)), { solve: (x) => x })(1, 2)),
      "implicit.argmin: not solved: the gradient is not zero where solve stopped; let it go on, or allow more: { tolerance }",
    ],
    [
      "fewer equations than unknowns",
      () => implicit.root((x: { a: Value; b: Value }, _: Value) => ({ a: x.a }) as never)({ a: 1, b: 2 }, 1),
      "implicit.root: what the function returns: missing b",
    ],
    [
      "equations of another shape",
      () => implicit.root((x: Value, p: Value) => sub(sum(x), p))(tensor([1, 2]), 1),
      "implicit.root: the unknown is f64[2] at the start, and what the function returns has f64[] for it",
    ],
    [
      "whole unknowns",
      () => implicit.root((x: Value) => x)(constant(1, "i32"), 1),
      "implicit.root: the start is i32[]; unknowns are floating-point numbers of one dtype",
    ],
    [
      "unknowns of two dtypes",
      () => implicit.root((x: { a: Value; b: Value }) => x)({ a: 1, b: tensor([1], "f32") }, 1),
      "implicit.root: b is f32[1] and a is f64[]; unknowns are floating-point numbers of one dtype",
    ],
    ["no unknowns", () => implicit.root(() => ({}))({}, 1), "implicit.root: the start has no leaf; there is nothing to solve for"],
    ["a type for a start", () => implicit.root((x: Value) => x)(f64() as never, 1), "implicit.root: the start is a type and has no value"],
    [
      "a type for a parameter",
      () => implicit.root((x: Value) => x)(1, i32() as never),
      "implicit.root: parameter  is a type and has no value",
    ],
    [
      "a type returned",
      () => implicit.root(() => f64() as never)(1, 1),
      "implicit.root: what the function returns  is a type and has no value",
    ],
    [
      "reading in the function",
      () => implicit.root((x: Value, p: Value) => sub(x, read(p)))(1, 1),
      "read: p depends on input p, which has no value while a graph is built",
    ],
    [
      "equations without the unknowns",
      () => jvp((p: Value) => implicit.root((_: Value, q: Value) => sub(q, 1), { solve: () => one, linear: "cg" })(1, p))(1, 1),
      "implicit.root: the equations do not depend on the unknowns",
    ],
    [
      "a singular Jacobian",
      () => read(grad((p: Value) => implicit.root((x: Value, q: Value) => square(sub(x, q)), { solve: (_, q) => q })(1, p))(1)),
      "is singular",
    ],
    [
      "a system that conjugate gradients cannot solve",
      () =>
        evaluate(
          grad((p: Value) =>
            sum(
              implicit.root(
                (x: Value, q: Value) =>
                  sub(
                    matmul(
                      tensor([
                        [0, 1],
                        [-1, 0],
                      ]),
                      x,
                    ),
                    mul(q, tensor([1, 1])),
                  ),
                { linear: "cg" },
              )(tensor([0, 0]), p),
            ),
          )(1),
        ),
      'implicit: conjugate gradients did not solve the linear system of the derivative; use { linear: "dense" }, or look whether the solution is unique',
    ],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });
  test("ensure passes what is sound, with its derivative", () => {
    expect(read(grad((x: Value) => square(ensureOp(x, 0, { most: 1, lesson: "no" })))(3))).toBe(6);
    expect(() => read(ensureOp(variable(1), Number.NaN, { most: 1, lesson: "no" }))).toThrow("no: the residual is NaN, and 1 is allowed");
  });
});

test("a deep equilibrium layer: a hundred and fifty unknowns without a matrix", () => {
  const m = 150;
  const weights = tensor(Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => 0.05 * Math.sin(i + 2 * j))));
  const layer = implicit.fixedPoint((z: Value, { w, x }: { w: Value; x: Value }) => tanh(add(matmul(mul(w, weights), z), x)));
  const start = tensor(new Float64Array(m));
  const x = tensor(Float64Array.from({ length: m }, (_, i) => Math.cos(i)));
  const loss = (w: Value) => sum(square(layer(start, { w, x })));
  const h = 1e-5;
  const slope = (read(loss(constant(1 + h))) - read(loss(constant(1 - h)))) / (2 * h);
  expect(read(grad(loss)(1)) / slope).toBeCloseTo(1, 5);
});
