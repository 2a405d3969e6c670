import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/grad.ts";
import { evaluate, read, toArray } from "../../src/evaluate/evaluate.ts";
import { ChainruleError } from "../../src/ir/errors.ts";
import { variable } from "../../src/ir/leaf.ts";
import type { Value } from "../../src/ir/node.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f64, typeText } from "../../src/ir/type.ts";
import { callables } from "../../src/notation/callables.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { infix, infixParts } from "../../src/notation/infix.ts";
import { latex } from "../../src/notation/latex.ts";
import * as ops from "../../src/ops/index.ts";

const x = variable(
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  "x",
);
const v = variable(tensor([1, -2, 0.5]), "v");
const s = variable(-1.5, "s");
const w = variable(tensor([0.25, 3, -1], "f32"), "w");
const n = variable(tensor([2, 0, 1], "i32"), "n");
const b = variable(tensor([true, false, true]), "b");
const img = variable(
  tensor(
    Float64Array.from({ length: 50 }, (_, i) => Math.sin(i)),
    f64(1, 2, 5, 5),
  ),
  "img",
);
const ker = variable(
  tensor(
    Float64Array.from({ length: 36 }, (_, i) => Math.cos(i)),
    f64(2, 2, 3, 3),
  ),
  "ker",
);
const all: Readonly<Record<string, Value>> = { x, v, s, w, n, b, img, ker };

function made(text: string): Value {
  const f = compileExpression(text, { variables: Object.keys(all) });
  return f(Object.fromEntries(f.variables.map((name) => [name, all[name]!])));
}

function messageOf(text: string): string {
  try {
    made(text);
  } catch (error) {
    if (error instanceof ChainruleError) return error.message;
    throw error;
  }
  throw new Error("no error");
}

