import { describe, expect, test } from "vitest";
import {
  checkpoint,
  evaluate,
  f32,
  f64,
  grad,
  jvp,
  leaves,
  mean,
  type Operand,
  random,
  read,
  relu,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  variables,
  vmap,
} from "../../src/index.ts";
import {
  attention,
  batchNorm,
  conv2d,
  dropout,
  embedding,
  groupNorm,
  layerNorm,
  linear,
  lstm,
  rotary,
  transformerBlock,
} from "../../src/nn.ts";

const key = random.key(4);
const f = { dtype: "f64" } as const;
const draw = (name: string, ...shape: number[]): Tensor => evaluate(random.normal(random.fold(key, name), f64(...shape)));
const apart = (a: Value, b: Value): number => Math.max(0, ...Array.from(evaluate(sub(a, b)).data, Math.abs));
const lin = variables(linear.init(key, 3, 4, f));
const kernel = variables(conv2d.init(key, 2, 3, 3, f));
const att = variables(attention.init(key, 4, f));
const block = variables(transformerBlock.init(key, 4, f));
const cell = variables(lstm.init(key, 3, 2, f));
const table = variables(embedding.init(key, 5, 3, f));
const norm = variables(layerNorm.init(3, f));

describe("a layer of one example, mapped over many, is the layer of many:", () => {
  test.each<[string, (x: Value) => Value, Tensor]>([
    ["linear", (x) => linear(lin, x), draw("linear", 5, 3)],
    ["layerNorm", (x) => layerNorm(norm, x), draw("norm", 5, 3)],
    ["conv2d", (x) => conv2d(kernel, x), draw("conv", 4, 1, 2, 5, 5)],
    ["groupNorm", (x) => groupNorm({ scale: tensor([1, 2]), shift: tensor([0, 1]) }, x, { groups: 1 }), draw("group", 3, 2, 2, 4)],
    ["attention", (x) => attention(att, x, { heads: 2, causal: true }), draw("attention", 3, 6, 4)],
    ["transformerBlock", (x) => transformerBlock(block, x, { heads: 2, rotary: true }), draw("block", 2, 3, 4)],
    ["lstm.over", (x) => lstm.over(cell, x).out, draw("lstm", 2, 6, 3)],
    [
      "embedding",
      (ids) => embedding(table, ids),
      tensor(
        [
          [1, 2],
          [4, 0],
        ],
        "i32",
      ),
    ],
    ["rotary", (x) => rotary(x), draw("rotary", 2, 3, 4)],
  ])("%s", (_, layer, xs) => {
    const examples = Array.from({ length: xs.type.shape[0]! }, (_, i) => {
      const size = xs.data.length / xs.type.shape[0]!;
      return tensor(xs.data.slice(i * size, (i + 1) * size), { ...xs.type, shape: xs.type.shape.slice(1) });
    });
    const mapped = evaluate(vmap(layer)(xs as never));
    const each = examples.flatMap((x) => [...evaluate(layer(x as never)).data]);
    expect(Math.max(...Array.from(mapped.data, (x, i) => Math.abs(x - each[i]!)))).toBeLessThan(1e-12);
  });
});

test("a checkpointed block has the same gradient, its dropout drops the same elements", () => {
  const x = draw("x", 2, 3, 4);
  const loss = (wrap: (g: (h: Value) => Value) => (h: Value) => Value) => (p: typeof block) =>
    sum(square(wrap((h) => transformerBlock(p, h, { heads: 2, dropout: { rate: 0.3, key } }))(x as never)));
  const [plain, again] = [loss((g) => g), loss((g) => checkpoint(g))].map((l) => leaves(evaluate(grad(l)(block))));
  for (const [i, { leaf, path }] of plain!.entries()) expect(apart(leaf as never, again![i]!.leaf as never), path).toBeLessThan(1e-12);
});

test("forward mode through batch normalisation in training is the gradient's", () => {
  const bn = batchNorm.init(3, f);
  const x = variables({ x: draw("bn", 6, 3) }).x;
  const loss = (v: Value) => mean(square(relu(batchNorm(bn.params, bn.stats, v, { train: true }).out)));
  const along = draw("along", 6, 3);
  const slope = Array.from(evaluate(grad(loss)(x)).data).reduce((total, g, i) => total + g * along.data[i]!, 0);
  expect(read(jvp(loss)(x, along as never).tangent)).toBeCloseTo(slope, 12);
});

describe("edges", () => {
  test("no examples at all", () => {
    expect(evaluate(linear(lin, tensor(new Float64Array(0), f64(0, 3)))).type).toEqual(f64(0, 4));
    expect(evaluate(conv2d(kernel, tensor(new Float64Array(0), f64(0, 2, 5, 5)))).type).toEqual(f64(0, 3, 3, 3));
    expect(evaluate(attention(att, tensor(new Float64Array(0), f64(0, 3, 4)), { heads: 2 })).type).toEqual(f64(0, 3, 4));
    expect(evaluate(embedding(table, tensor(new Int32Array(0)))).type).toEqual(f64(0, 3));
    expect(evaluate(lstm.over(cell, tensor(new Float64Array(0), f64(0, 4, 3))).out).type).toEqual(f64(0, 4, 2));
    const bn = batchNorm.init(3, f);
    expect(evaluate(batchNorm(bn.params, bn.stats, tensor(new Float64Array(0), f64(0, 3)), { train: false }).out).type).toEqual(f64(0, 3));
  });

  test("a NaN is not hidden, and stays with its example", () => {
    const x = tensor([
      [1, Number.NaN, 2],
      [1, 2, 3],
    ]);
    const seen = evaluate(layerNorm(norm, linear(variables(linear.init(key, 3, 3, f)), x))).data;
    expect([...seen].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
    const kept = evaluate(dropout(x, { rate: 0.5, key: random.key(1) })).data;
    expect(kept.length).toBe(6);
  });

  test("a query that sees no key gets the plain mean, not NaN", () => {
    const out = evaluate(attention(att, draw("blind", 1, 2, 4), { heads: 2, keyMask: tensor([[false, false]]) }));
    expect(out.data.every(Number.isFinite)).toBe(true);
  });

  test("mixed dtypes say so", () => {
    expect(() => linear(lin, tensor([[1, 2, 3]], "f32"))).toThrow("f32");
    const x: Operand = tensor(new Float32Array(3));
    expect(() => linear(linear.init(key, 3, 2, f), x)).toThrow("write cast(");
    expect(linear(linear.init(key, 3, 2), x).type).toEqual(f32(2));
  });
});
