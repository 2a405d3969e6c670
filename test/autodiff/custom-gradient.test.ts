import { describe, expect, test } from "vitest";
import {
  add,
  constant,
  customGradient,
  evaluate,
  explain,
  f64,
  gather,
  grad,
  gradients,
  graph,
  infix,
  jvp,
  less,
  mul,
  named,
  type Operand,
  read,
  square,
  stopGradient,
  sum,
  tensor,
  type Value,
  variable,
  vmap,
  where,
} from "../../src/index.ts";

type X = { x: Value };
const rule = ({ ct }: { ct: Value }) => ({ x: ct });
const own = (f: (inputs: X) => Value, x: Value | number): Value => customGradient(f, rule)({ x });
const w = variable(2, "w");

describe("a function that uses a value from outside, whose gradient would be lost, is refused when it is called:", () => {
  const half = named(mul(w, 0.5), "half");
  test.each<[string, () => unknown, string]>([
    ["a variable", () => own(({ x }) => mul(x, w), 1), "w"],
    ["what depends on one, far inside", () => own(({ x }) => mul(x, add(1, square(half))), 1), "half"],
    ["a result that is from outside", () => own(() => half, 1), "half"],
    ["an input of a graph", () => graph({ a: f64() }, ({ a }) => own(({ x }) => mul(x, a), 1)), "a"],
    ["an argument of a transform", () => grad((t: Value) => own(({ x }) => mul(x, t), 1))(3), "the argument of a transform around it"],
    ["a value that is passed in as well", () => own(({ x }) => mul(x, w), w), "w"],
  ])("%s", (_, build, name) => {
    expect(build).toThrow(
      `customGradient: the function uses ${name}, which is not among its inputs, so its gradient would be lost; pass it as an input or wrap it in stopGradient`,
    );
  });
});

describe("a function may use values from outside that have no gradient to lose:", () => {
  const label = variable(new Int32Array([0]), "label");
  const done: Value[] = [];
  grad((t: Value) => {
    done.push(t);
    return t;
  })(2);
  test.each<[string, (inputs: X) => Value]>([
    ["constants", ({ x }) => mul(x, constant(2))],
    ["what is read", ({ x }) => mul(x, read(w))],
    ["what is stopped", ({ x }) => mul(x, stopGradient(mul(w, 1)))],
    ["what is compared", ({ x }) => where(less(w, 3), mul(2, x), x)],
    ["integers", ({ x }) => mul(x, sum(gather(constant([2, 4]), label)))],
    ["an argument of a transform that is over", ({ x }) => mul(x, done[0]!)],
  ])("%s", (_, f) => {
    const x = variable(5, "x");
    const y = own(f, x);
    expect(read(y)).toBe(10);
    expect(read(gradients(y, { dx: x }).dx)).toBe(1);
  });
});

test("one inside another, with its inputs handed on, has the outer rule", () => {
  const nested = own(({ x }) => own(({ x: y }) => mul(y, 3), mul(x, 2)), w);
  expect(read(nested)).toBe(12);
  expect(read(gradients(nested, { dw: w }).dw)).toBe(1);
});

test("an explanation goes back by the rule alone, and the formula is the function's", () => {
  const y = own(({ x }) => mul(x, 3), w);
  const text = explain(y).text();
  expect(text.slice(text.indexOf("Backward pass"))).toBe(
    [
      "Backward pass",
      "  1  df/df = 1",
      "       the pass starts with df/df = 1",
      "  2  f = customGradient: the op's rule applied to the upstream gradient",
      "       df/dw = vjp of customGradient = 1",
      "",
      "Gradients",
      "     df/dw = 1",
      "",
    ].join("\n"),
  );
  expect(infix(y)).toBe("w * 3");
});

describe("a forward rule of one's own", () => {
  let pushed = 0;
  const cube = customGradient(
    ({ x, w }: { x: Value; w: Value }) => mul(w, mul(x, square(x))),
    ({ ct, x, w }) => ({ x: mul(ct, mul(w, mul(3, square(x)))), w: mul(ct, mul(x, square(x))) }),
    {
      jvp: ({ x, w, d }) => {
        pushed++;
        return add(mul(d.x, mul(w, mul(3, square(x)))), mul(d.w, mul(x, square(x))));
      },
    },
  );
  test("serves forward mode, is differentiated itself, and agrees with the backward rule", () => {
    const f = (x: Value) => cube({ x, w: 2 });
    pushed = 0;
    expect(read(jvp(f)(2, 1).tangent)).toBe(24);
    expect(pushed).toBe(1);
    expect(read(grad(f)(2))).toBe(24);
    expect(read(jvp((x: Value) => jvp(f)(x, 1).tangent)(2, 1).tangent)).toBe(24);
    expect(read(grad((x: Value) => jvp(f)(x, 1).tangent)(2))).toBe(24);
    expect(read(jvp(grad(f))(2, 1).tangent)).toBe(24);
    expect(evaluate(vmap((x: Value) => jvp(f)(x, 1).tangent)(tensor([1, 2]))).data).toEqual(Float64Array.of(6, 24));
  });
  test("a number stands for a tensor of it, and other shapes are named", () => {
    const of = (jvpOf: () => Operand) =>
      customGradient(
        ({ x }: { x: Value }) => mul(x, 2),
        ({ ct }) => ({ x: ct }),
        { jvp: jvpOf },
      );
    expect(evaluate(jvp((x: Value) => of(() => 5)({ x }))(tensor([1, 2]), 1).tangent).data).toEqual(Float64Array.of(5, 5));
    expect(() => jvp((x: Value) => of(() => tensor([1, 2, 3]))({ x }))(tensor([1, 2]), 1)).toThrow(
      "customGradient: the jvp gives f64[3] and the function f64[2]; a tangent has its value's type",
    );
    expect(() => jvp((x: Value) => of(() => undefined as never)({ x }))(1, 1)).toThrow("customGradient: the jvp returned no single Value");
  });
});