/** Texts, each with the same built by functions. */
const pairs: readonly (readonly [string, () => Value])[] = [
  ["max(s, 0)", () => ops.maximum(s, 0)],
  ["max(v, s, 0.25)", () => ops.maximum(ops.maximum(v, s), 0.25)],
  ["min(v, 0)", () => ops.minimum(v, 0)],
  ["abs(v)", () => ops.abs(v)],
  ["sigmoid(x @ v)", () => ops.sigmoid(ops.matmul(x, v))],
  ["where(v > 0, v, -1)", () => ops.where(ops.greater(v, 0), v, -1)],
  ["where(b, v, s)", () => ops.where(b, v, s)],
  ["clip(v, min=-1, max=0.75)", () => ops.clip(v, { min: -1, max: 0.75 })],
  ["cast(v, f32) * w", () => ops.mul(ops.cast(v, "f32"), w)],
  ["cast(w, dtype=f64) + v", () => ops.add(ops.cast(w, "f64"), v)],
  ["pow(v, 2) + atan2(v, s)", () => ops.add(ops.pow(v, 2), ops.atan2(v, s))],
  ["isNaN(v / 0)", () => ops.isNaN(ops.div(v, 0))],
  ["logicalAnd(v < 1, v >= -2)", () => ops.logicalAnd(ops.less(v, 1), ops.greaterEqual(v, -2))],
  ["(v == 1) != (v <= 0)", () => ops.notEqual(ops.equal(v, 1), ops.lessEqual(v, 0))],
  ["w ^ 2 * 0.1", () => ops.mul(ops.pow(w, 2), 0.1)],
  ["stop(v) * s", () => ops.mul(ops.stop(v), s)],
  ["concat([v, v[1:]])", () => ops.concat([v, ops.slice(v, { start: 1 })])],
  ["concat(x, x, axis=1)", () => ops.concat([x, x], { axis: 1 })],
  ["stack([v, v * 2], axis=-1)", () => ops.stack([v, ops.mul(v, 2)], { axis: -1 })],
  ["at(x, 1, -1)", () => ops.at(x, 1, -1)],
  ["sum(x, axis=[0], keepDims=true)", () => ops.sum(x, { axis: 0, keepDims: true })],
  [
    "mean(x, axis=-1) + variance(x, axis=1, correction=1)",
    () => ops.add(ops.mean(x, { axis: 1 }), ops.variance(x, { axis: 1, correction: 1 })),
  ],
  [
    "norm(v) + norm(x, ord=1) + logSumExp(x) + prod(v)",
    () => ops.add(ops.add(ops.add(ops.norm(v), ops.norm(x, { ord: 1 })), ops.logSumExp(x)), ops.prod(v)),
  ],
  ["norm(v, ord=inf)", () => ops.norm(v, { ord: Number.POSITIVE_INFINITY })],
  ["argMax(x, axis=0) * argMin(v)", () => ops.mul(ops.argMax(x, { axis: 0 }), ops.argMin(v))],
  ["sort(v)[0]", () => ops.sort(v).values],
  ["sort(v, descending=true)[1]", () => ops.sort(v, { descending: true }).indices],
  [
    "topK(x, k=2)[0] * topK(x, k=2, largest=false)[-2]",
    () => ops.mul(ops.topK(x, { k: 2 }).values, ops.topK(x, { k: 2, largest: false }).values),
  ],
  ["x[:, n]", () => ops.gather(x, n, { axis: 1 })],
  ["v[[2, 0]]", () => ops.gather(v, tensor([2, 0], "i32"))],
  ["x[None, n[:2] - n[:2]]", () => ops.reshape(ops.gather(x, tensor([0, 0], "i32")), { shape: [1, 2, 3] })],
  ["gather(x, n, axis=1)", () => ops.gather(x, n, { axis: 1 })],
  ["scatterAdd(v, n, v)", () => ops.scatterAdd(v, n, v)],
  ["scatterElements(v, n, v, reduction=add)", () => ops.scatterElements(v, n, v, { reduction: "add" })],
  ["gatherElements(v, n)", () => ops.gatherElements(v, n)],
  ["x @ x.T", () => ops.matmul(x, ops.transpose(x))],
  ["dot(v, v) * cross(v, x[0])", () => ops.mul(ops.dot(v, v), ops.cross(v, ops.at(x, 0)))],
  ['einsum("ij,kj->ik", x, x)', () => ops.einsum("ij,kj->ik", x, x)],
  ["conv(img, ker)", () => ops.conv(img, ker)],
  ["conv(img, ker, v[:2], stride=2, padding=1)", () => ops.conv(img, ker, ops.slice(v, { end: 2 }), { stride: 2, padding: 1 })],
  ["conv(img, ker, None, padding=same)", () => ops.conv(img, ker, null, { padding: "same" })],
  ["conv(img, ker, bias=v[:2])", () => ops.conv(img, ker, ops.slice(v, { end: 2 }))],
  ["convTranspose(img, ker, stride=2)", () => ops.convTranspose(img, ker, null, { stride: 2 })],
  ["maxPool(img, size=2)", () => ops.maxPool(img, { size: 2 })],
  [
    "averagePool(img, size=[2, 3], stride=1, padding=1, countIncludePad=false)",
    () => ops.averagePool(img, { size: [2, 3], stride: 1, padding: 1, countIncludePad: false }),
  ],
  ["relu(v) + leakyRelu(v, slope=0.2)", () => ops.add(ops.relu(v), ops.leakyRelu(v, { slope: 0.2 }))],
  ["gelu(v) + gelu(v, approximate=tanh)", () => ops.add(ops.gelu(v), ops.gelu(v, { approximate: "tanh" }))],
  ["softmax(x, axis=0) * logSoftmax(x)", () => ops.mul(ops.softmax(x, { axis: 0 }), ops.logSoftmax(x))],
  ["layerNormalization(x, bias=v, epsilon=0.01)", () => ops.layerNormalization(x, null, v, { epsilon: 0.01 })],
  ["layerNormalization(x, v) + rmsNormalization(x)", () => ops.add(ops.layerNormalization(x, v), ops.rmsNormalization(x))],
  ["groupNormalization(img, groups=2)", () => ops.groupNormalization(img, { groups: 2 })],
  [
    "batchNormalization(img, v[:2], v[1:], v[:2], abs(v[:2]))",
    () =>
      ops.batchNormalization(
        img,
        ops.slice(v, { end: 2 }),
        ops.slice(v, { start: 1 }),
        ops.slice(v, { end: 2 }),
        ops.abs(ops.slice(v, { end: 2 })),
      ),
  ],
  ["batchMoments(img)[1]", () => ops.batchMoments(img).variance],
  [
    "scaledDotProductAttention(x, x, x, causal=true, scale=0.5)",
    () => ops.scaledDotProductAttention(x, x, x, { causal: true, scale: 0.5 }),
  ],
  [
    "scaledDotProductAttention(x, x, x, mask=x[:, :2] > 1)",
    () => ops.scaledDotProductAttention(x, x, x, { mask: ops.greater(ops.slice(x, { axis: 1, end: 2 }), 1) }),
  ],
  ["softmaxCrossEntropy(x, n[:2], reduction=sum)", () => ops.softmaxCrossEntropy(x, ops.slice(n, { end: 2 }), { reduction: "sum" })],
  ["hinge(x, n[1:], margin=2)", () => ops.hinge(x, ops.slice(n, { start: 1 }), { margin: 2 })],
  [
    "meanSquaredError(x @ v, [1, 2]) + huber(v, 0 * v)",
    () => ops.add(ops.meanSquaredError(ops.matmul(x, v), tensor([1, 2])), ops.huber(v, ops.mul(0, v))),
  ],
  ["pad(v, pads=[[1, 2]], mode=edge)", () => ops.pad(v, { pads: [[1, 2]], mode: "edge" })],
  [
    "pad(x, pads=[[0, 0], [1, 0]], value=-7)",
    () =>
      ops.pad(x, {
        pads: [
          [0, 0],
          [1, 0],
        ],
        value: -7,
      }),
  ],
  ["cumsum(x, axis=1, reverse=true)", () => ops.cumsum(x, { axis: 1, reverse: true })],
  ["flip(x, axis=0) + tile(x, repeats=[1, 1])", () => ops.add(ops.flip(x, { axis: 0 }), ops.tile(x, { repeats: [1, 1] }))],
  ["squeeze(unsqueeze(v, axis=0), axis=0)", () => ops.squeeze(ops.unsqueeze(v, { axis: 0 }), { axis: 0 })],
  ["split(x, axis=1, sizes=[1, 2])[1]", () => ops.split(x, { axis: 1, sizes: [1, 2] })[1]!],
  ["unstack(x)[-1] + unstack(x, axis=1)[0][0]", () => ops.add(ops.unstack(x)[1]!, ops.at(ops.unstack(x, { axis: 1 })[0]!, 0))],
  ["diag(v) + triu(diag(v), offset=1)", () => ops.add(ops.diag(v), ops.triu(ops.diag(v), { offset: 1 }))],
  ["tril(x)", () => ops.tril(x)],
  ["oneHot(n, depth=3, dtype=f64)", () => ops.oneHot(n, { depth: 3, dtype: "f64" })],
  ["expand(s, shape=[2, 2])", () => ops.expand(s, { shape: [2, 2] })],
];

