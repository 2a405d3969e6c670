import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/autodiff/grad.ts";
import { detach, evaluate } from "../../src/evaluate/evaluate.ts";
import { constant, input, named, variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import type { Operand } from "../../src/ir/op.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f64 } from "../../src/ir/type.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { infix, infixParts } from "../../src/notation/infix.ts";
import { readable } from "../../src/notation/name-book.ts";
import { op } from "../../src/ops/define.ts";
import {
  add,
  cast,
  concat,
  div,
  expand,
  identity,
  mul,
  neg,
  reshape,
  slice,
  sort,
  stack,
  sub,
  sum,
  transpose,
} from "../../src/ops/index.ts";
import { anyCharacter } from "./expressions.ts";

const [x, y, z] = [variable(-2, "x"), variable(5, "y"), variable(-4, "z")];
const m = variable(
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  "m",
);

/** The value that the printed text gives. */
function reread(v: Value): Value {
  const { text, operands } = infixParts(v);
  return compileExpression(text, { variables: Object.keys(operands) })(operands);
}

function expectSame(v: Value): void {
  expect(evaluate(reread(v))).toEqual(evaluate(v));
}

describe("infix", () => {
  test.each<[string, Value]>([
    ["(x + y) * z", mul(add(x, y), z)],
    ["x + y * z", add(x, mul(y, z))],
    ["x - (y - z)", sub(x, sub(y, z))],
    ["x - y - z", sub(sub(x, y), z)],
    ["-(x + y)", neg(add(x, y))],
    ["-x * y", mul(neg(x), y)],
    ["x * -y", mul(x, neg(y))],
    ["x * -2", mul(x, -2)],
    ["x - -1e-7", sub(x, -1e-7)],
    ["x / (y / 0.1)", div(x, div(y, 0.1))],
    ["x * inf + nan", add(mul(x, Infinity), Number.NaN)],
    ["x * -0", mul(x, -0)],
    ["x", x],
    ["3", constant(3)],
    ["x", identity(x)],
    ["sum(m)", sum(m)],
    ["sum(m, axis=0)", sum(m, { axis: 0 })],
    ["sum(m, axis=1, keepDims=true)", sum(m, { axis: -1, keepDims: true })],
    ["sum(m, keepDims=true)", sum(m, { axis: [0, 1], keepDims: true })],
    ["m.T", transpose(m)],
    ["transpose(reshape(m, shape=[1, 2, 3]), axes=[1, 0, 2])", transpose(reshape(m, { shape: [1, 2, 3] }), { axes: [1, 0, 2] })],
    ["m[1:]", slice(m, { start: 1 })],
    ["m[:, ::-2]", slice(m, { axis: 1, step: -2 })],
    ["m[1:, :2]", slice(slice(m, { start: 1 }), { axis: 1, end: 2 })],
    ["m[:, 0:0]", slice(m, { axis: 1, start: 3 })],
    ["m[1]", reshape(slice(m, { start: 1 }), { shape: [3] })],
    ["m[1, 2]", reshape(slice(slice(m, { start: 1 }), { axis: 1, start: 2 }), { shape: [] })],
    ["m[:, 2]", reshape(slice(m, { axis: 1, start: 2 }), { shape: [2] })],
    ["reshape(m[1:], shape=[3, 1])", reshape(slice(m, { start: 1 }), { shape: [3, 1] })],
    ["concat([m, m[1:]])", concat([m, slice(m, { start: 1 })])],
    ["concat([m, m], axis=1)", concat([m, m], { axis: 1 })],
    ["expand(x, shape=[2]) + [1, -2]", add(expand(x, { shape: [2] }), tensor([1, -2]))],
    ["m * [[1], [0.5]]", mul(m, tensor([[1], [0.5]]))],
  ])("%s", (text, value) => {
    expect(infix(value)).toBe(text);
    expectSame(value);
  });

  test("numbers of other dtypes are the shortest of their dtype, and say it where nothing beside them does", () => {
    const w = variable(tensor([1, 2], "f32"), "w");
    const n = variable(tensor([1, 2], "i32"), "n");
    expect(infix(mul(w, 0.1))).toBe("w * 0.1");
    expect(infix(add(mul(constant(0.1, "f32"), constant(0.3, "f32")), w))).toBe("cast(0.1, f32) * 0.3 + w");
    expect(infix(expand(constant(0.1, "f16"), { shape: [2] }))).toBe("expand(cast(0.1, f16), shape=[2])");
    expect(infix(constant(1 / 3, "f32"))).toBe("cast(0.33333334, f32)");
    expect(infix(mul(n, -3))).toBe("n * -3");
    expect(infix(mul(w, tensor([0.1, 0.7], "f32")))).toBe("w * cast([0.1, 0.7], f32)");
    expect(infix(constant(true))).toBe("true");
    expect(infix(constant([true, false]))).toBe("[true, false]");
  });

  test("leaves without a name and large constants get one", () => {
    const parts = infixParts(mul(add(variable(1), variable(2)), tensor(new Float64Array(100))));
    expect(parts.text).toBe("(v1 + v2) * c1");
    expect(Object.keys(parts.operands)).toEqual(["v1", "v2", "c1"]);
    const v1 = variable(1, "v1");
    expect(infix(add(variable(1), v1))).toMatch(/^v1 \+ v1_2$|^v1_2 \+ v1$|^v2 \+ v1$/);
    expectSame(add(variable(1), v1));
  });

  test("names are made readable and told apart", () => {
    const v = add(add(variable(1, "a b"), variable(2, "a_b")), mul(variable(3, "nan"), variable(4, "fc1.w")));
    expect(infix(v)).toBe("a_b + a_b_2 + nan_2 * fc1.w");
    expectSame(v);
    expectSame(add(add(variable(3, "pi"), variable(4, "e")), variable(5, "sum")));
    for (const [label, name] of [
      ["1x", "_1x"],
      ["x.T", "x_T"],
      ["가", "가"],
      ["a/b-c", "a_b_c"],
      ["", "_"],
      ["x²", "x_"],
      ["'", "_'"],
    ] as const)
      expect(readable(label)).toBe(name);
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 6 }), (label) => {
        expectSame(add(variable(1, label), 1));
      }),
      { seed: 1 },
    );
  });

  test("what is used again and again stands on a line of its own", () => {
    let v: Value = x;
    for (let i = 0; i < 60; i++) v = mul(v, v);
    const text = infix(v);
    expect(text.length).toBeLessThan(2000);
    expect(text.startsWith("t1 = x * x * (x * x)\nt2 = t1 * t1 * (t1 * t1)\n")).toBe(true);
    let w: Value = variable(1.0000001, "x");
    for (let i = 0; i < 60; i++) w = mul(w, w);
    expectSame(w);
    const q = named(sub(add(mul(x, y), mul(y, z)), 1), "q.x");
    expect(infix(mul(q, q))).toBe("q_x = x * y + y * z - 1\nq_x * q_x");
    expect(infix(mul(add(x, y), add(x, y)))).toBe("(x + y) * (x + y)");
  });

  test("gradients print without the transforms' own nodes", () => {
    let printed = "";
    grad((v: Value) => {
      printed = infix(grad((u: Value) => mul(u, mul(u, v)))(v));
      return v;
    })(x);
    expect(printed).toBe("1 * (x * x) + 1 * x * x");
  });

  test("a value whose history was dropped is its number", () => {
    expect(infix(mul(detach(mul(constant(3), 2)), x))).toBe("6 * x");
  });

  test("several results of one node are taken from one line", () => {
    const sorted = sort(variable(tensor([3, 1, 2]), "v"));
    const both = add(sorted.values, cast(sorted.indices, "f64"));
    expect(infix(both)).toBe("t1 = sort(v)\nt1[0] + cast(t1[1], f64)");
    expectSame(both);
    expect(infix(sorted.indices)).toBe("sort(v)[1]");
    expectSame(sorted.indices);
  });

  test("an operand after one that is left out is a keyword", () => {
    type Affine = (x: Operand, scale?: Operand | null, bias?: Operand | null) => Value;
    const affine = op<Affine, readonly ["x", "scale?", "bias?"]>("acme.affine", ["x", "scale?", "bias?"], {
      type: ({ x: t }) => t,
      eval: ({ x: t }) => t.data,
      vjp: null,
    });
    const v = affine(x, null, y);
    expect(infix(v)).toBe("acme.affine(x, bias=y)");
    const again = compileExpression(infix(v), { functions: { "acme.affine": affine } })({ x, y });
    expect(again.node.operands).toEqual(v.node.operands);
  });

  test("an input prints by its name", () => {
    expect(infix(add(input(f64(), "t"), 1))).toBe("t + 1");
  });
});

