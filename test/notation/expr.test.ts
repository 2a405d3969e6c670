import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/grad.ts";
import { read, toArray } from "../../src/evaluate/evaluate.ts";
import { ChainruleError, GraphError, ParseError } from "../../src/ir/errors.ts";
import { constant, input, variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import type { Operand } from "../../src/ir/op.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f32, f64, typeText } from "../../src/ir/type.ts";
import { expr } from "../../src/notation/expr.ts";

function errorOf(run: () => unknown): ChainruleError {
  try {
    run();
  } catch (error) {
    if (error instanceof ChainruleError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("expr", () => {
  test("the lecture's example", () => {
    const [x, y, z] = [variable(-2, "x"), variable(5, "y"), variable(-4, "z")];
    const f = expr`(${x} + ${y}) * ${z}`;
    expect(read(f)).toBe(-12);
    const { dx, dz } = gradients(f, { dx: x, dz: z });
    expect([read(dx), read(dz)]).toEqual([-4, 3]);
  });

  test("operands may be Values, tensors, typed arrays and numbers", () => {
    expect(toArray(expr`${tensor([1, 2])} + ${new Float64Array([10, 20])} * ${2} - ${variable(1)}`)).toEqual([20, 41]);
  });

  test("literals, holes with numbers and what they compute are weak: they take the dtype of what they meet", () => {
    const x = variable(tensor([1, 2], "f32"), "x");
    expect(typeText(expr`(1 + ${2} * 3 - 2^-1) * ${x}`.type)).toBe("f32[2]");
    expect(toArray(expr`(1 + ${2} * 3 - 2^-1) * ${x}`)).toEqual([6.5, 13]);
    expect(typeText(expr`1`.type)).toBe("f64[]");
    expect(read(expr`-2^2 + 2^3^2`)).toBe(508);
    expect(read(expr`7 / 2 - -1`)).toBe(4.5);
    expect(errorOf(() => expr`${variable(tensor([1], "i32"), "n")} * 0.5`).message).toMatch(/^0\.5 beside i32: i32 cannot hold it/);
  });

  test("constants", () => {
    expect(read(expr`pi + π + e`)).toBe(2 * Math.PI + Math.E);
    expect([read(expr`inf`), read(expr`-∞`), read(expr`nan`)]).toEqual([Infinity, -Infinity, NaN]);
    expect([typeText(expr`true`.type), read(expr`true`), read(expr`false`)]).toEqual(["bool[]", 1, 0]);
  });

  test("lines name values; a line may be called e", () => {
    const x = variable(3, "x");
    expect(
      read(expr`
        e = ${x} + 1   # not Euler's number
        w₀ = e * e; 가중치 = w₀ - e
        가중치 * 2`),
    ).toBe(24);
  });

  test("lists are tensors, lists of Values are stacked", () => {
    expect(toArray(expr`[1, 2] + [[1], [2]]`)).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(typeText(expr`[true, false]`.type)).toBe("bool[2]");
    expect(toArray(expr`[${variable(1)}, 2]`)).toEqual([1, 2]);
  });

  test("a call site is parsed once", () => {
    const site = (x: Operand): Value => expr`${x} + 1`;
    const [a, b] = [site(1), site(variable(2))];
    expect([read(a), read(b)]).toEqual([2, 3]);
    expect(site(variable(3)).node.where?.source).toBe(b.node.where?.source);
    let reads = 0;
    const strings = new Proxy(Object.assign(["", " + 1"], { raw: ["", " + 1"] }), {
      get: (target, key, receiver) => {
        if (key === "raw") reads++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    expect(read(expr(strings, 1))).toBe(2);
    const once = reads;
    expect(read(expr(strings, 4))).toBe(5);
    expect([once > 0, reads]).toEqual([true, once]);
  });

  test("attributes may be numbers in holes", () => {
    const x = variable(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      "x",
    );
    for (const axis of [0, 1, -1]) expect(toArray(expr`sum(${x}, axis=${axis})`)).toEqual(axis === 0 ? [5, 7, 9] : [6, 15]);
    expect(toArray(expr`sum(${x}, axis=[0, -1], keepDims=true)`)).toEqual([[21]]);
    expect(toArray(expr`${x}[${1}, -${1}]`)).toBe(6);
    expect(read(expr`sum(${x}, axis=None)`)).toBe(21);
  });

  test("every node made knows the part of the template it comes from", () => {
    const x = input(f64(3), "x");
    const f = expr`sum((${x} + 1) * ${x}.T[::-1]
      , axis=0)`;
    const source = "sum((${…} + 1) * ${…}.T[::-1]\n      , axis=0)";
    const where = (v: Value): string => v.node.where!.source!.slice(v.node.where!.span!.from, v.node.where!.span!.to);
    expect(f.node.where?.source).toBe(source);
    expect(where(f)).toBe(source);
    const product = f.node.operands[0]!;
    expect(where(product)).toBe("(${…} + 1) * ${…}.T[::-1]");
    expect(where(product.node.operands[0]!)).toBe("${…} + 1");
    expect(where(product.node.operands[1]!)).toBe("${…}.T[::-1]");
    expect(where(product.node.operands[1]!.node.operands[0]!)).toBe("${…}.T");
    expect(x.node.where).toBeNull();
    expect(where(product.node.operands[0]!.node.operands[1]!)).toBe("${…} + 1");
    expect(expr`${x}[...] + 0`.node.operands[0]).toBe(x);
    expect(x.node.where).toBeNull();
  });
});

describe("indexing", () => {
  const data = Array.from({ length: 2 }, (_, i) =>
    Array.from({ length: 3 }, (_, j) => Array.from({ length: 4 }, (_, k) => 100 * i + 10 * j + k)),
  );
  const x = variable(tensor(data), "x");
  test.each<[string, Value, unknown]>([
    ["x[1]", expr`${x}[1]`, data[1]],
    ["x[-1, 0]", expr`${x}[-1, 0]`, data[1]![0]],
    ["x[1, 2, 3]", expr`${x}[1, 2, 3]`, 123],
    ["x[:, 1]", expr`${x}[:, 1]`, data.map((a) => a[1])],
    ["x[..., 0]", expr`${x}[..., 0]`, data.map((a) => a.map((b) => b[0]))],
    ["x[0, ..., 0]", expr`${x}[0, ..., 0]`, data[0]!.map((b) => b[0])],
    ["x[...]", expr`${x}[...]`, data],
    ["x[1, 2, 3, ...]", expr`${x}[1, 2, 3, ...]`, 123],
    ["x[:, 1:, ::2]", expr`${x}[:, 1:, ::2]`, data.map((a) => a.slice(1).map((b) => [b[0], b[2]]))],
    ["x[0, ::-1, 1:-1]", expr`${x}[0, ::-1, 1:-1]`, [...data[0]!].reverse().map((b) => b.slice(1, -1))],
    ["x[0, 0, 2::-2]", expr`${x}[0, 0, 2::-2]`, [2, 0]],
    ["x[0, 0, 9:]", expr`${x}[0, 0, 9:]`, []],
    ["x[0, 0, -100:2]", expr`${x}[0, 0, -100:2]`, [0, 1]],
    ["x[None, 1, None, 0]", expr`${x}[None, 1, None, 0]`, [[data[1]![0]]]],
    ["x[1][0][2:]", expr`${x}[1][0][2:]`, [102, 103]],
    ["x[0, 0][:, None]", expr`${x}[0, 0][:, None]`, [[0], [1], [2], [3]]],
  ])("%s", (_, value, expected) => {
    expect(toArray(value)).toEqual(expected);
  });

  test.each<[() => Value, RegExp]>([
    [() => expr`${x}[2]`, /^x\[\.\.\.\]: index 2 is out of range for axis 0 of f64\[2,3,4\]; indices are -2\.\.1 \(line 1/],
    [() => expr`${x}[0, -4]`, /^x\[\.\.\.\]: index -4 is out of range for axis 1 of f64\[1,3,4\]; indices are -3\.\.2/],
    [() => expr`${x}[0, 0, 4:][0]`, /index 0 is out of range for axis 0 of f64\[0\]; the axis is empty/],
    [() => expr`${x}[0, 0, 0, 0]`, /^x\[\.\.\.\]: 4 subscripts for x, which is f64\[2,3,4\] and has 3 axes; take out 1/],
    [() => expr`2[0]`, /^x\[\.\.\.\]: 1 subscripts for x, which is f64\[\] and has 0 axes; take out 1/],
    [() => expr`${x}[0.5]`, /^x\[\.\.\.\]: an index is 0\.5; it is a whole number known beforehand/],
    [() => expr`${x}[${variable(1)}:]`, /^x\[\.\.\.\]: the start is a value of the graph; it is a whole number known beforehand/],
    [() => expr`${x}[:"a"]`, /^x\[\.\.\.\]: the end is the word "a"; it is a whole number/],
    [() => expr`${x}[::0]`, /^slice: step is 0; it is a whole number other than 0/],
    [
      () => expr`${x}["a"]`,
      /^x\[\.\.\.\]: the word "a" is no index; indices are whole numbers, slices, "\.\.\.", None or a tensor of integers/,
    ],
    [() => expr`${x}[${tensor([0.5])}]`, /^x\[\.\.\.\]: an index is f64\[1\]; write cast\(index, i32\)/],
    [
      () => expr`${x}[[true, false]]`,
      /^x\[\.\.\.\]: an index is bool\[2\]; how many elements a mask picks is not known beforehand: use where\(mask, x, 0\)/,
    ],
    [() => expr`${x}[[0], 1]`, /^x\[\.\.\.\]: one tensor of indices beside slices is all that is read/],
  ])("faults %#", (run, message) => {
    expect(errorOf(run).message).toMatch(message);
  });
});

describe("errors of expr", () => {
  const x = variable(tensor([1, 2, 3]), "x");
  test.each<[() => Value, RegExp]>([
    [() => expr`x + ${x}`, /^unknown name "x"; an operand stands in a hole: \$\{x\} \(line 1, column 1\)\n {2}x \+ \$\{…\}\n {2}\^$/],
    [() => expr`value = ${x}; vaule * 2`, /^unknown name "vaule"; did you mean value\?/],
    [() => expr`smu(${x})`, /^unknown function "smu"; did you mean sum\?/],
    [() => expr`a = ${x}; a(1)`, /^"a" is a variable, not a function; to multiply, write a \* \(\.\.\.\)/],
    [() => expr`sum * ${x}`, /^"sum" is a function; call it: sum\(\.\.\.\)/],
    [() => expr`f32 * ${x}`, /^"f32" is a dtype; it stands in cast\(x, f32\), dtype=f32 or as the type f32\(3, 4\)/],
    [() => expr`None + ${x}`, /^None stands where a value is wanted/],
    [() => expr`"edge"`, /^the word "edge" stands where a value is wanted/],
    [() => expr`f32(3)`, /^a type stands where a value is wanted/],
    [() => expr`sum(${x}, axs=0)`, /^sum has no attribute axs; did you mean axis\?/],
    [() => expr`neg(${x}, axis=0)`, /^neg has no attribute axis; it has none/],
    [() => expr`sum(${x}, axis=true)`, /^sum: axis true is out of range for rank 1; axes are -1\.\.0/],
    [() => expr`reshape(${x})`, /^reshape: an attribute is missing or of the wrong kind; it has shape/],
    [() => expr`sum()`, /^sum: operand x is missing; write sum\(x\)/],
    [() => expr`sum(${x}, ${x})`, /^sum takes 1 operand \(x\), 2 were given; attributes are keywords: sum\(\.\.\., name=value\)/],
    [() => expr`sum(${x}, x=${x})`, /^sum: x is given twice, by place and by name; give it once/],
    [() => expr`at(${x}, ${x})`, /^at: an index is no number; it is a whole number known beforehand/],
    [() => expr`at(${x}, 0, k=1)`, /^at has no attribute k; it has none/],
    [() => expr`at()`, /^at: operand x is missing/],
    [() => expr`f32(2.5)`, /^f32: a size is 2\.5; it is a whole number known beforehand/],
    [
      () => expr`${[1, 2] as never} + ${x}`,
      /^expr: hole 1 is a list; a vector is tensor\(\[1, 2\]\); operands are Values, Tensors, typed arrays and numbers \(line 1, column 1\)\n {2}\$\{…\} \+ \$\{…\}\n {2}\^{4}$/,
    ],
    [() => expr`1 + ${null as never}`, /^expr: hole 1 is null;/],
    [() => expr`1 + ${undefined as never}`, /^expr: hole 1 is undefined;/],
    [() => expr`1 + ${"a" as never}`, /^expr: hole 1 is a string;/],
  ])("%#", (run, message) => {
    const error = errorOf(run);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/\(line 1, column \d+\)\n {2}.+\n {2} *\^+$/);
  });

  test("an op's own error carries the span, the source and the picture of its part", () => {
    const error = errorOf(() => expr`1 + sum(${x} * [1, 2])`);
    expect(error.message).toBe(
      "mul: x is f64[3] and y is f64[2]; aligned at the right, sizes must be equal or 1 (line 1, column 9)\n  1 + sum(${…} * [1, 2])\n          ^^^^^^^^^^^^^",
    );
    expect(error).toMatchObject({ code: "shape", span: { from: 8, to: 21 }, source: "1 + sum(${…} * [1, 2])" });
    expect(errorOf(() => expr`${x} + ${constant(1, "f32")}`)).toMatchObject({ code: "dtype" });
    expect(errorOf(() => expr`${[] as never}`)).toBeInstanceOf(GraphError);
    expect(errorOf(() => expr`1 +`)).toBeInstanceOf(ParseError);
    expect(errorOf(() => expr`f32(-1)`)).toMatchObject({ code: "shape" });
  });

  test("it is no function of a text", () => {
    const called = expr as unknown as (text: string) => Value;
    expect(errorOf(() => called("x + 1")).message).toBe(
      "expr: it is a tag, written without parentheses: expr`x^2 + 1`; for a text, compileExpression(text)",
    );
  });

  test("types are only for calls that take one", () => {
    expect(errorOf(() => expr`${f32(3) as never} + 1`).message).toMatch(/^expr: hole 1 is a object/);
  });
});
