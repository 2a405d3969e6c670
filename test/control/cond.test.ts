import { describe, expect, test } from "vitest";
import { condOp } from "../../src/control/cond.ts";
import {
  add,
  cond,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  greater,
  jit,
  jvp,
  log,
  mul,
  parse,
  print,
  read,
  reference,
  sin,
  square,
  sum,
  tap,
  tensor,
  type Value,
  variable,
  vjp,
  vmap,
  zeros,
} from "../../src/index.ts";

/** x^3 where x is above 1, else w sin(x). */
const f = ({ x, w }: { x: Value; w: Value }) =>
  cond(
    greater(x, 1),
    () => mul(x, square(x)),
    () => mul(w, sin(x)),
  );

test("cond gives the branch that the test chooses, with its derivatives in both modes, to third order", () => {
  expect(read(f({ x: variable(2), w: variable(3) }))).toBe(8);
  const high = grad(f)({ x: 2, w: 3 });
  expect([read(high.x), read(high.w)]).toEqual([12, 0]);
  const low = grad(f)({ x: 0.5, w: 3 });
  expect(read(low.x)).toBeCloseTo(3 * Math.cos(0.5), 14);
  expect(read(low.w)).toBeCloseTo(Math.sin(0.5), 14);
  expect(read(jvp(f)({ x: 0.5, w: 3 }, { x: 1, w: 2 }).tangent)).toBeCloseTo(3 * Math.cos(0.5) + 2 * Math.sin(0.5), 14);
  const g = (x: Value) => f({ x, w: mul(x, x) });
  const second = (x: number) => 2 * Math.sin(x) + 4 * x * Math.cos(x) - x * x * Math.sin(x);
  expect(read(grad(grad(g))(0.5))).toBeCloseTo(second(0.5), 13);
  expect(read(jvp(grad(g))(0.5, 1).tangent)).toBeCloseTo(second(0.5), 13);
  expect(read(grad((x: Value) => jvp(g)(x, 1).tangent)(0.5))).toBeCloseTo(second(0.5), 13);
  expect(read(jvp((x: Value) => jvp(g)(x, 1).tangent)(0.5, 1).tangent)).toBeCloseTo(second(0.5), 13);
  expect(read(grad(grad(grad(g)))(2))).toBe(6);
});

test("only the branch taken is computed, forward and backward, also in a program", () => {
  const seen: string[] = [];
  const watch = (x: Value, label: string) => tap(x, label, ({ what }) => void seen.push(`${label} ${what}`));
  const h = (x: Value) =>
    cond(
      greater(x, 0),
      () => square(watch(mul(x, 2), "yes")),
      () => mul(watch(square(x), "no"), x),
    );
  expect(read(h(variable(3)))).toBe(36);
  expect(seen).toEqual(["yes value"]);
  seen.length = 0;
  expect(read(grad(h)(3))).toBe(24);
  expect(new Set(seen)).toEqual(new Set(["yes value", "yes gradient"]));
  seen.length = 0;
  const slope = jit(grad(h), reference());
  expect(slope(-2).data[0]).toBe(12);
  expect(new Set(seen)).toEqual(new Set(["no value", "no gradient"]));
});

test("what the other branch would make of the numbers never shows: no NaN from log of a negative number", () => {
  const safe = (x: Value) =>
    cond(
      greater(x, 0),
      () => log(x),
      () => mul(x, 2),
    );
  expect(read(grad(safe)(-1))).toBe(2);
  const many = vmap(grad(safe))(tensor([-1, 0, 2]));
  expect(evaluate(many).data).toEqual(Float64Array.of(2, 2, 0.5));
});

test("branches return trees, and numbers take the other branch's dtype", () => {
  const at = variable(tensor([1, 2], "f32"));
  const made = cond(
    greater(sum(at), 0),
    () => ({ a: sum(at), list: [at] }),
    () => ({ a: 0 as number | Value, list: [zeros(f32(2))] }),
  );
  expect(made.a.type).toEqual(f32());
  expect(read(made.a)).toBe(3);
  expect(evaluate(made.list[0]!).data).toEqual(Float32Array.of(1, 2));
});

