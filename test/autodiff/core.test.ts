import { expect, test } from "vitest";
import {
  add,
  at,
  concat,
  customGradient,
  div,
  evaluate,
  expand,
  f64,
  grad,
  gradients,
  graph,
  hessian,
  hvp,
  jacobian,
  jvp,
  mul,
  neg,
  read,
  slice,
  stopGradient,
  sub,
  sum,
  tensor,
  transpose,
  type Value,
  variable,
  vjp,
} from "../../src/index.ts";

test("the lecture's example", () => {
  const x = variable(-2, "x"),
    y = variable(5, "y"),
    z = variable(-4, "z");
  const q = add(x, y),
    f = mul(q, z);
  const { dx, dy, dz, dq } = gradients(f, { dx: x, dy: y, dz: z, dq: q });
  expect([read(f), read(dx), read(dy), read(dz), read(dq)]).toEqual([-12, -4, -4, 3, -4]);
});

test("nested derivatives are kept apart", () => {
  expect(read(grad((x: Value) => mul(x, grad((y: Value) => add(x, y))(x)))(1))).toBe(1);
  const cube = (x: Value) => mul(x, mul(x, x));
  expect(read(grad(grad(cube))(2))).toBe(12);
  expect(read(grad(grad(grad(cube)))(2))).toBe(6);
  for (const outer of ["forward", "reverse"] as const)
    for (const inner of ["forward", "reverse"] as const) expect(read(grad(grad(cube, { mode: inner }), { mode: outer })(2))).toBe(12);
});

test("tensors, broadcasting, jacobian, hessian", () => {
  const a = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const g = grad(({ a, b }: { a: Value; b: Value }) => sum(mul(mul(a, b), a)))({ a, b: tensor([1, 2, 3]) });
  expect(evaluate(g.a).data).toEqual(Float64Array.of(2, 8, 18, 8, 20, 36));
  expect(evaluate(g.b).data).toEqual(Float64Array.of(17, 29, 45));
  const J = jacobian((x: Value) => mul(x, x))(tensor([1, 2]));
  expect([...evaluate(J).data]).toEqual([2, 0, 0, 4]);
  expect([...evaluate(jacobian((x: Value) => mul(x, x), { mode: "forward" })(tensor([1, 2]))).data]).toEqual([2, 0, 0, 4]);
  const H = hessian((x: Value) => mul(at(x, 0), mul(at(x, 1), at(x, 1))))(tensor([3, 5]));
  expect([...evaluate(H).data]).toEqual([0, 10, 10, 6]);
  expect([...evaluate(hvp((x: Value) => mul(at(x, 0), mul(at(x, 1), at(x, 1))))(tensor([3, 5]), 1)).data]).toEqual([10, 16]);
  const { value, pull } = vjp((x: Value) => div(neg(transpose(x)), sub(x.type.shape[0]!, 1)))(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  expect([...evaluate(value).data]).toEqual([-1, -3, -2, -4]);
  expect([
    ...evaluate(
      pull(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).data,
  ]).toEqual([-1, -3, -2, -4]);
  expect(read(jvp((x: Value) => sum(concat([x, mul(2, x)])))(tensor([1, 2]), 1).tangent)).toBe(6);
  expect(evaluate(grad((x: Value) => sum(slice(expand(x, { shape: [3, 2] }), { step: -2 })))(tensor([1, 2]))).data).toEqual(
    Float64Array.of(2, 2),
  );
});

test("custom gradients and stops", () => {
  const f = customGradient(
    ({ x }: { x: Value }) => mul(x, x),
    ({ ct }) => ({ x: mul(ct, 7) }),
  );
  expect(read(grad((x: Value) => add(f({ x }), stopGradient(x)))(3))).toBe(7);
  const g = graph({ x: f64(2) }, ({ x }) => sum(mul(x, x)));
  expect(read(g({ x: tensor([3, 4]) }))).toBe(25);
  expect([...evaluate(grad(g)({ x: tensor([3, 4]) })).x.data]).toEqual([6, 8]);
});