describe("callables", () => {
  test.each(pairs)("%s", (text, build) => {
    const [value, wanted] = [made(text), build()];
    expect(typeText(value.type)).toBe(typeText(wanted.type));
    expect(evaluate(value)).toEqual(evaluate(wanted));
    const printed = infixParts(wanted);
    const again = compileExpression(printed.text, { variables: Object.keys(printed.operands) })(printed.operands);
    expect(evaluate(again), printed.text).toEqual(evaluate(wanted));
  });

  const differentiable = pairs.filter(([, build]) => build().type.dtype === "f64");
  test.each(differentiable)("the gradient of %s prints and reads back", (_, build) => {
    const value = build();
    const wrt = { x, v, s, img, ker };
    for (const gradient of Object.values(gradients(ops.sum(value), wrt))) {
      const printed = infixParts(gradient);
      const again = compileExpression(printed.text, { variables: Object.keys(printed.operands) })(printed.operands);
      expect(evaluate(again), printed.text).toEqual(evaluate(gradient));
      expect(latex(gradient)).not.toMatch(/undefined|\[object/);
    }
  });

  test("max and min of one operand reduce, of several are elementwise", () => {
    expect([toArray(made("max(x, axis=0)")), read(made("min(x)")), toArray(made("max(x, axis=1, keepDims=true)"))]).toEqual([
      [4, 5, 6],
      1,
      [[3], [6]],
    ]);
    expect(infix(made("max(s, 0)"))).toBe("maximum(s, 0)");
    expect(read(made("max(1, 2, -inf) + min(4, 3)"))).toBe(5);
    expect(typeText(made("max(1, 2) * w").type)).toBe("f32[3]");
    expect(messageOf("max(v, 0, axis=0)")).toMatch(/^max of two or more operands has no attribute axis; it has none/);
    expect(messageOf("max(v, axs=0)")).toMatch(/^max has no attribute axs; did you mean axis\?/);
    expect(messageOf("min()")).toMatch(/^min: operand x is missing/);
  });

  test("elementwise functions of numbers are numbers and stay weak; predicates are truth values", () => {
    expect(typeText(made("sqrt(2) * w").type)).toBe("f32[3]");
    expect(typeText(made("2^0.5 * exp(1) * w").type)).toBe("f32[3]");
    expect(read(made("sqrt(2) * sin(1)"))).toBe(Math.SQRT2 * Math.sin(1));
    expect(typeText(made("1 < 2").type)).toBe("bool[]");
    expect(read(made("where(1 < 2, 3, 4)"))).toBe(3);
    expect(messageOf("logicalNot(1)")).toMatch(/^logicalNot: x is f64\[\] and logicalNot takes truth values/);
  });

  test("types, ranges and full tensors", () => {
    expect(toArray(made("zeros(f32(2)) + ones(f32(2)) * full(f32(2), 3)"))).toEqual([3, 3]);
    expect(typeText(made("zeros(i32())").type)).toBe("i32[]");
    expect(toArray(made("range(3)"))).toEqual([0, 1, 2]);
    expect(typeText(made("range(0, 1, 0.5, dtype=f64)").type)).toBe("f64[2]");
  });

  test.each([
    ["sum(v, axis=s)", /^sum: axis is a value of the graph; an attribute has to be known beforehand: write a number, word or list/],
    ["max(v, keepDims=s)", /^max: keepDims is a value of the graph/],
    ["sum(v, axis=sort(v))", /^the 2 results of sort \(values, indices\) stand where an attribute is wanted; take one with \[0\]/],
    ["sort(v) + 1", /^the 2 results of sort \(values, indices\) stands where a value is wanted; take one with \[0\] to \[1\]/],
    ["sort(v)[2]", /^\[\.\.\.\]: index 2 is out of range for a list of 2; indices are -2\.\.1/],
    ["sort(v)[0:1]", /^\[\.\.\.\]: a list of 2 values takes one whole number: \[0\]/],
    ["cast(v)", /^cast: the dtype is missing; write cast\(x, f32\), one of f64 f32/],
    ["cast(v, float)", /^cast: the dtype is the word "float"; write cast\(x, f32\)/],
    ["cast(v, f32, k=1)", /^cast has no attribute k; it has dtype/],
    ["zeros(3)", /^zeros: the first operand is a type: zeros\(f32\(3, 4\)\)/],
    ["full(3, 1)", /^full: the first operand is a type: full\(f32\(3, 4\), value\)/],
    ["full(f32(3))", /^full: operand value is missing/],
    ["range(s)", /^range: a bound is a value of the graph; bounds are plain numbers: range\(3\), range\(1, 4\)/],
    ["range(3, dtype=float)", /^range: the dtype is the word "float"; write dtype=f64/],
    ["where(b, v)", /^where: operand y is missing; write where\(test, x, y\)/],
    ["relux(v)", /^unknown function "relux"; did you mean relu\?/],
  ])("%s", (text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  test("every one refuses an attribute it has not", () => {
    const operands = [
      "img, v[:2], v[:2], v[:2], v[:2]",
      "img, ker",
      "img",
      "true",
      "true, true",
      "true, x, x",
      "x",
      "x, x",
      "v, v",
      "v, n, v",
      "x[0], n",
      "x, x, x",
      "[x]",
      "x, 0",
      "x, 2, f32",
      "f32(2)",
    ];
    for (const name of callables().keys()) {
      const refused = operands.some((list) => {
        try {
          made(`${name}(${list}, zzz=1)`);
          return false;
        } catch (error) {
          return error instanceof ChainruleError && /has no attribute zzz/.test(error.message);
        }
      });
      expect(refused, name).toBe(true);
    }
  });
});
