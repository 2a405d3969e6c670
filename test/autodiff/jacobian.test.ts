import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import {
  add,
  at,
  cast,
  evaluate,
  exp,
  f32,
  f64,
  gather,
  grad,
  graph,
  hessian,
  jacobian,
  jvp,
  leaves,
  matmul,
  mul,
  type Operand,
  read,
  sin,
  sqrt,
  square,
  stack,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
  variable,
  vjp,
} from "../../src/index.ts";
import { nodesOf } from "../../src/ir/graph.ts";
import { anyTensor } from "../laws/sample.ts";

const data = (v: Value): number[] => [...evaluate(v).data];

/** All first derivatives by one pullback per element: what `jacobian` has to agree with. */
function byPasses(f: (x: Value) => Value, x: Tensor): number[] {
  const { value, pull } = vjp(f)(x);
  const n = evaluate(value as Value).data.length;
  return Array.from({ length: n }, (_, i) => {
    const ct = new Float64Array(n);
    ct[i] = 1;
    return data(pull(tensor(ct, value.type)) as Value);
  }).flat();
}

function near(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  const top = Math.max(1, ...b.map(Math.abs));
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(1e-12 * top);
  });
}

/** Functions of a matrix [3,2] to results of every rank. */
const functions: Readonly<Record<string, (x: Value) => Value>> = {
  scalar: (x) => sum(sin(mul(x, square(x)))),
  vector: (x) => tanh(matmul(x, tensor([0.3, -0.5]))),
  matrix: (x) => matmul(transpose(x), exp(mul(x, 0.1))),
  rank4: (x) => mul(stack([x, square(x)]), stack([stack([x, x]), stack([x, x])])),
  constant: () => tensor([1, 2, 3]) as unknown as Value,
  partial: (x) => gather(mul(x, x), tensor(new Int32Array([2, 0, 2]))),
};

describe("jacobian, in one batched pass, is the passes one by one", () => {
  test.each(Object.keys(functions))("%s result", (name) => {
    const f = functions[name]!;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const x = anyTensor(drawsFrom(seed), [3, 2], 2);
        const wanted = byPasses(f, x);
        for (const mode of ["reverse", "forward"] as const) {
          const J = jacobian(f, { mode })(x);
          expect(J.type.shape).toEqual([...(f(variable(x)) as Value).type.shape, 3, 2]);
          near(data(J), wanted);
        }
      }),
      { numRuns: 8, seed: 11 },
    );
  });

  test("of trees to trees: a tree of the argument for each leaf of the result", () => {
    const f = (p: { a: Value; b: [Value, Value] }) => ({ s: mul(p.a, sum(p.b[0])), t: [mul(p.b[0], p.b[1])] });
    const p = { a: 2, b: [tensor([1, 2, 3]), 5] as [Operand, Operand] };
    for (const mode of ["reverse", "forward"] as const) {
      const J = jacobian(f, { mode })(p);
      expect(leaves(J).map(({ path }) => path)).toEqual(["s.a", "s.b.0", "s.b.1", "t.0.a", "t.0.b.0", "t.0.b.1"]);
      expect(read(J.s.a)).toBe(6);
      expect(data(J.s.b[0])).toEqual([2, 2, 2]);
      expect(read(J.s.b[1])).toBe(0);
      expect(data(J.t[0]!.a)).toEqual([0, 0, 0]);
      expect(data(J.t[0]!.b[0])).toEqual([5, 0, 0, 0, 5, 0, 0, 0, 5]);
      expect(data(J.t[0]!.b[1])).toEqual([1, 2, 3]);
    }
  });

  test("of no elements", () => {
    for (const mode of ["reverse", "forward"] as const) {
      expect(jacobian((x: Value) => square(x), { mode })(tensor(new Float64Array(0))).type).toEqual(f64(0, 0));
      expect(jacobian((x: Value) => mul(x, tensor(new Float64Array(0), f64(0, 3))), { mode })(tensor([1, 2, 3])).type).toEqual(
        f64(0, 3, 3),
      );
    }
  });

  test("keeps dtypes", () => {
    for (const mode of ["reverse", "forward"] as const)
      expect(jacobian((x: Value) => square(x), { mode })(tensor(new Float32Array([1, 2]))).type).toEqual(f32(2, 2));
    expect(jacobian((x: Value) => cast(square(x), "f64"), { mode: "reverse" })(tensor(new Float32Array([1, 2]))).type).toEqual(f32(2, 2));
  });

  test("an infinite derivative of one variable leaves the columns of another alone", () => {
    for (const mode of ["reverse", "forward"] as const) {
      const J = jacobian((p: { a: Value; b: Value }) => add(sqrt(p.a), p.b), { mode })({ a: 0, b: 3 });
      expect([read(J.a), read(J.b)]).toEqual([Number.POSITIVE_INFINITY, 1]);
    }
  });

  test("takes the mode with fewer directions", () => {
    const tall = graph({ x: f64() }, ({ x }) => jacobian((v: Value) => mul(v, tensor([1, 2, 3])))(x));
    expect(nodesOf(tall as never).some((n) => n.op.name === "diag")).toBe(false);
  });

  test("has as many nodes for a thousand rows as for two", () => {
    const count = (n: number): number =>
      nodesOf(graph({ x: f64(n) }, ({ x }) => jacobian((v: Value) => tanh(mul(v, sum(v))), { mode: "reverse" })(x)) as never).length;
    expect(count(1000)).toBe(count(2));
    expect(count(1000)).toBeLessThan(40);
  });
});

describe("hessian", () => {
  const f = (x: Value): Value => sum(mul(exp(at(x, 0)), square(sum(x))));

  test("of one Value is symmetric and is the jacobian of the gradient", () => {
    const x = tensor([0.3, -1, 2]);
    const H = data(hessian(f)(x));
    near(H, byPasses(grad(f), x));
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) expect(H[3 * i + j]).toBeCloseTo(H[3 * j + i]!, 12);
  });

  test("of a tree has a block per pair of leaves", () => {
    const H = hessian((p: { a: Value; b: Value }) => mul(square(p.a), sum(mul(p.b, p.b))))({ a: 2, b: tensor([1, 3]) });
    expect(read(H.a.a)).toBe(20);
    expect(data(H.a.b)).toEqual([8, 24]);
    expect(data(H.b.a)).toEqual([8, 24]);
    expect(data(H.b.b)).toEqual([8, 0, 0, 8]);
  });

  test("is differentiated again", () => {
    const third = jvp((x: Value) => hessian((v: Value) => sum(mul(v, mul(v, v))))(x))(tensor([1, 2]), tensor([1, 1])).tangent as Value;
    expect(data(third)).toEqual([6, 0, 0, 6]);
  });

  test("has as many nodes for a hundred variables as for two", () => {
    const count = (n: number): number =>
      nodesOf(graph({ x: f64(n) }, ({ x }) => hessian((v: Value) => sum(sin(mul(v, sum(v)))))(x)) as never).length;
    expect(count(100)).toBe(count(2));
  });
});
