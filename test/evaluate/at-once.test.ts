import { expect, test } from "vitest";
import { add, constant, gradients, mul, read, sub, tanh, unary, type Value, variable } from "../../src/index.ts";

test("what ops of our own give on known f64 scalars is known when they are made", () => {
  const x = variable(3);
  const y = mul(add(x, 2), x);
  expect(y.node.memo).toBe(15);
  expect(y.node.operands.length).toBe(2);
});

test("an op from outside runs when it is read, and what is built on it is known then", () => {
  let calls = 0;
  const counted = unary("acme.counted", {
    f: (x) => {
      calls++;
      return 2 * x;
    },
    d: null,
  });
  const y = add(counted(variable(4)), 1);
  expect([calls, y.node.memo]).toEqual([0, undefined]);
  expect([read(y), read(y), calls]).toEqual([9, 9, 1]);
});

test("what is known keeps its history until it is read, and gives it up then with all the known nodes behind it", () => {
  const a = add(constant(1), constant(2));
  const b = mul(a, a);
  const c = sub(b, 1);
  expect([a, b, c].map((v) => v.node.operands.length)).toEqual([2, 2, 2]);
  expect(read(c)).toBe(8);
  expect([a, b, c].map((v) => v.node.operands.length)).toEqual([0, 0, 0]);
});

test("a host loop that reads one of two values which hang on each other holds no history of the other", () => {
  let [x, v]: Value[] = [constant(1), constant(0)] as [Value, Value];
  const all: Value[] = [];
  for (let i = 0; i < 50; i++) {
    v = sub(mul(v!, 0.9), mul(x!, 0.1));
    x = add(x!, v);
    all.push(v);
    read(x);
  }
  expect(all.every((w) => w.node.operands.length === 0)).toBe(true);
});

test("what a node from outside reads gives up its history with it", () => {
  const twice = unary("acme.twice", { f: (x) => 2 * x, d: null });
  const a = add(constant(1), constant(2));
  expect(read(twice(a))).toBe(6);
  expect(a.node.operands.length).toBe(0);
});

test("history of what depends on a variable stays, because its gradient may be asked for after it was read", () => {
  const x = variable(0.5);
  const y = tanh(mul(x, 2));
  const before = read(y);
  expect(read(gradients(y, { x }).x)).toBeCloseTo(2 * (1 - before * before), 15);
});