test("vmap over what a branch uses keeps one test; over the test itself every example takes its own branch", () => {
  const chosen = (test: Value, x: Value) =>
    cond(
      test,
      () => square(x),
      () => mul(x, 10),
    );
  const xs = tensor([1, 2, 3]);
  const one = vmap((x: Value) => chosen(greater(variable(1), 0), x))(xs);
  expect(evaluate(one).data).toEqual(Float64Array.of(1, 4, 9));
  const each = vmap((x: Value) => chosen(greater(x, 1.5), x));
  expect(evaluate(each(xs)).data).toEqual(Float64Array.of(10, 4, 9));
  expect(evaluate(grad((x: Value) => sum(each(x)))(xs)).data).toEqual(Float64Array.of(10, 4, 6));
  const { value, pull } = vjp(each)(xs);
  expect(evaluate(value).data).toEqual(Float64Array.of(10, 4, 9));
  expect(evaluate(pull(tensor([1, 2, 3]))).data).toEqual(Float64Array.of(10, 8, 18));
  expect(evaluate(vmap((x: Value) => jvp((y: Value) => chosen(greater(y, 1.5), y))(x, 1).tangent)(xs)).data).toEqual(
    Float64Array.of(10, 4, 6),
  );
});

test("conds nest, and the text form reads back", () => {
  const g = graph({ x: f64(), y: f64() }, ({ x, y }) =>
    cond(
      greater(x, 0),
      () =>
        cond(
          greater(y, 0),
          () => mul(x, y),
          () => add(x, y),
        ),
      () => x,
    ),
  );
  const text = print(g);
  const again = parse(text) as unknown as typeof g;
  expect(print(again)).toBe(text);
  for (const [x, y, d] of [
    [2, 3, [3, 2]],
    [2, -3, [1, 1]],
    [-2, 3, [1, 0]],
  ] as const) {
    expect(read(again({ x, y }))).toBe(read(g({ x, y })));
    const slope = grad((p: { x: Value; y: Value }) => again(p))({ x, y });
    expect([read(slope.x), read(slope.y)]).toEqual(d);
  }
});

describe("lessons:", () => {
  const x = variable(1, "x");
  const yes = () => x;
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["a test that is a number", () => cond(x, yes, yes), "cond: the test is f64[]; it is a truth value: compare, as in greater(x, 0)"],
    ["a test per element", () => cond(greater(tensor([1, 2]), 0), yes, yes), "cond: the test is bool[2]; it is one truth value: use where"],
    [
      "two shapes",
      () =>
        cond(
          greater(x, 0),
          () => ({ h: tensor([1, 2]) }),
          () => ({ h: tensor([1, 2, 3]) }),
        ),
      "cond: h is f64[2] from then and f64[3] from otherwise; both branches give one type: expand or reshape one of them",
    ],
    [
      "two dtypes",
      () => cond(greater(x, 0), yes, () => tensor(new Float32Array(1), f32()) as never),
      'cond: the result is f64[] from then and f32[] from otherwise; both branches give one type: write cast(..., "f64")',
    ],
    [
      "two trees",
      () =>
        cond<unknown>(
          greater(x, 0),
          () => ({ a: x }),
          () => ({ b: x }),
        ),
      "cond: what otherwise returns: missing a; unknown b; wanted a",
    ],
    ["a type", () => cond<unknown>(greater(x, 0), yes, () => f64()), "cond: result  is a type and has no value"],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });

  test("a node put together wrongly", () => {
    const made = cond(greater(x, 0), () => mul(x, 2), yes).node;
    const attrs = made.attrs as Parameters<typeof condOp>[2];
    const t = greater(x, 0);
    expect(() => condOp(t, [], attrs)).toThrow("cond: a branch has 1 inputs and 0 operands were given");
    expect(() => condOp(t, [tensor([1])], attrs)).toThrow("cond: x is f64[] in a branch, and operand 0 is f64[1]");
    expect(() => condOp(t, [x], { yes: 1, no: 2 } as never)).toThrow("cond: its attributes yes and no are no graphs");
    const mismatched = {
      yes: attrs.yes,
      no: cond(
        t,
        () => greater(x, 2),
        () => greater(x, 3),
      ).node.attrs,
    } as never as typeof attrs;
    expect(() => condOp(t, [x], { ...mismatched, no: (mismatched.no as never as typeof attrs).no })).toThrow(
      "cond: its two branches give results of different types",
    );
  });
});
