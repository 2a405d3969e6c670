import { describe, expect, test } from "vitest";
import { whileOp } from "../../src/control/while-loop.ts";
import {
  abs,
  add,
  cast,
  cond,
  constant,
  div,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  greater,
  jit,
  jvp,
  less,
  mul,
  type Operand,
  parse,
  print,
  read,
  reference,
  scan,
  sin,
  square,
  stack,
  sub,
  sum,
  tensor,
  type Value,
  variable,
  vmap,
  whileLoop,
} from "../../src/index.ts";

/** The square root of a by Newton's steps, as many as it takes. */
const root = (a: Value) =>
  whileLoop(
    (x) => greater(abs(sub(square(x), a)), 1e-14),
    (x) => mul(0.5, add(x, div(a, x))),
    1,
  );

/** x <- sin(w x) + x / 2 while x is below 3 or so; n counts. */
const climb = (w: Value, x: Value) =>
  whileLoop(
    (c) => less(c.x, 3),
    (c) => ({ x: add(mul(1.5, c.x), mul(w, sin(c.x))), n: add(c.n, 1) }),
    { x, n: constant(0, "i32") },
  );
const climbOnTheHost = (w: Value, x: Value) => {
  let v = x;
  while (read(v) < 3) v = add(mul(1.5, v), mul(w, sin(v)));
  return v;
};

test("whileLoop runs as long as its test holds; derivatives are those of the rounds made", () => {
  expect(read(root(constant(2)))).toBeCloseTo(Math.SQRT2, 14);
  expect(read(grad(root)(2))).toBeCloseTo(0.5 / Math.SQRT2, 8);
  expect(read(jvp(root)(2, 1).tangent)).toBeCloseTo(0.5 / Math.SQRT2, 8);
  expect(read(climb(constant(0.1), constant(0.1)).n)).toBe(8);
});

test("it agrees with the loop on the host to second order in every mix of modes", () => {
  const f = ({ w, x }: { w: Value; x: Value }) => climb(w, mul(x, x)).x;
  const g = ({ w, x }: { w: Value; x: Value }) => climbOnTheHost(w, mul(x, x));
  const at = { w: 0.3, x: 0.4 };
  const d = { w: 0.7, x: -0.4 };
  const numbers = (tree: unknown): number[] => Object.values(evaluate(tree) as object).map((t) => (t as { data: number[] }).data[0]!);
  const same = (a: unknown, b: unknown) => {
    numbers(a).forEach((v, i) => {
      expect(v).toBeCloseTo(numbers(b)[i]!, 9);
    });
  };
  type F = typeof f;
  same(grad(f)(at), grad(g)(at));
  same({ t: jvp(f)(at, d).tangent }, { t: jvp(g)(at, d).tangent });
  const twice = (h: F) =>
    grad((p: { w: Value; x: Value }) => {
      const s = grad(h)(p);
      return add(square(s.w), s.x);
    })(at);
  same(twice(f), twice(g));
  const forwardOverReverse = (h: F) => jvp(grad(h))(at, d).tangent;
  same(forwardOverReverse(f), forwardOverReverse(g));
  const reverseOverForward = (h: F) => grad((p: { w: Value; x: Value }) => square(jvp(h)(p, d).tangent))(at);
  same(reverseOverForward(f), reverseOverForward(g));
  const forwardTwice = (h: F) => ({ t: jvp((p: { w: Value; x: Value }) => jvp(h)(p, d).tangent)(at, d).tangent });
  same(forwardTwice(f), forwardTwice(g));
});

test("no round at all: the carry is what it was, and so is its gradient", () => {
  const f = (x: Value) =>
    whileLoop(
      (c) => less(c, 0),
      (c) => mul(c, 7),
      x,
    );
  expect(read(f(constant(2)))).toBe(2);
  expect(read(grad(f)(2))).toBe(1);
  expect(read(jvp(f)(2, 3).tangent)).toBe(3);
});

test("in a program the number of rounds follows the data", () => {
  const slope = jit(grad(root), reference());
  for (const a of [0.01, 2, 1e6]) expect(slope(a).data[0]! * 2 * Math.sqrt(a)).toBeCloseTo(1, 6);
});

test("a loop that never ends is stopped, with a lesson", () => {
  const forever = (limit: number) =>
    whileLoop(
      (x) => greater(x, 0),
      (x) => add(x, 1),
      1,
      { limit },
    );
  expect(() => read(forever(10))).toThrow(
    "whileLoop: the test still holds after 10 rounds; does the body change what the test looks at? If it needs more rounds, say so: { limit: 100 }",
  );
  expect(
    read(
      whileLoop(
        (x) => less(x, 10),
        (x) => add(x, 1),
        0,
        { limit: 10 },
      ),
    ),
  ).toBe(10);
});

