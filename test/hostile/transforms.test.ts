import { expect, test } from "vitest";
import {
  add,
  call,
  concat,
  customGradient,
  expand,
  f64,
  grad,
  graph,
  jvp,
  mul,
  read,
  sum,
  tensor,
  toArray,
  topK,
  type Value,
  variable,
  vjp,
  where,
} from "../../src/index.ts";
import { substitute } from "../../src/ir/graph.ts";
import { nextWalk } from "../../src/ir/node.ts";

const ways = ["forward", "reverse"] as const;

test("call of a graph nested in a graph, both closing over a transform's argument, to second order in every mix", () => {
  const f = (t: Value) => {
    const outer = graph({ x: f64() }, ({ x }) => {
      const inner = graph({ y: f64() }, ({ y }) => mul(mul(y, t), x));
      return call(inner, { y: mul(x, t) });
    });
    return call(outer, { x: mul(t, t) }); // t^6
  };
  for (const inner of ways) {
    expect(read(grad(f, { mode: inner })(2))).toBe(6 * 2 ** 5);
    for (const outer of ways) expect(read(grad(grad(f, { mode: inner }), { mode: outer })(2))).toBe(30 * 2 ** 4);
  }
});

test("a gradient of one's own that uses its result, to second order in every mix", () => {
  const own = customGradient(
    ({ x }: { x: Value }) => mul(x, x),
    ({ ct, x, out }) => ({ x: mul(ct, mul(out, x)) }),
  );
  const f = (t: Value) => own({ x: mul(t, 2) }); // rule: out x * 2, where out = 4 t^2 is differentiated by the rule again
  for (const inner of ways) {
    expect(read(grad(f, { mode: inner })(3))).toBe(16 * 27);
    for (const outer of ways) expect(read(grad(grad(f, { mode: inner }), { mode: outer })(3))).toBe(2 * (16 * 27 * 6 + 4 * 9 * 2));
  }
});

test("one Value in several leaves of an argument has a gradient per leaf", () => {
  const x = variable(3, "x");
  const g = grad(({ a, b }: { a: Value; b: Value }) => mul(mul(a, a), b))({ a: x, b: x });
  expect([read(g.a), read(g.b)]).toEqual([18, 9]);
});

test("an exception inside a transform leaves the next one as it was", () => {
  expect(() =>
    grad((x: Value) => {
      grad((y: Value) => {
        read(mul(x, y));
        throw new RangeError("planted");
      })(x);
      return x;
    })(2),
  ).toThrow("planted");
  expect(read(grad(grad((x: Value) => mul(x, mul(x, x))))(2))).toBe(12);
});

test("pull after the transform returned, after its values were read, twice, and inside another transform", () => {
  const { value, pull } = vjp((x: Value) => mul(x, mul(x, x)))(2);
  expect(read(value)).toBe(8);
  expect([read(pull(1)), read(pull(2))]).toEqual([12, 24]);
  expect(read(grad((s: Value) => mul(s, pull(s)))(5))).toBe(120);
});

test("an exchange of leaves visits no node older than they are", () => {
  let old: Value = variable(1, "w");
  for (let i = 0; i < 100; i++) old = add(old, 1);
  const x = variable(2, "x");
  const y = mul(x, old);
  const walk = nextWalk();
  const z = substitute(y, new Map([[x, variable(5, "z")]]));
  expect(old.node.mark).toBeLessThan(walk);
  expect(read(z)).toBe(505);
});

test("empty tensors and sizes of 1 differentiate", () => {
  const empty = tensor(new Float64Array(0));
  expect(toArray(grad((x: Value) => sum(mul(x, empty)))(tensor([7])))).toEqual([0]);
  expect(toArray(grad((x: Value) => sum(concat([x, tensor([1, 2])])))(empty))).toEqual([]);
  expect(toArray(grad((x: Value) => sum(expand(x, { shape: [0, 1] })))(tensor([3])))).toEqual([0]);
});

test("one result of several used, in both modes", () => {
  const f = (x: Value) => sum(topK(x, { k: 2 }).values);
  for (const mode of ways) expect(toArray(grad(f, { mode })(tensor([3, 1, 2])))).toEqual([1, 0, 1]);
});

test("a forward pass leaves integer and bool operands alone", () => {
  const f = (x: Value) => where(tensor([true, false]), mul(x, x), x);
  expect(toArray(jvp(f)(tensor([3, 4]), 1).tangent)).toEqual([6, 1]);
});
