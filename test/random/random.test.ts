import { describe, expect, test } from "vitest";
import {
  bool,
  cast,
  constant,
  DomainError,
  DTypeError,
  evaluate,
  f16,
  f32,
  f64,
  grad,
  graph,
  i32,
  mul,
  random,
  read,
  ShapeError,
  sum,
  tensor,
  type Value,
} from "../../src/index.ts";

const key = random.key(7);
const data = (v: Value): number[] => [...evaluate(v).data];

describe("keys", () => {
  test("are i32[2] Tensors, and stay Tensors when folded by what the host knows", () => {
    expect(key.type).toEqual(i32(2));
    const child = random.fold(key, "attn3");
    expect(child.kind).toBe("tensor");
    expect([...child.data]).not.toEqual([...random.fold(key, "attn4").data]);
    expect(data(random.fold(constant(key), "attn3"))).toEqual([...child.data]);
  });
  test("folded by a number or by a Value of it are the same", () => {
    expect(data(random.fold(key, constant(5, "i32")))).toEqual([...random.fold(key, 5).data]);
    expect(data(random.fold(constant(key), 5))).toEqual([...random.fold(key, 5).data]);
  });
  test("split into a list whose beginning does not depend on its length", () => {
    const [a, b] = random.split(key, 2);
    expect(data(a!)).not.toEqual(data(b!));
    expect(random.split(key, 3).slice(0, 2).map(data)).toEqual([data(a!), data(b!)]);
  });
  test("depend on an input inside a graph", () => {
    const g = graph({ step: i32() }, ({ step }) => random.uniform(random.fold(key, step), f64(3)));
    expect(data(g({ step: 4 }))).toEqual(data(random.uniform(random.fold(key, 4), f64(3))));
    expect(data(g({ step: 5 }))).not.toEqual(data(g({ step: 4 })));
  });
});

describe("numbers", () => {
  test("are the same for the same key, and have the type asked for", () => {
    const x = random.normal(key, f32(2, 3));
    expect(x.type).toEqual(f32(2, 3));
    expect(data(x)).toEqual(data(random.normal(key, f32(2, 3))));
    expect(data(x)).not.toEqual(data(random.normal(random.key(8), f32(2, 3))));
    expect(data(random.uniform(key, f16(100))).every((u) => u >= 0 && u < 1)).toBe(true);
  });
  test("of bernoulli hold with probability p", () => {
    const share = (p: Value | number): number => data(random.bernoulli(key, p, bool(4000))).reduce((n, t) => n + t, 0) / 4000;
    expect(Math.abs(share(0.9) - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 / 4000));
    expect([share(0), share(1)]).toEqual([0, 1]);
    expect(share(constant(0.9))).toBe(share(0.9));
  });
  test("of permutation are each number once", () => {
    const p = data(random.permutation(key, 50));
    expect(p).not.toEqual(p.toSorted((a, b) => a - b));
    expect(p.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
  test("are constants to a derivative", () => {
    const f = (x: Value): Value => sum(mul(x, random.uniform(key, f64(3))));
    expect(data(grad(f)(tensor([1, 2, 3])))).toEqual(data(random.uniform(key, f64(3))));
    expect(read(grad((x: Value) => mul(x, cast(random.bernoulli(key, x, bool()), "f64")))(1))).toBe(1);
  });
});

test.each([
  [() => random.key(0.5), DomainError, /random.key: 0.5 is no whole number within 2\^53/],
  [() => random.fold(key, Number.NaN), DomainError, /random.fold: NaN is no whole number/],
  [() => random.fold(key, constant(0.5)), DTypeError, /random.fold: the number is f64\[\]; fold in a scalar whole number/],
  [() => random.foldKey(key), DomainError, /random.fold: nothing to fold in/],
  [() => random.uniform(tensor([1, 2]), f64(3)), DTypeError, /key is f64\[2\]; keys are i32\[2\], made by random.key/],
  [
    () => random.uniform(random.splitKeys(key, { count: 3 }), f64(3)),
    ShapeError,
    /random.uniform: key is i32\[3,2\], many keys; one is i32\[2\]/,
  ],
  [() => random.normal(key, i32(3)), DTypeError, /the type is i32\[3\]; draw floats, and cast/],
  [() => random.split(key, -1), DomainError, /random.split: the count is -1/],
  [() => random.permutation(key, 1.5), DomainError, /random.permutation: the count is 1.5/],
  [() => random.bernoulli(key, 2, bool(3)), DomainError, /p is 2; a probability is between 0 and 1/],
  [() => random.bernoulli(key, 0.5, f32(3)), DTypeError, /the type is f32\[3\]; draw bool/],
  [() => random.bernoulli(key, tensor([0.5, 0.5]), bool()), Error, /p must broadcast to the type/],
])("what does not fit is explained: %s", (build, kind, message) => {
  expect(build).toThrow(kind);
  expect(build).toThrow(message);
});