test("vmap gives every example its own number of rounds", () => {
  const as = tensor([0.25, 2, 1e4]);
  expect(evaluate(vmap(root)(as)).data).toEqual(evaluate(stack([root(constant(0.25)), root(constant(2)), root(constant(1e4))])).data);
  const slopes = evaluate(vmap(grad(root))(as)).data;
  [0.25, 2, 1e4].forEach((a, i) => {
    expect(slopes[i]! * 2 * Math.sqrt(a)).toBeCloseTo(1, 6);
  });
  expect(evaluate(grad((v: Value) => sum(vmap(root)(v)))(as)).data).toEqual(slopes);
});

test("loops of all kinds nest in each other", () => {
  const f = (x: Value) =>
    scan(
      (c, r) => ({
        carry: cond(
          greater(c, 2),
          () => mul(c, 0.5),
          () =>
            whileLoop(
              (y) => less(y, add(2, r)),
              (y) => mul(y, add(1.5, mul(0.1, x))),
              c,
            ),
        ),
      }),
      x,
      tensor([0.1, 0.2, 0.3]),
    ).carry;
  const host = (x: Value) => {
    let c = x;
    for (const r of [0.1, 0.2, 0.3])
      if (read(c) > 2) c = mul(c, 0.5);
      else while (read(c) < 2 + r) c = mul(c, add(1.5, mul(0.1, x)));
    return c;
  };
  expect(read(f(constant(0.7)))).toBeCloseTo(read(host(constant(0.7))), 14);
  expect(read(grad(f)(0.7))).toBeCloseTo(read(grad(host)(0.7)), 11);
  expect(read(grad(grad(f))(0.7))).toBeCloseTo(read(grad(grad(host))(0.7)), 10);
  expect(read(jvp(grad(f))(0.7, 1).tangent)).toBeCloseTo(read(grad(grad(host))(0.7)), 10);
});

test("the text form reads back", () => {
  const g = graph({ a: f64() }, ({ a }) => root(a));
  const text = print(g);
  const again = parse(text) as unknown as typeof g;
  expect(print(again)).toBe(text);
  expect(read(grad((p: { a: Value }) => again(p))({ a: 9 }).a)).toBeCloseTo(1 / 6, 10);
});

describe("lessons:", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a test that is a number",
      () =>
        whileLoop(
          (x) => x,
          (x) => x,
          1,
        ),
      "whileLoop: the test returned f64[]; it is a truth value: compare, as in greater(x, 0)",
    ],
    [
      "a test per element",
      () =>
        whileLoop(
          (x) => greater(x, 0),
          (x) => x,
          tensor([1, 2]),
        ),
      "whileLoop: the test returned bool[2]; it is one truth value, not one per element",
    ],
    [
      "no test",
      () =>
        whileLoop(
          () => undefined as never,
          (x) => x,
          1,
        ),
      "whileLoop: the test returned no Value; it returns one truth value",
    ],
    [
      "a carry of another type",
      () =>
        whileLoop(
          (x) => greater(x, 0),
          (x) => cast(x, "f32"),
          1,
        ),
      "whileLoop: carry is f64[] at the start and f32[] after one step; a carry keeps its type",
    ],
    [
      "another tree",
      () =>
        whileLoop(
          ({ x }) => greater(x, 0),
          () => ({}) as { x: Operand },
          { x: 1 },
        ),
      "whileLoop: the carry that the body returned: missing x",
    ],
    [
      "a limit of nothing",
      () =>
        whileLoop(
          (x) => greater(x, 0),
          (x) => x,
          1,
          { limit: 0 },
        ),
      "whileLoop: limit is 0; it is a whole number of rounds",
    ],
    [
      "reading in the test",
      () =>
        whileLoop(
          (x) => constant(read(x) > 0 ? 1 : 0, "bool"),
          (x) => x,
          1,
        ),
      "read: carry depends on input carry, which has no value while a graph is built; use where, cond or whileLoop",
    ],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });

  test("a node put together wrongly", () => {
    const { attrs } = climb(variable(1, "w"), variable(1)).x.node;
    const given = attrs as Parameters<typeof whileOp>[1];
    expect(() => whileOp([], given)).toThrow("whileLoop: its body has 3 inputs and 0 operands were given");
    expect(() => whileOp([1, tensor([1], f32(1)), constant(0, "i32")], given)).toThrow("in the body, and operand 1 is f32[1]");
    expect(() => whileOp([], { ...given, body: 1 } as never)).toThrow("whileLoop: its attributes test and body are no graphs");
  });
});