describe("round trip", () => {
  /** Any scalar or vector graph of the arithmetic ops, with sharing. */
  const someGraph: fc.Arbitrary<Value> = fc
    .array(fc.tuple(fc.nat(6), fc.nat(1000), fc.nat(1000)), { minLength: 1, maxLength: 25 })
    .map((steps) => {
      const values: Value[] = [variable(1.5, "x"), variable(-0.25, "y"), variable(3, "w₀"), variable(2)];
      for (const [kind, i, j] of steps) {
        const [a, b] = [values[i % values.length]!, values[j % values.length]!];
        const other: Operand = j % 5 === 0 ? [0.5, -2, 1e-9, 3][j % 4]! : b;
        values.push([add(a, other), sub(a, other), mul(a, other), div(a, other), neg(a), sub(1, a), sum(stack([a, b]))][kind]!);
      }
      return values.at(-1)!;
    });

  test("parse(infix(v)) is v", () => {
    fc.assert(
      fc.property(someGraph, (v) => expectSame(v)),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 100 : 1000, seed: 7 },
    );
  });

  test("printing what was read prints the same again", () => {
    fc.assert(
      fc.property(someGraph, (v) => {
        const once = infix(v);
        if (!once.includes("\n")) expect(infix(reread(v))).toBe(once);
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 50 : 300, seed: 8 },
    );
  });
});
