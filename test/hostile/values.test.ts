import { expect, test } from "vitest";
import {
  add,
  concat,
  constant,
  evaluate,
  expand,
  explain,
  f64,
  graph,
  hessian,
  jacobian,
  leaves,
  mul,
  op,
  pad,
  parse,
  read,
  reshape,
  scope,
  sub,
  sum,
  tap,
  tensor,
  toArray,
  type Value,
  variable,
  vjp,
} from "../../src/index.ts";

test("a tap may read a value that the same evaluation is about to need", () => {
  const a = constant(2);
  const other = mul(a, 3);
  const report = (): void => {
    read(other);
  };
  expect(read(add(tap(a, "a", report), other))).toBe(8);
});

test("what an explanation hands out is a copy", () => {
  const x = variable([1, 2], "x");
  const told = explain(sum(mul(x, x)));
  for (const s of told.steps) if (s.pass === "forward") for (const o of s.operands) o.value.data[0] = 99;
  told.gradients[0]!.value.data[0] = 77;
  expect(toArray(x)).toEqual([1, 2]);
});

test("changing an attribute's list after the call changes nothing", () => {
  const shape = [2, 3];
  const x = reshape(tensor([1, 2, 3, 4, 5, 6]), { shape });
  shape[0] = 7;
  expect(x.type.shape).toEqual([2, 3]);
  const wide = [2, 2];
  const y = expand(1, { shape: wide });
  wide[0] = 9;
  expect(toArray(y)).toEqual([
    [1, 1],
    [1, 1],
  ]);
  const pads: [number, number][] = [[1, 1]];
  const z = pad(tensor([1]), { pads });
  pads[0]![0] = 5;
  expect(toArray(z)).toEqual([0, 1, 0]);
});

test("records of users with a key kind are records", () => {
  for (const kind of ["value", "tensor", "type"])
    expect(() => leaves({ a: { kind, w: 1 } })).toThrow("a.kind is string; trees are records and lists");
  expect(leaves({ kind: { w: 1 } }).map(({ path }) => path)).toEqual(["kind.w"]);
});

test("maps, sets and promises are refused as trees, not taken for empty records", () => {
  expect(() => leaves(new Map([["a", 1]]))).toThrow("the tree is a Map; trees are records and lists");
  expect(() => graph({ x: f64() }, () => Promise.resolve(1))).toThrow("the tree is a Promise");
  class Params {
    readonly w = 1;
  }
  expect(leaves(new Params())).toEqual([{ path: "w", leaf: 1 }]);
});

test("64-bit integers beyond 2^53 are refused even where rounding lands on 2^53", () => {
  expect(() => tensor(BigInt64Array.of(2n ** 53n + 1n))).toThrow("i64: element 0 is 9007199254740993; 64-bit integers are whole numbers");
  const most = tensor(BigInt64Array.of(2n ** 53n - 1n));
  expect(toArray(add(most, 1))).toEqual([2 ** 53]);
  expect(() => evaluate(add(most, 2))).toThrow("exact up to 2^53");
  expect(() => evaluate(sub(most, -2))).toThrow("exact up to 2^53");
  expect(() => evaluate(mul(tensor([3002399751580331], "i64"), 3))).toThrow("exact up to 2^53");
});

test("whole numbers have no -0", () => {
  expect(Object.is((toArray(mul(tensor([0], "i64"), -1)) as number[])[0], 0)).toBe(true);
});

test("what is no operand in a list is named by its place", () => {
  expect(() => concat([tensor([1]), null as never])).toThrow(
    "concat: xs[1] is null; operands are Values, Tensors, typed arrays and numbers",
  );
});

test("a scope may return flags and functions beside Values", () => {
  const made = scope("s", () => ({ v: mul(constant(1), 2), note: null, f: () => 1 }));
  expect(made.v.node.where?.scope).toBe("s");
});

test("attributes named like operands are lessons", () => {
  const same = op<(x: Value | number, attrs: object) => Value, readonly ["x"]>("acme.same", ["x"], {
    type: ({ x }) => x,
    eval: ({ x }) => x.data,
    vjp: ({ ct }) => ({ x: ct }),
  });
  expect(() => same(2, { x: 1 })).toThrow("acme.same: x is no attribute; operands come first, in order");
  expect(() => same(2, { $: 1 })).toThrow("acme.same: $ is no attribute");
});

test("lessons instead of crashes", () => {
  const x = variable(1, "x");
  expect(() => explain(mul(x, x), { wrt: { a: 3 as never } })).toThrow(
    "explain: wrt names a, which is no Value; give the variables themselves",
  );
  expect(() => hessian((v: Value) => v)(null as never)).toThrow("the tree is null; trees are records and lists");
  const ids = tensor([1, 2], "i32");
  expect(() => vjp((v: Value) => v)(ids)).toThrow("integers have no gradient: pass it as a later argument, or close over it");
  expect(() => jacobian((v: Value) => v)(ids)).toThrow("integers have no gradient: pass it as a later argument, or close over it");
  expect(() => parse("graph { %0: f64[] = constant @constructor inputs {} outputs {y: %0} }")).toThrow(
    "tensor @constructor is not beside the text",
  );
});
